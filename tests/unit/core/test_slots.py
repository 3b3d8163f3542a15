from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.ids import CarrierId
from heliograph.core.slots import Slot, choose

NORTH, SOUTH = CarrierId(1), CarrierId(2)
Sizes = dict[CarrierId, int]


def settled(sizes: Sizes, held: dict[Slot, int], workers: list[int]) -> dict[Slot, int]:
    """What is held when everybody has looked often enough."""
    for _ in range(100):
        before = dict(held)
        for me in workers:
            choice = choose(sizes, held, workers, me=me)
            assert not set(choice.take) & set(held)
            held |= dict.fromkeys(choice.take, me)
            for slot in (*choice.drop, *([choice.let_go] if choice.let_go else ())):
                assert held.pop(slot) == me
        if held == before:
            return held
    raise AssertionError("it never comes to rest")


def test_what_nobody_has_is_taken_by_one() -> None:
    choices = [choose({NORTH: 3, SOUTH: 1}, {}, [5, 6], me=me) for me in (5, 6)]
    taken = [slot for choice in choices for slot in choice.take]
    assert sorted(taken) == [(NORTH, 0), (NORTH, 1), (NORTH, 2), (SOUTH, 0)]
    assert [len(choice.take) for choice in choices] == [2, 2]


def test_who_has_more_lets_one_go_at_a_time() -> None:
    held = {(NORTH, slot): 5 for slot in range(4)}
    assert choose({NORTH: 4}, held, [5, 6], me=5).let_go == (NORTH, 3)
    assert choose({NORTH: 4}, held, [5, 6], me=6).let_go is None


def test_one_more_than_another_is_fair() -> None:
    held = {(NORTH, 0): 5}
    assert choose({NORTH: 1}, held, [5, 6], me=5).let_go is None


def test_a_slot_that_is_no_more_is_dropped() -> None:
    held = {(NORTH, 0): 5, (NORTH, 1): 5, (SOUTH, 0): 5}
    assert choose({NORTH: 1}, held, [5], me=5).drop == [(NORTH, 1), (SOUTH, 0)]


def test_without_workers_nothing_is_taken() -> None:
    assert choose({NORTH: 2}, {}, [], me=5).take == []


@given(
    sizes=st.dictionaries(st.integers(1, 6).map(CarrierId), st.integers(1, 5), max_size=5),
    workers=st.lists(st.integers(1, 8), min_size=1, max_size=5, unique=True),
    data=st.data(),
)
def test_it_comes_to_rest_with_everything_taken_and_shared_out_fairly(
    sizes: Sizes, workers: list[int], data: st.DataObject
) -> None:
    slots = [(carrier_id, slot) for carrier_id, count in sizes.items() for slot in range(count)]
    before = {slot: data.draw(st.sampled_from(workers)) for slot in slots if data.draw(st.booleans())}
    held = settled(sizes, before, sorted(workers))
    assert set(held) == set(slots)
    for carrier_id in sizes:
        counts = Counter(owner for slot, owner in held.items() if slot[0] == carrier_id)
        assert max(counts[worker] for worker in workers) - min(counts[worker] for worker in workers) <= 1
