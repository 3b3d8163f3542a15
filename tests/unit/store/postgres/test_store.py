import asyncio

import pytest

from heliograph.store import meta
from heliograph.store.engine import StoreUnavailable
from heliograph.store.postgres import store as under_test
from heliograph.store.postgres.store import PostgresStore
from heliograph.testing.postgres import Server


def test_who_hangs_in_its_turn_does_not_hold_up_the_others(
    postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(under_test, "TURN_S", 0.2)
    address = postgres_server.new_database()

    async def hang(hanging: PostgresStore, other: PostgresStore) -> None:
        async with hanging.writing() as connection:
            await meta.bump_revision(connection)
            async with other.writing() as another:
                assert await meta.revision(another) == 0
            await meta.bump_revision(connection)

    async def story() -> None:
        hanging, other = PostgresStore(address), PostgresStore(address)
        try:
            with pytest.raises(StoreUnavailable):
                await hang(hanging, other)
            # The next one begins anew, and a reader may take its time.
            async with hanging.writing() as connection:
                await meta.bump_revision(connection)
            async with other.reading() as connection:
                await asyncio.sleep(0.3)
                assert await meta.revision(connection) == 1
        finally:
            await hanging.close()
            await other.close()

    asyncio.run(story())
