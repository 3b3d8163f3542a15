"""The mark: a message is `submitting` in the store before a segment of it may leave.

It also arbitrates cancelling, takeover and expiry: only returned ids may be sent. The carrier is the session's: routes
may have changed while the message waited. Reading and marking are one step, because the transaction holds the only
right to write.
"""

import sqlite3
from typing import NamedTuple

import msgspec

from heliograph.core.ids import AccountId, CarrierId, MessageId
from heliograph.core.states import MessageState
from heliograph.store.hop import Hop
from heliograph.store.hops.rows import Batched


class MarkRequest(NamedTuple):
    """Messages that a session is about to send to its carrier."""

    owner: int
    carrier_id: CarrierId
    session_id: int
    messages: list[tuple[AccountId, MessageId]]
    at_ms: int


_MAY_LEAVE = Batched(
    """
select json_group_array(json_array(m.account_id, m.id)) from ({rows}) j
cross join message m on m.account_id = j.column1 and m.id = j.column2
where m.state = ?1 and m.owner = ?2 and m.expires_at_ms > ?3
""",
    columns=2,
    scalars=3,
)
_MARK = Batched(
    """
update message set state = ?1, session = ?2, marked_at_ms = ?3, carrier_id = ?4
where (account_id, id) in (select * from ({rows}))
""",
    columns=2,
    scalars=4,
)
_pairs = msgspec.json.Decoder(list[tuple[AccountId, MessageId]]).decode


def _sqlite(connection: sqlite3.Connection, requests: list[MarkRequest]) -> list[set[MessageId]]:
    return [_mark(connection, request) for request in requests]


def _mark(connection: sqlite3.Connection, request: MarkRequest) -> set[MessageId]:
    owner, carrier_id, session_id, messages, at_ms = request
    marked: list[tuple[AccountId, MessageId]] = []
    for answer in _MAY_LEAVE.answers(connection, messages, int(MessageState.QUEUED), owner, at_ms):
        marked += _pairs(answer)
    _MARK.run(connection, marked, int(MessageState.SUBMITTING), session_id, at_ms, carrier_id)
    return {message_id for _, message_id in marked}


MARK: Hop[MarkRequest, set[MessageId]] = Hop("mark", lambda request: len(request.messages), _sqlite)
