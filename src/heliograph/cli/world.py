"""What every command may ask for: how it was called, the settings in force, and the store they name."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from heliograph.config import Settings
    from heliograph.store.engine import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How the program was called. flags: settings given on the line."""

    as_json: bool
    config: str | None
    flags: Mapping[str, str]
    environ: Mapping[str, str]

    def settings(self, **flags: object) -> "Settings":
        """The settings in force; flags of a command's own win over all others, unless they are None."""
        from heliograph.config import load_settings

        config = None if self.config is None else Path(self.config)
        return load_settings(config, self.environ, {**self.flags, **flags})


_here: ContextVar[World] = ContextVar("world")


@contextmanager
def entered(new: World) -> Iterator[None]:
    """Make `world()` answer with this one."""
    before = _here.set(new)
    try:
        yield
    finally:
        _here.reset(before)


def world() -> World:
    """How the command that runs was called."""
    return _here.get()


def run(use: "Callable[[Store], Awaitable[T]]") -> T:
    """Open the store of the settings in force, use it, close it."""
    from heliograph.store.opening import open_store

    settings = world().settings()

    async def go() -> T:
        store = await open_store(settings.database, settings.data)
        try:
            return await use(store)
        finally:
            await store.close()

    return asyncio.run(go())
