import pytest

from heliograph.core.throttle import TokenBucket

NOW = 1000.0


def test_a_full_bucket_lets_its_burst_pass_and_no_more() -> None:
    bucket = TokenBucket(10, burst=4, now=NOW)
    assert bucket.take(3, NOW) == 3
    assert bucket.take(3, NOW) == 1
    assert bucket.take(3, NOW) == 0


def test_it_fills_at_its_rate_and_never_above_its_burst() -> None:
    bucket = TokenBucket(8, burst=4, now=NOW)
    bucket.take(4, NOW)
    assert bucket.take(9, NOW + 0.25) == 2
    assert bucket.take(9, NOW + 3600) == 4


def test_what_is_less_than_one_waits_and_is_not_lost() -> None:
    bucket = TokenBucket(8, burst=1, now=NOW)
    bucket.take(1, NOW)
    assert [bucket.take(1, NOW + step / 16) for step in (1, 2, 3, 4)] == [0, 1, 0, 1]


def test_the_wait_is_until_the_next_whole_one() -> None:
    bucket = TokenBucket(4, burst=1, now=NOW)
    assert bucket.wait_s(NOW) == 0.0
    bucket.take(1, NOW)
    assert bucket.wait_s(NOW) == pytest.approx(0.25)
    assert bucket.wait_s(NOW + 0.125) == pytest.approx(0.125)
    assert bucket.wait_s(NOW + 9) == 0.0


def test_what_was_not_used_may_pass_at_once() -> None:
    bucket = TokenBucket(1, burst=5, now=NOW)
    bucket.take(5, NOW)
    bucket.give_back(2)
    assert bucket.wait_s(NOW) == 0.0
    assert bucket.take(5, NOW) == 2


def test_giving_back_does_not_raise_the_burst() -> None:
    bucket = TokenBucket(1, burst=5, now=NOW)
    bucket.give_back(3)
    assert bucket.take(9, NOW) == 5


def test_a_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    bucket = TokenBucket(1, burst=2, now=NOW)
    assert bucket.take(1, NOW - 50) == 1
    assert bucket.take(2, NOW - 100) == 1
    assert bucket.take(1, NOW) == 0
    assert bucket.take(2, NOW + 1) == 1


def test_what_is_left_is_what_could_be_taken() -> None:
    bucket = TokenBucket(8, burst=4, now=NOW)
    assert bucket.left(NOW) == 4
    bucket.take(3, NOW)
    assert (bucket.left(NOW), bucket.left(NOW + 0.125), bucket.take(9, NOW + 0.125)) == (1, 2, 2)
