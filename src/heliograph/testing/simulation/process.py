"""One process of the product, plugged together by the server's own hands; it can die at any moment.

Only what touches the world is another: the writer commits on this loop, sockets are those of the simulation.
"""

import asyncio
import errno
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, cast

from heliograph import server
from heliograph.config import Settings
from heliograph.core.ids import IdSource
from heliograph.net.http import GuardedClient
from heliograph.pipeline import beside, lease
from heliograph.pipeline.beside import Others
from heliograph.pipeline.desk import Desk, always
from heliograph.pipeline.directory import Directory
from heliograph.pipeline.drivers import Drivers
from heliograph.pipeline.ports import DriverMaker
from heliograph.services.media import MediaLibrary
from heliograph.store.engine import StoreUnavailable
from heliograph.store.postgres.owning import OwnerGone
from heliograph.testing.leaping import LeapingClock
from heliograph.testing.life import MemoryBlobs
from heliograph.testing.simulation.ground import Ground, PowerCut

APART: Final = frozenset({"attachments", "speech"})
"""Loops about processes and files of their own, which no time can leap over."""

FULL: Final = OSError(errno.ENOSPC, "No space left on device")


class Process:
    """is_dead: nothing it does has an effect any more. has_room: whether the disk has. fell: told when it dies; why."""

    def __init__(
        self,
        ground: Ground,
        clock: LeapingClock,
        *,
        settings: Settings,
        commit_s: Callable[[], float],
        has_room: Callable[[], bool],
        fell: Callable[["Process", str], None],
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._has_room = has_room
        self._fell = fell
        self._point, self._count = "", 0
        # In the order in which they were started: whoever ends them does so in the same order every time.
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self._loops: list[asyncio.Task[Any]] = []
        self.errors: list[BaseException] = []
        self.is_dead = False
        self._hold = ground.hold(self, commit_s)
        self._others: Others | None = None
        self.store = self._hold.store

    def check(self) -> None:
        """As `Life` has it."""
        if self.is_dead:
            raise PowerCut
        if not self._has_room():
            raise StoreUnavailable(str(FULL))

    def reach(self, point: str) -> None:
        """As `Life` has it."""
        if self.is_dead:
            raise PowerCut
        if point == self._point:
            self._count -= 1
            if self._count <= 0:
                self._die("died at a crash point")
                raise PowerCut

    def failed(self, error: BaseException) -> None:
        """As `Life` has it. Whoever was found dead ends; all else is a fault of ours."""
        if self.is_dead:
            return
        if not isinstance(error, OwnerGone):
            self.errors.append(error)
        self._die("was found dead")

    def _die(self, why: str) -> None:
        self.is_dead = True
        asyncio.get_running_loop().call_soon(self._fell, self, why)

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
        writer, others = await self._hold.begin(directory, held, self._settings)
        starting = self.spawn(beside.started(others, self._clock))
        self._others = others
        library = MediaLibrary(self.store, writer, blobs=blobs, clock=self._clock)
        desk = Desk(
            directory=directory,
            store=self.store,
            writer=writer,
            ids=IdSource(held.node, last=held.last_id),
            clock=self._clock,
            owner=held.owner,
            reach=self.reach,
            spawn=self.spawn,
            keeper=library,
            may_submit=others.right if others else always,
        )
        caller = cast(GuardedClient, web)
        callers = server._Callers(caller, caller)  # noqa: SLF001 (the wiring itself is what runs here)
        whole = await server._assemble(self._settings, desk, held=held, others=others, callers=callers, library=library)  # noqa: SLF001
        starting.cancel()
        self.whole = whole
        for name, work in server._background(whole):  # noqa: SLF001
            if name in APART:
                work.close()
            else:
                self._loops.append(self.spawn(work))
        self._drivers = self.spawn(Drivers(whole.dispatch, makers=makers).follow())

    async def stop(self) -> None:
        """End in good order: the carriers' sessions first."""
        await self._hold.quiet()
        self._drivers.cancel()
        await asyncio.wait([self._drivers])
        is_empty = await beside.emptied(self.whole.dispatch, self.whole.calls, self._others)
        await self._hold.leave()
        await self._hold.quiet()
        await self._end(*self._loops)
        await beside.gone(self._others, self._clock.now_ms(), is_empty=is_empty)
        await self.kill()

    async def kill(self) -> None:
        """End as `kill -9` ends."""
        await self._hold.quiet()
        self.is_dead = True
        current = asyncio.current_task()
        while tasks := [task for task in self.tasks if task is not current]:
            await self._end(*tasks)
        await self._hold.close()

    async def _end(self, *tasks: "asyncio.Task[Any]") -> None:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=0.001)
