from heliograph.dialects.limiter import Allowance, RateLimiter, allowance_lines
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


def test_an_allowance_is_what_is_left_after_the_requests_so_far() -> None:
    clock = FakeClock()
    limiter, account = RateLimiter(clock, default=2), account_of()
    limiter.wait_s(account)
    assert limiter.allowance(account) == Allowance(2, 1, 0)
    limiter.wait_s(account)
    assert limiter.allowance(account) == Allowance(2, 0, 30)
    clock.seconds = 31.0
    assert limiter.allowance(account) == Allowance(2, 1, 0)


def test_without_a_limit_there_is_no_allowance_to_tell() -> None:
    limiter = RateLimiter(FakeClock())
    assert limiter.allowance(account_of(rate_limit=0)) is None
    assert limiter.allowance(account_of(rate_limit=5)) is None, "nothing was counted yet"


def test_an_allowance_is_told_in_header_lines() -> None:
    assert allowance_lines(Allowance(60, 7, 0), 5_000) == (
        (b"x-ratelimit-limit", b"60"),
        (b"x-ratelimit-remaining", b"7"),
    )
    assert allowance_lines(Allowance(60, 0, 3), 5_000)[2] == (b"x-ratelimit-reset", b"8")


def test_what_other_processes_counted_is_taken_off() -> None:
    clock = FakeClock()
    limiter, account = RateLimiter(clock, default=60), account_of()
    account_id = account.account_id
    assert [limiter.wait_s(account) for _ in range(10)] == [0] * 10
    spent = limiter.spent()
    assert spent == [(account_id, 60, 10)]
    assert [limiter.wait_s(account) for _ in range(2)] == [0, 0]
    limiter.learn({account_id: (20.0, 1.0)}, spent)
    assert limiter.allowance(account) == Allowance(60, 19, 0)
    assert limiter.spent() == [(account_id, 60, 2)]
    limiter.learn({account_id: (-5.0, 0.0)}, limiter.spent())
    assert limiter.spent() == []
    assert limiter.wait_s(account) == 6


def test_an_account_that_is_new_here_begins_with_what_others_left() -> None:
    clock = FakeClock()
    limiter, account = RateLimiter(clock, default=60), account_of()
    limiter.learn({account.account_id: (0.0, 0.5)}, [])
    clock.seconds = 1.0
    assert [limiter.wait_s(account) for _ in range(2)] == [0, 1]
