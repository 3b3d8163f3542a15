"""Limits: requests a minute of an account are counted by all processes together, twice a second."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

from heliograph.core.ids import AccountId
from heliograph.net.clock import Clock
from heliograph.store.engine import StoreUnavailable
from heliograph.store.postgres.company import Company, Spent

LOOK_S = 0.5


class Counts(Protocol):
    """What one process has counted: `dialects.limiter.RateLimiter`."""

    def spent(self) -> Sequence[tuple[AccountId, int, int]]:
        """Accounts with requests that were counted here and not learnt yet: limits a minute, and how many."""
        ...

    def learn(
        self, levels: Mapping[AccountId, tuple[float, float]], spent: Sequence[tuple[AccountId, int, int]]
    ) -> None:
        """What accounts had left so many seconds ago, what was spent being counted."""
        ...


async def follow(counts: Counts, company: Company, clock: Clock) -> None:
    """Count together; for ever."""
    while True:
        await clock.sleep(LOOK_S)
        spent = counts.spent()
        with suppress(StoreUnavailable):
            levels = await company.spend([Spent(*each) for each in spent])
            counts.learn({account_id: (level.left, level.ago_s) for account_id, level in levels.items()}, spent)
