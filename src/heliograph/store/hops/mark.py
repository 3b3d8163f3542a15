"""The mark: a message is `submitting` in the store before a segment of it may leave.

It also arbitrates cancelling, takeover and expiry: only returned ids may be sent. Reading and marking are one step,
because the transaction holds the only right to write.
"""

import sqlite3
from typing import NamedTuple

import msgspec

from heliograph.core.ids import AccountId, MessageId
from heliograph.core.states import MessageState
from heliograph.store.engine import Hop
from heliograph.store.hops.rows import one, rows


class MarkRequest(NamedTuple):
    """Messages that a session is about to send."""

    owner: int
    session_id: int
    messages: list[tuple[AccountId, MessageId]]
    at_ms: int


_MAY_LEAVE = """
select json_group_array(json_array(m.account_id, m.id)) from json_each(?1) j
cross join message m on m.account_id = j.value->>0 and m.id = j.value->>1
where m.state = ?2 and m.owner = ?3 and m.expires_at_ms > ?4
"""
_MARK = """
update message set state = ?2, session = ?3, marked_at_ms = ?4
where (account_id, id) in (select value->>0, value->>1 from json_each(?1))
"""
_pairs = msgspec.json.Decoder(list[tuple[AccountId, MessageId]]).decode


def _sqlite(connection: sqlite3.Connection, requests: list[MarkRequest]) -> list[set[MessageId]]:
    return [_mark(connection, request) for request in requests]


def _mark(connection: sqlite3.Connection, request: MarkRequest) -> set[MessageId]:
    at_ms = request.at_ms
    marked = one(connection, _MAY_LEAVE, rows(request.messages), MessageState.QUEUED, request.owner, at_ms)
    connection.execute(_MARK, (marked, MessageState.SUBMITTING, request.session_id, at_ms))
    return {message_id for _, message_id in _pairs(marked)}


MARK: Hop[MarkRequest, set[MessageId]] = Hop("mark", lambda request: len(request.messages), _sqlite)
