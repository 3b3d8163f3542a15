"""Owners: the processes that hold messages in memory."""

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.schema import delivery, incoming, message, owner, submission


async def add(connection: AsyncConnection, *, node: int, at_ms: int, low_water_id: int) -> int:
    """A new owner's number: higher than every one before."""
    highest = (await connection.execute(select(func.coalesce(func.max(owner.c.id), 0)))).scalar_one()
    held = (
        (await connection.execute(select(func.coalesce(func.max(message.c.owner), 0)))).scalar_one()
        if not highest
        else 0
    )
    number: int = max(highest, held) + 1
    await connection.execute(
        insert(owner).values(id=number, node=node, started_at_ms=at_ms, beat_at_ms=at_ms, low_water_id=low_water_id)
    )
    return number


async def beat(connection: AsyncConnection, number: int, *, at_ms: int, low_water_id: int) -> None:
    """The owner lives, and has nothing unfinished below an id."""
    await connection.execute(
        update(owner).where(owner.c.id == number).values(beat_at_ms=at_ms, low_water_id=low_water_id)
    )


async def lowest_water(connection: AsyncConnection) -> int:
    """The id from which on the messages of owners before may be unfinished."""
    found: int = (await connection.execute(select(func.coalesce(func.min(owner.c.low_water_id), 0)))).scalar_one()
    return found


async def remove_others(connection: AsyncConnection, number: int) -> None:
    """Forget owners whose messages have been recovered."""
    await connection.execute(delete(owner).where(owner.c.id != number))


async def last_id(connection: AsyncConnection) -> int:
    """The highest id that was given out for a submission, a message, a delivery or an incoming message."""
    highest = 0
    for column in (delivery.c.id, incoming.c.id):
        found = (await connection.execute(select(func.coalesce(func.max(column), 0)))).scalar_one()
        highest = max(highest, found)
    for table in (submission, message):
        by_account = select(func.max(table.c.id)).group_by(table.c.account_id)
        found = max((row[0] for row in await connection.execute(by_account)), default=0)
        highest = max(highest, found)
    return highest
