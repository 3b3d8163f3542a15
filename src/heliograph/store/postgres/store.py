"""Connections for cold work: snapshots to read from, and short transactions one after the other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from heliograph.store.engine import StoreUnavailable
from heliograph.store.hops.statements import Days
from heliograph.store.postgres import days, owning, promises
from heliograph.store.postgres.company import WAIT_S, Company
from heliograph.store.postgres.lanes import Lanes
from heliograph.store.postgres.trouble import is_unavailable
from heliograph.store.postgres.writer import PostgresWriter
from heliograph.store.writer import nothing

CONNECT_S: Final = 5.0
STATEMENT_S: Final = 30.0
"""No statement of ours takes so long but searches through everything; one that does hangs."""
HOT_S: Final = 0.9
"""A hot statement that takes so long is given up: the server is away, or has too much to do at once."""
SOON_S: Final = 0.9
"""How long a connection for cold work is waited for."""
LOCK_S: Final = 5.0

TURN_S: Final = 5.0
"""So long a turn may stand still: who hangs half-way with its machine, cut off, has it no longer."""

_TURN: Final = text(
    "select set_config('idle_in_transaction_session_timeout', :most, true), pg_advisory_xact_lock(79608263720194)"
)
_SETTINGS: Final = {"application_name": "heliograph", "timezone": "UTC", "jit": "off", "client_min_messages": "error"}
# The hot statements find their rows by key, also in a day that is empty when they are planned and full when they run:
# nothing is as dear as a row that is looked at.
_HOT_SETTINGS: Final = _SETTINGS | {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "random_page_cost": "0.1",
    "seq_page_cost": "0.1",
    "plan_cache_mode": "force_generic_plan",
    "idle_in_transaction_session_timeout": "3s",
}
_SNAPSHOT: Final[dict[str, Any]] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_SEARCH_SETTINGS: Final = _SETTINGS | {"work_mem": "64MB"}


class PostgresStore:
    """A store on a server, at any address that libpq understands."""

    is_shared = True

    def __init__(self, address: str) -> None:
        self.address = address
        self.days: Days = {}
        self._brief: list[PostgresWriter] = []
        self._engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=self.connect,
            pool_size=4,
            max_overflow=8,
            pool_timeout=CONNECT_S,
            pool_pre_ping=True,
            hide_parameters=True,
        )

    async def connect(self, **_: object) -> asyncpg.Connection:
        """A connection of its own."""
        return await asyncpg.connect(
            self.address, timeout=CONNECT_S, command_timeout=STATEMENT_S, server_settings=_SETTINGS
        )

    async def _connect_to_search(self, **_: object) -> asyncpg.Connection:
        return await asyncpg.connect(self.address, timeout=CONNECT_S, server_settings=_SEARCH_SETTINGS)

    async def connect_hot(self) -> asyncpg.Connection:
        """The hot writer's connection."""
        connection = await asyncpg.connect(
            self.address,
            timeout=SOON_S,
            command_timeout=HOT_S,
            statement_cache_size=1024,
            max_cached_statement_lifetime=0,
            server_settings=_HOT_SETTINGS,
        )
        self.days = await days.named(connection)
        return connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A snapshot to read from."""
        with _unavailable():
            async with self._soon(self._engine.connect()) as connection:
                await connection.execution_options(**_SNAPSHOT)
                yield connection

    @asynccontextmanager
    async def searching(self) -> AsyncIterator[AsyncConnection]:
        """The same for searches through everything, which take as long as they take."""
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=self._connect_to_search, poolclass=NullPool, hide_parameters=True
        )
        with _unavailable():
            async with engine.connect() as connection:
                await connection.execution_options(**_SNAPSHOT)
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction. Cold ones take turns, on all machines: what one reads no other changes before it commits."""
        with _unavailable():
            async with self._soon(self._engine.connect()) as connection, connection.begin():
                await connection.execute(_TURN, {"most": f"{TURN_S * 1000:.0f}ms"})
                yield connection

    @asynccontextmanager
    async def _soon(self, connecting: AsyncConnection) -> AsyncIterator[AsyncConnection]:
        """A connection of the pool, which is looked at first; a server that does not answer at once is away."""
        async with asyncio.timeout(SOON_S):
            connection = await connecting
        try:
            yield connection
        finally:
            await connection.close()

    async def close(self) -> None:
        """Let go of every connection."""
        while self._brief:
            await self._brief.pop().stop(patience_s=CONNECT_S)
        await self._engine.dispose()

    async def look_after(self, now_ms: int, *, forgotten_ms: int) -> None:
        """Make the days to come, and remove those of which nothing is left."""
        with _unavailable():
            connection = await self.connect()
            try:
                await days.make_ahead(connection, now_ms)
                if forgotten_ms:
                    await days.retire(connection, forgotten_ms)
                self.days = await days.named(connection)
            finally:
                await connection.close()

    async def check(self) -> None:
        """Raise StoreRefused when the server would lose in a crash what it has committed."""
        connection = await self.connect()
        try:
            await promises.check(connection)
        finally:
            await connection.close()

    def turn_writer(self) -> PostgresWriter:
        """A writer for a command; it lets go of its connection whenever it has nothing to do."""
        writer = PostgresWriter(self.connect_hot, days=lambda: self.days, is_brief=True)
        self._brief.append(writer)
        return writer

    async def serving_writer(
        self, owner: int, died: Callable[[BaseException], None], reach: Callable[[str], None] = nothing
    ) -> Lanes:
        """The writers of an owner, which commit as long as nobody has found that one dead."""

        async def connect() -> asyncpg.Connection:
            connection = await self.connect_hot()
            try:
                await owning.hold(connection, owner, wait_s=LOCK_S)
            except owning.OwnerGone as gone:
                connection.terminate()
                died(gone)
                raise ConnectionError(str(gone)) from gone
            except BaseException:
                connection.terminate()
                raise
            return connection

        def make() -> PostgresWriter:
            return PostgresWriter(connect, days=lambda: self.days, died=died, reach=reach)

        writer = Lanes(make(), make)
        await writer.open()
        return writer

    def company(self, owner: int, died: Callable[[BaseException], None]) -> Company:
        """An owner's place among the processes that share the store."""

        async def connect() -> asyncpg.Connection:
            return await asyncpg.connect(
                self.address,
                timeout=WAIT_S,
                command_timeout=WAIT_S,
                server_settings=_SETTINGS | {"idle_in_transaction_session_timeout": "3s"},
            )

        return Company(connect, owner, died=died)


@contextmanager
def _unavailable() -> Any:
    """Tell a store that fails as a whole from a statement that is wrong."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(error, InterfaceError) or (error.orig is not None and is_unavailable(error.orig)):
            raise StoreUnavailable(str(error.orig)) from error
        raise
    except Exception as error:
        if is_unavailable(error):
            raise StoreUnavailable(str(error) or type(error).__name__) from error
        raise
