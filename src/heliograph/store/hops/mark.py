"""The mark: a message is `submitting` in the store before a segment of it may leave.

The same statement arbitrates cancelling, takeover and expiry: only returned ids may be sent.
"""

import sqlite3
from typing import NamedTuple

from heliograph.core.ids import AccountId, MessageId
from heliograph.core.states import MessageState
from heliograph.store.engine import Hop
from heliograph.store.hops.rows import rows


class MarkRequest(NamedTuple):
    """Messages that a session is about to send."""

    owner: int
    session_id: int
    messages: list[tuple[AccountId, MessageId]]
    at_ms: int


_MARK = """
update message set state = ?2, session = ?3, marked_at_ms = ?4
from (select value->>0 as account_id, value->>1 as id from json_each(?1)) as wanted
where message.account_id = wanted.account_id and message.id = wanted.id
  and message.state = ?5 and message.owner = ?6 and message.expires_at_ms > ?4
returning id
"""


def _sqlite(connection: sqlite3.Connection, requests: list[MarkRequest]) -> list[set[MessageId]]:
    return [_mark(connection, request) for request in requests]


def _mark(connection: sqlite3.Connection, request: MarkRequest) -> set[MessageId]:
    marked = connection.execute(
        _MARK,
        (
            rows(request.messages),
            MessageState.SUBMITTING,
            request.session_id,
            request.at_ms,
            MessageState.QUEUED,
            request.owner,
        ),
    )
    return {row[0] for row in marked.fetchall()}


MARK: Hop[MarkRequest, set[MessageId]] = Hop("mark", lambda request: len(request.messages), _sqlite)
