"""The processes that the bench starts: each is told what to do, listened to, and ended by its own id.

They lead process groups of their own, so that Ctrl-C reaches the bench alone, which then ends them in order.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from heliograph.cli.bench import usage
from heliograph.services.refused import Refused

END_S: Final = 20.0
"""How long a process may take to end by itself."""

IDLE_S: Final = 20.0
"""When nothing moves for so long, what is missing does not come any more."""

_LAST_LINES: Final = 5


class Child:
    """One process. Its errors go to a file, whose end explains a failure.

    hear: told every line it writes, and an empty one when it has ended.
    """

    def __init__(self, name: str, process: Process, *, hear: Callable[[bytes], None], errors: Path) -> None:
        self.name = name
        self._process = process
        self._errors = errors
        self._listening = asyncio.ensure_future(self._listen(hear))

    async def _listen(self, hear: Callable[[bytes], None]) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            hear(line)
        await self._process.wait()
        hear(b"")

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.returncode is not None

    def order(self, words: bytes) -> None:
        """Tell it what to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(words + b"\n")

    async def finish(self, *, within_s: float = END_S) -> None:
        """Let it end by itself: its standard input ends. Raises Refused when it fails or does not end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(within_s):
                await asyncio.shield(self._listening)
        except TimeoutError:
            raise Refused(f"The {self.name} of the bench did not end.") from None
        if self._process.returncode:
            raise self.failure()

    async def end(self) -> None:
        """Terminate it if it still runs, at last by force."""
        if self._process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(END_S):
                await asyncio.shield(self._listening)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def failure(self) -> Refused:
        """It has ended when it should not have."""
        said = self._errors.read_text(errors="replace").strip().splitlines()
        why = " / ".join(said[-_LAST_LINES:]) or "it said nothing"
        return Refused(f"The {self.name} of the bench ended: {why}.")

    def cpu_s(self) -> float:
        """CPU seconds that it and the processes which it started have used, user and system."""
        return usage.whole_cpu_s(self.pid)

    def peak_memory_mb(self) -> float:
        """The most memory that it and the processes which it started have held, each at its own worst moment."""
        return usage.whole_peak_memory_mb(self.pid)


@asynccontextmanager
async def child(
    name: str, arguments: Sequence[str], *, folder: Path, environ: Mapping[str, str], hear: Callable[[bytes], None]
) -> AsyncIterator[Child]:
    """A process that runs for the length of the block, with this interpreter."""
    errors = folder / f"{name.replace(' ', '-')}.log"
    with errors.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=file,
            env=environ,
            start_new_session=True,
        )
    started = Child(name, process, hear=hear, errors=errors)
    try:
        yield started
    finally:
        await asyncio.shield(started.end())


@dataclass(slots=True)
class Standing:
    """What the processes have told so far. watched: those that must not end by themselves. show: called at news."""

    counts: dict[str, int] = field(default_factory=dict)
    watched: list[Child] = field(default_factory=list)
    show: Callable[[], None] = lambda: None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, line: bytes) -> None:
        """One line of figures, or an empty one: somebody has ended."""
        if line:
            self.counts.update(json.loads(line))
            self.show()
        self._news.set()

    async def until(self, is_reached: Callable[[dict[str, int]], bool]) -> bool:
        """Wait for something; False when nothing moves any more. Raises Refused when a watched process has ended."""
        moved_at = time.monotonic()
        while not is_reached(self.counts):
            for each in self.watched:
                if each.has_ended:
                    raise each.failure()
            before = dict(self.counts)
            try:
                async with asyncio.timeout(max(0.0, moved_at + IDLE_S - time.monotonic())):
                    await self._news.wait()
            except TimeoutError:
                return False
            self._news.clear()
            if self.counts != before:
                moved_at = time.monotonic()
        return True
