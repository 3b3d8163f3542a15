"""Deliveries: the calls of webhooks, as people look at them and ask for them again."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, WebhookId
from heliograph.store.hops.notify import DeliveryState
from heliograph.store.schema import delivery, outbox


class DeliveryRow(NamedTuple):
    """One delivery without its body. status: HTTP status of the last call, None when nobody answered."""

    delivery_id: int
    webhook_id: WebhookId
    account_id: AccountId
    kind: EventKind
    events: int
    state: DeliveryState
    attempts: int
    next_at_ms: int
    status: int | None
    note: str | None
    created_at_ms: int
    settled_at_ms: int | None


_COLUMNS = [delivery.c[name] for name in ("id", *DeliveryRow._fields[1:])]


def _of(account_id: AccountId | None, webhook_id: WebhookId | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if account_id is not None:
        conditions.append(delivery.c.account_id == account_id)
    if webhook_id is not None:
        conditions.append(delivery.c.webhook_id == webhook_id)
    return conditions


async def newest(
    connection: AsyncConnection, *, account_id: AccountId | None, webhook_id: WebhookId | None, limit: int
) -> list[DeliveryRow]:
    """Up to `limit` deliveries of an account, of a webhook or of all, newest first."""
    wanted = select(*_COLUMNS).where(*_of(account_id, webhook_id)).order_by(delivery.c.id.desc()).limit(limit)
    return [
        DeliveryRow(*row)._replace(kind=EventKind(row.kind), state=DeliveryState(row.state))
        for row in await connection.execute(wanted)
    ]


async def again(connection: AsyncConnection, delivery_ids: Sequence[int], *, now_ms: int) -> int:
    """Make deliveries due now with their bytes unchanged and all their tries before them; returns how many."""
    renewed = await connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(delivery_ids))
        .values(state=DeliveryState.PENDING, attempts=0, next_at_ms=now_ms, settled_at_ms=None, owner=0)
    )
    return renewed.rowcount


async def failed_ids(connection: AsyncConnection, webhook_id: WebhookId, *, after: int, limit: int) -> list[int]:
    """A page of the deliveries of a webhook that were given up, oldest first, behind the id `after`."""
    wanted = (
        select(delivery.c.id)
        .where(delivery.c.webhook_id == webhook_id, delivery.c.state == DeliveryState.DEAD, delivery.c.id > after)
        .order_by(delivery.c.id)
        .limit(limit)
    )
    return list(await connection.scalars(wanted))


async def drop(connection: AsyncConnection, webhook_id: WebhookId, *, limit: int, now_ms: int) -> bool:
    """Forget up to `limit` events and deliveries of a webhook that is gone; True while there may be more."""
    keys = (outbox.c.account_id, outbox.c.message_id, outbox.c.state)
    waiting = select(*keys).where(outbox.c.webhook_id == webhook_id).limit(limit)
    forgotten = await connection.execute(
        delete(outbox).where(outbox.c.webhook_id == webhook_id, tuple_(*keys).in_(waiting))
    )
    pending = select(delivery.c.id).where(
        delivery.c.webhook_id == webhook_id, delivery.c.state == DeliveryState.PENDING
    )
    ended = await connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(pending.limit(limit)))
        .values(state=DeliveryState.DEAD, note="the webhook was removed", settled_at_ms=now_ms)
    )
    return limit in (forgotten.rowcount, ended.rowcount)
