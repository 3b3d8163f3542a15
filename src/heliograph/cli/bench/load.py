"""The load: a process that sends requests over connections that stay open, and times each of them.

Without a rate each connection sends its next request when the last is answered. With one, requests are due at even
times whether or not the server keeps up, and are timed from when they were due.
"""

import asyncio
import re
import time
from collections import deque
from contextlib import suppress
from typing import Literal, cast

import msgspec
import uvloop

from heliograph.cli.bench.orders import TELL_S, TEXT, LoadOrder, LoadRecords, say, standard_input, write

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_RECONNECT_S = 0.05


def request_head(order: LoadOrder) -> bytes:
    """What every request begins with: all are of one length."""
    length = len(request_body(order, 0))
    lines = [
        "POST /sms/messages HTTP/1.1",
        f"Host: 127.0.0.1:{order.port}",
        f"Authorization: Bearer {order.api_key}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def request_body(order: LoadOrder, index: int) -> bytes:
    """The body of one request: the text and its share of the recipients."""
    first = order.first + index * order.per_request
    recipients = ",".join(map(str, range(first, first + order.per_request)))
    return f'{{"text":"{TEXT}","to":[{recipients}]}}'.encode()


def whole_answer(pending: bytearray) -> tuple[int, int] | None:
    """Status and length in octets of the first answer, or None while it is not complete."""
    end_of_head = pending.find(b"\r\n\r\n")
    if end_of_head < 0:
        return None
    found = _LENGTH.search(pending, 0, end_of_head)
    length = end_of_head + 4 + (int(found[1]) if found else 0)
    return (int(pending[9:12]), length) if len(pending) >= length else None


class Load:
    """Hands requests to idle connections until all are answered."""

    def __init__(self, order: LoadOrder) -> None:
        self.order = order
        self.records = LoadRecords(order.requests)
        self.accepted = 0
        self.failed = 0
        self.done = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._head = request_head(order)
        self._next = 0
        self._started_ns = 0
        self._idle: deque[_Connection] = deque()
        self._connecting: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Open the connections and begin."""
        self._started_ns = time.monotonic_ns()
        for _ in range(min(self.order.connections, self.order.requests)):
            self.connect()
        if self.order.rate:
            self._pace()

    def connect(self) -> None:
        """Open one connection; try until the server listens."""
        task = self._loop.create_task(self._connect())
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self) -> None:
        while not self.done.is_set():
            with suppress(OSError):
                await self._loop.create_connection(lambda: _Connection(self), "127.0.0.1", self.order.port)
                return
            await asyncio.sleep(_RECONNECT_S)

    def _pace(self) -> None:
        """Give what is due to those who are idle, and come back when more is."""
        while self._idle and self._is_due():
            self._give(self._idle.popleft())
        if self._next < self.order.requests:
            wait_s = (self._due_ns(self._next) - time.monotonic_ns()) / 1e9
            self._loop.call_later(max(0.0005, wait_s), self._pace)

    def _due_ns(self, index: int) -> int:
        return self._started_ns + int(index * 1e9 / self.order.rate)

    def _is_due(self) -> bool:
        if self._next >= self.order.requests:
            return False
        return not self.order.rate or self._due_ns(self._next) <= time.monotonic_ns()

    def idle(self, connection: "_Connection") -> None:
        """A connection has nothing to do."""
        if self._is_due():
            self._give(connection)
        else:
            self._idle.append(connection)

    def _give(self, connection: "_Connection") -> None:
        index = self._next
        self._next += 1
        self.records.started[index] = self._due_ns(index) if self.order.rate else time.monotonic_ns()
        connection.send(index, self._head + request_body(self.order, index))

    def answered(self, index: int, status: int) -> None:
        """A request has its answer, or (0) will never have one."""
        self.records.ended[index] = time.monotonic_ns()
        self.records.status[index] = status
        if 200 <= status < 300:
            self.accepted += 1
        else:
            self.failed += 1
        if self.accepted + self.failed == self.order.requests:
            self.done.set()

    def lost(self, connection: "_Connection") -> None:
        """A connection has gone; while there is work another takes its place."""
        with suppress(ValueError):
            self._idle.remove(connection)
        if self._next < self.order.requests:
            self.connect()


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._index: int | None = None
        self._pending = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._load.idle(self)

    def connection_lost(self, _error: Exception | None) -> None:
        index, self._index = self._index, None
        if index is not None:
            self._load.answered(index, 0)
        self._load.lost(self)

    def send(self, index: int, request: bytes) -> None:
        self._index = index
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._pending += data
        answer = whole_answer(self._pending)
        if answer is None or self._index is None:
            return
        status, length = answer
        del self._pending[:length]
        index, self._index = self._index, None
        self._load.answered(index, status)
        self._load.idle(self)


async def main() -> None:
    """Do what the order says, tell how far it is, and write the records when the bench has heard enough."""
    bench = await standard_input()
    load = Load(msgspec.json.decode(await bench.readline(), type=LoadOrder))
    over = asyncio.ensure_future(bench.read())
    done = asyncio.ensure_future(load.done.wait())
    load.start()
    while not over.done():
        say(accepted=load.accepted * load.order.per_request, failed=load.failed, done=load.done.is_set())
        waited: list[asyncio.Future[bytes] | asyncio.Future[Literal[True]]] = [over] if done.done() else [over, done]
        timeout_s = None if done.done() else TELL_S
        await asyncio.wait(waited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    write(load.records, load.order.records)


if __name__ == "__main__":
    uvloop.run(main())
