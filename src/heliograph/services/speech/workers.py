"""The processes that read: a few at most, begun when there is something to read, ended when there has been nothing.

One that dies or takes too long is replaced. What it was reading fails, unless it had been idle before: then it may
have died of something else, and a new one tries once.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from typing import Final

from heliograph.net.clock import Clock
from heliograph.pipeline.ports import CannotSend
from heliograph.services.speech.frames import GOOD, LENGTH_OCTETS, MOST_OCTETS, asked

MOST: Final = 2
IDLE_S: Final = 30.0
_WORKER: Final = "heliograph.services.speech.worker"


class TooSlow(CannotSend):
    """A worker was ended because it took too long."""


class Died(CannotSend):
    """A worker ended before it had read its text."""


def worker_command() -> list[str]:
    """How a worker is begun. -P: nothing is imported from the folder that this program was begun in."""
    return [sys.executable, "-P", "-s", "-m", _WORKER]


def patience_s(text: str) -> float:
    """Seconds after which a worker hangs: it needs four milliseconds for a Chinese character, and less for others."""
    return 15 + len(text) / 40


class Workers:
    """Reads texts in other processes. command: begins one. patience_s: how long one may take for a text."""

    def __init__(
        self,
        clock: Clock,
        *,
        command: Sequence[str] = (),
        patience_s: Callable[[str], float] = patience_s,
        idle_s: float = IDLE_S,
    ) -> None:
        self._clock = clock
        self._command = command or worker_command()
        self._patience_s = patience_s
        self._idle_s = idle_s
        self._places = asyncio.Semaphore(MOST)
        self._idle: list[tuple[Process, float]] = []

    async def read(self, voice: str, text: str) -> bytes:
        """The samples of a text, when there is a worker for it. Raises CannotSend, TooSlow and Died among it."""
        async with self._places:
            if self._idle:
                try:
                    return await self._ask(self._idle.pop()[0], voice, text)
                except Died:
                    pass
            return await self._ask(await self._begin(), voice, text)

    async def end_idle(self) -> None:
        """End those that have been idle for long."""
        since = self._clock.monotonic() - self._idle_s
        ended = [process for process, idle_since in self._idle if idle_since <= since]
        self._idle = [each for each in self._idle if each[1] > since]
        for process in ended:
            await _end(process)

    async def end(self) -> None:
        """End all that are idle, whenever that began."""
        while self._idle:
            await _end(self._idle.pop()[0])

    async def _begin(self) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=_environment(),
                cwd="/",
                # What is typed at the terminal is for this process, which ends the others.
                start_new_session=True,
            )
        except OSError as error:
            raise CannotSend(f"the process that reads cannot be begun: {error.strerror or error}") from error

    async def _ask(self, process: Process, voice: str, text: str) -> bytes:
        try:
            async with asyncio.timeout(self._patience_s(text)):
                answer = await _exchange(process, asked(voice, text))
        except TimeoutError:
            await _end(process)
            raise TooSlow("the speech engine took too long for the text") from None
        except (asyncio.IncompleteReadError, OSError):
            await _end(process)
            raise Died("the speech engine failed on the text") from None
        except BaseException:
            # Nobody waits for the answer any more, and the next text must not get it.
            await _end(process)
            raise
        self._idle.append((process, self._clock.monotonic()))
        if answer[:1] != GOOD:
            raise CannotSend(answer[1:].decode(errors="replace"))
        return answer[1:]


def _environment() -> dict[str, str]:
    """Where its modules are; what else is in ours, secrets among it, is not its business."""
    return {"PYTHONPATH": os.pathsep.join(os.path.abspath(folder) for folder in sys.path if folder)}


async def _exchange(process: Process, question: bytes) -> bytes:
    source, target = process.stdout, process.stdin
    assert source is not None
    assert target is not None
    target.write(question)
    await target.drain()
    length = int.from_bytes(await source.readexactly(LENGTH_OCTETS), "big")
    if not 0 < length <= MOST_OCTETS:
        raise OSError("no frame")
    return await source.readexactly(length)


async def _end(process: Process) -> None:
    """End a worker; it has nothing to lose."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        process.kill()
    await process.wait()
