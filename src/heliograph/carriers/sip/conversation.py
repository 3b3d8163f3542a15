"""One message said over the phone: the text becomes speech, the call is placed, answered, spoken to and ended.

The carrier has taken a message when its call is answered, under the name of the call; how the call ended is a receipt.
Nobody has heard anything before that: a call that is given up earlier may be placed again.
"""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Final

import structlog

from heliograph.carriers.sip.call import Call
from heliograph.carriers.sip.failures import Failure, described, failure_of, outcome_of
from heliograph.carriers.sip.greeting import Answerer
from heliograph.carriers.sip.mapping import Script, invitation_from, receipt_of, slices_of, state_after
from heliograph.carriers.sip.profile import Profile, Voicemail
from heliograph.carriers.sip.talk import NO_WAY, picked_up, say
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.core.receipts import Receipt
from heliograph.net.clock import Clock
from heliograph.net.rtp import RtpStream, Schedule, open_stream, place_of
from heliograph.net.sip import Leg
from heliograph.net.sip_trunk import Trunk
from heliograph.pipeline.ports import CannotSend, SessionFeed, Speaker
from heliograph.rtp.g711 import Law
from heliograph.rtp.outgoing import Outgoing
from heliograph.sip.events import Answered, Failed, Party
from heliograph.sip.outgoing import OutgoingCall
from heliograph.sip.ways import Way

