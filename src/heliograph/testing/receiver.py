"""A customer's webhook on loopback: a small, quick HTTP server that keeps what it is told and answers as told to.

What is posted must have a Content-Length, as ours has; anything else is hung up on. GET serves files.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import NamedTuple, Self, cast


class Call(NamedTuple):
    """One request. headers: by name in small letters. at: the monotonic clock's seconds when it was complete."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


class Answer(NamedTuple):
    """What a request gets. hangs: nothing at all, while the connection stays open."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    hangs: bool = False

    def written(self) -> bytes:
        """The answer on the wire."""
        lines = [f"HTTP/1.1 {self.status} Told", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


class Receiver:
    """The server; an async context. answer: for every path that has none of its own in `answers`; both may change.

    hear: takes the calls in place of the list `calls`, for long runs. host: the address to listen on.
    """

    def __init__(
        self,
        answer: Answer | None = None,
        *,
        hear: Callable[[Call], object] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self._host = host
        self.answer = answer or Answer()
        self.answers: dict[str, Answer] = {}
        self.calls: list[Call] = []
        self.count = 0
        self.connections = 0
        self._hear = hear or self.calls.append
        self._open: set[asyncio.Transport] = set()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), self._host, 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
            for transport in self._open:
                transport.abort()
            await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://{self._host}:{self.port}"

    async def wait_for(self, count: int, *, timeout_s: float = 10.0) -> None:
        """Wait until so many calls have come since the start. Raises TimeoutError."""
        if self.count < count:
            arrived = asyncio.get_running_loop().create_future()
            self._waiting.append((count, arrived))
            await asyncio.wait_for(arrived, timeout_s)

    def opened(self, transport: asyncio.Transport) -> None:
        """A connection has come."""
        self.connections += 1
        self._open.add(transport)

    def closed(self, transport: asyncio.Transport) -> None:
        """A connection has gone."""
        self._open.discard(transport)

    def take(self, call: Call) -> Answer:
        """Keep a call and tell what it gets."""
        self.count += 1
        self._hear(call)
        for awaited, arrived in self._waiting:
            if self.count >= awaited and not arrived.done():
                arrived.set_result(None)
        return self.answers.get(call.path, self.answer)


class _Connection(asyncio.Protocol):
    """One connection's octets made into calls."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._pending = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._receiver.opened(self._transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._receiver.closed(self._transport)

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while (call := self._next_call()) is not None:
            answer = self._receiver.take(call)
            if not answer.hangs:
                self._transport.write(answer.written())

    def _next_call(self) -> Call | None:
        end_of_head = self._pending.find(b"\r\n\r\n")
        if end_of_head < 0:
            return None
        first, *lines = self._pending[:end_of_head].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        is_posted = not first.startswith("GET ")
        if is_posted and "content-length" not in headers:
            self._transport.abort()
            return None
        begin = end_of_head + 4
        end = begin + int(headers.get("content-length", "0"))
        if len(self._pending) < end:
            return None
        body = bytes(self._pending[begin:end])
        del self._pending[:end]
        return Call(first.split(" ")[1], headers, body, time.monotonic())
