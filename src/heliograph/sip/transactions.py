"""Transactions (RFC 3261 17, as corrected by RFC 6026): repeating until there is an answer, and answering repetitions.

Rules: each has a `deadline`; `on_time` at or after it does what is due. One that is over has none. Repetitions are the
same octets. Over TCP and TLS nothing is repeated, but for a 2xx, which is (13.3.1.4), since it crosses proxies.
"""

from typing import Final

from heliograph.sip.headers import Headers, every, first
from heliograph.sip.messages import Request, Response, cseq_of, via_of
from heliograph.sip.ways import Hop
from heliograph.sip.wire import MAX_FORWARDS, Wire

MOST_SERVERS: Final = 32
"""Answers of one call that are kept for repetitions; a peer that asks more in 32 s loses the oldest."""


def earliest(*deadlines: float | None) -> float | None:
    """The first of some deadlines; None when there is none."""
    return min((each for each in deadlines if each is not None), default=None)


class Repetition:
    """When to send again: after T1, then after twice as long each time, at most `longest`."""

    def __init__(self, first_s: float, *, longest: float, now: float) -> None:
        self._pause = first_s
        self._longest = longest
        self.due: float | None = now + first_s

    def is_due(self, now: float) -> bool:
        """Whether to send again; then the next pause begins."""
        if self.due is None or now < self.due:
            return False
        self._pause = min(self._pause * 2, self._longest)
        self.due = now + self._pause
        return True

    def slow_down(self, now: float) -> None:
        """The peer is alive: only the longest pauses from now on."""
        if self.due is not None:
            self._pause = self._longest
            self.due = now + self._longest

    def stop(self) -> None:
        """Send no more."""
        self.due = None


class ClientTransaction:
    """A request of ours and its answers, INVITE (17.1.1) or any other but ACK (17.1.2)."""

    def __init__(self, wire: Wire, request: Request, hop: Hop, *, now: float) -> None:
        self.request = request
        self.hop = hop
        self.branch = via_of(request).branch
        self.is_answered = False
        """Whether the final response has come, or there will be none."""
        self.is_provisional = False
        self._is_invite = request.method == "INVITE"
        self._wire = wire
        self._packet = wire.send(request, hop)
        timers = wire.timers
        # Timer A doubles without end, timer E up to T2.
        longest = timers.transaction if self._is_invite else timers.t2
        self._repetition = Repetition(timers.t1, longest=longest, now=now)
        if wire.is_reliable:
            self._repetition.stop()
        self._gives_up: float | None = now + timers.transaction
        self._lingers: float | None = None
        self._ack: Response | None = None

    @property
    def deadline(self) -> float | None:
        """When `on_time` has something to do; None once all is over, and while the peer works on an INVITE."""
        return earliest(self._repetition.due, self._gives_up, self._lingers)

    @property
    def is_done(self) -> bool:
        """Whether no answer can come any more that wants something of us."""
        return self.is_answered and self._lingers is None

    def receive(self, response: Response, *, now: float) -> bool:
        """Take an answer in. False: a repetition, dealt with."""
        if self.is_answered:
            if self._ack is not None and response.status >= 300:
                self._acknowledge(response)
            return False
        if response.status < 200:
            self.is_provisional = True
            if self._is_invite:
                self._repetition.stop()
                self._gives_up = None
            else:
                self._repetition.slow_down(now)
            return True
        self._finish()
        timers = self._wire.timers
        if self._is_invite and response.status >= 300:
            self._ack = response
            self._acknowledge(response)
            self._lingers = None if self._wire.is_reliable else now + timers.completed
        elif not self._is_invite:
            self._lingers = None if self._wire.is_reliable else now + timers.t4
        return True

    def _acknowledge(self, response: Response) -> None:
        """ACK for other answers than 2xx belongs to the transaction (17.1.1.3)."""
        request = self.request
        kept = [(name, value) for name, value in request.headers if name in ("From", "Call-ID", "Route")]
        headers: Headers = (
            ("Via", every(request.headers, "Via")[0]),
            ("Max-Forwards", MAX_FORWARDS),
            *kept,
            ("To", first(response.headers, "To") or ""),
            ("CSeq", f"{cseq_of(request).number} ACK"),
        )
        self._wire.send(Request(method="ACK", uri=request.uri, headers=headers), self.hop)

    def on_time(self, now: float) -> bool:
        """True once, when the peer has not answered in time."""
        if self._lingers is not None and now >= self._lingers:
            self._lingers = None
        if self._gives_up is not None and now >= self._gives_up:
            self._finish()
            return True
        if self._repetition.is_due(now):
            self._wire.repeat(self._packet)
        return False

    def give_up(self) -> None:
        """Wait for no answer any more."""
        self._finish()
        self._lingers = None

    def _finish(self) -> None:
        self.is_answered = True
        self._repetition.stop()
        self._gives_up = None


