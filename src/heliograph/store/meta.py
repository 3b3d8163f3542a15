"""The revision: a count of changes to what the operator sets up, so that running servers know when to reload."""

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.schema import meta

_REVISION = "revision"


async def revision(connection: AsyncConnection) -> int:
    """How many changes there have been; 0 in a new store."""
    return await connection.scalar(select(meta.c.value).where(meta.c.name == _REVISION)) or 0


async def bump_revision(connection: AsyncConnection) -> None:
    """Count one more change; belongs into the transaction that makes it."""
    counted = await connection.execute(
        update(meta).where(meta.c.name == _REVISION).values(value=meta.c.value + 1),
    )
    if not counted.rowcount:
        await connection.execute(insert(meta).values(name=_REVISION, value=1))
