"""The HTTP server: one listening socket, served on the running event loop.

The server library waits for ever for a request that has begun; here somebody looks. What it does with a connection,
and what we do in its place, is in `connection`.
"""

import asyncio
import contextlib
import functools
import socket
from collections.abc import Callable, Iterable
from typing import Any

import uvicorn

from heliograph.net.clock import Clock
from heliograph.net.connection import LOOK_S, REQUEST_LOOKS, Application, Connection
from heliograph.net.door import Door, most_callers

LONGEST_END_S = 10
"""Seconds that requests on the way have when the server stops."""


def listening_socket(host: str, port: int, *, is_shared: bool = False) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises OSError when the place is taken.

    is_shared: others may listen there as well, and callers are shared out among them.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host, port), family=family, backlog=8_192, reuse_port=is_shared)
    made.setblocking(False)
    return made


async def serve_http(
    application: Application,
    listener: socket.socket,
    *,
    clock: Clock,
    started: Callable[[], None],
    most: int | None = None,
) -> None:
    """Serve until cancelled; then requests on the way are answered first.

    most: connections; without it as many as the process has files for.
    """
    connection: Any = functools.partial(Connection, application=application)
    config = uvicorn.Config(
        application,
        http=connection,
        ws="none",
        loop="none",
        interface="asgi3",
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
    serving: asyncio.Task[Any] = asyncio.ensure_future(server.serve(sockets=[]))
    visitors: Any = server.server_state.connections
    watching = asyncio.ensure_future(_hang_up_on_the_slow(visitors, clock))
    door = Door(
        listener,
        functools.partial(connection, config, server.server_state, app_state={}),
        visitors=visitors,
        most=most_callers() if most is None else most,
        freshest=REQUEST_LOOKS,
    )
    try:
        # The socket listens already: whoever calls now is answered as soon as the server has looked around.
        started()
        await asyncio.shield(serving)
    finally:
        watching.cancel()
        door.close()
        server.should_exit = True
        await serving


async def _hang_up_on_the_slow(connections: Iterable[Any], clock: Clock) -> None:
    while True:
        await clock.sleep(LOOK_S)
        for connection in list(connections):
            if connection.patience:
                connection.patience -= 1
                if not connection.patience:
                    connection.transport.close()
