"""A phone that nobody holds: it takes calls over SIP, treats each as the called number's digits ask, and records it.

The fates are those of messages (`core.fates`), as a phone can have them: an undeliverable call is hung up in the midst,
one that expires is never answered, a rejected one is declined, one that is throttled finds the line busy three times.
All others are answered and heard to the end. It forgets everything but its recordings when it stops.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from heliograph.core.fates import LATE_MS, THROTTLED_TIMES, Fate, fate_of
from heliograph.net.clock import Clock
from heliograph.net.rtp import RtpStream, Schedule, open_stream, place_of
from heliograph.net.sip import Exchange, Leg, OnEvents, listen
from heliograph.rtp.g711 import Law, encode
from heliograph.rtp.outgoing import Outgoing
from heliograph.rtp.recording import Recording
from heliograph.rtp.wav import wav_from
from heliograph.sip.errors import SdpError
from heliograph.sip.events import Answered, CallEvent, Ended, Failed
from heliograph.sip.incoming import IncomingCall
from heliograph.sip.sdp import Codec, Media, Stream
from heliograph.sip.ways import Hop, Transport

MOST_CALLS: Final = 200
"""At once; further ones find the line busy."""

MOST_REMEMBERED: Final = 1_000
"""Calls that are over; the oldest are forgotten, but for their recordings."""

_BUSY: Final = (486, 17)
_DECLINED: Final = (603, 21)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How the phone is used. Times are seconds.

    ring_s: before it is answered; late_s: by those who are late; patience_s: what is heard by who hangs up early.
    greeting: what is said on answering, as samples. laws: those it knows, best first.
    """

    ring_s: float = 0.2
    late_s: float = LATE_MS / 1000
    patience_s: float = 1.0
    greeting: bytes = b""
    laws: tuple[Law, ...] = tuple(Law)


@dataclass(slots=True, kw_only=True, eq=False)
class HeardCall:
    """A call that came in. speech: None until the phone is picked up. file: the recording, once the call is over."""

    called: str
    caller: str
    fate: Fate
    leg: Leg[IncomingCall]
    recording: Recording = field(default_factory=Recording)
    speech: RtpStream | None = None
    is_over: bool = False
    file: Path | None = None


class Phone:
    """Takes calls between `start` and `stop`. folder: where recordings are put, or None. calls: the latest ones.

    changed: called when a call is answered or over.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        folder: Path | None = None,
        manners: Manners | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._folder = folder
        self._manners = manners or Manners()
        self._changed = changed
        self._host = ""
        self._exchange: Exchange | None = None
        self._schedule = Schedule(clock)
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._files = 0
        self.calls: list[HeardCall] = []

    async def start(self, host: str, port: int, *, transport: Transport = Transport.UDP) -> int:
        """Take calls, and say on which port: 0 takes a free one. Raises OSError when the address is taken."""
        self._host = host
        self._exchange = await listen(Hop(host, port), clock=self._clock, on_invite=self._invited, transport=transport)
        self._keep(self._schedule.run())
        return self._exchange.local.port

    async def stop(self) -> None:
        """Hang up, and keep what was heard so far."""
        if self._exchange is not None:
            await self._exchange.close()
        for call in self.calls:
            self._end(call)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # A call comes in ------------------------------------------------------------------------------------------------

    def _invited(self, leg: Leg[IncomingCall]) -> OnEvents | None:
        called, caller = leg.call.called.user, leg.call.caller.uri.user
        if sum(not each.is_over for each in self.calls) >= MOST_CALLS:
            return None
        call = HeardCall(called=called, caller=caller, fate=fate_of(called), leg=leg)
        self.calls = [*self.calls[-MOST_REMEMBERED:], call]

        def on_events(events: list[CallEvent]) -> None:
            for event in events:
                if isinstance(event, Answered):
                    self._keep(self._converse(call, event.stream))
                elif isinstance(event, Ended | Failed):
                    self._end(call)

        if call.fate is Fate.REJECTED:
            self._refuse(call, *_DECLINED)
        elif call.fate is Fate.THROTTLED and self._busy[called] < THROTTLED_TIMES:
            self._busy[called] += 1
            self._refuse(call, *_BUSY)
        else:
            self._busy.pop(called, None)
            leg.call.ring(now=leg.now())
            if call.fate is not Fate.EXPIRED:
                self._keep(self._pick_up(call))
        return on_events

    def _refuse(self, call: HeardCall, status: int, cause: int) -> None:
        call.leg.call.refuse(status, now=call.leg.now(), cause=cause)
        self._end(call)

    async def _pick_up(self, call: HeardCall) -> None:
        manners, leg = self._manners, call.leg
        await self._clock.sleep(manners.late_s if call.fate is Fate.DELIVERED_LATE else manners.ring_s)
        if call.is_over:
            return
        call.speech = open_stream(self._host, (0,), self._schedule)
        call.speech.listen = call.recording.take
        codecs = tuple(Codec[law.name] for law in manners.laws)
        try:
            leg.call.answer(Media(host=self._host, port=call.speech.local.port, codecs=codecs), now=leg.now())
        except SdpError:
            self._end(call)
        leg.flush()

    async def _converse(self, call: HeardCall, stream: Stream) -> None:
        """Speak, or be silent, and listen until the caller hangs up or there was enough."""
        self._changed()
        speech = call.speech
        if speech is None:
            return
        law = Law[stream.codec.name]
        with suppress(OSError):
            # A caller that cannot be spoken to is heard all the same.
            speech.move(await place_of(stream.host, stream.port))
        speech.start(Outgoing(law, ssrc=len(self.calls), sequence=0, timestamp=0, payload_type=stream.payload_type))
        if call.fate is Fate.UNDELIVERABLE:
            await self._clock.sleep(self._manners.patience_s)
            call.leg.hang_up()
        elif self._manners.greeting:
            await speech.play(encode(self._manners.greeting, law))

    def _end(self, call: HeardCall) -> None:
        if call.is_over:
            return
        call.is_over = True
        if call.speech is not None:
            call.speech.close()
            self._save(call)
        self._changed()

    def _save(self, call: HeardCall) -> None:
        samples = call.recording.samples()
        if self._folder is None or not samples:
            return
        self._files += 1
        digits = "".join(filter(str.isalnum, call.called))[:32]
        call.file = self._folder / f"{digits}-{self._files}.wav"
        call.file.write_bytes(wav_from(samples))
