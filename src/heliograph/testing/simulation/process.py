"""One process of the product, plugged together by the server's own hands; it can die at any moment.

Only what touches the world is another: the writer commits on this loop, sockets are those of the simulation.
"""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from heliograph import server
from heliograph.config import Settings
from heliograph.core.ids import IdSource
from heliograph.net.http import GuardedClient
from heliograph.pipeline import lease
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.directory import Directory
from heliograph.pipeline.drivers import Drivers
from heliograph.pipeline.ports import DriverMaker
from heliograph.services.media import MediaLibrary
from heliograph.store.connection import Connection
from heliograph.store.engine import Done, Hop, Request, Result, StoreUnavailable, Writer
from heliograph.store.inline import InlineStore
from heliograph.store.writer import BatchWriter
from heliograph.testing.leaping import LeapingClock
from heliograph.testing.life import MemoryBlobs

APART: Final = frozenset({"attachments", "speech"})
"""Loops about processes and files of their own, which no time can leap over."""

FULL: Final = OSError(errno.ENOSPC, "No space left on device")


class PowerCut(BaseException):
    """The process is dead from here on."""


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


class Process:
    """is_dead: nothing it does has an effect any more. has_room: whether the disk has. fell: told when it dies."""

    def __init__(
        self,
        store: InlineStore,
        clock: LeapingClock,
        *,
        settings: Settings,
        commit_s: Callable[[], float],
        has_room: Callable[[], bool],
        fell: Callable[["Process"], None],
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._has_room = has_room
        self._fell = fell
        self._point, self._count = "", 0
        # In the order in which they were started: whoever ends them does so in the same order every time.
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self.errors: list[BaseException] = []
        self.is_dead = False
        self._inner = BatchWriter(
            store.connect, let_others_pass=lambda: None, post=lambda call: call(), reach=self._reach
        )
        self.writer = LateWriter(self._inner, self._check, commit_s)
        self.store = MortalStore(store, self._check)

    def _check(self) -> None:
        if self.is_dead:
            raise PowerCut
        if not self._has_room():
            raise StoreUnavailable(str(FULL))

    def _reach(self, point: str) -> None:
        if self.is_dead:
            raise PowerCut
        if point == self._point:
            self._count -= 1
            if self._count <= 0:
                self.is_dead = True
                asyncio.get_running_loop().call_soon(self._fell, self)
                raise PowerCut

    def doom(self, point: str, count: int) -> None:
        """Die when a crash point was passed so often."""
        self._point, self._count = point, count

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Start a task that dies with the process."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks[task] = None
        task.add_done_callback(self._ended)
        return task

    def ask(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Start a task whose errors are the business of whoever asks."""
        task = self.spawn(work)
        task.remove_done_callback(self._ended)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self.tasks.pop(task, None)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._forget(task)
        if not task.cancelled() and (error := task.exception()) and not self.is_dead:
            self.errors.append(error)

    async def start(self, web: object, makers: Mapping[str, DriverMaker], blobs: MemoryBlobs) -> None:
        """Take what there is, as `server.exchange` does, and work. web: in place of the guarded HTTP client."""
        directory = Directory(self.store, self._clock, server.told_states)
        await directory.load()
        held = await lease.acquire(self.store, self._clock)
        library = MediaLibrary(self.store, self.writer, blobs=blobs, clock=self._clock)
        desk = Desk(
            directory=directory,
            store=self.store,
            writer=self.writer,
            ids=IdSource(held.node, last=held.last_id),
            clock=self._clock,
            owner=held.owner,
            reach=self._reach,
            spawn=self.spawn,
            keeper=library,
        )
        caller = cast(GuardedClient, web)
        callers = server._Callers(caller, caller)  # noqa: SLF001 (the wiring itself is what runs here)
        whole = await server._assemble(self._settings, desk, held=held, callers=callers, library=library)  # noqa: SLF001
        self.whole = whole
        for name, work in server._background(whole):  # noqa: SLF001
            if name in APART:
                work.close()
            else:
                self.spawn(work)
        self._drivers = self.spawn(Drivers(whole.dispatch, makers=makers).follow())

    async def stop(self) -> None:
        """End in good order: the carriers' sessions first."""
        self._drivers.cancel()
        await asyncio.wait([self._drivers])
        self.writer.flush()
        await self.kill()

    async def kill(self) -> None:
        """End as `kill -9` ends."""
        self.is_dead = True
        current = asyncio.current_task()
        while tasks := [task for task in self.tasks if task is not current]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=0.001)
        self._inner.close()
