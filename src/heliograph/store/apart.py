"""The writer in a process of its own, so that it and the event loop do not wait for each other's interpreter lock.

`python -m heliograph.store.apart PATH` is the far end: it reads batches from the socket that is its standard input,
commits each, and writes back what came of it. While it commits one batch the next waits in the socket, and what comes
after gathers at the near end. It ends when the near end does, and drops what it has not begun: nobody was told of it.
Until then it holds the server's lock, which it inherits, so that no other server begins before its last commit.
"""

import asyncio
import logging
import marshal
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

from heliograph.store.engine import Done, Hop, Request, Result, StoreFailed, StoreUnavailable
from heliograph.store.hops.crossing import HOPS, ways
from heliograph.store.turns import Turns
from heliograph.store.writer import MOST_ROWS, BatchWriter, connect, nothing

MOST_AWAY: Final = 2
"""Batches at the far end: one that is being committed, one at hand for when that is done."""

_LENGTH_OCTETS: Final = 4
_log = logging.getLogger(__name__)


def far_end(path: Path) -> list[str]:
    """The command of the far end for the store at a path."""
    return [sys.executable, "-m", __name__, str(path)]


class Put(NamedTuple):
    """A request that waits to be sent."""

    hop: Hop[Any, Any]
    request: Any
    done: Done[Any]


class WriterApart(asyncio.Protocol):
    """The near end: a `Writer` on the event loop.

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
            self._transport.write(_framed(packed))

    # What the event loop calls --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Batches are done."""
        received = self._received
        received += data
        while len(received) >= _LENGTH_OCTETS:
            end = _LENGTH_OCTETS + int.from_bytes(received[:_LENGTH_OCTETS], "big")
            if len(received) < end:
                return
            self.commits, logged, results = marshal.loads(memoryview(received)[_LENGTH_OCTETS:end])
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
        """Wait until all that was put is committed, then let the far end go."""
        if self._waiting or self._away:
            self._quiet = self._loop.create_future()
            await asyncio.wait([self._quiet, self._gone], timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
        self._is_stopping = True
        self._transport.close()
        await self._gone
        await asyncio.to_thread(self._process.wait)


def _framed(values: Any) -> bytes:
    written = marshal.dumps(
        values, 2
    )  # the second version looks for no repeated objects, which costs more than it saves
    return len(written).to_bytes(_LENGTH_OCTETS, "big") + written


# The far end -------------------------------------------------------------------------------------------------------


class _Kept(logging.Handler):
    """Keeps what was logged, for the near end to log in its own form."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        error = record.exc_info[1] if record.exc_info else None
        self.lines.append(record.getMessage() + (f": {type(error).__name__}: {error}" if error else ""))


def work_off(path: Path, near: socket.socket, reach: Callable[[str], None] = nothing) -> None:
    """Commit batches until the near end is gone; the store is left as it stands, since the next server may wait."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # They are meant for the program as a whole: the near end decides.
        signal.signal(number, signal.SIG_IGN)
    kept = _Kept()
    logging.getLogger().addHandler(kept)
    turns = Turns(path.parent)
    writer = BatchWriter(
        lambda: connect(path), let_others_pass=turns.let_others_pass, post=lambda call: call(), reach=reach
    )
    ends = ways()
    stream = near.makefile("rb")
    while batch := _read(stream):
        results: list[tuple[str | None, Any]] = [("failed", "")] * len(batch)
        for place, (name, packed) in enumerate(batch):
            writer.put(HOPS[name], ends[name].unpack(packed), _noting(results, place, ends[name].pack_result))
        while writer.step(wait=False):
            pass
        lines, kept.lines = kept.lines, []
        try:
            near.sendall(_framed((writer.commits, lines, results)))
        except OSError:
            break


def _noting(results: list[tuple[str | None, Any]], place: int, pack: Callable[[Any], Any]) -> Callable[[Any], None]:
    def note(result: Any) -> None:
        if isinstance(result, StoreUnavailable):
            results[place] = ("unavailable", str(result))
        elif isinstance(result, Exception):
            results[place] = ("failed", f"{type(result).__name__}: {result}")
        else:
            results[place] = (None, pack(result))

    return note


def _read(stream: BinaryIO) -> list[tuple[str, Any]] | None:
    """The next batch; None when the near end is gone."""
    try:
        length = stream.read(_LENGTH_OCTETS)
        written = stream.read(int.from_bytes(length, "big"))
    except OSError:
        return None
    if len(length) < _LENGTH_OCTETS or len(written) < int.from_bytes(length, "big"):
        return None
    batch: list[tuple[str, Any]] = marshal.loads(written)
    return batch


def main(arguments: Sequence[str], reach: Callable[[str], None] = nothing) -> None:
    """The far end, on the socket that is standard input."""
    (path,) = arguments
    with socket.socket(fileno=os.dup(0)) as near:
        work_off(Path(path), near, reach)


if __name__ == "__main__":
    main(sys.argv[1:])
