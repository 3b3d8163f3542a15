from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from heliograph.carriers.backoff import Backoff


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=10, max_size=10))
def test_each_wait_lies_between_half_its_step_and_the_whole(rolls: list[float]) -> None:
    dice = iter(rolls)
    backoff = Backoff(30, 900, lambda: next(dice))
    waits = [backoff.next_s() for _ in rolls]
    steps = [30, 60, 120, 240, 480, 900, 900, 900, 900, 900]
    assert all(step / 2 <= wait <= step for wait, step in zip(waits, steps, strict=True))


def test_after_a_good_time_it_begins_anew() -> None:
    backoff = Backoff(1, 60, lambda: 1.0)
    waits = [backoff.next_s() for _ in range(4)]
    assert all(later > earlier for earlier, later in pairwise(waits))
    backoff.reset()
    assert backoff.next_s() == waits[0]
