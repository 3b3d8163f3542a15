"""Forget what has served its time."""

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import first_at
from heliograph.store.hops.notify import DeliveryState
from heliograph.store.schema import conversation, delivery, idempotency, incoming_segment


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


async def forget_segments(connection: AsyncConnection, *, before_ms: int, most: int) -> int:
    """Forget up to `most` segments received before a time whose message is whole; returns how many."""
    table = incoming_segment.c
    key = (table.carrier_id, table.sender, table.recipient, table.reference, table.first_at_ms, table.number)
    wanted = select(*key).where(table.received_at_ms < before_ms, table.incoming_id != 0).limit(most)
    old = [tuple(row) for row in await connection.execute(wanted)]
    if old:
        await connection.execute(incoming_segment.delete().where(tuple_(*key).in_(old)))
    return len(old)


async def forget_conversations(
    connection: AsyncConnection, after: tuple[str, str], *, before_ms: int, most: int
) -> tuple[str, str] | None:
    """Forget a page of conversations that ended before a time. Returns where to go on, None at the end."""
    key = (conversation.c.sender, conversation.c.recipient)
    page = select(*key, conversation.c.at_ms).where(tuple_(*key) > tuple_(*after)).order_by(*key).limit(most)
    looked = (await connection.execute(page)).all()
    old = [(row[0], row[1]) for row in looked if row.at_ms < before_ms]
    if old:
        await connection.execute(conversation.delete().where(tuple_(*key).in_(old)))
    return (looked[-1][0], looked[-1][1]) if len(looked) == most else None