REFUSED_WAIT_S: Final = 1.0
"""How long a receipt waits that the store could not take."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchboard:
    """What the lines of a carrier share. bits: makes so many random bits."""

    name: str
    profile: Profile
    trunk: Trunk
    schedule: Schedule
    speaker: Speaker
    clock: Clock
    bits: Callable[[int], int] = secrets.randbits


class Unreachable(Exception):
    """The carrier cannot be reached, so that there is no use in taking another message; the text says why."""


class Conversation:
    """The call for one message. stopping: set when only what is being said may still be said."""

    def __init__(self, board: Switchboard, session: SessionFeed, parcel: Parcel, *, stopping: asyncio.Event) -> None:
        self._board = board
        self._profile = board.profile
        self._session = session
        self._parcel = parcel
        self._stopping = stopping
        self._samples = b""
        self._is_reported = False

    async def hold(self) -> None:
        """From the text to the receipt. Raises Unreachable after everything was reported."""
        content = self._parcel.message.content
        language, gender = content.traits.language, content.traits.gender
        try:
            speech = await self._board.speaker.speak(content.text, language=language, gender=gender)
        except CannotSend as error:
            self._report(Refused(self._parcel, Reason.UNREADABLE_TEXT, str(error)))
            return
        self._samples = speech.samples
        script = await self._script(self._profile.laws[0])
        if self._stopping.is_set():
            self._report(Deferred(self._parcel, 0, False, "stopped before it was called"))
            return
        try:
            way = await self._board.trunk.way()
            stream = self._open(way)
        except OSError as error:
            self._report(Deferred(self._parcel, 0, False, f"not called: {error}"))
            raise Unreachable(str(error)) from error
        try:
            await self._call(way, stream, script)
        except asyncio.CancelledError:
            if not self._is_reported:
                self._report(Deferred(self._parcel, 0, False, "stopped before anything was said"))
            raise
        finally:
            stream.close()

    async def _script(self, law: Law) -> Script:
        octets = bytearray()
        for piece in slices_of(self._samples, law):
            octets += piece
            await self._board.clock.sleep(0)
        return Script(bytes(octets), self._profile, law)

    def _open(self, way: Way) -> RtpStream:
        ports, host = self._profile.rtp_ports, way.local.host
        start = self._board.bits(16) % len(ports)
        if self._profile.advertised:
            # What the carrier sees is not an address of this machine.
            host = "::" if ":" in host else "0.0.0.0"
        chosen = chain(ports[start:], ports[:start])
        return open_stream(host, chosen, self._board.schedule, follows=self._profile.follows)

    def _report(self, outcome: SubmitOutcome) -> None:
        self._is_reported = True
        self._session.report([outcome])

    # Until the answer -----------------------------------------------------------------------------------------------

    async def _call(self, way: Way, stream: RtpStream, script: Script) -> None:
        call = Call(stream)
        invitation = invitation_from(self._parcel, self._profile, host=way.local.host, port=stream.local.port)
        leg = self._board.trunk.place(invitation, way, call.on_events)
        try:
            answer = await self._answer(call, leg)
            if isinstance(answer, Failed):
                self._fail(answer)
                return
            law = Law[answer.stream.codec.name]
            if law is not script.law:
                script = await self._script(law)
            await self._start(stream, answer, law)
            await self._speak(call, leg, script)
        finally:
            leg.hang_up()

    async def _answer(self, call: Call, leg: Leg[OutgoingCall]) -> Answered | Failed:
        """Let it ring for as long as it may, and no longer when all is to end."""
        ringing = asyncio.create_task(self._board.clock.sleep(self._profile.ring_s))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((call.answer, ringing, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ringing.cancel()
            stopping.cancel()
        if call.answer.done():
            return call.answer.result()
        leg.hang_up()
        answer = await call.answer
        if isinstance(answer, Answered):
            return Failed(487, None, None, "answered as it was given up", Party.LOCAL)
        return answer

    def _fail(self, failed: Failed) -> None:
        if self._stopping.is_set() and failed.by is Party.LOCAL:
            self._report(Deferred(self._parcel, 0, False, "stopped before it was answered"))
            return
        self._report(outcome_of(self._parcel, failed, self._profile))
        failure = failure_of(failed)
        if failure is Failure.CREDENTIALS:
            _log.error("the carrier refuses our credentials", carrier=self._board.name, status=failed.status)
        if failure is Failure.UNREACHABLE:
            raise Unreachable(described(failed, failure))

    # From the answer on ---------------------------------------------------------------------------------------------

    async def _start(self, stream: RtpStream, answer: Answered, law: Law) -> None:
        """Send silence, so that the way is open before we speak."""
        bits = self._board.bits
        stream.is_held = not answer.stream.sends
        with suppress(OSError):
            # Speech that has no place to go to is noticed as it is said.
            stream.move(await place_of(answer.stream.host, answer.stream.port))
        payload_type = answer.stream.payload_type
        stream.start(Outgoing(law, ssrc=bits(32), sequence=bits(16), timestamp=bits(32), payload_type=payload_type))

    async def _speak(self, call: Call, leg: Leg[OutgoingCall], script: Script) -> None:
        voicemail, call_id = self._profile.voicemail, leg.call.call_id
        is_machine = await self._is_machine(call)
        if is_machine and voicemail is Voicemail.RETRY:
            self._report(
                Deferred(self._parcel, self._profile.retry_s * 1_000, True, "answering machine", self._profile.tries)
            )
            return
        self._report(Submitted(self._parcel, call_id))
        why = "stopped"
        try:
            if is_machine and voicemail is Voicemail.HANG_UP:
                why = "answering machine"
            else:
                why = await say(call, script.octets, self._board.clock, silence_s=self._profile.silence_s)
        finally:
            leg.hang_up()
            heard_octets = 0 if why == NO_WAY else call.speech.said_octets
            state = state_after(heard_octets, script, self._profile.partial)
            receipt = receipt_of(self._parcel, call_id, state=state, error=why)
            stored = self._tell(receipt)
        while not await stored:
            await self._board.clock.sleep(REFUSED_WAIT_S)
            stored = self._tell(receipt)

    async def _is_machine(self, call: Call) -> bool:
        voicemail = self._profile.voicemail
        if voicemail is Voicemail.SPEAK:
            return False
        return await picked_up(call, self._board.clock, waits=voicemail is Voicemail.WAIT) is Answerer.MACHINE

    def _tell(self, receipt: Receipt) -> asyncio.Future[bool]:
        told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def stored(is_stored: bool) -> None:
            if not told.done():
                told.set_result(is_stored)

        self._session.receive([receipt], stored)
        return told
