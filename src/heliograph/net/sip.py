"""The socket shell over the call machines: one UDP socket, or TCP or TLS connections, for many calls.

Messages find their call by Call-ID and tag, which nobody can guess. What belongs to no call is dropped, but for what a
peer may ask for: OPTIONS (200), INVITE (asked of `on_invite`), requests of calls that we do not know (481). Where we
call a carrier, only that carrier may ask. Owners are called on the event loop and must not wait.
"""

import asyncio
import secrets
import ssl
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from heliograph.net.clock import Clock
from heliograph.net.sip_links import DatagramLink, Link, StreamLink, local_host
from heliograph.sip.admission import CAPABILITIES, objection
from heliograph.sip.errors import LocalProtocolError, MessageError
from heliograph.sip.events import CallEvent
from heliograph.sip.headers import Headers
from heliograph.sip.incoming import IncomingCall
from heliograph.sip.messages import Request, call_id_of, read, response_to, stamped, tag_of, via_of, write
from heliograph.sip.outgoing import OutgoingCall
from heliograph.sip.timers import USUAL_TIMERS, Timers
from heliograph.sip.ways import Hop, Packet, Transport, Way

MOST_CALLS = 2_000
"""Calls of one exchange at once; further ones that come in are told 503."""

CallT = TypeVar("CallT", OutgoingCall, IncomingCall)

OnEvents: TypeAlias = Callable[[list[CallEvent]], None]


class Leg(Generic[CallT]):
    """A call with a socket. After anything is asked of `call`, call `flush`; `hang_up` does so itself."""

    def __init__(self, exchange: "Exchange", call: CallT, link: Link) -> None:
        self.call: CallT = call
        self.link = link
        self.on_events: OnEvents = lambda _: None
        self._exchange = exchange
        self._timer: asyncio.TimerHandle | None = None

    def now(self) -> float:
        """The time to give to the call's methods."""
        return self._exchange.now()

    def flush(self) -> None:
        """Send what the call has to say, and wake when it next wants to be."""
        for packet in self.call.packets_to_send():
            self.link.send(packet)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.call.deadline
        if self.call.is_done:
            self._exchange.forget(self)
        elif deadline is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(loop.time() + deadline - self.now(), self._ring)

    def hang_up(self, *, cause: int | None = None) -> None:
        """See the call's `hang_up`; what it reports goes to the owner before this returns."""
        self.tell(self.call.hang_up(now=self.now(), cause=cause))

    def lost(self, reason: str) -> None:
        """The way to the peer is gone."""
        self.tell(self.call.lost(reason))

    def tell(self, events: list[CallEvent]) -> None:
        """Send what the call says, then tell the owner what happened."""
        self.flush()
        if events:
            self.on_events(events)

    def _ring(self) -> None:
        self._timer = None
        self.tell(self.call.on_time(self.now()))


AnyLeg: TypeAlias = Leg[OutgoingCall] | Leg[IncomingCall]

OnInvite: TypeAlias = Callable[[Leg[IncomingCall]], OnEvents | None]
"""Told of a new call; returns who is told what happens to it, or None to have it refused with 486."""


