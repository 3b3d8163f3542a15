"""Time that leaps, and the store of a simulation."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from heliograph.core.money import CREDIT
from heliograph.services.accounts import Accounts
from heliograph.services.audit import Audit
from heliograph.store.inline import InlineStore
from heliograph.store.opening import open_sqlite
from heliograph.testing.clock import START_MS, VirtualClock
from heliograph.testing.leaping import LeapingClock, LeapingLoop, Stalled

DAY_S = 86_400.0
Story = Callable[[LeapingLoop], Coroutine[None, None, None]]


def run(story: Story) -> None:
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, LeapingLoop)
        runner.run(story(loop))


def test_days_pass_at_once_and_in_their_order() -> None:
    async def story(loop: LeapingLoop) -> None:
        clock, heard = LeapingClock(loop), []

        async def wake(after_s: float) -> None:
            await clock.sleep(after_s)
            heard.append((after_s, clock.now_ms() - START_MS))

        begun = time.monotonic()
        async with asyncio.timeout(4 * DAY_S), asyncio.TaskGroup() as group:
            for days in (3, 1, 2):
                group.create_task(wake(days * DAY_S))
        assert heard == [(days * DAY_S, days * DAY_S * 1000) for days in (1, 2, 3)]
        assert time.monotonic() - begun < 5

    run(story)


def test_sleepers_of_a_busy_machine_wake_together() -> None:
    async def story(loop: LeapingLoop) -> None:
        clock = LeapingClock(loop)
        clock.grain_s = 10.0
        await asyncio.gather(clock.sleep(0.2), clock.sleep(7.0))
        assert clock.monotonic() == 10.0
        await clock.sleep(0)
        assert clock.monotonic() == 10.0

    run(story)


def test_a_clock_that_is_set_does_not_move_what_never_goes_back() -> None:
    async def story(loop: LeapingLoop) -> None:
        clock = LeapingClock(loop)
        await clock.sleep(60)
        clock.jump(-3_600)
        assert (clock.monotonic(), clock.now_ms()) == (60.0, START_MS - 3_540_000)

    run(story)


def test_time_stands_still_while_somebody_waits_for_the_world() -> None:
    async def story(loop: LeapingLoop) -> None:
        with loop.held():
            await asyncio.to_thread(time.sleep, 0.01)
            assert loop.time() == 0.0

    run(story)


def test_when_everybody_waits_for_somebody_it_says_so() -> None:
    async def story(loop: LeapingLoop) -> None:
        await loop.create_future()

    with pytest.raises(Stalled):
        run(story)


def test_a_store_that_works_where_it_is_called_keeps_what_is_committed(tmp_path: Path) -> None:
    async def story(_loop: LeapingLoop) -> None:
        store, clock = InlineStore(open_sqlite("", tmp_path).path), VirtualClock()
        await Accounts(store, clock).add("acme", amount=5 * CREDIT)

        async def broken_off() -> None:
            async with store.writing() as connection:
                await connection.exec_driver_sql("delete from account")
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await broken_off()
        assert store.rows("select name from account where id > ?", 0) == [("acme",)]
        assert await Audit(store, clock).check() == ()
        await store.close()

    run(story)
