"""Notify: a delivery with its exact body replaces the outbox rows it was made of, before the first call."""

from collections.abc import Container
from enum import IntEnum
from typing import NamedTuple

from heliograph.core.ids import AccountId, MessageId, WebhookId
from heliograph.core.states import MessageState
from heliograph.store.hop import Hop
from heliograph.store.hops.outbox import TELL
from heliograph.store.hops.statements import Script, Statement, together


class DeliveryState(IntEnum):
    """Where a delivery stands. Numbers are stored."""

    PENDING = 1
    DELIVERED = 2
    DEAD = 3


class GroupRequest(NamedTuple):
    """One delivery and the events it tells. events: outbox keys, told ones first, then those overtaken by later ones.

    owner: the process that will call.
    """

    delivery_id: int
    webhook_id: WebhookId
    account_id: AccountId
    kind: int
    body: bytes
    told: int
    events: list[tuple[AccountId, MessageId, MessageState]]
    at_ms: int
    owner: int = 0


Missing = frozenset[tuple[int, int, int]]
"""Events (account, message and state) that were to be told and that somebody else has told already."""

_CLEAR = Statement(
    """
delete from outbox where (webhook_id, account_id, message_id, state) in (select * from ({rows}) j)
returning webhook_id, account_id, message_id, state, at_ms
""",
    returns=True,
    columns="int int bigint int",
    # However few rows the outbox had when the server counted them last, it looks for each by its key.
    postgres="""
delete from outbox where ctid = any(array(
  select o.ctid from ({rows}) j cross join lateral (
    select ctid from outbox where webhook_id = j.column1 and account_id = j.column2 and message_id = j.column3
      and state = j.column4 for update
  ) o
))
returning webhook_id, account_id, message_id, state, at_ms
""",
)
_INSERT = Statement(
    """
insert into delivery(id, webhook_id, account_id, kind, events, body, state, next_at_ms, created_at_ms, owner)
select * from ({rows}) j where column1 is not null
""",
    columns="bigint int int int int bytea int bigint bigint int",
)


def _group(requests: list[GroupRequest]) -> Script[list[Missing]]:
    cleared = yield _CLEAR.about(
        [
            (request.webhook_id, account_id, message_id, int(state))
            for request in requests
            for account_id, message_id, state in request.events
        ]
    )
    there = {row[:4]: row for row in map(tuple, cleared)}
    missing = [_missing(request, there) for request in requests]
    # A delivery that would tell something twice is not made: what was cleared for it waits on.
    back = [
        there[key]
        for request, lacks in zip(requests, missing, strict=True)
        if lacks
        for each in request.events
        if (key := (int(request.webhook_id), *map(int, each))) in there
    ]
    made = [_row(request) for request, lacks in zip(requests, missing, strict=True) if not lacks]
    yield together([TELL.about(back), _INSERT.about(made)])
    return missing


def _missing(request: GroupRequest, there: Container[tuple[int, ...]]) -> Missing:
    webhook_id = int(request.webhook_id)
    told = [(int(each[0]), int(each[1]), int(each[2])) for each in request.events[: request.told]]
    return frozenset(key for key in told if (webhook_id, *key) not in there)


def _row(request: GroupRequest) -> tuple[object, ...]:
    return (
        request.delivery_id,
        request.webhook_id,
        request.account_id,
        request.kind,
        request.told,
        request.body,
        int(DeliveryState.PENDING),
        request.at_ms,
        request.at_ms,
        request.owner,
    )


GROUP: Hop[GroupRequest, Missing] = Hop("notify", lambda request: len(request.events), _group)


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
