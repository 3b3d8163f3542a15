"""The mark: a message is `submitting` in the store before a segment of it may leave.

It also arbitrates cancelling, takeover and expiry: only returned ids may be sent. The carrier is the session's: routes
may have changed while the message waited. Reading and marking are one step, because the transaction holds the only
right to write these messages.
"""

from typing import NamedTuple

from heliograph.core.ids import AccountId, CarrierId, MessageId
from heliograph.core.states import MessageState
from heliograph.store.hop import Hop
from heliograph.store.hops.statements import NOTHING, Script, Statement


class MarkRequest(NamedTuple):
    """Messages that a session is about to send to its carrier."""

    owner: int
    carrier_id: CarrierId
    session_id: int
    messages: list[tuple[AccountId, MessageId]]
    at_ms: int


_MAY_LEAVE = Statement(
    """
from ({rows}) j cross join {day:message} m
where m.account_id = j.column1 and m.id = j.column2 and m.state = ?1 and m.owner = ?2
  and m.expires_at_ms > ?3
""",
    reads="m.account_id, m.id{spot:m}",
    answer=tuple[AccountId, MessageId],
    columns="int bigint",
    scalars="int int bigint",
    id_column=2,
    postgres="""
from ({rows}) j cross join lateral (
  select m.account_id, m.id, m.ctid from {day:message} m
  where m.account_id = j.column1 and m.id = j.column2 and m.state = ?1 and m.owner = ?2 and m.expires_at_ms > ?3
  for update
) m
""",
)
_MARK = Statement(
    """
update {day:message} set state = ?1, session = ?2, marked_at_ms = ?3, carrier_id = ?4
where (account_id, id) in (select * from ({rows}) j)
""",
    columns="int bigint",
    scalars="int bigint bigint int",
    id_column=2,
    postgres=NOTHING,
)
_MARK_AT = Statement(
    "",
    columns="bigint tid",
    scalars="int bigint bigint int",
    id_column=1,
    postgres="""
update {day:message} set state = ?1, session = ?2, marked_at_ms = ?3, carrier_id = ?4
where ctid = any(array(select column2 from ({rows}) j))
""",
)


def _script(requests: list[MarkRequest]) -> Script[list[set[MessageId]]]:
    results: list[set[MessageId]] = []
    for owner, carrier_id, session_id, messages, at_ms in requests:
        marked = yield _MAY_LEAVE.about(messages, int(MessageState.QUEUED), owner, at_ms)
        mark, rows = (_MARK_AT, [row[1:] for row in marked]) if marked and len(marked[0]) > 2 else (_MARK, marked)
        yield mark.about(rows, int(MessageState.SUBMITTING), session_id, at_ms, carrier_id)
        results.append({row[1] for row in marked})
    return results


MARK: Hop[MarkRequest, set[MessageId]] = Hop("mark", lambda request: len(request.messages), _script)
