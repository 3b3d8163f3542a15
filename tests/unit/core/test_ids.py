from datetime import UTC, datetime

import pytest

from heliograph.core.ids import EPOCH_MS, NODES, IdSource, first_at, made_at_ms

NOON = EPOCH_MS + 43_200_000
COUNTERS = 64


def test_ids_count_from_2026() -> None:
    assert datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000 == EPOCH_MS


def test_an_id_is_milliseconds_node_and_counter() -> None:
    assert IdSource(5).next(NOON) == 43_200_000 << 12 | 5 << 6
    assert IdSource(63).take(3, NOON) == [43_200_000 << 12 | 63 << 6 | counter for counter in range(3)]


def test_one_millisecond_holds_64_ids_and_the_next_are_borrowed_from_the_future() -> None:
    source = IdSource(1)
    made = source.take(COUNTERS + 1, NOON)
    assert [made_at_ms(each) - NOON for each in made] == [0] * COUNTERS + [1]
    assert made[-1] == first_at(NOON + 1) | 1 << 6


def test_one_by_one_and_many_at_once_give_the_same_ids() -> None:
    one_by_one, at_once = IdSource(7), IdSource(7)
    assert [one_by_one.next(NOON) for _ in range(150)] == at_once.take(150, NOON)
    assert one_by_one.next(NOON) == at_once.next(NOON)


def test_taking_none_gives_none_and_loses_none() -> None:
    source = IdSource(0)
    before = source.next(NOON)
    assert source.take(0, NOON) == []
    assert source.next(NOON) == before + 1


def test_a_clock_set_back_does_not_set_ids_back() -> None:
    source = IdSource(0)
    before = source.next(NOON)
    assert source.next(NOON - 3_600_000) == before + 1
    assert source.next(EPOCH_MS - 1) == before + 2


@pytest.mark.parametrize("node", [0, 31, 63])
def test_a_new_source_starts_above_the_stores_last_id_whoever_made_that(node: int) -> None:
    last = IdSource(63).take(COUNTERS, NOON)[-1]
    assert IdSource(node, last=last).next(NOON - 10_000) > last
    assert IdSource(node, last=last).take(1, NOON - 10_000)[0] > last


def test_a_last_id_long_past_does_not_hold_the_clock_up() -> None:
    assert made_at_ms(IdSource(0, last=first_at(NOON - 1000)).next(NOON)) == NOON


def test_nodes_never_share_an_id() -> None:
    made = [identifier for node in range(NODES) for identifier in IdSource(node).take(100, NOON)]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize("node", [-1, NODES])
def test_a_node_out_of_range_is_refused(node: int) -> None:
    with pytest.raises(ValueError, match="0 to 63"):
        IdSource(node)


def test_the_bound_for_a_time_is_below_every_id_of_then_and_above_every_id_of_before() -> None:
    earlier, later = IdSource(63).take(COUNTERS, NOON - 1), IdSource(0).take(COUNTERS, NOON)
    assert max(earlier) < first_at(NOON) <= min(later)


def test_before_the_epoch_every_id_is_later() -> None:
    assert first_at(0) == first_at(EPOCH_MS) == 0
