"""A call that we place: messages in, events out, with time as an argument.

    call = OutgoingCall(invitation, way=way, seed=secrets.token_bytes(16), now=now)
    send(call.packets_to_send())
    for event in call.receive(message, now=now): ...
    for event in call.on_time(now): ...          # at call.deadline

Rules
- An answer leads to an ACK, always; to more than that only when it is the first and still wanted. A second phone that
  answers (a fork), and one that answers while we give up, is told BYE.
- A 3xx is a failure: whoever follows it lets the peer choose whom we pay for.
- Nothing that a peer sends makes the machine raise.
"""

from dataclasses import dataclass

from heliograph.sip.dialogs import Dialog
from heliograph.sip.digest import Credentials, Proofs
from heliograph.sip.errors import SdpError
from heliograph.sip.events import Answered, CallEvent, EarlyMedia, Failed, Party, Ringing
from heliograph.sip.forks import Forks
from heliograph.sip.headers import Header, Headers
from heliograph.sip.messages import Message, Request, Response, cseq_of, tag_of, via_of
from heliograph.sip.reasons import cause_of, reason_headers, retry_after_of, text_of
from heliograph.sip.sdp import Media, Stream, stream_of_answer
from heliograph.sip.talk import SDP_HEADERS, Description, Talk, proved, say_bye
from heliograph.sip.timers import USUAL_TIMERS, Timers
from heliograph.sip.transactions import Transactions, earliest
from heliograph.sip.uris import NameAddr, SipUri
from heliograph.sip.ways import Packet, Way
from heliograph.sip.wire import ALLOW, MAX_FORWARDS, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Whom to call, as whom, with what.

    called: Request-URI and To. caller: From, without a tag. headers: further ones for the INVITE, such as
    P-Asserted-Identity.
    """

    called: SipUri
    caller: NameAddr
    media: Media
    credentials: Credentials | None = None
    headers: tuple[tuple[str, str], ...] = ()
    user_agent: str = "Heliograph"


class OutgoingCall:
    """One call. seed: at least 16 random octets, from which all ids of the call are made."""

    def __init__(
        self, invitation: Invitation, *, way: Way, seed: bytes, now: float, timers: Timers = USUAL_TIMERS
    ) -> None:
        self._wire = Wire(way, seed=seed, timers=timers)
        ids = self._wire.ids
        self.call_id = f"{ids.next()}{ids.next()}"
        self._description = Description(invitation.media, ids.number())
        self._proofs = Proofs(invitation.credentials, ids.next)
        self._contact = self._wire.contact(invitation.caller.uri.user, scheme=invitation.called.scheme)
        self._transactions = Transactions(self._wire)
        body = self._description.offer()
        invite = _first_invite(invitation, self._wire, call_id=self.call_id, contact=self._contact, body=body)
        self._invite = self._transactions.ask(invite, way.remote, now=now)
        self._forks = Forks(self._wire, self._transactions, self._proofs)
        self._early_stream: Stream | None = None
        self._talk: Talk | None = None
        self._has_failed = False
        self._gives_up = False
        self._cause: int | None = None
        self._cancel_ends: float | None = None
        self._forks_end: float | None = None

    @property
    def is_answered(self) -> bool:
        """Whether there was an answer that we took."""
        return self._talk is not None

    @property
    def is_over(self) -> bool:
        """Whether `Failed` or `Ended` was reported."""
        return self._has_failed or (self._talk is not None and self._talk.is_over)

    @property
    def is_done(self) -> bool:
        """Whether nothing can come of the call any more, repetitions included: forget it."""
        return (
            self.is_over
            and self._transactions.is_done
            and self._forks_end is None
            and (self._talk is None or self._talk.is_done)
        )

    @property
    def deadline(self) -> float | None:
        """When to call `on_time`; every other call may move it."""
        talk = self._talk.deadline if self._talk else None
        return earliest(self._transactions.deadline, talk, self._cancel_ends, self._forks_end)

    def takes(self, message: Message) -> bool:
        """Whether a message under our Call-ID belongs to this call."""
        return tag_of(message, "From" if isinstance(message, Response) else "To") == self._wire.tag

    def packets_to_send(self) -> list[Packet]:
        """Everything to be sent since the last call, in order."""
        return self._wire.drained()

    def hang_up(self, *, now: float, cause: int | None = None) -> list[CallEvent]:
        """Answered: say BYE, `Ended` is returned at once. Else give up: `Failed` comes when the peer has agreed, at the
        latest 64 × T1 after it said anything. A second call changes nothing. cause: Q.850, told to the peer."""
        if self._talk is not None:
            return self._talk.hang_up(now=now, cause=cause)
        if not self._gives_up and not self._has_failed:
            self._gives_up, self._cause = True, cause
            if self._invite.is_provisional:
                self._cancel(now=now)
        return []

    def lost(self, reason: str) -> list[CallEvent]:
        """The connection, or the way to the peer, is gone: the call ends, and is done."""
        self._transactions.abandon()
        self._forks_end = None
        if self._talk is not None:
            return self._talk.lost(reason)
        return self._failed(503, reason, by=Party.NETWORK)

    def on_time(self, now: float) -> list[CallEvent]:
        """Do what time demands; early calls do nothing."""
        events: list[CallEvent] = []
        if any(each is self._invite for each in self._transactions.on_time(now)):
            events += self._failed(408, "nobody answered", by=Party.NETWORK)
        if self._cancel_ends is not None and now >= self._cancel_ends:
            self._invite.give_up()
            events += self._failed(487, "the peer said nothing to our giving up", by=Party.LOCAL)
        if self._forks_end is not None and now >= self._forks_end:
            self._forks_end = None
        if self._talk is not None:
            events += self._talk.on_time(now)
        return events

    def receive(self, message: Message, *, now: float) -> list[CallEvent]:
        """Take a message in; one that fits nothing is answered as the standard says, or dropped."""
        if isinstance(message, Request):
            return self._take_request(message, now=now)
        transaction = self._transactions.asked(message)
        is_new = transaction is not None and transaction.receive(message, now=now)
        if cseq_of(message).method == "INVITE" and 200 <= message.status < 300:
            return self._accepted(message, now=now)
        if transaction is None or not is_new:
            return []
        if transaction is self._invite:
            return self._progressed(message, now=now) if message.status < 200 else self._refused(message, now=now)
        if transaction.request.method == "BYE" and self._proofs.challenged(message):
            bye = proved(self._wire, transaction.request, self._proofs)
            self._transactions.ask(bye, transaction.hop, now=now)
        return []

    def _take_request(self, request: Request, *, now: float) -> list[CallEvent]:
        if self._talk is not None:
            return self._talk.take(request, now=now)
        if request.method != "ACK" and not self._transactions.is_repetition(request):
            self._transactions.answer(request, 481, now=now)
        return []

    def _progressed(self, response: Response, *, now: float) -> list[CallEvent]:
        if not self._forks.is_news(response, invite=self._invite, now=now):
            return []
        if self._gives_up:
            if self._cancel_ends is None:
                self._cancel(now=now)
            return []
        events: list[CallEvent] = [Ringing(response.status)] if response.status > 100 else []
        try:
            stream = stream_of_answer(response.body, self._description.media) if response.body else None
        except SdpError:
            return events
        if stream is not None and stream != self._early_stream:
            self._early_stream = stream
            events.append(EarlyMedia(stream))
        return events

    def _refused(self, response: Response, *, now: float) -> list[CallEvent]:
        if not self._gives_up and self._proofs.challenged(response):
            invite = proved(self._wire, self._invite.request, self._proofs)
            self._invite = self._transactions.ask(invite, self._invite.hop, now=now)
            return []
        by = Party.LOCAL if self._gives_up else Party.REMOTE
        return self._failed(response.status, text_of(response) or response.phrase, by=by, response=response)

    def _accepted(self, response: Response, *, now: float) -> list[CallEvent]:
        if via_of(response).branch != self._invite.branch or cseq_of(response) != cseq_of(self._invite.request):
            return []
        dialog = self._forks.acknowledge(response, invite=self._invite)
        if dialog is None:
            return []
        self._forks_end = now + self._wire.timers.transaction if self._forks_end is None else self._forks_end
        if self._talk is not None or self._has_failed or self._gives_up:
            self._bye(dialog, now=now)
            return [] if self._talk is not None else self._failed(487, "answered while given up", by=Party.LOCAL)
        try:
            stream = self._stream_of(response)
        except SdpError as error:
            self._bye(dialog, now=now)
            return self._failed(error.status, str(error), by=Party.REMOTE)
        self._talk = Talk(
            self._wire,
            dialog,
            transactions=self._transactions,
            description=self._description,
            contact=self._contact,
            proofs=self._proofs,
        )
        self._talk.stream = stream
        return [Answered(stream)]

    def _stream_of(self, response: Response) -> Stream:
        """Some peers describe their sound once, in the provisional answer."""
        if not response.body and self._early_stream is not None:
            return self._early_stream
        return stream_of_answer(response.body, self._description.media)

    def _bye(self, dialog: Dialog, *, now: float) -> None:
        say_bye(self._wire, dialog, self._transactions, proofs=self._proofs, cause=self._cause, now=now)

    def _cancel(self, *, now: float) -> None:
        cancel = _cancel_of(self._invite.request, cause=self._cause)
        self._transactions.ask(cancel, self._invite.hop, now=now)
        self._cancel_ends = now + self._wire.timers.transaction

    def _failed(self, status: int, reason: str, *, by: Party, response: Response | None = None) -> list[CallEvent]:
        self._cancel_ends = None
        if self._has_failed:
            return []
        self._has_failed = True
        if self._gives_up and by is Party.NETWORK:
            status, by = 487, Party.LOCAL
        cause, retry_after_s = (cause_of(response), retry_after_of(response)) if response else (None, None)
        return [Failed(status, cause, retry_after_s, reason, by)]


def _first_invite(invitation: Invitation, wire: Wire, *, call_id: str, contact: Header, body: bytes) -> Request:
    headers: Headers = (
        wire.via(wire.new_branch()),
        ("CSeq", "1 INVITE"),
        ("Max-Forwards", MAX_FORWARDS),
        ("From", f"{invitation.caller};tag={wire.tag}"),
        ("To", f"<{invitation.called}>"),
        ("Call-ID", call_id),
        contact,
        ("Allow", ALLOW),
        ("User-Agent", invitation.user_agent),
        *invitation.headers,
        *SDP_HEADERS,
    )
    return Request(method="INVITE", uri=str(invitation.called), headers=headers, body=body)


def _cancel_of(invite: Request, *, cause: int | None) -> Request:
    """CANCEL is the INVITE's twin: same branch, same number (9.1)."""
    kept = ("Via", "Max-Forwards", "From", "To", "Call-ID", "Route")
    headers: Headers = (
        *(header for header in invite.headers if header[0] in kept),
        ("CSeq", f"{cseq_of(invite).number} CANCEL"),
        *reason_headers(cause),
    )
    return Request(method="CANCEL", uri=invite.uri, headers=headers)
