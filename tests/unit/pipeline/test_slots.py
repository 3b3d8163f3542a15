"""Slots of a process, with others who are told by hand."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.core.slots import Slot
from heliograph.pipeline.slots import LEISURE_S, Slots
from heliograph.store.postgres.company import OwnerRow, Picture
from heliograph.testing.clock import VirtualClock

ME, OTHER = 5, 6
NORTH, GONE = CarrierId(1), CarrierId(9)


class Table:
    """What the store has; the other process is played by the test."""

    owner = ME

    def __init__(self) -> None:
        self.slots: dict[Slot, int] = {}
        self.workers = [ME]
        self.told: list[list[CarrierId]] = []

    async def take(self, slots: Sequence[Slot]) -> list[Slot]:
        taken = [slot for slot in slots if slot not in self.slots]
        self.slots.update(dict.fromkeys(taken, ME))
        return taken

    async def let_go(self, slots: Sequence[Slot]) -> None:
        for slot in slots:
            del self.slots[slot]

    def picture(self) -> Picture:
        owners = [OwnerRow(each, 0, True, 1, 0, frozenset({each * 10}), True) for each in self.workers]
        return Picture(owners, dict(self.slots))


def carrier(sessions: int, throughput: int = 0) -> Carrier:
    return Carrier(
        carrier_id=NORTH, name="north", url="loopback:", channels=frozenset(), sessions=sessions, throughput=throughput
    )


def told(story: Callable[[Table, Slots, VirtualClock, Any], Awaitable[None]], *, is_worker: bool = True) -> None:
    async def run() -> None:
        table, clock = Table(), VirtualClock()
        snapshot = SimpleNamespace(carriers={NORTH: carrier(4, 100)})
        directory = SimpleNamespace(snapshot=snapshot)
        slots = Slots(cast(Any, table), cast(Any, directory), clock, is_worker=is_worker)
        await story(table, slots, clock, snapshot)

    asyncio.run(run())


def test_a_process_that_is_alone_runs_everything() -> None:
    async def story(table: Table, slots: Slots, _clock: VirtualClock, snapshot: Any) -> None:
        assert not slots.holds(NORTH)
        await slots.look(table.picture())
        assert slots.holds(NORTH)
        assert slots.claimed() == (NORTH,)
        assert slots.throughput(snapshot.carriers[NORTH]) == 100
        assert {slot: each.sessions for slot, each in slots.wanted(snapshot.carriers).items()} == {
            (NORTH, number): 1 for number in range(4)
        }

    told(story)


def test_half_of_it_goes_to_one_that_comes_one_by_one_and_when_its_driver_has_ended() -> None:
    async def story(table: Table, slots: Slots, clock: VirtualClock, snapshot: Any) -> None:
        running: set[Slot] = {(NORTH, number) for number in range(4)}
        slots.is_running = running.__contains__
        await slots.look(table.picture())
        table.workers = [ME, OTHER]
        await slots.look(table.picture())
        await slots.look(table.picture())
        assert len(slots.wanted(snapshot.carriers)) == 4
        clock.skip(LEISURE_S)
        await slots.look(table.picture())
        assert len(slots.wanted(snapshot.carriers)) == 3
        assert slots.throughput(snapshot.carriers[NORTH]) == 75
        await slots.look(table.picture())
        assert table.slots[NORTH, 3] == ME, "its driver has not ended"
        running.discard((NORTH, 3))
        await slots.look(table.picture())
        assert (NORTH, 3) not in table.slots
        assert slots.live_sessions() == {OTHER * 10}

    told(story)


def test_what_another_one_has_taken_is_not_ours() -> None:
    async def story(table: Table, slots: Slots, _clock: VirtualClock, snapshot: Any) -> None:
        await slots.look(table.picture())
        table.slots = dict.fromkeys(table.slots, OTHER)
        table.workers = [OTHER]
        await slots.look(table.picture())
        assert not slots.holds(NORTH)
        assert slots.wanted(snapshot.carriers) == {}

    told(story)


def test_the_eldest_worker_looks_after_carriers_that_are_gone() -> None:
    async def story(table: Table, slots: Slots, _clock: VirtualClock, _snapshot: Any) -> None:
        table.workers = [ME, OTHER]
        await slots.look(table.picture(), gone=[NORTH, GONE])
        assert slots.holds(GONE)
        assert slots.claimed() == (NORTH, GONE)
        table.workers = [ME - 1, ME]
        await slots.look(table.picture(), gone=[GONE])
        assert not slots.holds(GONE)

    told(story)


def test_a_process_for_requests_takes_nothing() -> None:
    async def story(table: Table, slots: Slots, _clock: VirtualClock, _snapshot: Any) -> None:
        await slots.look(table.picture())
        assert (table.slots, slots.claimed()) == ({}, ())

    told(story, is_worker=False)


def test_what_was_given_up_is_not_taken_again_by_a_look_that_had_begun() -> None:
    async def story(table: Table, slots: Slots, _clock: VirtualClock, _snapshot: Any) -> None:
        await slots.look(table.picture())
        before = table.picture()
        await slots.give_up()
        assert table.slots == {}
        await slots.look(before)
        assert (table.slots, slots.claimed()) == ({}, ())

    told(story)


def test_news_are_heard_of_carriers_that_are_held_here() -> None:
    async def story(table: Table, slots: Slots, _clock: VirtualClock, _snapshot: Any) -> None:
        await slots.look(table.picture())
        assert slots.news is not None
        slots.news.clear()
        slots.heard(frozenset({GONE}))
        assert not slots.news.is_set()
        slots.heard(frozenset({GONE, NORTH}))
        assert slots.news.is_set()

    told(story)
