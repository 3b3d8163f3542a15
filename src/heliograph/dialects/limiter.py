"""How many requests an account may make: a bucket per account that fills over a minute."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from heliograph.core.directory import Account
from heliograph.core.ids import AccountId
from heliograph.core.throttle import TokenBucket
from heliograph.net.clock import Clock


class Allowance(NamedTuple):
    """Requests that an account may make a minute, and how many of them may pass now. wait_s: until one more may."""

    limit: int
    left: int
    wait_s: int


def allowance_lines(allowance: Allowance, now_ms: int) -> tuple[tuple[bytes, bytes], ...]:
    """Header lines that tell an allowance; when none is left, also when there will be one, in Unix time."""
    limit, left, wait_s = allowance
    lines = ((b"x-ratelimit-limit", b"%d" % limit), (b"x-ratelimit-remaining", b"%d" % left))
    return lines if left else (*lines, (b"x-ratelimit-reset", b"%d" % (now_ms // 1000 + wait_s)))


class RateLimiter:
    """Counts requests of accounts that have a limit, in this process; with others where `pipeline.limits` does it.

    default: requests a minute for accounts without a limit of their own; 0 for none.
    """

    __slots__ = ("_buckets", "_clock", "_default", "_levels", "_spent")

    def __init__(self, clock: Clock, *, default: int = 0) -> None:
        self._clock = clock
        self._default = default
        self._buckets: dict[AccountId, tuple[int, TokenBucket]] = {}
        self._spent: dict[AccountId, int] = {}
        self._levels: dict[AccountId, tuple[float, float]] = {}

    def wait_s(self, account: Account) -> int:
        """0 when the request may pass, and is counted; else the whole seconds until the next one may."""
        limit = self._limit(account)
        if not limit:
            return 0
        now = self._clock.monotonic()
        known = self._buckets.get(account.account_id)
        if known is None or known[0] != limit:
            known = self._buckets[account.account_id] = (limit, TokenBucket(limit / 60, burst=limit, now=now))
            self._apply(account.account_id, now)
        bucket = known[1]
        if not bucket.take(1, now):
            return max(1, math.ceil(bucket.wait_s(now)))
        self._spent[account.account_id] = self._spent.get(account.account_id, 0) + 1
        return 0

    def spent(self) -> list[tuple[AccountId, int, int]]:
        """Accounts with requests that were counted here and not learnt yet: limits a minute, and how many."""
        return [(account_id, self._buckets[account_id][0], count) for account_id, count in self._spent.items()]

    def learn(
        self, levels: Mapping[AccountId, tuple[float, float]], spent: Sequence[tuple[AccountId, int, int]]
    ) -> None:
        """What accounts had left so many seconds ago by the count of all processes, in which `spent` is."""
        now = self._clock.monotonic()
        for account_id, _, count in spent:
            since = self._spent.get(account_id, 0) - count
            self._spent[account_id] = since
            if since <= 0:
                del self._spent[account_id]
        self._levels = {account_id: (left, now - ago_s) for account_id, (left, ago_s) in levels.items()}
        for account_id in self._levels.keys() & self._buckets.keys():
            self._apply(account_id, now)

    def _apply(self, account_id: AccountId, now: float) -> None:
        """What all processes have counted holds, less what was counted here since."""
        if account_id in self._levels:
            left, at = self._levels[account_id]
            limit, bucket = self._buckets[account_id]
            bucket.set_level(left + (now - at) * limit / 60 - self._spent.get(account_id, 0), now)

    def allowance(self, account: Account) -> Allowance | None:
        """What is left after the requests that were counted; None when the account has no limit."""
        limit, (_, bucket) = self._limit(account), self._buckets.get(account.account_id, _NO_BUCKET)
        if not limit or bucket is None:
            return None
        now = self._clock.monotonic()
        return Allowance(limit, bucket.left(now), math.ceil(bucket.wait_s(now)))

    def _limit(self, account: Account) -> int:
        return self._default if account.rate_limit is None else account.rate_limit


_NO_BUCKET = (0, None)
