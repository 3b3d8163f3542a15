"""The near end: a `Writer` on the event loop, whose work is done by another process."""

import asyncio
import logging
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from heliograph.store.apart import far
from heliograph.store.apart.frames import LENGTH_OCTETS, framed, unframed
from heliograph.store.engine import Done, Hop, Request, Result, StoreFailed, StoreUnavailable
from heliograph.store.hops.crossing import ways
from heliograph.store.writer import MOST_ROWS

MOST_AWAY: Final = 2
"""Batches at the far end: one that is being committed, one at hand for when that is done."""

_log = logging.getLogger(__name__)


def far_end(path: Path) -> list[str]:
    """The command of the far end for the store at a path."""
    return [sys.executable, "-m", far.__name__, str(path)]


class Put(NamedTuple):
    """A request that waits to be sent."""

    hop: Hop[Any, Any]
    request: Any
    done: Done[Any]


class WriterApart(asyncio.Protocol):
    """The near end. Raises nothing: what goes wrong is told to those who asked.

    died: told when the far end is gone before it was asked to go, which must end this process.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", died: Callable[[BaseException], None]) -> None:
        self._process = process
        self._died = died
        self._loop = asyncio.get_running_loop()
        self._ways = ways()
        self._waiting: deque[Put] = deque()
        self._away: deque[list[Put]] = deque()
        self._is_due = False
        self._received = bytearray()
        self._transport: asyncio.Transport
        self._is_stopping = False
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._quiet: asyncio.Future[None] | None = None
        self.commits = 0

    @classmethod
    async def start(
        cls, command: Sequence[str], died: Callable[[BaseException], None], *, holding: Sequence[int] = ()
    ) -> "WriterApart":
        """Start a far end. holding: file descriptors whose locks it shares."""
        near, far = socket.socketpair()
        with far:
            process = subprocess.Popen(  # noqa: ASYNC220 (starting it waits for nothing)
                command, stdin=far.fileno(), stdout=subprocess.DEVNULL, pass_fds=tuple(holding)
            )
        writer = cls(process, died)
        await writer._loop.create_connection(lambda: writer, sock=near)
        return writer

    @property
    def pid(self) -> int:
        """The far end's process."""
        return self._process.pid

    def put(self, hop: Hop[Request, Result], request: Request, done: Done[Result]) -> None:
        """Queue work; it is sent at the end of this turn of the loop, or when the far end has room."""
        self._waiting.append(Put(hop, request, done))
        if not self._is_due:
            self._is_due = True
            self._loop.call_soon(self._send)

    def _send(self) -> None:
        self._is_due = False
        while self._waiting and len(self._away) < MOST_AWAY and not self._gone.done():
            batch: list[Put] = []
            rows = 0
            while self._waiting and rows < MOST_ROWS:
                work = self._waiting.popleft()
                batch.append(work)
                rows += work.hop.size(work.request)
            self._away.append(batch)
            packed = [(work.hop.name, self._ways[work.hop.name].pack(work.request)) for work in batch]
            self._transport.write(framed(packed))

    # What the event loop calls --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Batches are done."""
        received = self._received
        received += data
        while len(received) >= LENGTH_OCTETS:
            end = LENGTH_OCTETS + int.from_bytes(received[:LENGTH_OCTETS], "big")
            if len(received) < end:
                return
            self.commits, logged, results = unframed(memoryview(received)[LENGTH_OCTETS:end])
            del received[:end]
            for line in logged:
                _log.error(line)
            batch = self._away.popleft()
            if self._waiting and not self._is_due:
                self._send()
            self._tell(batch, results)
        if self._quiet is not None and not (self._waiting or self._away or self._quiet.done()):
            self._quiet.set_result(None)

    def _tell(self, batch: list[Put], results: list[tuple[str | None, Any]]) -> None:
        for work, (failure, packed) in zip(batch, results, strict=True):
            if failure is None:
                result = self._ways[work.hop.name].unpack_result(packed)
            else:
                result = StoreUnavailable(packed) if failure == "unavailable" else StoreFailed(packed)
            try:
                work.done(result)
            except Exception as error:  # noqa: BLE001 (everyone is told, even when one of them fails)
                self._loop.call_exception_handler({"message": f"told of {work.hop.name}", "exception": error})

    def connection_lost(self, exc: Exception | None) -> None:
        """The far end is gone."""
        if not self._is_stopping:
            self._died(StoreFailed(f"the process that writes to the store is gone: {exc or 'it ended'}"))
        if not self._gone.done():
            self._gone.set_result(None)

    async def stop(self, *, patience_s: float) -> None:
        """Wait until all that was put is committed, then let the far end go; it is ended when it does not go itself."""
        if self._waiting or self._away:
            self._quiet = self._loop.create_future()
            await asyncio.wait([self._quiet, self._gone], timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        self._is_stopping = True
        self._transport.close()
        await asyncio.wait([self._gone], timeout=patience_s)
        try:
            await asyncio.to_thread(self._process.wait, patience_s)
        except subprocess.TimeoutExpired:
            # It hangs in the world, on a disk perhaps: what is committed is safe, the rest nobody was told of.
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
