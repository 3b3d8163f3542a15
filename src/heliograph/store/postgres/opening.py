"""Open the store at an address: make the schema of a new one, refuse one of another age, see to the days to come."""

import asyncpg
from sqlalchemy.exc import DBAPIError

from heliograph.store import migrations
from heliograph.store.engine import StoreRefused, StoreUnavailable
from heliograph.store.postgres import days, promises
from heliograph.store.postgres.store import PostgresStore


async def open_store(address: str) -> PostgresStore:
    """Open a store, ready to use; raises StoreRefused with what to do when it cannot be opened."""
    store = PostgresStore(address)
    try:
        revision = await _revision(store)
        if revision is None:
            await upgrade(store)
        elif revision != migrations.HEAD:
            raise StoreRefused(
                f"the store is at revision {revision}, this program works with {migrations.HEAD}; "
                "run heliograph migrate (after a backup), or the program that made the store"
            )
        await make_days(store)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, StoreUnavailable, DBAPIError, ValueError) as error:
        await store.close()
        raise StoreRefused(f"cannot open the PostgreSQL store: {str(error) or type(error).__name__}") from error
    except BaseException:
        await store.close()
        raise
    return store


async def upgrade_at(address: str) -> str | None:
    """Bring the store at an address to `migrations.HEAD`; returns the revision it had, None when it was new."""
    store = PostgresStore(address)
    try:
        before = await upgrade(store)
        await make_days(store)
    finally:
        await store.close()
    return before


async def upgrade(store: PostgresStore) -> str | None:
    """Bring a store to `migrations.HEAD`, in one transaction; returns the revision it had, None when new."""
    async with store.writing() as connection:
        return await connection.run_sync(migrations.upgrade_on)


async def make_days(store: PostgresStore) -> None:
    """Make the partitions of the days to come, by the server's clock."""
    connection = await store.connect()
    try:
        await days.make_ahead(
            connection, await connection.fetchval("select (extract(epoch from now()) * 1000)::bigint")
        )
    finally:
        await connection.close()


async def _revision(store: PostgresStore) -> str | None:
    """The revision of the schema; None when there is none yet."""
    connection = await store.connect()
    try:
        await promises.check_age(connection)
        if await connection.fetchval("select to_regclass('alembic_version')") is None:
            return None
        found: str | None = await connection.fetchval("select version_num from alembic_version")
        return found
    finally:
        await connection.close()
