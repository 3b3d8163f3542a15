"""A caller's connection: the server library's protocol, with a shorter way for what is asked most.

The library makes a dozen objects and several steps of the loop for each request. A request for an address that the
application answers directly, and about which nothing is unusual, needs none of them: its body is collected here, the
application's handler is called with it, and head and body of the answer leave in one write. Every other request is
told to the library as if it had read it itself. Answers keep the order of their requests because a request that comes
while another is on the way always takes the library's way, which queues it; for that, and for hanging up and for the
server's end, a request answered directly shows the library what it looks at in one of its own.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Protocol, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

LOOK_S = 5
"""Seconds between two looks at every connection's patience."""

LAST_REQUEST_S = 2.0
"""When the server ends, a request that has not come by then is not waited for. Programs that send on an open connection
do so more often, and one that finds it closed the moment it sends cannot know what became of its request."""

REQUEST_LOOKS = 60 // LOOK_S + 1
"""Looks during which a request may be awaited or come in: a caller has a minute for it."""

IDLE_LOOKS = 75 // LOOK_S + 1
"""Looks during which a connection is kept for a next request after one that was answered directly."""

MOST_DIGITS = 5
"""Of the length of a body that is collected here. A longer one is read as the application asks for it."""

# What needs more than collecting a body and answering: another protocol, a go-ahead, a body of unknown length.
_UNUSUAL = frozenset({b"expect", b"transfer-encoding", b"upgrade"})

Header = tuple[bytes, bytes]
Reply = tuple[int, bytes, tuple[Header, ...]]
"""Status, body, and header lines but for those of the connection, the date and the length."""

