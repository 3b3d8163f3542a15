"""The narrow table of messages that wait in the store."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.schema import ready


async def count(connection: AsyncConnection, *, before_ms: int, most: int) -> int:
    """How many messages wait that are due before a time; no more than `most` are counted."""
    # Read in the order of the key, up to that time only: what is scheduled for later costs nothing.
    soon = select(1).select_from(ready).where(ready.c.due_at_ms < before_ms).limit(most).subquery()
    found: int = (await connection.execute(select(func.count()).select_from(soon))).scalar_one()
    return found


async def next_due(connection: AsyncConnection) -> int | None:
    """When the first of them is due; None when there is none."""
    first: int | None = (await connection.execute(select(func.min(ready.c.due_at_ms)))).scalar_one()
    return first
