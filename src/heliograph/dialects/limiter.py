"""How many requests an account may make: a bucket per account that fills over a minute."""

import math

from heliograph.core.directory import Account
from heliograph.core.ids import AccountId
from heliograph.core.throttle import TokenBucket
from heliograph.net.clock import Clock


class RateLimiter:
    """Counts requests of accounts that have a limit, in this process.

    default: requests a minute for accounts without a limit of their own; 0 for none.
    """

    __slots__ = ("_buckets", "_clock", "_default")

    def __init__(self, clock: Clock, *, default: int = 0) -> None:
        self._clock = clock
        self._default = default
        self._buckets: dict[AccountId, tuple[int, TokenBucket]] = {}

    def wait_s(self, account: Account) -> int:
        """0 when the request may pass, and is counted; else the whole seconds until the next one may."""
        limit = self._default if account.rate_limit is None else account.rate_limit
        if not limit:
            return 0
        now = self._clock.monotonic()
        known = self._buckets.get(account.account_id)
        if known is None or known[0] != limit:
            known = self._buckets[account.account_id] = (limit, TokenBucket(limit / 60, burst=limit, now=now))
        bucket = known[1]
        return 0 if bucket.take(1, now) else max(1, math.ceil(bucket.wait_s(now)))
