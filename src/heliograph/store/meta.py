"""Revisions: counts of changes to what the operator sets up, so that running servers know when to reload, and what."""

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.schema import meta

_REVISION = "revision"
_NUMBERS = "numbers"


async def _count_of(connection: AsyncConnection, name: str) -> int:
    return await connection.scalar(select(meta.c.value).where(meta.c.name == name)) or 0


async def _count_one_more(connection: AsyncConnection, name: str) -> None:
    counted = await connection.execute(update(meta).where(meta.c.name == name).values(value=meta.c.value + 1))
    if not counted.rowcount:
        await connection.execute(insert(meta).values(name=name, value=1))


async def revision(connection: AsyncConnection) -> int:
    """How many changes there have been; 0 in a new store."""
    return await _count_of(connection, _REVISION)


async def numbers_revision(connection: AsyncConnection) -> int:
    """How many of the changes were to numbers, of which there can be many."""
    return await _count_of(connection, _NUMBERS)


async def bump_revision(connection: AsyncConnection) -> None:
    """Count one more change; belongs into the transaction that makes it."""
    await _count_one_more(connection, _REVISION)


async def bump_numbers(connection: AsyncConnection) -> None:
    """Count one more change, to numbers."""
    await _count_one_more(connection, _NUMBERS)
    await _count_one_more(connection, _REVISION)