class Exchange:
    """All calls that share a socket, or come and go over connections. dropped: messages that belonged nowhere."""

    def __init__(
        self, transport: Transport, *, clock: Clock, timers: Timers, on_invite: OnInvite | None = None
    ) -> None:
        self.transport = transport
        self.local = Hop("", 0)
        """Where peers reach us."""
        self.dropped = 0
        self.askers: set[str] | None = None
        """The hosts that alone may ask for anything outside of a call; None: all."""
        self.timers = timers
        self._clock = clock
        self._on_invite = on_invite
        self._legs: dict[str, list[AnyLeg]] = {}
        self._links: dict[Link, StreamLink] = {}
        self._server: asyncio.Server | asyncio.DatagramTransport | None = None

    @property
    def legs(self) -> list[AnyLeg]:
        """All calls that are not done."""
        return [leg for legs in self._legs.values() for leg in legs]

    def now(self) -> float:
        """The clock of all timers."""
        return self._clock.monotonic()

    def keep(self, leg: AnyLeg) -> None:
        """A new call: messages find it from now on."""
        self._legs.setdefault(leg.call.call_id, []).append(leg)

    def forget(self, leg: AnyLeg) -> None:
        """Nothing comes of a call any more."""
        legs = self._legs.get(leg.call.call_id, [])
        if leg in legs:
            legs.remove(leg)
        if not legs:
            self._legs.pop(leg.call.call_id, None)

    def received(self, octets: bytes, source: Hop, link: Link) -> None:
        """A message has come."""
        try:
            message = read(octets)
            if self.transport is Transport.UDP and isinstance(message, Request):
                message = stamped(message, source)
            leg = next((each for each in self._legs.get(call_id_of(message), ()) if each.call.takes(message)), None)
            if leg is not None:
                leg.tell(leg.call.receive(message, now=self.now()))
            elif isinstance(message, Request) and message.method != "ACK" and self._may_ask(source):
                self._asked(message, source=source, link=link)
            else:
                self.dropped += 1
        except (MessageError, LocalProtocolError):
            self.dropped += 1

    def lost(self, link: Link, reason: str) -> None:
        """A connection ended: its calls do, too."""
        self._links.pop(link, None)
        for leg in self.legs:
            if leg.link is link:
                leg.lost(reason)

    def accepted(self) -> StreamLink:
        """A connection that comes in."""
        link = StreamLink(self.received, self.lost)
        self._links[link] = link
        return link

    async def close(self) -> None:
        """Stop: calls still going are hung up, what they say is sent, repetitions are not waited for."""
        for leg in self.legs:
            leg.hang_up()
            leg.lost("we stop")
        if self._server is not None:
            self._server.close()
        for link in list(self._links.values()):
            await link.end()

    def served_by(self, server: asyncio.Server | asyncio.DatagramTransport, local: Hop) -> None:
        """What to close in the end, and where it listens."""
        self._server, self.local = server, local

    def _may_ask(self, source: Hop) -> bool:
        return self.askers is None or source.host in self.askers

    def _asked(self, request: Request, *, source: Hop, link: Link) -> None:
        """A request of no call that we know."""
        against = objection(request)
        is_new = request.method == "INVITE" and not tag_of(request, "To")
        if against is not None:
            self._respond(request, against.status, headers=against.headers, link=link)
        elif request.method == "OPTIONS":
            self._respond(request, 200, headers=CAPABILITIES, link=link)
        elif not is_new:
            self._respond(request, 481, link=link)
        elif self._on_invite is None:
            self._respond(request, 480, link=link)
        elif len(self._legs) >= MOST_CALLS:
            self._respond(request, 503, headers=(("Retry-After", "5"),), link=link)
        else:
            self._invited(request, self._on_invite, source=source, link=link)

    def _invited(self, request: Request, on_invite: OnInvite, *, source: Hop, link: Link) -> None:
        host = self.local.host if _is_specified(self.local.host) else local_host(source)
        way = Way(transport=self.transport, local=Hop(host, self.local.port), remote=source)
        leg = Leg(self, IncomingCall(request, way=way, seed=secrets.token_bytes(16), timers=self.timers), link)
        self.keep(leg)
        owner = on_invite(leg)
        if owner is None:
            leg.call.refuse(486, now=self.now())
        else:
            leg.on_events = owner
        leg.flush()

    def _respond(self, request: Request, status: int, *, link: Link, headers: Headers = ()) -> None:
        """Answer without remembering; a repetition gets the same answer, tag included."""
        tag = via_of(request).branch[-20:] or "0"
        link.send(Packet(write(response_to(request, status, tag=tag, headers=headers)), via_of(request).answer_hop))


async def listen(
    local: Hop,
    *,
    clock: Clock,
    on_invite: OnInvite,
    transport: Transport = Transport.UDP,
    tls: ssl.SSLContext | None = None,
    timers: Timers = USUAL_TIMERS,
) -> Exchange:
    """Wait for calls; port 0 takes a free one. Raises OSError when the address is taken."""
    exchange = Exchange(transport, clock=clock, timers=timers, on_invite=on_invite)
    loop = asyncio.get_running_loop()
    if transport is Transport.UDP:
        socket, link = await loop.create_datagram_endpoint(lambda: DatagramLink(exchange.received), local_addr=local)
        exchange.served_by(socket, link.local)
    else:
        server = await loop.create_server(exchange.accepted, *local, ssl=tls)
        name = server.sockets[0].getsockname()
        exchange.served_by(server, Hop(name[0], name[1]))
    return exchange


def _is_specified(host: str) -> bool:
    return host not in ("", "0.0.0.0", "::")
