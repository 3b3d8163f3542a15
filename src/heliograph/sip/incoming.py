"""A call that comes in: for the sandbox's phone, and the other end of our tests. The same habit as `outgoing`."""

from heliograph.sip.dialogs import dialog_as_called
from heliograph.sip.digest import Proofs
from heliograph.sip.errors import LocalProtocolError, SdpError
from heliograph.sip.events import Answered, CallEvent, Failed, Party
from heliograph.sip.headers import Headers, first
from heliograph.sip.messages import Message, Request, Response, call_id_of, cseq_of, tag_of, via_of
from heliograph.sip.reasons import cause_of, reason_headers, text_of
from heliograph.sip.sdp import Media, Stream, stream_of_answer
from heliograph.sip.talk import SDP_HEADERS, Description, Talk
from heliograph.sip.timers import USUAL_TIMERS, Timers
from heliograph.sip.transactions import InviteServer, Transactions, earliest
from heliograph.sip.uris import NameAddr, SipUri, read_name_addr, read_uri
from heliograph.sip.ways import Packet, Way
from heliograph.sip.wire import ALLOW, Wire


class _Agreement:
    """What sound there will be, while the call is not answered. offered: the caller's description, if it made one."""

    def __init__(self, offered: bytes, session_id: int) -> None:
        self.stream: Stream | None = None
        self._offered = offered
        self._session_id = session_id
        self._described: tuple[bytes, Description] | None = None

    def describe(self, media: Media) -> tuple[bytes, Description]:
        """Our answer to the offer, or an offer when there was none; told again it is the same. Raises SdpError."""
        if self._described is None or self._described[1].media != media:
            description = Description(media, self._session_id)
            if self._offered:
                body, self.stream = description.answer(self._offered)
            else:
                body = description.offer()
            self._described = body, description
        return self._described

    def stream_with(self, ack: Request) -> Stream:
        """What was agreed on, at the latest in the ACK. Raises SdpError."""
        if self.stream is None and self._described is not None:
            self.stream = stream_of_answer(ack.body, self._described[1].media)
        if self.stream is None:
            raise SdpError("nothing was offered", 488)
        return self.stream


