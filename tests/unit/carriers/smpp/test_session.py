"""A carrier's session without a socket: the machine of a message centre sits right behind it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, cast

from heliograph.carriers.smpp.mapping import Submits
from heliograph.carriers.smpp.profile import Profile
from heliograph.carriers.smpp.session import CarrierSession
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, Submitted
from heliograph.core.reasons import Reason
from heliograph.net.smpp import Connection
from heliograph.smpp import events as happened
from heliograph.smpp.codec import encode
from heliograph.smpp.constants import CommandId
from heliograph.smpp.pdus import Bind, DataSm, DataSmResp, DeliverSm, Request
from heliograph.smpp.receipts import format_receipt, receipt_tlvs
from heliograph.smpp.session import Session
from heliograph.smpp.states import Role, SessionState
from heliograph.smpp.timers import Timers
from heliograph.testing.feeds import NotingFeed, Storing, parcels_for

NUMBER = "+27831234567"
PROFILE = Profile(host="h", port=1, system_id="me", password="secret")


def on_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async def story() -> None:
            await test(*args, **kwargs)

        asyncio.run(story())

    return run


class Wire:
    """Stands in for `net.smpp.Connection`; the other machine is its socket."""

    def __init__(self, window: int) -> None:
        self.session = Session(Role.ESME, timers=Timers(response=60), window=window, now=0.0)
        self.centre = Session(Role.MC, timers=Timers(), window=100, now=0.0)
        self.arrived: list[happened.Event] = []
        self.live: CarrierSession | None = None
        self.time = 0.0
        self.session.request(Bind(system_id="me"), now=0.0)
        self.flush()
        (asked,) = self.arrived
        assert isinstance(asked, happened.BindRequested)
        self.centre.answer_bind(asked.sequence)
        self.arrived.clear()
        self.session.receive(self.centre.data_to_send(), now=0.0)

    @property
    def is_closed(self) -> bool:
        return self.session.state.value == "closed"

    def now(self) -> float:
        return self.time

    async def writable(self) -> None:
        pass

    def flush(self) -> None:
        data = self.session.data_to_send()
        if data:
            self.arrived += self.centre.receive(data, now=self.time)

    def unbind(self) -> None:
        self._tell(self.session.unbind(now=self.time))
        for event in self.arrived:
            if isinstance(event, happened.UnbindRequested):
                self.centre.unbind(now=self.time)
        self.read()

    def close(self) -> None:
        self._tell(self.session.receive(b"", now=self.time))

    def read(self) -> None:
        """One read of all that the message centre has written."""
        self._tell(self.session.receive(self.centre.data_to_send(), now=self.time))

    def tick(self, now: float) -> None:
        self.time = now
        self._tell(self.session.tick(now))

    def _tell(self, events: list[happened.Event]) -> None:
        if events and self.live is not None:
            self.live.on_events(events)
        self.flush()

    # The other end

    def submits(self) -> list[int]:
        return [event.sequence for event in self.arrived if isinstance(event, happened.SubmitRequested)]

    def answers(self) -> list[tuple[int, int]]:
        return [(event.sequence, event.status) for event in self.arrived if isinstance(event, happened.DeliverAnswered)]

    def send(self, pdu: Request) -> int:
        return self.centre.request(pdu, now=self.time)


class Stage:
    def __init__(self, *, window: int = 10, storing: Storing = "at once") -> None:
        self.wire = Wire(window)
        self.feed = NotingFeed(window=100, storing=storing)
        self.counts: Counter[str] = Counter()
        self.live = CarrierSession(
            cast(Connection, self.wire),
            self.feed.open_session(),
            profile=PROFILE,
            submits=Submits(PROFILE),
            counts=self.counts,
        )
        self.wire.live = self.live
        self.running = asyncio.create_task(self.live.run())

    async def submit(self, parcels: list[Parcel]) -> list[int]:
        self.feed.offer(parcels)
        await self.feed.until(lambda: not self.feed.waiting)
        return self.wire.submits()

    async def stop(self) -> None:
        self.running.cancel()
        await asyncio.wait((self.running,))


def receipt(message_id: str = "7") -> DeliverSm:
    text = format_receipt(message_id, 2, submit_date="2611231405", done_date="2611231406")
    return DeliverSm(source_addr="1", destination_addr="2", esm_class=4, short_message=text)


INCOMING = DeliverSm(source_addr="1", destination_addr="2", short_message=b"hi")


@on_loop
async def test_one_read_is_told_in_one_call_of_each_kind_answers_before_receipts() -> None:
    stage = Stage()
    submits = await stage.submit(parcels_for([NUMBER] * 4))
    centre = stage.wire.centre
    centre.answer_submit(submits[0], "a")
    centre.answer_submit(submits[1], "b")
    for _ in range(3):
        stage.wire.send(receipt())
    centre.answer_submit(submits[2], "c")
    stage.wire.send(INCOMING)
    stage.wire.send(INCOMING)
    stage.wire.send(receipt())
    centre.answer_submit(submits[3], "d")
    stage.wire.read()
    assert [(told.call, len(told.items)) for told in stage.feed.told] == [
        ("report", 4),
        ("receive", 4),
        ("take_in", 2),
    ]
    assert [cast(Submitted, outcome).carrier_message_id for outcome in stage.feed.outcomes] == ["a", "b", "c", "d"]
    assert [status for _, status in stage.wire.answers()] == [0] * 6
    await stage.stop()


@on_loop
async def test_what_is_not_stored_is_refused_so_that_it_comes_again() -> None:
    stage = Stage(storing="never")
    first, second = stage.wire.send(receipt()), stage.wire.send(INCOMING)
    stage.wire.read()
    assert stage.wire.answers() == [(first, 0x08), (second, 0x08)]
    await stage.stop()


@on_loop
async def test_a_receipt_without_id_is_acknowledged_and_counted() -> None:
    stage = Stage(storing="never")
    sequence = stage.wire.send(DeliverSm(esm_class=4, short_message=b"stat:DELIVRD err:000"))
    stage.wire.read()
    assert stage.wire.answers() == [(sequence, 0)]
    assert stage.feed.told == []
    assert stage.counts["receipts without id"] == 1
    await stage.stop()


@on_loop
async def test_data_sm_is_answered_when_it_is_stored() -> None:
    stage = Stage(storing="by hand")
    first = stage.wire.send(DataSm(source_addr="1", destination_addr="2", esm_class=4, tlvs=receipt_tlvs("7", 2)))
    second = stage.wire.send(DataSm(source_addr="1", destination_addr="2", tlvs=((0x0424, b"hi"),)))
    useless = stage.wire.send(DataSm(source_addr="1", destination_addr="2", esm_class=4))
    stage.wire.read()
    assert [told.call for told in stage.feed.told] == ["receive", "take_in"]
    assert stage.feed.incoming[0].text == "hi"
    assert stage.wire.arrived == [happened.RequestAnswered(useless, 0, DataSmResp())]
    stage.feed.unsettled[0](True)
    stage.feed.unsettled[1](False)
    answered = [(event.sequence, event.status) for event in stage.wire.arrived[1:]]  # type: ignore[union-attr]
    assert answered == [(first, 0), (second, 0x08)]
    await stage.stop()


@on_loop
async def test_a_submit_without_answer_is_ambiguous_and_a_late_answer_changes_nothing() -> None:
    stage = Stage()
    (sequence,) = await stage.submit(parcels_for([NUMBER]))
    stage.wire.session.tick(30)
    stage.wire.tick(60)
    (outcome,) = stage.feed.outcomes
    assert isinstance(outcome, Ambiguous)
    stage.wire.centre.answer_submit(sequence, "late")
    stage.wire.read()
    assert stage.feed.outcomes == [outcome]
    assert stage.counts == {"unanswered": 1, "unexpected answers": 1}
    await stage.stop()


@on_loop
async def test_what_cannot_leave_is_told_at_once() -> None:
    stage = Stage(window=2)
    good = parcels_for([NUMBER] * 3)
    (bad,) = parcels_for([NUMBER], sender="ΔΦΓ")
    submits = await stage.submit([bad, *good])
    assert len(submits) == 2
    refused, deferred = stage.feed.outcomes
    assert isinstance(refused, Refused)
    assert (refused.parcel, refused.reason) == (bad, Reason.INVALID_SENDER)
    assert isinstance(deferred, Deferred)
    assert (deferred.parcel, deferred.counts) == (good[2], False)
    stage.wire.close()
    await stage.stop()


@on_loop
async def test_an_answer_that_condemns_the_session_ends_it_in_good_order() -> None:
    stage = Stage()
    submits = await stage.submit(parcels_for([NUMBER] * 2))
    stage.wire.centre.answer_submit(submits[0], "", status=0x04)
    stage.wire.read()
    stage.wire.centre.answer_submit(submits[1], "", status=0x04)
    await asyncio.sleep(0)
    stage.wire.read()
    assert await stage.running == "the carrier answered 0x04 ESME_RINVBNDSTS"
    assert [type(outcome) for outcome in stage.feed.outcomes] == [Deferred, Deferred]
    assert any(isinstance(event, happened.Unbound) for event in stage.wire.arrived) or any(
        isinstance(event, happened.UnbindRequested) for event in stage.wire.arrived
    )


@on_loop
async def test_a_carrier_that_unbinds_gets_its_answer_after_the_rest_is_settled() -> None:
    stage = Stage(storing="by hand")
    delivered = stage.wire.send(receipt())
    stage.wire.centre.unbind(now=0.0)
    stage.wire.read()
    await asyncio.sleep(0)
    assert stage.wire.session.state is SessionState.BOUND_TRX
    stage.feed.unsettled.pop()(True)
    assert await stage.running == "the carrier asked to unbind"
    assert stage.wire.answers() == [(delivered, 0)]
    assert stage.wire.is_closed
    assert stage.feed.sessions[0].closed == "the carrier asked to unbind"


@on_loop
async def test_a_lost_connection_leaves_what_waits_to_the_feed() -> None:
    stage = Stage()
    await stage.submit(parcels_for([NUMBER] * 3))
    stage.wire.close()
    assert await stage.running == "the peer ended the connection"
    (session,) = stage.feed.sessions
    assert len(session.held) == 3
    assert stage.feed.outcomes == []


@on_loop
async def test_octets_that_are_no_pdu_do_not_stop_what_was_answered_before() -> None:
    stage = Stage()
    (sequence,) = await stage.submit(parcels_for([NUMBER]))
    stage.wire.centre.answer_submit(sequence, "a")
    octets = stage.wire.centre.data_to_send() + b"HTTP/1.1 400 Bad Request\r\n\r\n"
    stage.live.on_events(stage.wire.session.receive(octets, now=0.0))
    assert "command_length" in await stage.running
    assert [type(outcome) for outcome in stage.feed.outcomes] == [Submitted]
    assert stage.counts["broken rules"] == 1


@on_loop
async def test_a_deliver_that_cannot_be_read_is_refused_and_the_session_lives() -> None:
    stage = Stage()
    broken = encode(receipt(), sequence=9)[:40]
    octets = len(broken).to_bytes(4, "big") + broken[4:]
    assert int.from_bytes(octets[4:8], "big") == CommandId.DELIVER_SM
    stage.live.on_events(stage.wire.session.receive(octets, now=0.0))
    assert stage.counts["broken rules"] == 1
    assert not stage.running.done()
    await stage.stop()
