import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

import pytest

from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.pipeline.drivers import Drivers
from heliograph.pipeline.ports import Driver, Feed
from heliograph.store import carriers
from heliograph.testing.clock import turns
from heliograph.testing.life import NORTH, SOUTH, Process
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import change_carrier


@dataclass
class Fake:
    """A driver with one session, that takes a moment to end."""

    carrier: Carrier
    feed: Feed
    process: Process
    notes: list[str]
    fails: bool = False
    is_up: bool = field(default=False)

    def is_bound(self) -> bool:
        return self.is_up

    async def run(self) -> None:
        session = self.feed.open_session()
        self.notes.append(f"{self.carrier.name} up {self.carrier.url}")
        self.is_up = True
        try:
            if self.fails:
                raise OSError("no such host")
            await asyncio.Event().wait()
        finally:
            self.is_up = False
            session.close("stopped")
            if not self.fails:
                await self.process.clock.sleep(1.0)
            self.notes.append(f"{self.carrier.name} ended")


@dataclass
class Fleet:
    """The drivers of a process, and what they noted."""

    process: Process
    notes: list[str] = field(default_factory=list)
    failing: set[CarrierId] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.drivers = Drivers(self.process.dispatch, makers={"loopback": self.make})
        self.following: asyncio.Task[Any] = self.process.spawn(self.drivers.follow())

    def make(self, carrier: Carrier, feed: Feed) -> Driver:
        return Fake(carrier, feed, self.process, self.notes, carrier.carrier_id in self.failing)

    async def noted(self, wait_s: float = 0.3) -> list[str]:
        await self.process.clock.advance(wait_s)
        notes, self.notes[:] = list(self.notes), []
        return notes


def test_every_carrier_has_a_driver_and_all_end_in_good_order(play: Play) -> None:
    async def story(process: Process) -> None:
        fleet = Fleet(process)
        assert await fleet.noted() == ["north up loopback:", "south up loopback:"]
        assert fleet.drivers.is_bound(NORTH)
        assert not fleet.drivers.is_bound(CarrierId(9))
        fleet.following.cancel()
        await turns()
        assert not fleet.drivers.is_bound(NORTH)
        assert sorted(await fleet.noted(1.1)) == ["north ended", "south ended"]
        assert fleet.following.cancelled()
        process.tasks.discard(fleet.following)

    play(story)


def test_a_change_that_matters_restarts_the_driver_once_it_has_ended_in_good_order(play: Play) -> None:
    async def story(process: Process) -> None:
        fleet = Fleet(process)
        await fleet.noted()
        await change_carrier(process, {"url": "loopback:elsewhere"})
        # It takes its second to end, and is not hurried; the next one comes after it.
        assert await fleet.noted(0.9) == []
        assert await fleet.noted(0.9) == ["north ended", "north up loopback:elsewhere"]

    play(story)


def test_policy_throughput_and_draining_restart_nothing(play: Play) -> None:
    async def story(process: Process) -> None:
        fleet = Fleet(process)
        await fleet.noted()
        await change_carrier(process, {"throughput": 5, "policy": 2, "is_draining": True, "name": "north-west"})
        assert await fleet.noted(3) == []

    play(story)


def test_a_carrier_that_is_removed_is_let_go(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    async def story(process: Process) -> None:
        fleet = Fleet(process)
        await fleet.noted()
        async with process.store.writing() as connection:
            await carriers.remove(connection, SOUTH)
        await process.desk.directory.load()
        with caplog.at_level(logging.ERROR):
            assert await fleet.noted(5) == ["south ended"]
        assert caplog.messages == []
        assert fleet.drivers.is_bound(NORTH)

    play(story)


def test_a_driver_that_fails_is_started_again_ever_more_slowly(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    async def story(process: Process) -> None:
        fleet = Fleet(process, failing={NORTH})
        with caplog.at_level(logging.ERROR):
            notes = await fleet.noted(8)
        assert notes.count("north ended") == 4  # at 0, 1, 3 and 7 seconds
        assert notes.count("south up loopback:") == 1
        assert "carrier north failed" in caplog.messages[0]

    play(story)