Handler = Callable[[Mapping[bytes, bytes], bytes, bytes], Awaitable[Reply]]
"""Answers a request: headers by name in small letters (of a repeated one the last), body and query."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = logging.getLogger(__name__)


class Application(Protocol):
    """An ASGI application with a shorter way. Both ways give the same answers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer any request."""
        ...

    def direct(self, method: bytes, path: bytes) -> Handler | None:
        """Who answers a method of a path, as it was written, directly."""
        ...


class OneWrite:
    """A transport that gathers what is written in one turn of the loop: a system call a response instead of two."""

    __slots__ = ("_call_soon", "_gathered", "_transport", "close", "get_extra_info", "is_closing")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._call_soon = asyncio.get_running_loop().call_soon
        self._gathered: list[bytes] = []
        self.get_extra_info = transport.get_extra_info
        self.is_closing = transport.is_closing
        self.close = self._close

    def write(self, data: bytes) -> None:
        """Write at the end of this turn of the loop."""
        if not self._gathered:
            self._call_soon(self._flush)
        self._gathered.append(data)

    def write_whole(self, data: bytes) -> None:
        """Write what nothing follows in this turn."""
        if self._gathered:
            self._gathered.append(data)
        else:
            self._transport.write(data)

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered and not self._transport.is_closing():
            self._transport.write(b"".join(gathered))

    def _close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class DirectRequest:
    """A request that is answered directly, with what the library looks at in a request on the way."""

    __slots__ = ("body", "disconnected", "handler", "headers", "keep_alive", "query", "response_complete", "task")

    message_event = asyncio.Event()
    """For the library, which sets it when the caller hangs up; here nobody waits for it."""

    task: "asyncio.Task[None]"

    def __init__(self, handler: Handler, headers: Mapping[bytes, bytes], query: bytes, *, keep_alive: bool) -> None:
        self.handler = handler
        self.headers = headers
        self.query = query
        self.body = b""
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False


class Connection(HttpToolsProtocol):
    """A caller's connection. patience: looks after which we hang up, 0 while it is we who are awaited."""

    patience: int

    def __init__(self, config: Config, server_state: ServerState, *, application: Application, **others: Any) -> None:
        super().__init__(config, server_state, **others)
        self._direct = application.direct
        self._is_asking = True
        self._is_last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The socket is open."""
        self.patience = REQUEST_LOOKS
        self._write_whole = (gathering := OneWrite(transport)).write_whole
        super().connection_made(cast(asyncio.Transport, gathering))

    def shutdown(self) -> None:
        """The server ends. Who may be asking just now is answered first, and told that nothing follows.

        Those are callers who have just connected, have begun to ask, or asked a moment ago and kept the connection.
        """
        is_long_silent = not self._is_asking and 0 < self.patience < IDLE_LOOKS - 1
        if self._is_awaited() or is_long_silent:
            super().shutdown()
        elif not self._is_last:
            self._is_last = True
            self.loop.call_later(LAST_REQUEST_S, self._end_waiting)

    def _is_awaited(self) -> bool:
        """Whether the caller waits for our answer."""
        request: RequestResponseCycle | None = self.cycle
        return not (self._is_asking or request is None or request.response_complete)

    def _end_waiting(self) -> None:
        if not self._is_awaited():
            self.transport.close()

    # What the parser tells, in this order -----------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first octet of a request."""
        self._is_asking = True
        self.patience = REQUEST_LOOKS
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """One line of the head."""
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The end of the head, where a request's way is chosen."""
        on_the_way: RequestResponseCycle | None = self.cycle
        if (on_the_way is None or on_the_way.response_complete) and not self.flow.write_paused:
            headers = dict(self.headers)
            path, _, query = self.url.partition(b"?")
            handler = self._direct(self.parser.get_method(), path)
            if handler is not None and _is_usual(headers, query):
                keep_alive = self.parser.should_keep_alive()
                if keep_alive and b"connection" in headers:
                    # The library never keeps a connection of HTTP/1.0.
                    keep_alive = self.parser.get_http_version() != "1.0"
                self.cycle = cast(Any, DirectRequest(handler, headers, query, keep_alive=keep_alive))
                return
        self._tell_the_library()

    def _tell_the_library(self) -> None:
        url, headers = self.url, self.headers
        super().on_message_begin()
        super().on_url(url)
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        request: Any = self.cycle
        if type(request) is DirectRequest:
            request.body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The last octet of a request."""
        self.patience = 0
        self._is_asking = False
        request: Any = self.cycle
        if self._is_last:
            request.keep_alive = False
        if type(request) is DirectRequest:
            request.task = task = self.loop.create_task(self._answer(request))
            self.tasks.add(task)
        else:
            super().on_message_complete()

    # Answering --------------------------------------------------------------------------------------------------

    async def _answer(self, request: DirectRequest) -> None:
        try:
            status, body, headers = await request.handler(request.headers, request.body, request.query)
            lines = _lines((*self.server_state.default_headers, *headers))
        except (Exception, asyncio.CancelledError):
            log.exception("a request failed")
            status, body, lines = 500, b"Internal Server Error", b"content-type: text/plain; charset=utf-8\r\n"
            request.keep_alive = False
        self.tasks.discard(request.task)
        request.response_complete = True
        if self.transport.is_closing():
            return
        length = b"content-length: %d\r\n" % len(body) if status != 204 else b""
        if request.keep_alive:
            self._write_whole(b"".join((STATUS_LINE[status], lines, length, b"\r\n", body)))
            self._await_next()
        else:
            self._write_whole(b"".join((STATUS_LINE[status], lines, length, b"connection: close\r\n\r\n", body)))
            self.transport.close()

    def _await_next(self) -> None:
        if self.pipeline:
            self.on_response_complete()
        elif not self.patience:
            self.patience = IDLE_LOOKS


def _is_usual(headers: Mapping[bytes, bytes], query: bytes) -> bool:
    """Whether a request is no more than a head and perhaps a short body."""
    return (
        _UNUSUAL.isdisjoint(headers) and len(headers.get(b"content-length", b"")) <= MOST_DIGITS and b"#" not in query
    )


@lru_cache(maxsize=256)
def _lines(headers: tuple[Header, ...]) -> bytes:
    """Header lines as they go out; most answers have those of the last one. Raises ValueError for an impossible one."""
    for name, value in headers:
        if HEADER_RE.search(name) or HEADER_VALUE_RE.search(value):
            raise ValueError("a header line that could be read as two")
    return b"".join(b"%b: %b\r\n" % header for header in headers)