class IncomingCall:
    """One call. 100 is said at once; the owner then calls `ring`, `answer` or `refuse`.

    invite: as it came, `stamped` over UDP, with nothing in it that `admission.objection` is against. MessageError when
    its addresses cannot be read. Events: `Answered` when the caller acknowledged our answer, then `Ended`; `Failed`
    when it gave up before (487, REMOTE) or never acknowledged (408, NETWORK). A refusal of ours is not reported.
    """

    def __init__(self, invite: Request, *, way: Way, seed: bytes, timers: Timers = USUAL_TIMERS) -> None:
        self.invite = invite
        self.call_id = call_id_of(invite)
        self.called: SipUri = read_uri(invite.uri)
        self.caller: NameAddr = read_name_addr(first(invite.headers, "From") or "")
        self._wire = Wire(way, seed=seed, timers=timers)
        self._contact = self._wire.contact(self.called.user)
        self._transactions = Transactions(self._wire)
        self._server = InviteServer(self._wire, invite)
        self._agreement = _Agreement(invite.body, self._wire.ids.number())
        self._talk: Talk | None = None
        self._is_confirmed = False
        self._is_over = False
        self._hangs_up = False
        self._cause: int | None = None

    @property
    def is_answered(self) -> bool:
        """Whether our answer was acknowledged."""
        return self._is_confirmed

    @property
    def _has_ended(self) -> bool:
        """Whether it ended, was refused or given up."""
        return self._is_over or (self._talk is not None and self._talk.is_over)

    @property
    def is_done(self) -> bool:
        """Whether nothing can come of the call any more, repetitions included: forget it."""
        is_quiet = self._server.is_done and self._transactions.is_done
        return self._has_ended and is_quiet and (self._talk is None or self._talk.is_done)

    @property
    def deadline(self) -> float | None:
        """When to call `on_time`; every other call may move it."""
        talk = self._talk.deadline if self._talk else None
        return earliest(self._server.deadline, self._transactions.deadline, talk)

    def takes(self, message: Message) -> bool:
        """Whether a message under our Call-ID belongs to this call."""
        if isinstance(message, Response):
            return tag_of(message, "From") == self._wire.tag
        return via_of(message).branch == self._server.branch or tag_of(message, "To") == self._wire.tag

    def packets_to_send(self) -> list[Packet]:
        """Everything to be sent since the last call, in order."""
        return self._wire.drained()

    def ring(self, *, now: float, status: int = 180, media: Media | None = None) -> None:
        """Say that it rings. media: sound comes before the answer, and its description goes along."""
        if self._server.status >= 200:
            return
        headers: Headers = (self._contact,)
        body = b""
        if media is not None:
            body, _ = self._agreement.describe(media)
            headers += SDP_HEADERS
        self._server.respond(self._wire.respond(self.invite, status, headers=headers, body=body), now=now)

    def answer(self, media: Media, *, now: float) -> None:
        """Say 200. Raises SdpError, after a 488, when there is no codec in common. Too late, it does nothing."""
        if self._server.status >= 200:
            return
        try:
            body, description = self._agreement.describe(media)
        except SdpError as error:
            self.refuse(error.status, now=now)
            raise
        wire = self._wire
        self._talk = Talk(
            wire,
            dialog_as_called(self.invite, tag=wire.tag, hop=wire.way.remote),
            transactions=self._transactions,
            description=description,
            contact=self._contact,
            proofs=Proofs(None, wire.ids.next),
        )
        self._talk.stream = self._agreement.stream
        headers: Headers = (self._contact, ("Allow", ALLOW), *SDP_HEADERS)
        self._server.respond(wire.respond(self.invite, 200, headers=headers, body=body), now=now)

    def refuse(self, status: int, *, now: float, cause: int | None = None, headers: Headers = ()) -> None:
        """Say no, with 300 to 699; too late, it does nothing. headers: further ones (Retry-After, Contact …)."""
        if not 300 <= status < 700:
            raise LocalProtocolError("a call is refused with a status of 300 to 699")
        if self._server.status < 200:
            self._is_over = True
            response = self._wire.respond(self.invite, status, headers=(*reason_headers(cause), *headers))
            self._server.respond(response, now=now)

    def hang_up(self, *, now: float, cause: int | None = None) -> list[CallEvent]:
        """Answered: BYE, once the answer is acknowledged (15). Not yet answered: 480."""
        if self._talk is None:
            self.refuse(480, now=now, cause=cause)
            return []
        if self._is_confirmed:
            return self._talk.hang_up(now=now, cause=cause)
        self._hangs_up, self._cause = True, cause
        return []

    def lost(self, reason: str) -> list[CallEvent]:
        """The connection is gone: the call ends, and is done."""
        self._transactions.abandon()
        self._server.abandon()
        if self._is_confirmed and self._talk is not None:
            return self._talk.lost(reason)
        return self._failed(503, reason, by=Party.NETWORK)

    def on_time(self, now: float) -> list[CallEvent]:
        """Do what time demands; early calls do nothing."""
        self._transactions.on_time(now)
        events = self._talk.on_time(now) if self._talk is not None else []
        if self._server.on_time(now) and self._talk is not None and not self._is_confirmed and not self._has_ended:
            self._talk.hang_up(now=now)
            events += self._failed(408, "the answer was never acknowledged", by=Party.NETWORK)
        return events

    def receive(self, message: Message, *, now: float) -> list[CallEvent]:
        """Take a message in; one that fits nothing is answered as the standard says, or dropped."""
        if isinstance(message, Response):
            transaction = self._transactions.asked(message)
            if transaction is not None:
                transaction.receive(message, now=now)
            return []
        if message.method == "ACK" and cseq_of(message).number == self._server.number:
            return self._acknowledged(message, now=now)
        if via_of(message).branch == self._server.branch and message.method in ("INVITE", "CANCEL"):
            return self._take_twin(message, now=now)
        if self._talk is not None:
            return self._take_in_dialog(self._talk, message, now=now)
        return self._take_early(message, now=now)

    def _acknowledged(self, ack: Request, *, now: float) -> list[CallEvent]:
        if not self._server.acknowledged(now=now) or self._talk is None or self._has_ended or self._is_confirmed:
            return []
        try:
            stream = self._agreement.stream_with(ack)
        except SdpError as error:
            self._talk.hang_up(now=now)
            return self._failed(error.status, str(error), by=Party.REMOTE)
        self._is_confirmed = True
        self._talk.stream = stream
        ended = self._talk.hang_up(now=now, cause=self._cause) if self._hangs_up else []
        return [Answered(stream), *ended]

    def _take_twin(self, request: Request, *, now: float) -> list[CallEvent]:
        """The INVITE again, or its CANCEL (9.2)."""
        if request.method == "INVITE":
            self._server.again()
            return []
        if self._transactions.is_repetition(request):
            return []
        self._transactions.answer(request, 200, now=now)
        return self._given_up(request, now=now)

    def _given_up(self, request: Request, *, now: float) -> list[CallEvent]:
        if self._server.status >= 200:
            return []
        self._server.respond(self._wire.respond(self.invite, 487), now=now)
        return self._failed(487, text_of(request) or "the caller gave up", by=Party.REMOTE, cause=cause_of(request))

    def _take_in_dialog(self, talk: Talk, request: Request, *, now: float) -> list[CallEvent]:
        """A BYE that overtakes the ACK stands for it."""
        if request.method != "BYE" or self._is_confirmed or self._has_ended:
            return talk.take(request, now=now)
        self._server.acknowledged(now=now)
        came = talk.take(request, now=now)
        if self._agreement.stream is None:
            return self._failed(487, "the caller gave up", by=Party.REMOTE, cause=cause_of(request))
        self._is_confirmed = True
        return [Answered(self._agreement.stream), *came]

    def _take_early(self, request: Request, *, now: float) -> list[CallEvent]:
        if request.method == "ACK" or self._transactions.is_repetition(request):
            return []
        if request.method == "BYE" and not self._has_ended:
            self._transactions.answer(request, 200, now=now)
            return self._given_up(request, now=now)
        self._transactions.answer(request, 481, now=now)
        return []

    def _failed(self, status: int, reason: str, *, by: Party, cause: int | None = None) -> list[CallEvent]:
        if self._is_over:
            return []
        self._is_over = True
        return [Failed(status, cause, None, reason, by)]
