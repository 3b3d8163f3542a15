"""What every engine offers: short cold transactions for people's work, and the hot writer for the hops."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from heliograph.store.hop import Done, Hop, Request, Result, StoreFailed, StoreUnavailable

if TYPE_CHECKING:
    # The process that writes knows no SQLAlchemy, which would be most of its memory.
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = [
    "Done",
    "Hop",
    "Request",
    "Result",
    "Store",
    "StoreFailed",
    "StoreRefused",
    "StoreUnavailable",
    "Writer",
    "ask",
]


class StoreRefused(Exception):
    """The store cannot be opened at all; the message says what to do."""


class Writer(Protocol):
    """Collects hot work of all hops and commits it together."""

    @property
    def commits(self) -> int:
        """Transactions so far."""
        ...

    def put(self, hop: Hop[Request, Result], request: Request, done: Done[Result]) -> None:
        """Queue work; `done` is called once, after the commit or the failure."""
        ...


def ask(
    writer: Writer, hop: Hop[Request, Result], request: Request, *, loop: asyncio.AbstractEventLoop | None = None
) -> "asyncio.Future[Result]":
    """Queue work and wait for it; raises what went wrong.

    loop: the one that runs, from those who ask often: finding it out is a system call before CPython 3.12.
    """
    future: asyncio.Future[Result] = (loop or asyncio.get_running_loop()).create_future()

    def done(result: Result | Exception) -> None:
        if future.done():
            return
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)

    writer.put(hop, request, done)
    return future


class Store(Protocol):
    """One durable store. is_shared: several processes may serve it."""

    is_shared: bool

    def reading(self) -> "AbstractAsyncContextManager[AsyncConnection]":
        """A connection that only reads; raises StoreUnavailable."""
        ...

    def searching(self) -> "AbstractAsyncContextManager[AsyncConnection]":
        """The same for searches through everything, which take as long as they take."""
        ...

    def writing(self) -> "AbstractAsyncContextManager[AsyncConnection]":
        """One short transaction, committed at the end of the block; takes its turn among processes."""
        ...

    def turn_writer(self) -> Writer:
        """A writer for a command, which works whether or not a server runs."""
        ...

    async def look_after(self, now_ms: int, *, forgotten_ms: int) -> None:
        """What the engine needs done now and then. forgotten_ms: ended messages before it are forgotten, 0 for none."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
