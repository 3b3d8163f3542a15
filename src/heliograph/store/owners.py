"""Owners: the processes that hold messages in memory."""

from sqlalchemy import BigInteger, cast, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import NODES, AccountId
from heliograph.store.engine import StoreRefused
from heliograph.store.schema import delivery, incoming, message, meta, owner, submission

_LAST = "owner"
"""Names the number that was given last, among the counts of `meta`."""


async def add(connection: AsyncConnection, *, node: int, at_ms: int, low_water_id: int) -> int:
    """A new owner's number: higher than every one before."""
    number = await _highest(connection) + 1
    await connection.execute(
        insert(owner).values(id=number, node=node, started_at_ms=at_ms, beat_at_ms=at_ms, low_water_id=low_water_id)
    )
    return number


async def _highest(connection: AsyncConnection) -> int:
    """The highest number that any owner has, or had when a message was left."""
    highest: int = (await connection.execute(select(func.coalesce(func.max(owner.c.id), 0)))).scalar_one()
    if highest:
        return highest
    held: int = (await connection.execute(select(func.coalesce(func.max(message.c.owner), 0)))).scalar_one()
    return held


async def join(connection: AsyncConnection, *, low_water_id: int, is_worker: bool) -> tuple[int, int]:
    """A new owner beside others on a server: its number, and a node that none of them has.

    Whoever joins takes its turn, so that no two get the same. Raises StoreRefused when all nodes are taken.
    """
    taken = set(await connection.scalars(select(owner.c.node)))
    node = next((node for node in range(NODES - 1) if node not in taken), None)
    if node is None:
        raise StoreRefused(f"{len(taken)} processes serve this store already; there may be no more")
    number = await _number_after_all(connection)
    now = cast(func.extract("epoch", func.clock_timestamp()) * 1000, BigInteger)
    await connection.execute(
        insert(owner).values(
            id=number, node=node, started_at_ms=now, beat_at_ms=now, low_water_id=low_water_id, is_worker=is_worker
        )
    )
    return number, node


async def _number_after_all(connection: AsyncConnection) -> int:
    """An owner that stops in good order leaves no row, and its number must not be used again."""
    last: int | None = await connection.scalar(select(meta.c.value).where(meta.c.name == _LAST))
    if last is None:
        number = await _highest(connection) + 1
        await connection.execute(insert(meta).values(name=_LAST, value=number))
        return number
    highest: int = await connection.scalar(select(func.max(owner.c.id))) or 0
    number = max(last, highest) + 1
    await connection.execute(update(meta).where(meta.c.name == _LAST).values(value=number))
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


async def last_id_of(connection: AsyncConnection, account_id: AccountId) -> int:
    """The highest id that was given out for a submission or a message of an account; found by their keys."""
    found = [
        (await connection.execute(select(func.max(table.c.id)).where(table.c.account_id == account_id))).scalar_one()
        for table in (submission, message)
    ]
    return max(each or 0 for each in found)


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
