"""A SQLite store that works where it is called, without threads, turns or syncing: for simulations, where time stands
still while it works. What is lost in a power cut is lost, so that nothing that serves may use it.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import Connection as InTurn
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DatabaseError

from heliograph.store.connection import Connection
from heliograph.store.engine import Done, Hop, Request, Result, StoreUnavailable, Writer
from heliograph.store.writer import BatchWriter, connect, is_unavailable

_PRAGMAS: Final = ("pragma journal_mode = wal", "pragma synchronous = off", "pragma temp_store = memory")


class _Inline:
    """What modules of this folder do with a connection, done at once."""

    __slots__ = ("_connection",)

    def __init__(self, connection: InTurn) -> None:
        self._connection = connection

    async def execute(self, statement: Any, values: Any = None) -> Any:
        """The rows of a statement."""
        return self._connection.execute(statement, values)

    async def exec_driver_sql(self, statement: str, values: Any = None) -> Any:
        """The same of what SQLite is told literally."""
        return self._connection.exec_driver_sql(statement, values)

    async def scalar(self, statement: Any, values: Any = None) -> Any:
        """The first value of the first row."""
        return self._connection.scalar(statement, values)

    async def scalars(self, statement: Any, values: Any = None) -> Any:
        """The first value of each row."""
        return self._connection.scalars(statement, values)


_Idle = tuple[InTurn, sqlite3.Connection]
"""A connection as its two users know it."""


class InlineStore:
    """A store in one file, for one process and one thread. Implements `store.engine.Store`."""

    is_shared = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self._engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
        event.listen(self._engine, "connect", _prepare)
        self._idle: list[_Idle] = []

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A snapshot to read from."""
        taken = self._taken("begin")
        try:
            yield cast(Connection, _Inline(taken[0]))
        finally:
            self._let_go(taken, "rollback")

    searching = reading

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """A transaction."""
        taken = self._taken("begin immediate")
        end = "rollback"
        try:
            yield cast(Connection, _Inline(taken[0]))
            end = "commit"
        except DatabaseError as error:
            if isinstance(error.orig, Exception) and is_unavailable(error.orig):
                raise StoreUnavailable(str(error.orig)) from error
            raise
        finally:
            self._let_go(taken, end)

    def _taken(self, begin: str) -> _Idle:
        taken = self._idle.pop() if self._idle else self._opened()
        try:
            taken[1].execute(begin)
        except sqlite3.OperationalError as error:
            self._idle.append(taken)
            raise StoreUnavailable(str(error)) from error
        return taken

    def _opened(self) -> _Idle:
        connection = self._engine.connect()
        return connection, cast(sqlite3.Connection, connection.connection.dbapi_connection)

    def _let_go(self, taken: _Idle, end: str) -> None:
        taken[1].execute(end)
        self._idle.append(taken)

    async def look_after(self, now_ms: int, *, forgotten_ms: int) -> None:
        """A file looks after itself."""

    async def close(self) -> None:
        """Let go of every connection."""
        while self._idle:
            self._idle.pop()[0].close()
        self._engine.dispose()

    def connect(self) -> sqlite3.Connection:
        """The hot writer's own connection."""
        connection = connect(self.path)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        return connection

    def rows(self, statement: str, *values: object) -> list[Any]:
        """What a question gives, for who looks on."""
        taken = self._taken("begin")
        try:
            return taken[1].execute(statement, values).fetchall()
        finally:
            self._let_go(taken, "rollback")

    def turn_writer(self) -> Writer:
        """A writer that does each request at once."""
        return _AtOnce(BatchWriter(self.connect, let_others_pass=lambda: None, post=lambda call: call()))


class _AtOnce:
    """Carries out each request where it is put."""

    def __init__(self, writer: BatchWriter) -> None:
        self._writer = writer

    @property
    def commits(self) -> int:
        return self._writer.commits

    def put(self, hop: Hop[Request, Result], request: Request, done: Done[Result]) -> None:
        self._writer.put(hop, request, done)
        self._writer.step()
        self._writer.close()


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)
