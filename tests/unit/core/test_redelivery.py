from heliograph.core.redelivery import PATIENCE_MS, WAITS_S, wait_ms
from heliograph.core.states import MessageState

S = MessageState
MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS


def test_ten_tries_at_the_intervals_that_standard_webhooks_shows() -> None:
    waits = [wait_ms(attempts, retry_after_s=0, spread=0.0) for attempts in range(1, 11)]
    assert waits[:3] == [5_000, 5 * MINUTE_MS, 30 * MINUTE_MS]
    assert waits[3:] == [*(hours * 60 * MINUTE_MS for hours in (2, 5, 10, 14, 20, 24)), None]


def test_an_endpoint_is_switched_off_only_after_a_whole_delivery_was_tried() -> None:
    longest = sum(wait_ms(attempts, retry_after_s=0, spread=1.0) or 0 for attempts in range(1, 10))
    assert longest < PATIENCE_MS == 5 * DAY_MS


def test_after_the_last_try_nothing_follows_whatever_the_receiver_asks() -> None:
    for attempts in (len(WAITS_S) + 1, len(WAITS_S) + 2, 1_000):
        assert wait_ms(attempts, retry_after_s=60, spread=1.0) is None


def test_the_receiver_may_ask_for_more_time_but_not_for_less_and_a_day_at_most() -> None:
    assert wait_ms(1, retry_after_s=120, spread=0.0) == 120_000
    assert wait_ms(2, retry_after_s=1, spread=0.0) == 300_000
    assert wait_ms(1, retry_after_s=10**9, spread=0.0) == DAY_MS
    assert wait_ms(1, retry_after_s=-1, spread=0.0) == 5_000


def test_the_spread_adds_up_to_a_fifth() -> None:
    assert wait_ms(1, retry_after_s=0, spread=0.5) == 5_500
    assert wait_ms(1, retry_after_s=0, spread=1.0) == 6_000
    assert wait_ms(1, retry_after_s=100, spread=1.0) == 120_000
