"""Messages of carriers that other processes hold."""

import asyncio
from collections.abc import Iterable, Mapping

from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.core.slots import Slot
from heliograph.core.states import MessageState
from heliograph.pipeline.release import release
from heliograph.pipeline.share import Everything, Share
from heliograph.testing.life import NORTH, SOUTH, Process
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import TO_NORTH, TO_SOUTH, accept, rows

QUEUED = int(MessageState.QUEUED)


class Half:
    """Only one carrier is held here."""

    is_whole: bool = False
    news: asyncio.Event | None = None

    def __init__(self, held: CarrierId) -> None:
        self.held = held
        self.told: list[CarrierId] = []

    def holds(self, carrier_id: CarrierId) -> bool:
        return carrier_id == self.held

    def claimed(self) -> tuple[CarrierId, ...] | None:
        return (self.held,)

    def throughput(self, carrier: Carrier) -> float:
        return carrier.throughput

    def wanted(self, carriers: Mapping[CarrierId, Carrier]) -> dict[Slot, Carrier]:
        return Everything().wanted(carriers)

    def live_sessions(self) -> frozenset[int]:
        return frozenset()

    def tell(self, carriers: Iterable[CarrierId]) -> None:
        self.told += carriers


def half(process: Process, held: CarrierId) -> Half:
    """From now on the process shares the store."""
    made = Half(held)
    share: Share = made
    process.dispatch.share = share
    return made


def test_what_is_accepted_for_another_process_waits_for_it_and_it_is_told(play: Play) -> None:
    async def story(process: Process) -> None:
        share = half(process, NORTH)
        await accept(process, TO_NORTH, TO_SOUTH)
        assert share.told == [SOUTH]
        assert process.dispatch.in_memory == 1
        owner = process.desk.owner
        assert rows(process, "select carrier_id, owner from message order by id") == [(NORTH, owner), (SOUTH, 0)]
        assert rows(process, "select carrier_id from ready") == [(SOUTH,)]
        await process.claim()
        assert process.dispatch.in_memory == 1, "it is another process's"

    play(story)


def test_what_is_in_a_line_that_went_to_another_process_is_put_back(play: Play) -> None:
    async def story(process: Process) -> None:
        share = half(process, NORTH)
        await accept(process, *[f"+2783123{number:04d}" for number in range(30)])
        share.held = SOUTH
        await release(process.dispatch)
        assert process.dispatch.in_memory == 0
        assert share.told == [NORTH]
        assert rows(process, "select distinct owner, state from message") == [(0, QUEUED)]
        assert rows(process, "select count(*) from ready where carrier_id = ?", NORTH) == [(30,)]
        share.held = NORTH
        await process.claim()
        assert process.dispatch.in_memory == 30

    play(story)
