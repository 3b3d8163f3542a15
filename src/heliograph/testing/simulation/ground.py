"""What the processes of a simulation store in: it outlives them, and each of them has a hold of it that dies with it.

Here the file; `server` has the other engine.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Protocol

from heliograph.config import Settings
from heliograph.pipeline import lease
from heliograph.pipeline.beside import Others
from heliograph.pipeline.directory import Directory
from heliograph.store.connection import Connection
from heliograph.store.engine import Done, Hop, Request, Result, Store, StoreUnavailable, Writer
from heliograph.store.inline import InlineStore
from heliograph.store.opening import open_sqlite
from heliograph.store.writer import BatchWriter


class PowerCut(BaseException):
    """The process is dead from here on."""


class Life(Protocol):
    """What a hold has to know of its process."""

    def check(self) -> None:
        """Raise PowerCut when it is dead, StoreUnavailable when the disk is full."""
        ...

    def reach(self, point: str) -> None:
        """A crash point is passed."""
        ...

    def failed(self, error: BaseException) -> None:
        """The process cannot go on."""
        ...


class Hold(Protocol):
    """One process's store, and what writes for it."""

    @property
    def store(self) -> Store:
        """As the process has it."""
        ...

    async def begin(self, directory: Directory, held: lease.Lease, settings: Settings) -> tuple[Writer, Others | None]:
        """What writes for an owner, and what it needs beside others."""
        ...

    async def leave(self) -> None:
        """Commit what there is, in good order."""
        ...

    async def quiet(self) -> None:
        """Wait until nothing that the process asked for is under way."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...


class Ground(Protocol):
    """grains: how seldom sleepers wake, in seconds; the first is the usual one. processes: that share the store."""

    grains: ClassVar[Sequence[float]]
    processes: ClassVar[int]

    @property
    def store(self) -> Store:
        """For people, who have no process."""
        ...

    def hold(self, life: Life, commit_s: Callable[[], float]) -> Hold:
        """For one more process. commit_s: draws how long a commit takes."""
        ...

    async def rows(self, statement: str, *values: object) -> list[Any]:
        """What a question gives, for who looks on; `?` stands where a value does."""
        ...

    async def tidy(self) -> None:
        """What the engine does by itself at times that nobody decides on."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class FileGround:
    """A SQLite file."""

    grains: ClassVar[Sequence[float]] = (15.0, 10.0, 15.0, 20.0, 20.0)
    processes: ClassVar[int] = 1

    def __init__(self, folder: Path) -> None:
        self.store = InlineStore(open_sqlite("", folder).path)

    def hold(self, life: Life, commit_s: Callable[[], float]) -> "FileHold":
        """As there."""
        return FileHold(self.store, life, commit_s)

    async def rows(self, statement: str, *values: object) -> list[Any]:
        """As there."""
        return self.store.rows(statement, *values)

    async def tidy(self) -> None:
        """A file does nothing by itself."""

    async def close(self) -> None:
        """As there."""
        await self.store.close()


class FileHold:
    """The store as one process has it: out of reach when that is dead, or the disk full."""

    def __init__(self, store: InlineStore, life: Life, commit_s: Callable[[], float]) -> None:
        self._inner = BatchWriter(
            store.connect, let_others_pass=lambda: None, post=lambda call: call(), reach=life.reach
        )
        self._writer = LateWriter(self._inner, life.check, commit_s)
        self.store = MortalStore(store, life.check)

    async def begin(self, _directory: Directory, _held: lease.Lease, _settings: Settings) -> tuple[Writer, None]:
        """As there; nobody shares a file."""
        return self._writer, None

    async def leave(self) -> None:
        """As there."""
        self._writer.flush()

    async def quiet(self) -> None:
        """Nothing takes time here."""

    async def close(self) -> None:
        """As there."""
        self._inner.close()


class MortalStore:
    """The store as one process has it: out of reach when that is dead, or the disk full."""

    is_shared = False

    def __init__(self, store: InlineStore, check: Callable[[], None]) -> None:
        self._store = store
        self._check = check
        self.path = store.path

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """As there."""
        self._check()
        async with self._store.reading() as connection:
            yield connection

    searching = reading

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """As there."""
        self._check()
        async with self._store.writing() as connection:
            yield connection
            self._check()

    async def look_after(self, now_ms: int, *, forgotten_ms: int) -> None:
        """As there."""

    async def close(self) -> None:
        """It outlives the process."""

    def turn_writer(self) -> Writer:
        """As there."""
        return self._store.turn_writer()


class LateWriter:
    """A `Writer` that commits a moment after work came; commit_s: draws how long that is."""

    def __init__(self, inner: BatchWriter, check: Callable[[], None], commit_s: Callable[[], float]) -> None:
        self._inner = inner
        self._check = check
        self._commit_s = commit_s
        self._is_due = False

    @property
    def commits(self) -> int:
        """As there."""
        return self._inner.commits

    def put(self, hop: Hop[Request, Result], request: Request, done: Done[Result]) -> None:
        """As there."""
        self._inner.put(hop, request, done)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(self._commit_s(), self._commit)

    def flush(self) -> None:
        """Commit what there is."""
        if self._is_due:
            self._commit()

    def _commit(self) -> None:
        self._is_due = False
        try:
            self._check()
        except StoreUnavailable as error:
            self._inner.refuse(error)
            return
        while self._inner.step():
            self._check()
