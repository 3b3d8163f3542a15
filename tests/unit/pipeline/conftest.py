"""A process on a store that is set up, and time that moves when told, for stories about the hops."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from heliograph.testing.clock import VirtualClock
from heliograph.testing.life import Process, copied_store, let_go, pattern_store

Story = Callable[[Process], Awaitable[None]]
Play = Callable[[Story], None]


@pytest.fixture(scope="session")
def _pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pattern_store(tmp_path_factory.mktemp("pattern"))


@pytest.fixture
def play(tmp_path: Path, _pattern: Path) -> Play:
    """Play a story in a process that has just started."""

    def run(story: Story) -> None:
        async def played() -> None:
            process = Process(copied_store(tmp_path, _pattern), VirtualClock())
            await process.start()
            try:
                async with asyncio.timeout(20):
                    await story(process)
                process.check()
            finally:
                await process.crash()
                await let_go(process.store)

        asyncio.run(played())

    return run
