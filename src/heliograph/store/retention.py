"""Forget what has served its time."""

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import first_at
from heliograph.store.hops.notify import DeliveryState
from heliograph.store.schema import delivery, idempotency


async def forget_keys(connection: AsyncConnection, *, before_ms: int, most: int) -> int:
    """Forget up to `most` idempotency keys used before a time; returns how many."""
    key = (idempotency.c.account_id, idempotency.c.name)
    old = (await connection.execute(select(*key).where(idempotency.c.at_ms < before_ms).limit(most))).all()
    if old:
        await connection.execute(idempotency.delete().where(tuple_(*key).in_([(row[0], row[1]) for row in old])))
    return len(old)


async def forget_deliveries(connection: AsyncConnection, *, before_ms: int, most: int) -> int:
    """Forget up to `most` ended deliveries made before a time; returns how many."""
    wanted = (
        select(delivery.c.id)
        .where(delivery.c.id < first_at(before_ms), delivery.c.state != DeliveryState.PENDING)
        .order_by(delivery.c.id)
        .limit(most)
    )
    old = list(await connection.scalars(wanted))
    if old:
        await connection.execute(delivery.delete().where(delivery.c.id.in_(old)))
    return len(old)
