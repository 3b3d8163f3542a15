"""The narrow table of messages that wait in the store."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.schema import ready


async def count(connection: AsyncConnection) -> int:
    """How many messages wait."""
    found: int = (await connection.execute(select(func.count()).select_from(ready))).scalar_one()
    return found


async def is_due(connection: AsyncConnection, *, at_ms: int) -> bool:
    """Whether the first of them is due."""
    first = (await connection.execute(select(func.min(ready.c.due_at_ms)))).scalar_one()
    return first is not None and first <= at_ms
