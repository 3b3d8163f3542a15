"""The HTTP server: one listening socket, served on the running event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

LONGEST_END_S = 10
"""Seconds that requests on the way have when the server stops."""

Asgi = Callable[..., Awaitable[None]]


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises OSError when the place is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host, port), family=family, backlog=2048)
    made.setblocking(False)
    return made


async def serve_http(application: Asgi, listener: socket.socket, *, started: Callable[[], None]) -> None:
    """Serve until cancelled; then requests on the way are answered first."""
    config = uvicorn.Config(
        application,
        http="httptools",
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
    try:
        # The socket listens already: whoever calls now is answered as soon as the server has looked around.
        started()
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving
