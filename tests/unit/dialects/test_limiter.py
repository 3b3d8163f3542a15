from heliograph.dialects.limiter import RateLimiter
from tests.unit.dialects.world import FakeClock, account_of


def test_an_account_without_a_limit_is_never_asked_to_wait() -> None:
    limiter = RateLimiter(FakeClock())
    assert [limiter.wait_s(account_of()) for _ in range(1000)] == [0] * 1000


def test_a_minute_of_requests_passes_at_once_and_the_next_one_waits() -> None:
    clock = FakeClock()
    limiter = RateLimiter(clock)
    account = account_of(rate_limit=6)
    assert [limiter.wait_s(account) for _ in range(7)] == [0] * 6 + [10]
    clock.seconds = 9.5
    assert limiter.wait_s(account) == 1
    clock.seconds = 10.0
    assert [limiter.wait_s(account) for _ in range(2)] == [0, 10]


def test_the_account_s_own_limit_goes_before_the_default() -> None:
    limiter = RateLimiter(FakeClock(), default=1)
    assert [limiter.wait_s(account_of()) for _ in range(2)] == [0, 60]
    assert [limiter.wait_s(account_of(rate_limit=0)) for _ in range(3)] == [0, 0, 0]


def test_a_changed_limit_counts_from_the_next_request() -> None:
    limiter = RateLimiter(FakeClock())
    assert [limiter.wait_s(account_of(rate_limit=1)) for _ in range(2)] == [0, 60]
    assert limiter.wait_s(account_of(rate_limit=2)) == 0
