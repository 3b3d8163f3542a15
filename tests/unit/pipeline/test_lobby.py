import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from heliograph.core.admission import MOST, SILENT_S, WAITING_S, Pass
from heliograph.core.ids import AccountId
from heliograph.pipeline.lobby import AT_ONCE, LOOK_S, Lobby
from heliograph.testing.clock import VirtualClock, turns

GREEDY, MODEST = AccountId(1), AccountId(2)


class Hall:
    """A lobby into which a submission has come after which nobody of its account has room."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.lobby = Lobby(self.clock, asyncio.ensure_future)
        first = self.lobby.enter(GREEDY, MOST)
        assert first is not None
        self.first = first

    async def queue(self, count: int) -> "list[asyncio.Task[Pass | None]]":
        waiting = [asyncio.ensure_future(self.lobby.wait(GREEDY, 1)) for _ in range(count)]
        await turns()
        return waiting

    async def keep_moving(self, seconds: float) -> None:
        """Time passes in which the store works."""
        for _ in range(round(seconds / LOOK_S)):
            passed = self.lobby.enter(MODEST, 1)
            assert passed is not None
            self.lobby.leave(passed)
            await self.clock.advance(LOOK_S)


def story(tell: Callable[[Hall], Awaitable[None]]) -> None:
    async def run() -> None:
        hall = Hall()
        await tell(hall)

    asyncio.run(run())


def test_who_waits_comes_in_when_somebody_has_left() -> None:
    async def tell(hall: Hall) -> None:
        assert hall.lobby.enter(GREEDY, 1) is None
        (waiting,) = await hall.queue(1)
        assert not waiting.done()
        hall.lobby.leave(hall.first)
        passed = await waiting
        assert passed is not None
        assert passed.account_id == GREEDY

    story(tell)


def test_who_waits_too_long_is_refused() -> None:
    async def tell(hall: Hall) -> None:
        (waiting,) = await hall.queue(1)
        await hall.keep_moving(WAITING_S - LOOK_S)
        assert not waiting.done()
        await hall.keep_moving(2 * LOOK_S)
        assert await waiting is None

    story(tell)


def test_another_account_need_not_wait_behind() -> None:
    async def tell(hall: Hall) -> None:
        await hall.queue(5)
        assert hall.lobby.enter(MODEST, 1) is not None

    story(tell)


def test_not_all_are_refused_in_one_moment() -> None:
    async def tell(hall: Hall) -> None:
        waiting = await hall.queue(AT_ONCE + 3)
        await hall.keep_moving(WAITING_S)
        assert sum(each.done() for each in waiting) == AT_ONCE
        await hall.keep_moving(LOOK_S)
        assert all(each.done() for each in waiting)

    story(tell)


def test_nobody_waits_for_a_store_that_is_silent() -> None:
    async def tell(hall: Hall) -> None:
        await hall.clock.advance(SILENT_S)
        assert hall.lobby.enter(MODEST, 1) is None
        assert await hall.lobby.wait(MODEST, 1) is None

    story(tell)


def test_who_gives_up_takes_no_room() -> None:
    async def tell(hall: Hall) -> None:
        gone, gone_later, stays = await hall.queue(3)
        gone.cancel()
        await turns()
        hall.lobby.leave(hall.first)
        gone_later.cancel()
        with suppress(asyncio.CancelledError):
            await gone_later
        passed = await stays
        assert passed is not None
        hall.lobby.leave(passed)
        # As before: nothing is on its way.
        everything = hall.lobby.enter(GREEDY, MOST)
        assert everything is not None
        assert hall.lobby.enter(GREEDY, 1) is None
        hall.lobby.leave(everything)
        assert hall.lobby.enter(GREEDY, 1) is not None

    story(tell)


def test_the_lobby_serves_again_after_everybody_was_refused() -> None:
    async def tell(hall: Hall) -> None:
        for _ in range(2):
            waiting = await hall.queue(2)
            await hall.keep_moving(WAITING_S + LOOK_S)
            assert [await each for each in waiting] == [None, None]

    story(tell)
