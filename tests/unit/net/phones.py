"""Telephones on loopback, for the tests of SIP's sockets."""

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar

from heliograph.net.clock import Clock, SystemClock
from heliograph.net.sip import Exchange, Leg, OnEvents, listen
from heliograph.net.sip_trunk import Trunk, reach
from heliograph.sip.events import CallEvent
from heliograph.sip.incoming import IncomingCall
from heliograph.sip.outgoing import Invitation, OutgoingCall
from heliograph.sip.sdp import Media
from heliograph.sip.timers import Timers
from heliograph.sip.uris import NameAddr, SipUri
from heliograph.sip.ways import Hop, Transport
from tests.stories import lasting

PATIENCE_S = 30.0
NEAR = Hop("127.0.0.1", 0)
QUICK = Timers(t1=0.005, t2=0.02, t4=0.01)

EventT = TypeVar("EventT", bound=CallEvent)


live = lasting(PATIENCE_S)


async def until(happened: Callable[[], bool]) -> None:
    """Look often; what is waited for gives no sign of its own."""
    while not happened():  # noqa: ASYNC110
        await asyncio.sleep(0.002)


class Ear:
    """Notes what happens to a call; `heard` waits for an event of a kind."""

    def __init__(self) -> None:
        self.events: list[CallEvent] = []

    def __call__(self, events: list[CallEvent]) -> None:
        self.events += events

    async def heard(self, kind: type[EventT]) -> EventT:
        await until(lambda: any(isinstance(event, kind) for event in self.events))
        return next(event for event in self.events if isinstance(event, kind))


class Phone:
    """Listens. Unless told otherwise it rings and answers at once."""

    def __init__(self, *, rings_only: bool = False, refuses: bool = False) -> None:
        self.legs: list[Leg[IncomingCall]] = []
        self.ears: list[Ear] = []
        self.rings_only = rings_only
        self.refuses = refuses
        self.exchange: Exchange | None = None

    async def start(self, transport: Transport = Transport.UDP, tls: ssl.SSLContext | None = None) -> Hop:
        self.exchange = await listen(
            NEAR, clock=SystemClock(), on_invite=self._rings, transport=transport, tls=tls, timers=QUICK
        )
        return self.exchange.local

    def _rings(self, leg: Leg[IncomingCall]) -> OnEvents | None:
        if self.refuses:
            return None
        self.legs.append(leg)
        self.ears.append(Ear())
        leg.call.ring(now=leg.now())
        if not self.rings_only:
            leg.call.answer(Media(host="127.0.0.1", port=4_000), now=leg.now())
        return self.ears[-1]

    async def close(self) -> None:
        if self.exchange is not None:
            await self.exchange.close()


def trunk_to(
    remote: Hop,
    transport: Transport = Transport.UDP,
    *,
    clock: Clock | None = None,
    tls: ssl.SSLContext | None = None,
    advertised: str = "",
) -> Trunk:
    return reach(
        remote, clock=clock or SystemClock(), transport=transport, tls=tls, advertised=advertised, timers=QUICK
    )


def invitation(*, port: int = 5_000) -> Invitation:
    return Invitation(
        called=SipUri(user="27821234567", host="carrier.example"),
        caller=NameAddr(uri=SipUri(user="27110000000", host="us.example")),
        media=Media(host="127.0.0.1", port=port),
    )


async def place(trunk: Trunk, *, port: int = 5_000) -> tuple[Leg[OutgoingCall], Ear]:
    ear = Ear()
    return trunk.place(invitation(port=port), await trunk.way(), ear), ear
