"""What every driver owes the pipeline, whatever is on the other end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from heliograph.carriers.loopback import LoopbackDriver
from heliograph.carriers.smpp import session
from heliograph.carriers.smpp.driver import SmppDriver
from heliograph.core.directory import Carrier
from heliograph.core.fates import THROTTLED_TIMES, Fate
from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel, Traits
from heliograph.core.outcomes import Deferred, Refused, Submitted
from heliograph.core.receipts import IdForm, fits, match_key
from heliograph.core.states import MessageState
from heliograph.gsm.national import Language
from heliograph.gsm.segments import Encoding, join
from heliograph.net.clock import SystemClock
from heliograph.pipeline.ports import Driver
from heliograph.sandbox import mailbox
from heliograph.sandbox.habits import Habits
from heliograph.sandbox.message_centre import MessageCentre
from heliograph.testing.feeds import PATIENCE_S, NotingFeed, Storing, parcels_for
from tests.stories import lasting

QUICK = Habits(late_ms=100)
BOTH = pytest.mark.parametrize("kind", ["smpp", "loopback"])
PLAIN = "+27831234567"


def number_with(fate: Fate) -> str:
    return "+278312" + (fate.digits or "34567")


live = lasting(PATIENCE_S * 2)


class HastyClock:
    """Real time, but nobody sleeps for long; `slept` says how long each wanted to."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(min(seconds / 100, 0.05))


