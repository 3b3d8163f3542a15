"""The HTTP server: one listening socket, served on the running event loop.

The server library writes a response's head and body to the socket one after the other and waits for ever for a
request that has begun. Both are mended here, between its protocol and the socket.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from heliograph.net.clock import Clock

LONGEST_END_S = 10
"""Seconds that requests on the way have when the server stops."""

LONGEST_REQUEST_S = 60.0
"""Seconds that a caller may take to send a request; one who takes longer is hung up on."""

LOOK_S = 5.0

Asgi = Callable[..., Awaitable[None]]


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

    def _flush(self) -> None:
        gathered, self._gathered = self._gathered, []
        if gathered and not self._transport.is_closing():
            self._transport.write(b"".join(gathered))

    def _close(self) -> None:
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Connection(HttpToolsProtocol):
    """A caller's connection. incomplete_since: loop time since when a request is awaited or has begun to come in."""

    incomplete_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The socket is open."""
        self.incomplete_since = self.loop.time()
        super().connection_made(cast(asyncio.Transport, OneWrite(transport)))

    def on_message_begin(self) -> None:
        """The first octet of a request."""
        self.incomplete_since = self.loop.time()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The last octet of a request."""
        self.incomplete_since = None
        super().on_message_complete()


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises OSError when the place is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host, port), family=family, backlog=2048)
    made.setblocking(False)
    return made


async def serve_http(application: Asgi, listener: socket.socket, *, clock: Clock, started: Callable[[], None]) -> None:
    """Serve until cancelled; then requests on the way are answered first."""
    config = uvicorn.Config(
        application,
        http=Connection,
        ws="none",
        loop="none",
        lifespan="off",
        access_log=False,
        proxy_headers=False,
        log_config=None,
        server_header=False,
        date_header=True,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=LONGEST_END_S,
    )
    server = uvicorn.Server(config)
    # Signals belong to the program: they cancel the root task.
    setattr(server, "capture_signals", contextlib.nullcontext)  # noqa: B010 (a method is replaced on purpose)
    serving: asyncio.Task[Any] = asyncio.ensure_future(server.serve(sockets=[listener]))
    watching = asyncio.ensure_future(_hang_up_on_the_slow(server, clock))
    try:
        # The socket listens already: whoever calls now is answered as soon as the server has looked around.
        started()
        await asyncio.shield(serving)
    finally:
        watching.cancel()
        server.should_exit = True
        await serving


async def _hang_up_on_the_slow(server: uvicorn.Server, clock: Clock) -> None:
    while True:
        await clock.sleep(LOOK_S)
        now = asyncio.get_running_loop().time()
        for connection in list(server.server_state.connections):
            since = getattr(connection, "incomplete_since", None)
            if since is not None and now - since > LONGEST_REQUEST_S:
                connection.transport.close()
