"""The phone, called without a driver. What drivers make of it is told in tests/conformance/test_sip_driver.py."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heliograph.core.fates import Fate
from heliograph.net.clock import SystemClock
from heliograph.net.rtp import Place, RtpStream, Schedule, open_stream
from heliograph.net.sip import Leg
from heliograph.net.sip_trunk import Trunk, reach
from heliograph.rtp.g711 import Law, decode, encode
from heliograph.rtp.outgoing import Outgoing
from heliograph.rtp.wav import samples_from
from heliograph.sandbox import phone as phones
from heliograph.sandbox.phone import Manners, Phone
from heliograph.sip.events import Answered, CallEvent, Ended, Failed
from heliograph.sip.outgoing import Invitation, OutgoingCall
from heliograph.sip.sdp import Codec, Media
from heliograph.sip.uris import NameAddr, SipUri
from heliograph.sip.ways import Hop
from heliograph.testing.speech import murmur
from tests.conformance.test_drivers import live, number_with

PLAIN = "+27831234567"
SPEECH = murmur("a few words", seconds=0.2)


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


class Caller:
    """Calls the phone, and notes what comes of it."""

    def __init__(self, trunk: Trunk, schedule: Schedule) -> None:
        self._trunk = trunk
        self.speech: RtpStream = open_stream("127.0.0.1", (0,), schedule)
        self.events: asyncio.Queue[CallEvent] = asyncio.Queue()
        self.leg: Leg[OutgoingCall] | None = None

    async def call(self, number: str, *, codec: Codec = Codec.PCMA) -> CallEvent:
        """Call, and wait until it is answered or not."""
        way = await self._trunk.way()
        media = Media(host="127.0.0.1", port=self.speech.local.port, codecs=(codec,))
        invitation = Invitation(
            called=SipUri(user=number, host="127.0.0.1"),
            caller=NameAddr(uri=SipUri(user="+27820000000", host="127.0.0.1")),
            media=media,
        )
        self.leg = self._trunk.place(invitation, way, self._note)
        return await self.of(Answered, Failed)

    def _note(self, events: list[CallEvent]) -> None:
        for event in events:
            self.events.put_nowait(event)

    async def of(self, *kinds: type[CallEvent]) -> CallEvent:
        """The next event of these kinds."""
        while True:
            event = await self.events.get()
            if isinstance(event, kinds):
                return event

    async def say(self, answered: CallEvent, samples: bytes) -> None:
        assert isinstance(answered, Answered)
        self.speech.move(Place(answered.stream.host, answered.stream.port))
        self.speech.start(Outgoing(Law.PCMA, ssrc=1, sequence=0, timestamp=0))
        await self.speech.play(encode(samples, Law.PCMA))

    def hang_up(self) -> None:
        assert self.leg is not None
        self.leg.hang_up()


class World:
    def __init__(self, phone: Phone, trunk: Trunk, schedule: Schedule, *, changed: asyncio.Event) -> None:
        self.phone = phone
        self._trunk = trunk
        self._schedule = schedule
        self.callers: list[Caller] = []
        self.changed = changed

    def caller(self) -> Caller:
        self.callers.append(Caller(self._trunk, self._schedule))
        return self.callers[-1]

    async def over(self) -> None:
        """Wait until all calls are over."""
        while not all(call.is_over for call in self.phone.calls):
            self.changed.clear()
            await self.changed.wait()


@asynccontextmanager
async def world(folder: Path | None = None, *, manners: Manners | None = None) -> AsyncIterator[World]:
    clock = SystemClock()
    changed = asyncio.Event()
    manners = manners or Manners(ring_s=0.01, patience_s=0.1)
    phone = Phone(clock, folder=folder, manners=manners, changed=changed.set)
    port = await phone.start("127.0.0.1", 0)
    trunk, schedule = reach(Hop("127.0.0.1", port), clock=clock), Schedule(clock)
    it = World(phone, trunk, schedule, changed=changed)
    running = [asyncio.create_task(schedule.run()), asyncio.create_task(trunk.run())]
    try:
        yield it
    finally:
        for caller in it.callers:
            caller.speech.close()
        await trunk.close()
        await phone.stop()
        for task in running:
            task.cancel()
        await asyncio.wait(running)


@live
async def test_what_is_heard_is_written_down(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        caller = it.caller()
        await caller.say(await caller.call(PLAIN), SPEECH)
        await asyncio.sleep(0.02)
        caller.hang_up()
        await it.over()
        (call,) = it.phone.calls
        assert (call.called, call.caller, call.fate) == (PLAIN, "+27820000000", Fate.DELIVERED)
        assert call.file == tmp_path / "27831234567-1.wav"
        assert decode(encode(SPEECH, Law.PCMA), Law.PCMA) in samples_from(call.file.read_bytes())


@live
async def test_a_recording_is_kept_when_the_phone_is_stopped_in_the_midst_of_a_call(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        caller = it.caller()
        await caller.say(await caller.call(PLAIN), SPEECH)
        await it.phone.stop()
        assert names_in(tmp_path) == {"27831234567-1.wav"}


@live
async def test_an_unanswered_call_leaves_no_recording(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        assert isinstance(await it.caller().call(number_with(Fate.REJECTED)), Failed)
        assert isinstance(await it.caller().call(number_with(Fate.THROTTLED)), Failed)
        await it.over()
        assert names_in(tmp_path) == set()


@live
async def test_each_call_has_a_file_of_its_own(tmp_path: Path) -> None:
    async with world(tmp_path) as it:
        for _ in range(2):
            caller = it.caller()
            await caller.say(await caller.call("../" + PLAIN), SPEECH[:320])
            await asyncio.sleep(0.02)
            caller.hang_up()
        await it.over()
        assert names_in(tmp_path) == {"27831234567-1.wav", "27831234567-2.wav"}


@live
async def test_who_hangs_up_early_says_goodbye() -> None:
    async with world() as it:
        caller = it.caller()
        assert isinstance(await caller.call(number_with(Fate.UNDELIVERABLE)), Answered)
        assert isinstance(await caller.of(Ended), Ended)


@live
async def test_a_call_without_a_codec_of_ours_is_refused() -> None:
    async with world(manners=Manners(ring_s=0.01, laws=(Law.PCMU,))) as it:
        failed = await it.caller().call(PLAIN, codec=Codec.PCMA)
        assert isinstance(failed, Failed)
        assert failed.status == 488
        await it.over()


@live
async def test_further_calls_find_the_line_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phones, "MOST_CALLS", 1)
    async with world() as it:
        assert isinstance(await it.caller().call(PLAIN), Answered)
        second = await it.caller().call(PLAIN)
        assert isinstance(second, Failed)
        assert second.status == 486
