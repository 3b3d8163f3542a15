"""Who runs which sessions of a carrier, when several processes could. Everybody who sees the same decides the same.

A carrier that may have three sessions has the slots 0, 1 and 2, and each is taken by one process.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from heliograph.core.ids import CarrierId

Slot = tuple[CarrierId, int]


class Choice(NamedTuple):
    """take: free slots that are mine to take. drop: mine that are no more. let_go: one that another should have."""

    take: list[Slot]
    drop: list[Slot]
    let_go: Slot | None


def choose(sizes: Mapping[CarrierId, int], held: Mapping[Slot, int], workers: Collection[int], *, me: int) -> Choice:
    """What a worker does about the slots of carriers that have so many sessions each.

    held: by whom. A free one goes to whoever has fewest of that carrier, then fewest at all, then came first. One is
    let go when nothing is free and somebody has two fewer, by the one who has most.

    >>> choose({CarrierId(1): 2}, {}, [7, 8], me=7)
    Choice(take=[(1, 0)], drop=[], let_go=None)
    >>> choose({CarrierId(1): 2}, {(CarrierId(1), 0): 7, (CarrierId(1), 1): 7}, [7, 8], me=7)
    Choice(take=[], drop=[], let_go=(1, 1))
    """
    wanted = [(carrier_id, slot) for carrier_id, count in sorted(sizes.items()) for slot in range(count)]
    valid = set(wanted)
    drop = sorted(slot for slot, owner in held.items() if owner == me and slot not in valid)
    of_carrier = Counter((owner, slot[0]) for slot, owner in held.items() if slot in valid)
    of_all = Counter(owner for slot, owner in held.items() if slot in valid)
    free = [slot for slot in wanted if slot not in held]
    take = []
    for slot in free if workers else []:
        winner = min(workers, key=lambda worker: (of_carrier[worker, slot[0]], of_all[worker], worker))
        of_carrier[winner, slot[0]] += 1
        of_all[winner] += 1
        if winner == me:
            take.append(slot)
    mine = [slot for slot in wanted if held.get(slot) == me]
    return Choice(take, drop, None if free else _surplus(mine, of_carrier, of_all, workers=workers, me=me))


def _surplus(
    mine: Iterable[Slot],
    of_carrier: Mapping[tuple[int, CarrierId], int],
    of_all: Mapping[int, int],
    *,
    workers: Collection[int],
    me: int,
) -> Slot | None:
    others = [worker for worker in workers if worker != me]
    for slot in sorted(mine, reverse=True):
        here = of_carrier[me, slot[0]]
        if _is_richest(me, {worker: of_carrier.get((worker, slot[0]), 0) for worker in workers}) and any(
            of_carrier.get((worker, slot[0]), 0) <= here - 2 for worker in others
        ):
            return slot
        if _is_richest(me, {worker: of_all.get(worker, 0) for worker in workers}) and any(
            of_all.get(worker, 0) <= of_all[me] - 2 and of_carrier.get((worker, slot[0]), 0) < here for worker in others
        ):
            return slot
    return None


def _is_richest(me: int, counts: Mapping[int, int]) -> bool:
    """Whether nobody has more, and nobody who came earlier as many."""
    return me in counts and max(counts, key=lambda worker: (counts[worker], -worker)) == me
