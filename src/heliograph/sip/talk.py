"""An answered call, the same for both ends: who hangs up, and what the peer asks for meanwhile."""

from heliograph.sip.admission import CAPABILITIES, objection
from heliograph.sip.dialogs import PROOF_HEADERS, Dialog
from heliograph.sip.digest import Proofs
from heliograph.sip.errors import SdpError
from heliograph.sip.events import CallEvent, Ended, MediaMoved, Party
from heliograph.sip.headers import Headers
from heliograph.sip.messages import Request, cseq_of, via_of
from heliograph.sip.reasons import cause_of, reason_headers, text_of
from heliograph.sip.sdp import CONTENT_TYPE, Media, Stream, answer, offer, stream_of_answer
from heliograph.sip.transactions import InviteServer, Transactions
from heliograph.sip.wire import Wire

SDP_HEADERS: Headers = (("Content-Type", CONTENT_TYPE),)


class Description:
    """Our side of the session as the peer is told of it: each telling has the next version (RFC 3264 5 and 8)."""

    def __init__(self, media: Media, session_id: int) -> None:
        self.media = media
        self._session_id = session_id
        self._version = 0

    def offer(self) -> bytes:
        """Offer what we have."""
        self._version += 1
        return offer(self.media, session_id=self._session_id, version=self._version)

    def answer(self, body: bytes) -> tuple[bytes, Stream]:
        """Answer an offer; SdpError when nothing in it suits us."""
        self._version += 1
        return answer(body, self.media, session_id=self._session_id, version=self._version)


def proved(wire: Wire, request: Request, proofs: Proofs) -> Request:
    """A request that was challenged, made anew: next number, a branch of its own, and the proofs asked for (22.2)."""
    kept = [header for header in request.headers if header[0] not in ("Via", "CSeq", *PROOF_HEADERS)]
    number = cseq_of(request).number + 1
    headers: Headers = (
        wire.via(wire.new_branch()),
        ("CSeq", f"{number} {request.method}"),
        *kept,
        *proofs.headers(request.method, request.uri, request.body),
    )
    return Request(method=request.method, uri=request.uri, headers=headers, body=request.body)


