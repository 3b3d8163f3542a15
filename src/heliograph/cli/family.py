"""The parent of several processes that serve one store on this machine.

It opens a socket for each place in the family and keeps it open, so that callers wait while a child is replaced and
nobody is refused. It serves nothing itself.

SIGTERM and SIGINT are passed on, and the parent ends when all children have; SIGHUP replaces them one after the other:
the new one is ready before the old one is told to stop. A child that ends by itself is started again, later and later
if it does so soon.
"""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import structlog

READY: Final = b"Heliograph serves "
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
STEADY_S: Final = 60.0
START_S: Final = 60.0
END_S: Final = 45.0
"""Longer than a child needs (docs/howto/many-processes.md)."""
_log = structlog.get_logger(__name__)


class Child:
    """One process that serves on a socket."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.is_ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.ensure_future(self._read())

    async def _read(self) -> None:
        """Pass on what it says; the address means that it is ready."""
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            if line.startswith(READY) and not self.is_ready.done():
                self.is_ready.set_result(True)
            else:
                sys.stdout.buffer.write(line)
                sys.stdout.flush()
        if not self.is_ready.done():
            self.is_ready.set_result(False)

    async def ended(self) -> int:
        """Wait until it has ended and all it said is passed on."""
        await self._reading
        return await self.process.wait()

    def send(self, number: int) -> None:
        """Send it a signal."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)


class Family:
    """Children on sockets, one for each. command: starts a child, given the number of its socket. environ: by place."""

    def __init__(
        self, sockets: list[socket.socket], command: list[str], environ: Callable[[int], Mapping[str, str]]
    ) -> None:
        self._sockets = sockets
        self._command = command
        self._environ = environ
        self._children: dict[int, Child] = {}
        self._replaced: set[Child] = set()
        self._stopping = asyncio.Event()
        self._replacing = asyncio.Lock()
        self.status = 0

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End all children in good order."""
        self._stopping.set()
        for child in (*self._children.values(), *self._replaced):
            child.send(number)

    async def start(self) -> bool:
        """Start a child for each place, the first one alone, as it may make the store; whether all are ready."""
        for place in range(len(self._sockets)):
            child = self._children[place] = await self._born(place)
            if place == 0 and not await self._is_ready(child):
                break
        ready = [await self._is_ready(child) for child in self._children.values()]
        return all(ready) and len(ready) == len(self._sockets)

    async def follow(self) -> None:
        """Look after every place until the family is stopped."""
        async with asyncio.TaskGroup() as group:
            for place in self._children:
                group.create_task(self._look_after(place))

    async def replace_all(self) -> None:
        """Replace one child after the other. One that does not get ready leaves everything as it is."""
        async with self._replacing:
            for place in list(self._children):
                if self._stopping.is_set() or not await self._replace(place):
                    return

    async def _replace(self, place: int) -> bool:
        fresh = await self._born(place)
        if not await self._is_ready(fresh):
            _log.error("a new process does not get ready; the others stay", place=place)
            fresh.send(signal.SIGTERM)
            await fresh.ended()
            return False
        old = self._children[place]
        self._replaced.add(old)
        self._children[place] = fresh
        old.send(signal.SIGTERM)
        await self._over(old)
        self._replaced.discard(old)
        return True

    async def _over(self, child: Child) -> None:
        try:
            async with asyncio.timeout(END_S):
                await child.ended()
        except TimeoutError:
            child.send(signal.SIGKILL)
            await child.ended()

    async def _born(self, place: int) -> Child:
        number = self._sockets[place].fileno()
        process = await asyncio.create_subprocess_exec(
            *self._command,
            str(number),
            env=self._environ(place),
            pass_fds=[number],
            # Its end tells a child that there is no parent any more.
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        return Child(process)

    async def _is_ready(self, child: Child) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                return await asyncio.shield(child.is_ready)
        return False

    async def _look_after(self, place: int) -> None:
        """Start a child again that ends by itself."""
        loop = asyncio.get_running_loop()
        pause_s = 0.0
        while not self._stopping.is_set():
            child, began = self._children[place], loop.time()
            status = await child.ended()
            if child in self._replaced or self._children[place] is not child or self._stopping.is_set():
                continue
            pause_s = 0.0 if loop.time() - began > STEADY_S else min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * pause_s))
            _log.error("a process ended and is started again", place=place, status=status, in_s=pause_s)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._stopping.wait()
            async with self._replacing:
                if not self._stopping.is_set() and self._children[place] is child:
                    self._children[place] = await self._born(place)
        for child in [self._children[place]]:
            await self._over(child)


def sockets_at(host: str, port: int, count: int) -> list[socket.socket]:
    """Sockets that listen at one place, among which the system shares callers out. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made: list[socket.socket] = []
    try:
        for _ in range(count):
            each = socket.socket(family, socket.SOCK_STREAM)
            made.append(each)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            # Port 0 takes a free one, for all of them.
            each.bind((host, port or (made[0].getsockname()[1] if len(made) > 1 else 0)))
        for each in made:
            each.listen(2048)
            each.setblocking(False)
    except BaseException:
        for each in made:
            each.close()
        raise
    return made


def lead(
    sockets: list[socket.socket], command: list[str], address: str, *, environ: Callable[[int], Mapping[str, str]]
) -> int:
    """Lead a family until it is told to stop; its exit status. address: said when all are ready."""

    async def led() -> int:
        family = Family(sockets, command, environ)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, family.stop, number)
        replacing: set[asyncio.Task[None]] = set()

        def replace() -> None:
            task = asyncio.ensure_future(family.replace_all())
            replacing.add(task)
            task.add_done_callback(replacing.discard)

        loop.add_signal_handler(signal.SIGHUP, replace)
        if not await family.start():
            family.stop()
            await family.follow()
            return 1
        print(f"Heliograph serves {address}", flush=True)
        await family.follow()
        await asyncio.gather(*replacing)
        return 0

    return asyncio.run(led())
