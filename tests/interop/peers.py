"""What the stories with other people's software have in common: texts, processes, ports, and our message centre."""

import asyncio
import json
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from heliograph.gsm import udh
from heliograph.gsm.segments import Encoding, join
from heliograph.net.clock import SystemClock
from heliograph.sandbox.habits import Habits
from heliograph.sandbox.message_centre import MessageCentre
from heliograph.smpp.constants import EsmClass

HERE = Path(__file__).parent
PATIENCE_S = 30.0

TEXTS = {
    "27831000001": "Hello, plain and simple: @ £ $ è Ä ñ",
    "27831000002": "Brackets and money: [€5] {a|b} ~ \\ ^",
    "27831000003": "Снег 雪 and a camel 🐪",
    "27831000004": "Long and plain, with some [brackets] and a few € in between. " * 6,
    "27831000005": "Long and wide: снег, 雪, 🐪🐪🐪. " * 7,
}
"""By recipient: the default alphabet, its extension, UCS-2 with a surrogate pair, and long ones of both kinds."""

_UDHI = int(EsmClass.UDHI)


def node(package: str = "smpp") -> str:
    """Node.js, when it and a package are here; the test is skipped with the reason when they are not."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not installed")
    if not (HERE / "node_modules" / package).is_dir():
        pytest.skip(f"the npm package {package} is not installed: run `npm ci` in tests/interop")
    return found


class Peer:
    """A process of somebody else's software; an async context that ends it. said: its lines so far."""

    def __init__(self, *arguments: str, folder: Path | None = None) -> None:
        self._arguments = arguments
        self._folder = folder
        self.said: list[str] = []

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._arguments,
            cwd=self._folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(5):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
        await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.said.append(line.decode("utf-8", "replace").rstrip())

    async def ended(self) -> int:
        """Wait until it ends by itself; its status."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._process.wait()

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """What it told of one kind, in JSON, a line for each."""
        lines = [json.loads(line) for line in self.said if line.startswith("{")]
        return [line[kind] for line in lines if kind in line]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that the peer brings about."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not is_so():  # noqa: ASYNC110 (another process sets no event of ours)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError("\n".join(["the peer said:", *self.said[-40:]])) from None

    async def answers(self, port: int) -> None:
        """Wait until it listens."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return


@asynccontextmanager
async def our_message_centre(habits: Habits | None = None) -> AsyncIterator[tuple[MessageCentre, int]]:
    """Our message centre, and its port."""
    centre = MessageCentre(SystemClock(), habits)
    port = await centre.start("127.0.0.1", 0)
    try:
        yield centre, port
    finally:
        await centre.stop()


def texts_at(centre: MessageCentre) -> dict[str, str]:
    """Whole texts by recipient, put together from the segments that our message centre took."""
    pieces: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    encodings: dict[str, Encoding] = {}
    for each in centre.received:
        pdu, number, payload = each.pdu, 1, each.pdu.short_message
        if pdu.esm_class & _UDHI:
            header, payload = udh.split_udh(payload)
            place = udh.concatenation_of(header)
            number = place.number if place else 1
        pieces[pdu.destination_addr].append((number, payload))
        encodings[pdu.destination_addr] = Encoding.UCS2 if pdu.data_coding == 8 else Encoding.GSM7
    return {
        recipient: join([payload for _, payload in sorted(parts)], encodings[recipient])
        for recipient, parts in pieces.items()
    }


def installed(*programs: str) -> Sequence[str]:
    """Where programs are; the test is skipped with the reason when one is missing."""
    found = []
    for program in programs:
        path = shutil.which(program) or shutil.which(f"/usr/sbin/{program}")
        if path is None:
            pytest.skip(f"{program} is not installed")
        found.append(path)
    return found
