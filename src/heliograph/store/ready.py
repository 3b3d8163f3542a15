"""The narrow table of messages that wait in the store."""

from collections.abc import Sequence

from sqlalchemy import func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import CarrierId
from heliograph.store.schema import ready


async def count(connection: AsyncConnection, *, before_ms: int, most: int) -> int:
    """How many messages wait that are due before a time; no more than `most` are counted."""
    # Read in the order of the key, up to that time only: what is scheduled for later costs nothing.
    soon = select(1).select_from(ready).where(ready.c.due_at_ms < before_ms).limit(most).subquery()
    found: int = (await connection.execute(select(func.count()).select_from(soon))).scalar_one()
    return found


async def next_due(connection: AsyncConnection, carriers: Sequence[CarrierId] | None = None) -> int | None:
    """When the first of them is due; None when there is none. carriers: only theirs, None for those of any."""
    if carriers is None:
        first: int | None = (await connection.execute(select(func.min(ready.c.due_at_ms)))).scalar_one()
        return first
    if not carriers:
        return None
    # One look into the index for each of them.
    firsts = [select(func.min(ready.c.due_at_ms)).where(ready.c.carrier_id == carrier_id) for carrier_id in carriers]
    found = list(await connection.scalars(union_all(*firsts)))
    return min((due_ms for due_ms in found if due_ms is not None), default=None)


async def carriers(connection: AsyncConnection) -> list[CarrierId]:
    """The carriers that messages wait for; each is one look into the index that a server has."""
    found: list[CarrierId] = []
    while True:
        after = found[-1] if found else -1
        wanted = select(func.min(ready.c.carrier_id)).where(ready.c.carrier_id > after)
        carrier_id = await connection.scalar(wanted)
        if carrier_id is None:
            return found
        found.append(CarrierId(carrier_id))
