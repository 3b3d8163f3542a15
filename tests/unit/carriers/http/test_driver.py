"""The driver between a feed and a carrier that is a script: outcomes, doubts, setting up, stopping."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from heliograph.carriers.http import session
from heliograph.carriers.http.driver import Around, HttpDriver
from heliograph.core.messages import WHOLE
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, Submitted
from heliograph.core.reasons import Reason
from heliograph.net.clock import SystemClock
from heliograph.net.http import Asked, CallFailed, Told
from heliograph.testing.feeds import PATIENCE_S, NotingFeed, NotingSession
from tests.stories import lasting
from tests.unit.carriers.http.stories import CALLBACK, Script, carrier, link, mms, parcel

HUNG_UP = CallFailed("the connection was closed without an answer", is_passing=True)
NOBODY = CallFailed("no connection: connection refused", is_passing=True, may_have_left=False)
LATER = Told(429, "", b"{}")


live = lasting(PATIENCE_S)


class HastyClock(SystemClock):
    """Real time, but nobody sleeps; `slept` says how long each wanted to."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


class Memory:
    """What a process left behind."""

    def __init__(self, *ids: str, mark: str = "") -> None:
        self.ids = list(ids)
        self.mark = mark

    async def unreported(self, most: int) -> list[str]:
        return self.ids[:most]

    async def bookmark(self) -> str:
        return self.mark

    async def set_bookmark(self, written: str) -> None:
        self.mark = written