class Talk:
    """contact: our Contact header. The owner hands over what belongs to the dialog and calls `on_time`."""

    def __init__(
        self,
        wire: Wire,
        dialog: Dialog,
        *,
        transactions: Transactions,
        description: Description,
        contact: tuple[str, str],
        proofs: Proofs,
    ) -> None:
        self.dialog = dialog
        self.stream: Stream | None = None
        self.is_over = False
        self._wire = wire
        self._transactions = transactions
        self._description = description
        self._contact = contact
        self._proofs = proofs
        self._invited: InviteServer | None = None
        self._offered = False

    @property
    def deadline(self) -> float | None:
        """Of what is not among the transactions."""
        return self._invited.deadline if self._invited else None

    @property
    def is_done(self) -> bool:
        """Whether no INVITE of the peer is open."""
        return self._invited is None or self._invited.is_done

    def hang_up(
        self, *, now: float, cause: int | None = None, by: Party = Party.LOCAL, reason: str = ""
    ) -> list[CallEvent]:
        """Say BYE, unless the call is over."""
        if self.is_over:
            return []
        self.is_over = True
        say_bye(self._wire, self.dialog, self._transactions, proofs=self._proofs, cause=cause, now=now)
        return [Ended(by, cause, reason)]

    def lost(self, reason: str) -> list[CallEvent]:
        """The way to the peer is gone."""
        self._invited = None
        if self.is_over:
            return []
        self.is_over = True
        return [Ended(Party.NETWORK, None, reason)]

    def on_time(self, now: float) -> list[CallEvent]:
        """Repeat, and give a peer up that acknowledges nothing (14.2)."""
        if self._invited is not None and self._invited.on_time(now):
            return self.hang_up(now=now, by=Party.NETWORK, reason="an answer was never acknowledged")
        return []

    def take(self, request: Request, *, now: float) -> list[CallEvent]:
        """A request of the peer within the call."""
        if request.method == "ACK":
            return self._acknowledged(request, now=now)
        if self._invited is not None and via_of(request).branch == self._invited.branch and request.method == "INVITE":
            self._invited.again()
            return []
        if self._transactions.is_repetition(request):
            return []
        if request.method == "BYE":
            return self._ended(request, now=now)
        if request.method == "CANCEL":
            # What could be cancelled here was answered at once.
            status = 200 if self._invited and via_of(request).branch == self._invited.branch else 481
            self._transactions.answer(request, status, now=now)
            return []
        return self._asked(request, now=now)

    def _ended(self, request: Request, *, now: float) -> list[CallEvent]:
        """BYE is taken whatever its number: refusing it would keep a line busy for nobody."""
        self._transactions.answer(request, 200, now=now)
        if self.is_over:
            return []
        self.is_over = True
        return [Ended(Party.REMOTE, cause_of(request), text_of(request))]

    def _asked(self, request: Request, *, now: float) -> list[CallEvent]:
        number, last = cseq_of(request).number, self.dialog.peer_number
        against = objection(request)
        if self.is_over:
            self._refuse(request, 481, now=now)
        elif last is not None and number <= last:
            self._refuse(request, 500, now=now, headers=(("Retry-After", "0"),))
        elif against is not None:
            self.dialog.peer_number = number
            self._refuse(request, against.status, now=now, headers=against.headers)
        elif request.method == "INVITE":
            self.dialog.peer_number = number
            return self._reinvited(request, now=now)
        else:
            self.dialog.peer_number = number
            self._transactions.answer(request, 200, now=now, headers=CAPABILITIES)
        return []

    def _refuse(self, request: Request, status: int, *, now: float, headers: Headers = ()) -> None:
        if request.method != "INVITE":
            self._transactions.answer(request, status, now=now, headers=headers)
        elif self._invited is None or not self._invited.is_waiting:
            self._invited = InviteServer(self._wire, request)
            self._invited.respond(self._wire.respond(request, status, headers=headers), now=now)
        else:
            # Another INVITE of the peer is open, and stays the one that is remembered.
            self._wire.send(self._wire.respond(request, status, headers=headers), self._wire.answer_hop(request))

    def _reinvited(self, request: Request, *, now: float) -> list[CallEvent]:
        """The peer moves its sound, holds the call, or only asks whether we live (14.2)."""
        if self._invited is not None and self._invited.is_waiting:
            self._refuse(request, 491, now=now)
            return []
        try:
            body, stream = self._description.answer(request.body) if request.body else (self._description.offer(), None)
        except SdpError as error:
            self._refuse(request, error.status, now=now)
            return []
        self.dialog.refresh(request)
        self._offered = stream is None
        self._invited = InviteServer(self._wire, request)
        headers = (self._contact, ("Allow", CAPABILITIES[0][1]), *SDP_HEADERS)
        self._invited.respond(self._wire.respond(request, 200, headers=headers, body=body), now=now)
        return self._moved(stream)

    def _acknowledged(self, request: Request, *, now: float) -> list[CallEvent]:
        invited = self._invited
        if invited is None or cseq_of(request).number != invited.number or not invited.acknowledged(now=now):
            return []
        if not self._offered or invited.status >= 300:
            return []
        try:
            return self._moved(stream_of_answer(request.body, self._description.media))
        except SdpError as error:
            return self.hang_up(now=now, by=Party.NETWORK, reason=str(error))

    def _moved(self, stream: Stream | None) -> list[CallEvent]:
        if stream is None or stream == self.stream or self.is_over:
            return []
        self.stream = stream
        return [MediaMoved(stream)]


def say_bye(
    wire: Wire, dialog: Dialog, transactions: Transactions, *, proofs: Proofs, now: float, cause: int | None = None
) -> None:
    """End a dialog."""
    proofs.fresh()
    headers = (*proofs.headers("BYE", dialog.target), *reason_headers(cause))
    transactions.ask(dialog.request(wire, "BYE", headers=headers), dialog.hop, now=now)
