"""Tests that are stories: coroutines, each on a loop of its own."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

Story = Callable[..., Awaitable[None]]


def lasting(seconds: float) -> Callable[[Story], Callable[..., None]]:
    """Run a story on a loop of its own, which ends it when it lasts longer."""

    def decorated(test: Story) -> Callable[..., None]:
        @functools.wraps(test)
        def run(*args: Any, **kwargs: Any) -> None:
            async def story() -> None:
                async with asyncio.timeout(seconds):
                    await test(*args, **kwargs)

            asyncio.run(story())

        return run

    return decorated