class ServerTransaction:
    """A request other than INVITE and ACK, already answered (17.2.2): the answer is repeated when the request is."""

    def __init__(self, wire: Wire, request: Request, response: Response, *, now: float) -> None:
        self.key = via_of(request).branch, cseq_of(request)
        self._wire = wire
        self._packet = wire.send(response, wire.answer_hop(request))
        self.deadline: float | None = None if wire.is_reliable else now + wire.timers.transaction

    @property
    def is_done(self) -> bool:
        """Whether no repetition can come any more."""
        return self.deadline is None

    def again(self) -> None:
        """The request came again."""
        self._wire.repeat(self._packet)

    def on_time(self, now: float) -> None:
        """Be over when it is time."""
        if self.deadline is not None and now >= self.deadline:
            self.deadline = None


class InviteServer:
    """An INVITE that came in (17.2.1), with the repetition of its 2xx (13.3.1.4) until it is acknowledged."""

    def __init__(self, wire: Wire, request: Request) -> None:
        self.request = request
        self.branch = via_of(request).branch
        self.number = cseq_of(request).number
        self.status = 0
        """Of our last answer."""
        self.is_acknowledged = False
        self._wire = wire
        self._repetition: Repetition | None = None
        self._gives_up: float | None = None
        self._lingers: float | None = None
        self._packet = wire.send(wire.respond(request, 100), wire.answer_hop(request))

    @property
    def is_waiting(self) -> bool:
        """Whether the final answer is given and its ACK not come."""
        return self._gives_up is not None

    @property
    def deadline(self) -> float | None:
        """See ClientTransaction."""
        return earliest(self._repetition.due if self._repetition else None, self._gives_up, self._lingers)

    @property
    def is_done(self) -> bool:
        """Whether it is answered, and neither ACK nor repetition can come any more."""
        return self.status >= 200 and self._gives_up is None and self._lingers is None

    def respond(self, response: Response, *, now: float) -> None:
        """Send an answer; a final one is repeated until the ACK comes."""
        self._packet = self._wire.send(response, self._wire.answer_hop(self.request))
        self.status = response.status
        if response.status < 200:
            return
        timers = self._wire.timers
        self._repetition = Repetition(timers.t1, longest=timers.t2, now=now)
        if self._wire.is_reliable and response.status >= 300:
            self._repetition.stop()
        self._gives_up = now + timers.transaction

    def again(self) -> None:
        """The INVITE came again."""
        if not self.is_acknowledged:
            self._wire.repeat(self._packet)

    def acknowledged(self, *, now: float) -> bool:
        """The ACK came. False: it came again."""
        if self.is_acknowledged or self.status < 200:
            return False
        self.is_acknowledged = True
        self._stop()
        self._lingers = None if self._wire.is_reliable else now + self._wire.timers.t4
        return True

    def on_time(self, now: float) -> bool:
        """True once, when no ACK came in time."""
        if self._lingers is not None and now >= self._lingers:
            self._lingers = None
        if self._gives_up is not None and now >= self._gives_up:
            self._stop()
            return True
        if self._repetition is not None and self._repetition.is_due(now):
            self._wire.repeat(self._packet)
        return False

    def abandon(self) -> None:
        """Wait for nothing any more."""
        self.status = self.status if self.status >= 200 else 487
        self._lingers = None
        self._stop()

    def _stop(self) -> None:
        self._gives_up = None
        self._repetition = None


class Transactions:
    """Those of one call that are not over, but for the INVITE that came in."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._clients: list[ClientTransaction] = []
        self._servers: list[ServerTransaction] = []

    @property
    def deadline(self) -> float | None:
        """The first of all."""
        return earliest(*(each.deadline for each in self._clients), *(each.deadline for each in self._servers))

    @property
    def is_done(self) -> bool:
        """Whether none is left."""
        return all(each.is_done for each in self._clients) and all(each.is_done for each in self._servers)

    def ask(self, request: Request, hop: Hop, *, now: float) -> ClientTransaction:
        """Send a request of ours."""
        transaction = ClientTransaction(self._wire, request, hop, now=now)
        self._clients.append(transaction)
        return transaction

    def answer(self, request: Request, status: int, *, now: float, headers: Headers = (), body: bytes = b"") -> None:
        """Answer a request other than INVITE and ACK for good."""
        response = self._wire.respond(request, status, headers=headers, body=body)
        self._servers.append(ServerTransaction(self._wire, request, response, now=now))
        del self._servers[:-MOST_SERVERS]
        self._tidy()

    def is_repetition(self, request: Request) -> bool:
        """Whether a request was answered before; if so it is now answered again."""
        key = via_of(request).branch, cseq_of(request)
        transaction = next((each for each in self._servers if each.key == key), None)
        if transaction is not None:
            transaction.again()
        return transaction is not None

    def asked(self, response: Response) -> ClientTransaction | None:
        """The request of ours that a response answers."""
        key = via_of(response).branch, cseq_of(response).method
        return next((each for each in self._clients if (each.branch, each.request.method) == key), None)

    def on_time(self, now: float) -> list[ClientTransaction]:
        """Do what is due, and return the requests that the peer did not answer in time."""
        unanswered = [each for each in self._clients if each.on_time(now)]
        for each in self._servers:
            each.on_time(now)
        self._tidy()
        return unanswered

    def abandon(self) -> None:
        """Forget all of them."""
        for each in self._clients:
            each.give_up()
        self._clients.clear()
        self._servers.clear()

    def _tidy(self) -> None:
        self._clients = [each for each in self._clients if not each.is_done]
        self._servers = [each for each in self._servers if not each.is_done]
