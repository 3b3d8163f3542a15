"""Taking callers in: as many as the process may have open, and a good few in one turn of the loop.

The loop's own server takes one in each turn. Turns are long under load, and then somebody who calls anew would wait for
many seconds behind the others. What the door has no room for waits in the socket's queue, and those who hold a
connection without using it have to make room.
"""

import asyncio
import resource
import socket
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final, Protocol

AT_ONCE: Final = 128
"""Callers that are taken in one turn."""

REST_S: Final = 0.05
"""After so long somebody may have gone."""

MOST: Final = 10_000
"""Connections: each of them takes some 15 kB while it is used."""

MOST_FILES: Final = 16_384
OURS: Final = 256
"""Files that are not callers': sessions of carriers, calls to webhooks, the store."""


class Visitor(Protocol):
    """A connection. patience: see `connection.Connection`."""

    patience: int
    transport: asyncio.Transport


def allow_files() -> None:
    """Let this process open as many files as the machine lets it, within reason: most shells begin with a thousand."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def most_callers() -> int:
    """How many connections there may be, so that files are left for everything else."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, max(soft - OURS, soft // 2))


class Door:
    """Open from when it is made until it is closed.

    make: the protocol of a connection. visitors: those that are open. freshest: a connection with that much patience
    has hardly begun to wait for its caller, and is left alone.
    """

    def __init__(
        self,
        listener: socket.socket,
        make: Callable[[], asyncio.Protocol],
        *,
        visitors: Collection[Visitor],
        most: int,
        freshest: int,
    ) -> None:
        self._listener = listener
        self._make = make
        self._visitors = visitors
        self._most = most
        self._freshest = freshest
        self._loop = asyncio.get_running_loop()
        self._entering: set[asyncio.Task[None]] = set()
        self._resting: asyncio.TimerHandle | None = None
        self._loop.add_reader(listener, self._take)

    def close(self) -> None:
        """Take nobody in any more."""
        if self._resting is None:
            self._loop.remove_reader(self._listener)
        else:
            self._resting.cancel()
        self._listener.close()

    def _take(self) -> None:
        for _ in range(AT_ONCE):
            if len(self._visitors) + len(self._entering) >= self._most:
                self._make_room()
                self._rest()
                return
            try:
                caller, _ = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionAbortedError:
                continue
            except OSError:
                # No file is left for it: somebody else took what was meant for callers.
                self._rest()
                return
            task = self._loop.create_task(self._enter(caller))
            self._entering.add(task)
            task.add_done_callback(self._entering.discard)

    async def _enter(self, caller: socket.socket) -> None:
        caller.setblocking(False)
        with suppress(OSError):
            await self._loop.connect_accepted_socket(self._make, caller)

    def _rest(self) -> None:
        self._loop.remove_reader(self._listener)
        self._resting = self._loop.call_later(REST_S, self._rested)

    def _rested(self) -> None:
        self._resting = None
        self._loop.add_reader(self._listener, self._take)

    def _make_room(self) -> None:
        """Hang up on those who have been silent for longest."""
        silent = [each for each in self._visitors if 0 < each.patience < self._freshest]
        silent.sort(key=lambda each: each.patience)
        for each in silent[:AT_ONCE]:
            each.transport.close()
