"""Notify: a delivery with its exact body replaces the outbox rows it was made of, before the first call."""

from enum import IntEnum
from typing import NamedTuple

from heliograph.core.ids import AccountId, MessageId, WebhookId
from heliograph.core.states import MessageState
from heliograph.store.hop import Hop
from heliograph.store.hops.statements import Script, Statement, together


class DeliveryState(IntEnum):
    """Where a delivery stands. Numbers are stored."""

    PENDING = 1
    DELIVERED = 2
    DEAD = 3


class GroupRequest(NamedTuple):
    """One delivery and the events it tells. events: outbox keys, those overtaken by later ones included."""

    delivery_id: int
    webhook_id: WebhookId
    account_id: AccountId
    kind: int
    body: bytes
    told: int
    events: list[tuple[AccountId, MessageId, MessageState]]
    at_ms: int


_CLEAR = Statement(
    """
delete from outbox where (webhook_id, account_id, message_id, state) in (select * from ({rows}) j)
""",
    columns="int int bigint int",
)
_INSERT = Statement(
    """
insert into delivery(id, webhook_id, account_id, kind, events, body, state, next_at_ms, created_at_ms)
select * from ({rows}) j where column1 is not null
""",
    columns="bigint int int int int bytea int bigint bigint",
)


def _group(requests: list[GroupRequest]) -> Script[list[None]]:
    cleared = [
        (request.webhook_id, account_id, message_id, int(state))
        for request in requests
        for account_id, message_id, state in request.events
    ]
    pending = int(DeliveryState.PENDING)
    made = [
        (
            each.delivery_id,
            each.webhook_id,
            each.account_id,
            each.kind,
            each.told,
            each.body,
            pending,
            each.at_ms,
            each.at_ms,
        )
        for each in requests
    ]
    yield together([_CLEAR.about(cleared), _INSERT.about(made)])
    return [None] * len(requests)


GROUP: Hop[GroupRequest, None] = Hop("notify", lambda request: len(request.events), _group)


class TriedRequest(NamedTuple):
    """What came of a call. settled_at_ms: when it ended for good, None while it will be tried again."""

    delivery_id: int
    state: DeliveryState
    attempts: int
    next_at_ms: int
    status: int | None
    note: str
    settled_at_ms: int | None


_TRIED = Statement(
    """
update delivery set state = j.column2, attempts = j.column3, next_at_ms = j.column4, status = j.column5,
  note = j.column6, settled_at_ms = j.column7
from ({rows}) j where delivery.id = j.column1
""",
    columns="bigint int int bigint int text bigint",
)


def _tried(requests: list[TriedRequest]) -> Script[list[None]]:
    # Of two calls of one delivery the last one holds, as `update … from` takes any one row.
    last = {request.delivery_id: request for request in requests}
    yield _TRIED.about([(each[0], int(each[1]), *each[2:]) for each in last.values()])
    return [None] * len(requests)


TRIED: Hop[TriedRequest, None] = Hop("told", lambda _: 1, _tried)
