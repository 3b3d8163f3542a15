"""Notify: a delivery with its exact body replaces the outbox rows it was made of, before the first call."""

import sqlite3
from enum import IntEnum
from typing import NamedTuple

from heliograph.core.ids import AccountId, MessageId, WebhookId
from heliograph.core.states import MessageState
from heliograph.store.hop import Hop
from heliograph.store.hops.rows import Batched


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


_CLEAR = Batched(
    """
delete from outbox where webhook_id = ?1 and (account_id, message_id, state) in (select * from ({rows}))
""",
    columns=3,
    scalars=1,
)
_INSERT = """
insert into delivery(id, webhook_id, account_id, kind, events, body, state, next_at_ms, created_at_ms)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def _group(connection: sqlite3.Connection, requests: list[GroupRequest]) -> list[None]:
    for request in requests:
        keys = [(account_id, message_id, int(state)) for account_id, message_id, state in request.events]
        _CLEAR.run(connection, keys, request.webhook_id)
    connection.executemany(
        _INSERT,
        [
            (
                request.delivery_id,
                request.webhook_id,
                request.account_id,
                request.kind,
                request.told,
                request.body,
                DeliveryState.PENDING,
                request.at_ms,
                request.at_ms,
            )
            for request in requests
        ],
    )
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


_TRIED = """
update delivery set state = ?2, attempts = ?3, next_at_ms = ?4, status = ?5, note = ?6, settled_at_ms = ?7 where id = ?1
"""


def _tried(connection: sqlite3.Connection, requests: list[TriedRequest]) -> list[None]:
    connection.executemany(_TRIED, requests)
    return [None] * len(requests)


TRIED: Hop[TriedRequest, None] = Hop("told", lambda _: 1, _tried)