class World:
    """A driver at work."""

    def __init__(
        self,
        recipe: str,
        web: Script,
        *,
        window: int = 10,
        sessions: int = 1,
        settings: dict[str, object] | None = None,
    ) -> None:
        self.feed = NotingFeed(window=window)
        self.web = web
        self.clock = HastyClock()
        self.memory = Memory()
        around = Around(web, web, CALLBACK, link, NotingSession(self.feed, 0), self.memory)
        wanted = replace(carrier(recipe, settings=settings), sessions=sessions)
        self.driver = HttpDriver(wanted, self.feed, self.clock, around=around, dice=lambda: 1.0)
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self.driver.run())

    async def stop(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            running.cancel()
            await asyncio.wait((running,))
            assert running.cancelled() or running.exception() is None


@asynccontextmanager
async def world(recipe: str, answer: Callable[[Asked], Told | CallFailed], **more: Any) -> AsyncIterator[World]:
    it = World(recipe, Script(answer), **({"settings": {"setup": False}} | more))
    it.start()
    try:
        yield it
    finally:
        await it.stop()


def in_turn(*answers: Told | CallFailed) -> Callable[[Asked], Told | CallFailed]:
    """Each answer once, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def taken(identifier: str = "a1") -> Told:
    return Told(202, "", json.dumps({"messages": [{"apiMessageId": identifier, "accepted": True}]}).encode())


@live
async def test_parcels_leave_at_once_up_to_the_window_and_are_reported_as_they_are_answered() -> None:
    async with world("touchbasepro", lambda _: taken(), window=3) as it:
        it.web.door.clear()
        it.feed.offer(parcel(number=number) for number in range(5))
        await it.feed.until(lambda: len(it.feed.waiting) == 2)
        await asyncio.sleep(0)
        assert len(it.web.asked) == 3
        it.web.door.set()
        await it.feed.until(lambda: len(it.feed.outcomes) == 5)
        assert all(isinstance(outcome, Submitted) for outcome in it.feed.outcomes)
        # What is answered in one turn is told in one call.
        assert len(it.feed.told[0].items) == 3


@live
async def test_a_long_text_is_one_call() -> None:
    text = "A long text. " * 40
    async with world("touchbasepro", lambda _: taken()) as it:
        it.feed.offer([parcel(text)])
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert it.feed.outcomes[0].parcel.segment == WHOLE
        assert [json.loads(asked.body or b"")["text"] for asked in it.web.asked] == [text]


@live
async def test_what_surely_never_left_is_put_off_and_the_carrier_left_alone_for_a_while() -> None:
    async with world("kannel", in_turn(NOBODY, NOBODY, Told(202, "", b"0: Accepted"))) as it:
        for count in range(1, 4):
            it.feed.offer([parcel()])
            await it.feed.until(lambda count=count: len(it.feed.outcomes) == count)  # type: ignore[misc]
            assert it.driver.is_bound() == (count == 3)
        first, second, third = it.feed.outcomes
        assert isinstance(first, Deferred)
        assert (first.counts, isinstance(second, Deferred), third) == (False, True, Submitted(parcel(), "7"))
        assert it.clock.slept[0] == 0.5


@live
async def test_what_may_have_left_is_in_doubt() -> None:
    async with world("kannel", lambda _: HUNG_UP) as it:
        it.feed.offer([parcel()])
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert it.feed.outcomes == [Ambiguous(parcel(), str(HUNG_UP))]
        assert len(it.web.asked) == 1


@pytest.mark.parametrize("between", [HUNG_UP, NOBODY, LATER, Told(500, "", b"")])
@live
async def test_a_carrier_that_knows_a_call_again_is_asked_again_under_the_same_key(between: Told | CallFailed) -> None:
    async with world("touchbasepro", in_turn(HUNG_UP, between, taken())) as it:
        it.feed.offer([parcel()])
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert it.feed.outcomes == [Submitted(parcel(), "a1")]
        assert {(asked.headers["Idempotency-Key"], asked.body) for asked in it.web.asked} == {
            ("7", it.web.asked[0].body)
        }
        assert [slept for slept in it.clock.slept if slept in session.AGAIN_S] == [1.0, 2.0]


@pytest.mark.parametrize("then", [HUNG_UP, NOBODY, LATER])
@live
async def test_a_doubt_that_nobody_clears_up_stays_one(then: Told | CallFailed) -> None:
    async with world("touchbasepro", in_turn(HUNG_UP, then)) as it:
        it.feed.offer([parcel()])
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert isinstance(it.feed.outcomes[0], Ambiguous)
        assert len(it.web.asked) == 4


@live
async def test_what_the_recipe_does_not_send_is_refused_without_a_call() -> None:
    async with world("textboost", lambda _: taken()) as it:
        it.feed.offer([mms(files=2)])
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert it.feed.outcomes == [Refused(mms(files=2), Reason.BAD_MEDIA, "the carrier takes 1 files in a message")]
    async with world("kannel", lambda _: taken()) as it:
        it.feed.offer([mms()])
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert it.feed.outcomes == [Refused(mms(), Reason.NO_ROUTE, "the recipe sends no MMS")]
        assert it.web.asked == []


@live
async def test_stopping_waits_for_the_answers() -> None:
    async with world("touchbasepro", lambda _: taken()) as it:
        it.web.door.clear()
        it.feed.offer([parcel()])
        await it.feed.until(lambda: not it.feed.waiting)
        await asyncio.sleep(0)
        stopping = asyncio.create_task(it.stop())
        await asyncio.sleep(0.01)
        assert not stopping.done()
        it.web.door.set()
        await stopping
        assert it.feed.outcomes == [Submitted(parcel(), "a1")]
        assert it.feed.sessions[0].closed == "stopped"
        assert not it.driver.is_bound()


@live
async def test_stopping_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "DRAIN_S", 0.01)
    async with world("touchbasepro", lambda _: taken()) as it:
        it.web.door.clear()
        it.feed.offer([parcel()])
        await it.feed.until(lambda: not it.feed.waiting)
        await asyncio.sleep(0)
        await it.stop()
        assert it.feed.outcomes == []
        assert len(it.feed.sessions[0].held) == 1


@live
async def test_sessions_share_the_work() -> None:
    async with world("touchbasepro", lambda _: taken(), window=1, sessions=3) as it:
        it.web.door.clear()
        it.feed.offer(parcel(number=number) for number in range(3))
        await it.feed.until(lambda: not it.feed.waiting)
        assert [len(each.held) for each in it.feed.sessions] == [1, 1, 1]
        it.web.door.set()
        await it.feed.until(lambda: len(it.feed.outcomes) == 3)


# Setting up --------------------------------------------------------------------------------------------------------


def hook(url: str, kind: str, *, is_active: bool = True) -> dict[str, object]:
    return {"Id": 1, "Url": url, "WebhookType": kind, "IsActive": is_active}


@pytest.mark.parametrize(
    ("known", "made"),
    [
        ([], ["MessageStatusUpdate", "MessageReply"]),
        ([hook(CALLBACK, "MessageReply")], ["MessageStatusUpdate"]),
        ([hook(CALLBACK, "MessageReply", is_active=False), hook("https://b", "MessageStatusUpdate")],
         ["MessageStatusUpdate", "MessageReply"]),
        ([hook(CALLBACK, "MessageReply"), hook(CALLBACK, "MessageStatusUpdate")], []),
    ],
)  # fmt: skip
@live
async def test_webhooks_are_made_that_are_not_there(known: list[object], made: list[str]) -> None:
    def answer(asked: Asked) -> Told:
        return Told(200, "", json.dumps(known).encode()) if asked.method == "GET" else Told(201, "", b"{}")

    async with world("touchbasepro", answer, settings={}) as it:
        await it.feed.until(lambda: len(it.feed.sessions) == 1)
        bodies = [json.loads(asked.body) for asked in it.web.asked if asked.body]
        assert bodies == [{"Url": CALLBACK, "WebhookType": kind} for kind in made]


@live
async def test_nothing_is_sent_before_the_carrier_is_set_up() -> None:
    async with world("bulkvs", in_turn(NOBODY, Told(401, "", b""), HUNG_UP, Told(200, "", b"{}")), settings={}) as it:
        it.feed.offer([parcel()])
        await it.feed.until(lambda: len(it.feed.sessions) == 1)
        assert [asked.method for asked in it.web.asked[:4]] == ["PUT"] * 4
        assert it.clock.slept[:3] == [0.5, 1.0, 2.0]
        assert json.loads(it.web.asked[0].body or b"")["Url"] == CALLBACK
