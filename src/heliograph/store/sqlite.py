"""The SQLite engine: one file, one writer, readers apart."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from heliograph.store.engine import Done, Hop, Request, Result, StoreRefused, StoreUnavailable, Writer
from heliograph.store.turns import Turns
from heliograph.store.writer import PRAGMAS, BatchWriter, connect, is_unavailable, nothing

OLDEST = (3, 38, 0)
"""The first version with the `->>` operator."""


class SqliteStore:
    """A store in one file; `turn.lock` beside it orders the processes that write."""

    is_shared = False

    def __init__(self, path: Path) -> None:
        if sqlite3.sqlite_version_info < OLDEST:
            raise StoreRefused(f"SQLite 3.38 or newer is needed; this Python has {sqlite3.sqlite_version}")
        self.path = path
        self._turns = Turns(path.parent)
        self._readers = self._engine("begin", read_only=True)
        self._writers = self._engine("begin immediate", read_only=False)

    def _engine(self, begin: str, *, read_only: bool) -> AsyncEngine:
        engine = create_async_engine(
            f"sqlite+aiosqlite:///{self.path}", connect_args={"timeout": 5.0}, hide_parameters=True
        )

        def prepare(connection: Any, _record: object) -> None:
            connection.isolation_level = None
            cursor = connection.cursor()
            for pragma in (*PRAGMAS, *(("pragma query_only = on",) if read_only else ())):
                cursor.execute(pragma)
            cursor.close()

        event.listen(engine.sync_engine, "connect", prepare)
        event.listen(engine.sync_engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        return engine

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A snapshot to read from."""
        with _unavailable():
            async with self._readers.connect() as connection:
                yield connection

    searching = reading

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction in this process's turn."""
        with _unavailable():
            async with self._turn(), self._writers.begin() as connection:
                yield connection

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """This process's turn, waited for in a thread, which gives back one that comes when nobody waits any more."""
        turn = self._turns.taken()
        deciding = threading.Lock()
        is_taken, is_wanted = False, True

        def take() -> None:
            nonlocal is_taken
            turn.__enter__()
            with deciding:
                is_taken = True
                if not is_wanted:
                    turn.__exit__(None, None, None)

        try:
            await asyncio.to_thread(take)
            yield
        finally:
            with deciding:
                is_wanted = False
                if is_taken:
                    turn.__exit__(None, None, None)

    async def look_after(self, now_ms: int, *, forgotten_ms: int) -> None:
        """A file looks after itself."""

    async def close(self) -> None:
        """Let go of every connection."""
        await self._readers.dispose()
        await self._writers.dispose()

    def connect(self) -> sqlite3.Connection:
        """The hot writer's own connection."""
        return connect(self.path)

    def writer(
        self, post: Callable[[Callable[[], None]], object], reach: Callable[[str], None] = nothing
    ) -> BatchWriter:
        """A writer for this file; there is one in a process that serves."""
        return BatchWriter(self.connect, let_others_pass=self._turns.let_others_pass, post=post, reach=reach)

    def turn_writer(self) -> Writer:
        """A writer for a command, beside the server's."""
        post = asyncio.get_running_loop().call_soon_threadsafe
        return TurnWriter(BatchWriter(self.connect, let_others_pass=lambda: None, post=post), self._turns)


class TurnWriter:
    """Carries out each request of a command in a turn of its own."""

    def __init__(self, writer: BatchWriter, turns: Turns) -> None:
        self._writer = writer
        self._turns = turns
        self.commits = 0

    def put(self, hop: Hop[Request, Result], request: Request, done: Done[Result]) -> None:
        """Queue work and do it in a thread, after the one who has the turn."""
        self._writer.put(hop, request, done)
        asyncio.get_running_loop().run_in_executor(None, self._step)

    def _step(self) -> None:
        try:
            with self._turns.taken():
                try:
                    self._writer.step()
                finally:
                    # Whoever was told may have put the next request already; its thread waits for the turn.
                    self.commits = self._writer.commits
                    self._writer.close()
        except OSError as error:
            self._writer.refuse(StoreUnavailable(str(error)))


@contextmanager
def _unavailable() -> Any:
    """Tell a store that fails as a whole from a statement that is wrong."""
    try:
        yield
    except DatabaseError as error:
        if isinstance(error.orig, Exception) and is_unavailable(error.orig):
            raise StoreUnavailable(str(error.orig)) from error
        raise
    except OSError as error:
        raise StoreUnavailable(str(error)) from error
