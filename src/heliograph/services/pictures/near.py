"""The near end: starts workers when there is work, watches them, and ends those that hang or have nothing to do.

A worker has one picture at a time. Whatever becomes of it, crash, silence or nonsense, is the end of that worker and of
that picture's try; the next picture gets a new one.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import heliograph
from heliograph.net.clock import Clock
from heliograph.services.pictures.broken import BadPicture
from heliograph.services.pictures.frames import (
    ANSWER,
    MOST_OCTETS,
    READY,
    BadFrame,
    Order,
    framed_order,
    read_answer_head,
    read_words,
)

MOST_WORKERS: Final = 2
START_S: Final = 30.0
PICTURE_S: Final = 60.0
"""On the wall, much more than a picture takes: the limit on its seconds of the processor is the one that is felt."""
IDLE_S: Final = 60.0
TRIES: Final = 2
"""The first worker may have been ended by something else than its picture: a system short of memory, an operator."""

WORKER: Final = (sys.executable, "-P", "-s", "-m", "heliograph.services.pictures.worker")
"""As good as `-I`, but that it may be told where this program is, also where it is not installed."""


class NoWorkers(Exception):
    """There is nobody to look at a picture now, whatever picture it is."""


class _Worker:
    """A far end, and what is needed to end it."""

    def __init__(
        self, process: "subprocess.Popen[bytes]", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self.idle_since = 0.0

    @classmethod
    async def start(cls, command: Sequence[str]) -> "_Worker":
        """Start one; raises NoWorkers."""
        near, far = socket.socketpair()
        try:
            with far:
                # Its environment holds no password of ours.
                process = subprocess.Popen(  # noqa: ASYNC220 (starting it waits for nothing)
                    command,
                    stdin=far.fileno(),
                    stdout=far.fileno(),
                    stderr=subprocess.DEVNULL,
                    env=_environment(),
                    cwd="/",
                )
        except OSError as error:
            near.close()
            raise NoWorkers(f"a process for pictures cannot be started: {error.strerror or error}") from error
        worker = cls(process, *await asyncio.open_connection(sock=near))
        try:
            async with asyncio.timeout(START_S):
                await worker._reader.readexactly(len(READY))
        except (OSError, EOFError) as error:
            await worker.end()
            raise NoWorkers("a process for pictures ends before it has begun") from error
        except BaseException:
            await worker.end()
            raise
        return worker

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    async def adapt(self, order: Order) -> tuple[bytes, str]:
        """Raises BadPicture; OSError, EOFError or BadFrame when the worker is no good any more."""
        self._writer.write(framed_order(order))
        await self._writer.drain()
        head = await self._reader.readexactly(ANSWER.size)
        is_good, words, octets = read_answer_head(head, order.most_octets)
        said = read_words(await self._reader.readexactly(words), is_good=is_good)
        if not is_good:
            raise BadPicture(said)
        return await self._reader.readexactly(octets), said

    async def end(self) -> int:
        """End it at once; the status that it left."""
        self._process.kill()
        self._writer.transport.abort()
        return await asyncio.to_thread(self._process.wait)


class PictureWorkers:
    """All workers of this process. `follow` ends the idle ones, and in the end all. command: starts one."""

    def __init__(
        self, clock: Clock, *, command: Sequence[str] = WORKER, most: int = MOST_WORKERS, picture_s: float = PICTURE_S
    ) -> None:
        self._clock = clock
        self._command = command
        self._picture_s = picture_s
        self._places = asyncio.Semaphore(most)
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [worker.pid for worker in (*self._idle, *self._busy)]

    async def adapt(self, order: Order) -> tuple[bytes, str]:
        """A picture made to fit, and its type. Raises BadPicture, NoWorkers."""
        if len(order.picture) > MOST_OCTETS:
            raise BadPicture(f"has {len(order.picture):,} octets; at most {MOST_OCTETS:,} are looked at")
        async with self._places:
            for _ in range(TRIES):
                made = await self._try(order)
                if made is not None:
                    return made
        raise BadPicture("ended the process that looked at it")

    async def _try(self, order: Order) -> tuple[bytes, str] | None:
        """None when the worker is gone."""
        worker = await self._free()
        self._busy.add(worker)
        is_good = False
        try:
            async with asyncio.timeout(self._picture_s):
                made = await worker.adapt(order)
            is_good = True
        except BadPicture:
            is_good = True
            raise
        except TimeoutError:
            raise BadPicture("takes too long to be looked at") from None
        except (OSError, EOFError, BadFrame):
            if await worker.end() == -signal.SIGXCPU:
                raise BadPicture("takes too long to be looked at") from None
            return None
        finally:
            self._busy.discard(worker)
            if is_good:
                worker.idle_since = self._clock.monotonic()
                self._idle.append(worker)
            else:
                await worker.end()
        return made

    async def _free(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                return worker
            await worker.end()
        return await _Worker.start(self._command)

    async def follow(self) -> None:
        """End workers that have nothing to do; for ever, and then all of them."""
        try:
            while True:
                await self._clock.sleep(IDLE_S)
                await self.end_idle()
        finally:
            await self.close()

    async def end_idle(self) -> None:
        """End the workers that have had nothing to do for a while."""
        before = self._clock.monotonic() - IDLE_S
        done = [worker for worker in self._idle if worker.idle_since <= before]
        self._idle = [worker for worker in self._idle if worker not in done]
        for worker in done:
            await worker.end()

    async def close(self) -> None:
        """End all workers, those with a picture too."""
        for worker in (*self._idle, *self._busy):
            await worker.end()
        self._idle.clear()


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {**kept, "PYTHONPATH": str(Path(heliograph.__file__).parent.parent)}