class World:
    """A driver at work between a feed and, for SMPP, a message centre."""

    port = 0

    def __init__(self, feed: NotingFeed, driver: Driver, clock: HastyClock, centre: MessageCentre) -> None:
        self.feed = feed
        self.driver = driver
        self.clock = clock
        self.centre = centre
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self.driver.run())

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait((self._running,))
            assert self._running.cancelled() or self._running.exception() is None
            self._running = None

    async def until(self, is_so: Callable[[], bool]) -> None:
        """For what only the message centre knows, and nobody tells."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():  # noqa: ASYNC110  a server has nobody whom it tells
                await asyncio.sleep(0.002)


@asynccontextmanager
async def world(
    kind: str,
    *,
    habits: Habits = QUICK,
    settings: dict[str, object] | None = None,
    window: int = 10,
    storing: Storing = "at once",
    sessions: int = 1,
) -> AsyncIterator[World]:
    clock = HastyClock()
    centre = MessageCentre(SystemClock(), habits)
    port = await centre.start("127.0.0.1", 0)
    feed = NotingFeed(window=window, storing=storing)
    carrier = Carrier(
        carrier_id=CarrierId(1),
        name="north",
        url=f"smpp://me:se%40cret@127.0.0.1:{port}" if kind == "smpp" else "loopback:",
        channels=frozenset({Channel.SMS}),
        window=window,
        sessions=sessions,
        settings=settings or {},
    )
    driver: Driver = SmppDriver(carrier, feed, clock) if kind == "smpp" else LoopbackDriver(carrier, feed, clock)
    it = World(feed, driver, clock, centre)
    it.port = port
    it.start()
    try:
        yield it
    finally:
        await it.stop()
        await centre.stop()


# Fates -----------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("fate", "state"),
    [
        (Fate.DELIVERED, MessageState.DELIVERED),
        (Fate.DELIVERED_LATE, MessageState.DELIVERED),
        (Fate.UNDELIVERABLE, MessageState.UNDELIVERED),
        (Fate.EXPIRED, MessageState.EXPIRED),
    ],
)
@live
async def test_a_segment_is_taken_named_and_its_end_reported_under_that_name(
    kind: str, fate: Fate, state: MessageState
) -> None:
    async with world(kind) as it:
        it.feed.offer(parcels_for([number_with(fate)]))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        (outcome,), (receipt,) = it.feed.outcomes, it.feed.receipts
        assert isinstance(outcome, Submitted)
        assert receipt.key == match_key(outcome.carrier_message_id, is_hex=False)
        assert receipt.state is state
        assert fits(number_with(fate), receipt.addresses)


@live
async def test_the_template_of_a_message_reaches_the_carrier() -> None:
    async with world("smpp", settings={"entity_id": "110100001341"}) as it:
        (plain, other) = parcels_for([PLAIN, PLAIN])
        content = other.message.content._replace(traits=Traits(template_id="1107161234567890123"))
        it.feed.offer([plain, other._replace(message=other.message._replace(content=content))])
        await it.feed.until(lambda: len(it.feed.receipts) == 2)
        entity = (0x1400, b"110100001341")
        assert [each.pdu.tlvs for each in it.centre.received] == [
            (entity,), (entity, (0x1401, b"1107161234567890123"))
        ]  # fmt: skip


@BOTH
@live
async def test_late_is_later_than_usual(kind: str) -> None:
    async with world(kind) as it:
        it.feed.offer(parcels_for([number_with(Fate.DELIVERED_LATE), PLAIN]))
        await it.feed.until(lambda: len(it.feed.receipts) == 2)
        assert fits(PLAIN, it.feed.receipts[0].addresses)


@BOTH
@live
async def test_rejected_is_refused_at_once_and_never_reported(kind: str) -> None:
    async with world(kind) as it:
        it.feed.offer(parcels_for([number_with(Fate.REJECTED), PLAIN]))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        refused, submitted = it.feed.outcomes
        assert isinstance(refused, Refused)
        assert refused.status
        assert isinstance(submitted, Submitted)
        assert fits(PLAIN, it.feed.receipts[0].addresses)


@BOTH
@live
async def test_throttled_is_put_off_some_times_and_then_delivered(kind: str) -> None:
    async with world(kind) as it:
        for tries in range(1, THROTTLED_TIMES + 2):
            it.feed.offer(parcels_for([number_with(Fate.THROTTLED)]))
            await it.feed.until(lambda tries=tries: len(it.feed.outcomes) == tries)  # type: ignore[misc]
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        *put_off, taken = it.feed.outcomes
        assert all(isinstance(outcome, Deferred) and not outcome.counts for outcome in put_off)
        assert isinstance(taken, Submitted)
        assert it.feed.receipts[0].state is MessageState.DELIVERED


@BOTH
@live
async def test_no_receipt_means_none(kind: str) -> None:
    async with world(kind) as it:
        it.feed.offer(parcels_for([number_with(Fate.NO_RECEIPT), PLAIN]))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert all(isinstance(outcome, Submitted) for outcome in it.feed.outcomes)
        assert fits(PLAIN, it.feed.receipts[0].addresses)


@BOTH
@live
async def test_a_duplicate_receipt_is_the_same_receipt_twice(kind: str) -> None:
    async with world(kind) as it:
        it.feed.offer(parcels_for([number_with(Fate.DUPLICATE_RECEIPT)]))
        await it.feed.until(lambda: len(it.feed.receipts) == 2)
        assert it.feed.receipts[0] == it.feed.receipts[1]
        assert len(it.feed.outcomes) == 1


@BOTH
@live
async def test_a_receipt_may_come_before_the_answer(kind: str) -> None:
    async with world(kind) as it:
        it.feed.offer(parcels_for([number_with(Fate.RECEIPT_FIRST)]))
        await it.feed.until(lambda: len(it.feed.told) == 2)
        assert [told.call for told in it.feed.told] == ["receive", "report"]
        (outcome,), (receipt,) = it.feed.outcomes, it.feed.receipts
        assert isinstance(outcome, Submitted)
        assert receipt.key == match_key(outcome.carrier_message_id, is_hex=False)


@BOTH
@pytest.mark.parametrize("fate", [Fate.REPLIES, Fate.OPTS_OUT])
@live
async def test_the_recipient_writes_back_once_after_delivery(kind: str, fate: Fate) -> None:
    async with world(kind) as it:
        it.feed.offer(parcels_for([number_with(fate)], text="long " * 40, sender="+27820000000"))
        await it.feed.until(lambda: len(it.feed.incoming) == 1 and len(it.feed.receipts) == 2)
        (incoming,) = it.feed.incoming
        assert it.feed.told[-1].call == "take_in"
        assert incoming.text == fate.reply
        assert incoming.encoding is Encoding.GSM7
        assert (incoming.sender, incoming.recipient) == (number_with(fate)[1:], "27820000000")


@BOTH
@live
async def test_the_segments_of_a_long_reply_overtake_each_other(kind: str) -> None:
    async with world(kind) as it:
        it.feed.offer(parcels_for([number_with(Fate.REPLIES_LONG)], sender="+27820000000"))
        await it.feed.until(lambda: len(it.feed.incoming) >= 4)
        places = [(each.udh[-1], each.udh[-2]) for each in it.feed.incoming]
        assert places == [(4, 4), (3, 4), (2, 4), (1, 4)]
        assert len({each.udh[:-1] for each in it.feed.incoming}) == 1
        bodies = [each.body for each in reversed(it.feed.incoming)]
        assert join(bodies, Encoding.UCS2) == Fate.REPLIES_LONG.reply


# Batches, order, ends ----------------------------------------------------------------------------------------------


@BOTH
@live
async def test_every_segment_of_a_long_message_is_one_parcel_with_its_own_name(kind: str) -> None:
    async with world(kind) as it:
        parcels = parcels_for([PLAIN], text="я" * 150)
        it.feed.offer(parcels)
        await it.feed.until(lambda: len(it.feed.receipts) == 3)
        outcomes = [outcome for outcome in it.feed.outcomes if isinstance(outcome, Submitted)]
        assert [outcome.parcel for outcome in outcomes] == parcels
        assert len({outcome.carrier_message_id for outcome in outcomes}) == 3


@BOTH
@live
async def test_many_messages_pass_a_small_window(kind: str) -> None:
    async with world(kind, window=7) as it:
        recipients = [f"+27831{number:06d}" for number in range(500)]
        it.feed.offer(parcels_for(recipients))
        await it.feed.until(lambda: len(it.feed.receipts) == 500)
        assert [outcome.parcel.message.recipient for outcome in it.feed.outcomes] == recipients
        assert max(len(told.items) for told in it.feed.told if told.call == "report") <= 7


@BOTH
@live
async def test_sessions_share_the_work(kind: str) -> None:
    async with world(kind, sessions=3) as it:
        await it.feed.until(lambda: len(it.feed.open_sessions) == 3)
        it.feed.offer(parcels_for([f"+27831{number:06d}" for number in range(300)]))
        await it.feed.until(lambda: len(it.feed.receipts) == 300)
        assert {told.session_id for told in it.feed.told if told.call == "report"} == {1, 2, 3}


@BOTH
@live
async def test_the_driver_says_whether_it_is_bound(kind: str) -> None:
    async with world(kind) as it:
        assert not it.driver.is_bound()
        await it.feed.until(lambda: len(it.feed.sessions) == 1)
        assert it.driver.is_bound()
        await it.stop()
        assert not it.driver.is_bound()


@BOTH
@live
async def test_stopping_closes_the_session_and_leaves_nothing_in_doubt(kind: str) -> None:
    async with world(kind, habits=Habits(response_delay_ms=50)) as it:
        it.feed.offer(parcels_for([PLAIN] * 5))
        await it.feed.until(lambda: not it.feed.waiting)
        await it.stop()
        (session,) = it.feed.sessions
        assert session.closed == "stopped"
        assert not session.held
        assert len(it.feed.outcomes) == 5
        await it.until(lambda: it.centre.sessions == 0)


@BOTH
@live
async def test_what_the_store_could_not_take_comes_again(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "REFUSED_WAIT_S", 0.02)
    async with world(kind, storing="never") as it:
        it.feed.offer(parcels_for([number_with(Fate.REPLIES)]))
        await it.feed.until(lambda: len(it.feed.receipts) >= 2 and len(it.feed.incoming) >= 2)
        assert len(set(it.feed.receipts)) == 1
        assert len(set(it.feed.incoming)) == 1
        it.feed.storing = "at once"
        await it.until(lambda: it.centre.waiting == 0)


# SMPP alone --------------------------------------------------------------------------------------------------------


@live
async def test_a_cut_wire_leaves_the_window_unreported_and_a_new_session_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "DRAIN_S", 0.05)
    async with world("smpp", habits=Habits(response_delay_ms=60_000)) as it:
        it.feed.offer(parcels_for([PLAIN] * 12))
        await it.until(lambda: it.centre.counts["submits"] == 10)
        it.centre.drop_sessions()
        await it.feed.until(lambda: len(it.feed.sessions) == 2)
        lost = it.feed.sessions[0]
        assert lost.closed is not None
        assert len(lost.held) == 10
        assert it.feed.outcomes == []
        assert 0.5 <= it.clock.slept[0] <= 1.0


@live
async def test_answers_that_came_before_the_cut_are_reported() -> None:
    async with world("smpp") as it:
        it.feed.offer(parcels_for([PLAIN] * 3))
        await it.feed.until(lambda: len(it.feed.receipts) == 3)
        it.centre.drop_sessions()
        await it.feed.until(lambda: len(it.feed.sessions) == 2)
        assert not it.feed.sessions[0].held


@live
async def test_a_receipt_is_acknowledged_only_after_it_is_stored() -> None:
    async with world("smpp", storing="by hand") as it:
        it.feed.offer(parcels_for([PLAIN]))
        await it.feed.until(lambda: len(it.feed.unsettled) == 1)
        # Everything that the driver may do with a later message has passed the wire, and still no acknowledgement.
        it.feed.offer(parcels_for([number_with(Fate.NO_RECEIPT)]))
        await it.feed.until(lambda: len(it.feed.outcomes) == 2)
        assert (it.centre.delivered, it.centre.waiting) == (0, 1)
        it.feed.unsettled.pop()(True)
        await it.until(lambda: it.centre.delivered == 1)
        assert it.centre.waiting == 0


@live
async def test_a_receipt_that_was_not_acknowledged_comes_again_over_the_next_session() -> None:
    async with world("smpp", storing="by hand") as it:
        it.feed.offer(parcels_for([PLAIN]))
        await it.feed.until(lambda: len(it.feed.unsettled) == 1)
        it.centre.drop_sessions()
        await it.feed.until(lambda: len(it.feed.unsettled) == 2)
        assert it.feed.receipts[0] == it.feed.receipts[1]
        assert [told.session_id for told in it.feed.told if told.call == "receive"] == [1, 2]
        # The first session is gone; what is stored late must do no harm.
        it.feed.unsettled[0](True)
        it.feed.unsettled[1](True)
        await it.until(lambda: it.centre.delivered == 1)


@live
async def test_stopping_waits_for_the_store_before_it_unbinds() -> None:
    async with world("smpp", storing="by hand") as it:
        it.feed.offer(parcels_for([PLAIN]))
        await it.feed.until(lambda: len(it.feed.unsettled) == 1)
        stopping = asyncio.create_task(it.stop())
        await asyncio.sleep(0.02)
        assert not stopping.done()
        it.feed.unsettled.pop()(True)
        await stopping
        assert (it.centre.delivered, it.centre.waiting) == (1, 0)


@pytest.mark.parametrize("habits", [Habits(password="other"), Habits(system_id="other")])
@live
async def test_a_refused_bind_is_not_tried_again_soon(habits: Habits) -> None:
    async with world("smpp", habits=habits) as it:
        await it.until(lambda: len(it.clock.slept) == 3)
        assert not it.driver.is_bound()
        assert it.feed.sessions == []
        assert all(low <= slept <= 2 * low for low, slept in zip((15, 30, 60), it.clock.slept, strict=True))


@live
async def test_credentials_are_percent_decoded() -> None:
    async with world("smpp", habits=Habits(system_id="me", password="se@cret")) as it:
        await it.feed.until(lambda: len(it.feed.sessions) == 1)
        assert it.driver.is_bound()


@live
async def test_a_peer_that_hangs_up_at_once_does_not_stop_the_driver() -> None:
    def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with world("smpp") as it:
        await it.feed.until(lambda: len(it.feed.sessions) == 1)
        await it.centre.stop()
        server = await asyncio.start_server(hang_up, "127.0.0.1", it.port)
        async with server:
            await it.until(lambda: len(it.clock.slept) == 5)
            await it.stop()
        assert len(it.feed.sessions) == 1


@live
async def test_nobody_there_is_tried_again_and_again() -> None:
    async with world("smpp") as it:
        await it.feed.until(lambda: len(it.feed.sessions) == 1)
        await it.centre.stop()
        await it.until(lambda: len(it.clock.slept) == 4)
        assert not it.driver.is_bound()
        assert all(low <= slept <= 2 * low for low, slept in zip((0.5, 1, 2, 4), it.clock.slept, strict=True))


@pytest.mark.parametrize("form", IdForm)
@live
async def test_ids_match_however_the_carrier_writes_them(form: IdForm) -> None:
    async with world("smpp", habits=Habits(id_form=form), settings={"id_form": form.value}) as it:
        it.feed.offer(parcels_for([PLAIN] * 20))
        await it.feed.until(lambda: len(it.feed.receipts) == 20)
        answered = [match_key(outcome.carrier_message_id, is_hex=False) for outcome in it.feed.outcomes]  # type: ignore[union-attr]
        assert answered == [receipt.key for receipt in it.feed.receipts]


@live
async def test_a_long_incoming_message_keeps_what_joins_it() -> None:
    async with world("smpp") as it:
        await it.feed.until(lambda: len(it.feed.sessions) == 1)
        it.centre.deliver_incoming("27831234567", "27820000000", "я" * 100, system_id="me")
        await it.feed.until(lambda: len(it.feed.incoming) == 2)
        assert "".join(incoming.text for incoming in it.feed.incoming) == "я" * 100
        assert [incoming.udh[-1] for incoming in it.feed.incoming] == [1, 2]
        assert {incoming.encoding for incoming in it.feed.incoming} == {Encoding.UCS2}


@live
async def test_a_long_incoming_message_in_the_tables_of_a_language() -> None:
    text = "SMS: नमस्ते। " * 16
    async with world("smpp") as it:
        await it.feed.until(lambda: len(it.feed.sessions) == 1)
        it.centre.deliver_incoming("919812345678", "27820000000", text, system_id="me", language=Language.HINDI)
        await it.feed.until(lambda: len(it.feed.incoming) == 2)
        assert "".join(incoming.text for incoming in it.feed.incoming) == text
        assert "".join(join((incoming.body,), incoming.encoding) for incoming in it.feed.incoming) == text
        assert [incoming.udh.hex() for incoming in it.feed.incoming] == [
            "0b0003010201240106250106",
            "0b0003010202240106250106",
        ]


@live
async def test_an_incoming_message_waits_for_the_bind() -> None:
    async with world("smpp") as it:
        it.centre.deliver_incoming("27831234567", "27820000000", "hello", system_id="me")
        await it.feed.until(lambda: len(it.feed.incoming) == 1)
        assert it.feed.incoming[0].text == "hello"


@live
async def test_a_window_the_carrier_will_not_bear_defers_what_is_too_much() -> None:
    async with world("smpp", habits=Habits(response_delay_ms=30, window=2)) as it:
        it.feed.offer(parcels_for([PLAIN] * 5))
        await it.feed.until(lambda: len(it.feed.outcomes) == 5)
        kinds = [type(outcome) for outcome in it.feed.outcomes]
        assert kinds == [Submitted, Submitted, Deferred, Deferred, Deferred]
        assert it.feed.outcomes[2].status == "0x14 ESME_RMSGQFUL"  # type: ignore[union-attr]
