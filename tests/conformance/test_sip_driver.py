"""The driver of SIP carriers between a pipeline that takes notes and the sandbox's phone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from heliograph.carriers.sip import conversation, line, mapping
from heliograph.carriers.sip.driver import SipDriver
from heliograph.core.directory import Carrier, Policy
from heliograph.core.fates import Fate
from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel, Parcel, Traits
from heliograph.core.outcomes import Deferred, Refused, Submitted
from heliograph.core.reasons import Reason
from heliograph.core.receipts import fits, match_key
from heliograph.core.states import MessageState
from heliograph.net.clock import SystemClock
from heliograph.rtp.g711 import Law
from heliograph.sandbox.phone import HeardCall, Manners, Phone
from heliograph.sip.timers import Timers
from heliograph.sip.ways import Transport
from heliograph.testing.feeds import PATIENCE_S, NotingFeed, Storing, parcels_for
from heliograph.testing.speech import Murmur, likeness, murmur
from tests.conformance.test_drivers import live, number_with

PLAIN = "+27831234567"
SENDER = "+27820000000"
QUICK = Manners(ring_s=0.02, late_s=0.2, patience_s=0.3)
BOTH_TRANSPORTS = pytest.mark.parametrize("transport", ["udp", "tcp"])


@pytest.fixture(autouse=True)
def _short_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "TAIL_MS", 60)


class QuickClock(SystemClock):
    """Real time, but nobody sleeps for longer than the shortest story; `slept` says how long each wanted to."""

    def __init__(self, most_s: float) -> None:
        self._most_s = most_s
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        if seconds >= 0.5:
            self.slept.append(seconds)
        await super().sleep(min(seconds, self._most_s))


def voice_to(*recipients: str, text: str = "Hello", sender: str = SENDER) -> list[Parcel]:
    traits = Traits(language="de-de", gender="male")
    return [
        parcel._replace(
            message=parcel.message._replace(
                content=parcel.message.content._replace(channel=Channel.VOICE, traits=traits)
            )
        )
        for parcel in parcels_for(recipients, text=text, sender=sender)
    ]


class World:
    def __init__(
        self, feed: NotingFeed, phone: Phone, *, driver: SipDriver, clock: QuickClock, speaker: Murmur
    ) -> None:
        self.feed = feed
        self.phone = phone
        self.driver = driver
        self.clock = clock
        self.speaker = speaker
        self._running = asyncio.create_task(driver.run())

    async def stop(self) -> None:
        if not self._running.done():
            self._running.cancel()
            await asyncio.wait((self._running,))
        assert self._running.cancelled()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():  # noqa: ASYNC110  the phone tells nobody of ours
                await asyncio.sleep(0.002)

    async def called(self, number: int = 1) -> HeardCall:
        """A call that the phone took, once it is over."""
        await self.until(lambda: len(self.phone.calls) >= number and self.phone.calls[number - 1].is_over)
        return self.phone.calls[number - 1]

    async def said(self, text: str = "Hello") -> bytes:
        return (await self.speaker.speak(text, language="de-de", gender="male")).samples


@asynccontextmanager
async def world(
    *,
    manners: Manners = QUICK,
    transport: str = "udp",
    lines: int = 1,
    storing: Storing = "at once",
    seconds: float = 0.4,
    most_s: float = 0.6,
    t1: float = 0.1,
    **settings: object,
) -> AsyncIterator[World]:
    phone = Phone(SystemClock(), manners=manners)
    port = await phone.start("127.0.0.1", 0, transport=Transport[transport.upper()])
    feed, clock = NotingFeed(window=1, storing=storing), QuickClock(most_s)
    speaker = Murmur(seconds=seconds, failing=["unspeakable"])
    carrier = Carrier(
        carrier_id=CarrierId(1),
        name="trunk",
        url=f"sip://me:secret@127.0.0.1:{port}",
        channels=frozenset({Channel.VOICE}),
        window=1,
        sessions=lines,
        policy=Policy.HOLD,
        settings={"pause_ms": 40, "transport": transport, **settings},
    )
    driver = SipDriver(carrier, feed, clock, speaker=speaker, timers=Timers(t1=t1))
    it = World(feed, phone, driver=driver, clock=clock, speaker=speaker)
    try:
        yield it
    finally:
        await it.stop()
        await phone.stop()


# Fates -------------------------------------------------------------------------------------------------------------


@BOTH_TRANSPORTS
@live
async def test_a_message_is_taken_when_the_call_is_answered_and_delivered_when_all_was_said(transport: str) -> None:
    async with world(transport=transport) as it:
        it.feed.offer(voice_to(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert it.feed.receipts == []
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        (outcome,), (receipt,) = it.feed.outcomes, it.feed.receipts
        assert isinstance(outcome, Submitted)
        assert receipt.key == match_key(outcome.carrier_message_id, is_hex=False)
        assert (receipt.state, receipt.error) == (MessageState.DELIVERED, "")
        assert fits(PLAIN, receipt.addresses)
        call = await it.called()
        assert (call.called, call.caller) == (PLAIN, SENDER)
        assert it.speaker.spoken == [("Hello", "de-de", "male")]
        assert likeness(await it.said(), call.recording.samples()) >= 0.9


@live
async def test_late_is_delivered_too() -> None:
    async with world() as it:
        it.feed.offer(voice_to(number_with(Fate.DELIVERED_LATE)))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert it.feed.receipts[0].state is MessageState.DELIVERED


@BOTH_TRANSPORTS
@pytest.mark.parametrize(("partial", "state"), [
    ("delivered", MessageState.DELIVERED), ("undelivered", MessageState.UNDELIVERED),
])  # fmt: skip
@live
async def test_who_hangs_up_in_the_midst_has_heard_it_or_not_by_setting(
    transport: str, partial: str, state: MessageState
) -> None:
    async with world(transport=transport, partial=partial, seconds=5) as it:
        it.feed.offer(voice_to(number_with(Fate.UNDELIVERABLE)))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert isinstance(it.feed.outcomes[0], Submitted)
        assert (it.feed.receipts[0].state, it.feed.receipts[0].error) == (state, "hung up")


@live
async def test_who_hangs_up_before_a_word_has_heard_nothing() -> None:
    async with world(partial="delivered", pause_ms=5_000) as it:
        it.feed.offer(voice_to(number_with(Fate.UNDELIVERABLE)))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert it.feed.receipts[0].state is MessageState.UNDELIVERED


@live
async def test_who_hangs_up_as_it_is_said_again_has_heard_it_all() -> None:
    async with world(times=2, seconds=0.2, between_ms=10_000) as it:
        it.feed.offer(voice_to(number_with(Fate.UNDELIVERABLE)))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert (it.feed.receipts[0].state, it.feed.receipts[0].error) == (MessageState.DELIVERED, "hung up")


@BOTH_TRANSPORTS
@live
async def test_nobody_answers(transport: str) -> None:
    async with world(transport=transport, ring_s=45, retry_s=70, tries=4) as it:
        it.feed.offer(voice_to(number_with(Fate.EXPIRED)))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Deferred)
        assert (outcome.after_ms, outcome.counts, outcome.tries, outcome.pause_ms) == (70_000, True, 4, 0)
        assert outcome.status.startswith("no answer")
        assert 45 in it.clock.slept
        await it.called()
        assert it.feed.receipts == []


@BOTH_TRANSPORTS
@live
async def test_the_line_is_busy_three_times_and_then_answered(transport: str) -> None:
    async with world(transport=transport, retry_s=70) as it:
        for tries in range(1, 5):
            it.feed.offer(voice_to(number_with(Fate.THROTTLED)))
            await it.feed.until(lambda tries=tries: len(it.feed.outcomes) == tries)  # type: ignore[misc]
        *busy, answered = it.feed.outcomes
        for outcome in busy:
            assert isinstance(outcome, Deferred)
            assert (outcome.status, outcome.after_ms, outcome.counts) == (
                "busy: 486 Busy Here, cause 17", 70_000, True
            )  # fmt: skip
        assert isinstance(answered, Submitted)


@BOTH_TRANSPORTS
@live
async def test_declined_is_refused_and_never_reported(transport: str) -> None:
    async with world(transport=transport) as it:
        it.feed.offer(voice_to(number_with(Fate.REJECTED)))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Refused)
        assert outcome.status == "declined: 603 Decline, cause 21"
        assert it.feed.receipts == []


# Speech ------------------------------------------------------------------------------------------------------------


@live
async def test_a_text_that_cannot_be_spoken_is_refused_without_a_call_and_the_next_one_is_said() -> None:
    async with world() as it:
        it.feed.offer([*voice_to(PLAIN, text="unspeakable"), *voice_to(PLAIN)])
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        refused, submitted = it.feed.outcomes
        assert isinstance(refused, Refused)
        assert (refused.reason, refused.status) == (Reason.UNREADABLE_TEXT, "nobody can say that")
        assert isinstance(submitted, Submitted)
        assert len(it.phone.calls) == 1


@live
async def test_the_callee_chooses_the_law() -> None:
    async with world(manners=Manners(ring_s=0.02, laws=(Law.PCMA,))) as it:
        it.feed.offer(voice_to(PLAIN))
        call = await it.called()
        assert likeness(await it.said(), call.recording.samples()) >= 0.9


@live
async def test_a_callee_that_knows_no_law_of_ours_is_a_matter_of_settings() -> None:
    async with world(manners=Manners(ring_s=0.02, laws=(Law.PCMA,)), codecs=["PCMU"]) as it:
        it.feed.offer(voice_to(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Deferred)
        assert (outcome.tries, outcome.status[:23]) == (1, "no codec in common: 488")


@live
async def test_speech_follows_where_speech_comes_from_when_told_to() -> None:
    async with world(manners=Manners(ring_s=0.02, greeting=murmur("hello", seconds=0.2)), follows=True) as it:
        it.feed.offer(voice_to(PLAIN))
        call = await it.called()
        assert likeness(await it.said(), call.recording.samples()) >= 0.9


# Lines -------------------------------------------------------------------------------------------------------------


@live
async def test_a_carrier_has_as_many_calls_at_once_as_lines() -> None:
    async with world(lines=3) as it:
        most = 0

        def look() -> bool:
            nonlocal most
            most = max(most, sum(not call.is_over for call in it.phone.calls))
            return len(it.feed.receipts) == 6

        it.feed.offer(voice_to(*(f"+2783120000{number}" for number in range(6))))
        await it.until(look)
        assert most == 3
        assert {told.session_id for told in it.feed.told} == {1, 2, 3}


@live
async def test_the_driver_says_whether_it_is_bound() -> None:
    async with world() as it:
        assert not it.driver.is_bound()
        await it.feed.until(lambda: len(it.feed.sessions) == 1)
        assert it.driver.is_bound()
        await it.stop()
        assert not it.driver.is_bound()
        (session,) = it.feed.sessions
        assert session.closed == "stopped"


@live
async def test_a_probe_places_no_call() -> None:
    async with world(transport="tcp") as it:
        assert (await it.driver.probe()).startswith("127.0.0.1:")
        assert it.phone.calls == []


@live
async def test_a_carrier_that_is_away_gets_no_messages_until_it_is_back() -> None:
    async with world(transport="tcp", most_s=0.05) as it:
        await it.feed.until(lambda: len(it.feed.sessions) == 1)
        await it.phone.stop()
        it.feed.offer(voice_to(PLAIN, PLAIN))
        await it.until(lambda: len(it.clock.slept) >= 4 and not it.driver.is_bound())
        assert all(isinstance(outcome, Deferred) for outcome in it.feed.outcomes)
        assert len(it.feed.outcomes) <= 1
        assert all(session.closed is not None and not session.held for session in it.feed.sessions)


@live
async def test_nobody_at_the_address_is_told_as_the_carrier_s_fault() -> None:
    async with world(t1=0.005) as it:
        await it.feed.until(lambda: len(it.feed.sessions) == 1)
        await it.phone.stop()
        it.feed.offer(voice_to(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Deferred)
        assert outcome.status.startswith("the carrier does not answer")


# Ends --------------------------------------------------------------------------------------------------------------


@BOTH_TRANSPORTS
@live
async def test_stopping_lets_what_is_being_said_be_said(transport: str) -> None:
    async with world(transport=transport) as it:
        it.feed.offer(voice_to(PLAIN, PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        await it.stop()
        (receipt,) = it.feed.receipts
        assert receipt.state is MessageState.DELIVERED
        (session,) = it.feed.sessions
        assert not session.held
        assert len(it.feed.waiting) == 1
        call = await it.called()
        assert likeness(await it.said(), call.recording.samples()) >= 0.9


@BOTH_TRANSPORTS
@live
async def test_stopping_gives_up_what_rings(transport: str) -> None:
    async with world(transport=transport, most_s=30) as it:
        it.feed.offer(voice_to(number_with(Fate.EXPIRED)))
        await it.until(lambda: len(it.phone.calls) == 1)
        await it.stop()
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Deferred)
        assert (outcome.counts, outcome.after_ms) == (False, 0)
        assert not it.feed.sessions[0].held
        await it.called()


@live
async def test_what_takes_too_long_is_broken_off_when_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "DRAIN_S", 0.2)
    async with world(seconds=20) as it:
        it.feed.offer(voice_to(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        await it.stop()
        (receipt,) = it.feed.receipts
        assert (receipt.state, receipt.error) == (MessageState.UNDELIVERED, "stopped")
        await it.called()


@live
async def test_a_receipt_that_the_store_could_not_take_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "REFUSED_WAIT_S", 0.02)
    async with world(storing="never") as it:
        it.feed.offer(voice_to(PLAIN))
        await it.feed.until(lambda: len(it.feed.receipts) >= 3)
        assert len(set(it.feed.receipts)) == 1
        it.feed.storing = "at once"


# Answering machines --------------------------------------------------------------------------------------------------

MACHINE = Manners(ring_s=0.02, greeting=murmur("You have reached", seconds=2.2))
PERSON = Manners(ring_s=0.02, greeting=murmur("Hello?", seconds=0.4))


@live
async def test_a_machine_that_is_hung_up_on() -> None:
    async with world(manners=MACHINE, voicemail="hang-up") as it:
        it.feed.offer(voice_to(PLAIN))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        (receipt,) = it.feed.receipts
        assert (receipt.state, receipt.error) == (MessageState.UNDELIVERED, "answering machine")


@live
async def test_a_machine_that_is_called_again() -> None:
    async with world(manners=MACHINE, voicemail="retry", retry_s=90) as it:
        it.feed.offer(voice_to(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Deferred)
        assert (outcome.status, outcome.after_ms, outcome.counts) == ("answering machine", 90_000, True)


@pytest.mark.long
@live
async def test_a_machine_that_is_let_finish_first() -> None:
    async with world(manners=MACHINE, voicemail="wait") as it:
        it.feed.offer(voice_to(PLAIN))
        call = await it.called()
        assert likeness(await it.said(), call.recording.samples()) >= 0.9
        assert call.recording.seconds >= 2.2 + 1.5


@live
async def test_a_person_is_spoken_to_when_machines_are_not() -> None:
    async with world(manners=PERSON, voicemail="hang-up") as it:
        it.feed.offer(voice_to(PLAIN))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert it.feed.receipts[0].state is MessageState.DELIVERED
