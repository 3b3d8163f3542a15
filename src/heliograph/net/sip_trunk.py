"""Our side of a carrier that takes calls over SIP: what calls are placed over."""

import asyncio
import secrets
import socket
import ssl

from heliograph.net.clock import Clock
from heliograph.net.sip import Exchange, Leg, OnEvents
from heliograph.net.sip_links import DatagramLink, Link, StreamLink, local_host
from heliograph.sip.framing import PING
from heliograph.sip.outgoing import Invitation, OutgoingCall
from heliograph.sip.timers import USUAL_TIMERS, Timers
from heliograph.sip.ways import Hop, Packet, Transport, Way

MOST_WAITING = 1_000
"""Messages that wait for a connection."""

CONNECT_S = 10.0
PING_S = 25.0
"""Between signs of life while calls are going: routers forget a UDP flow after 30 s or more."""


class Trunk:
    """The way to a carrier, for calls that we place. Run `run` beside it.

    A connection that ends takes the calls with it that nobody has answered; answered ones go on, since their sound has
    a way of its own, and what they say waits for the next connection.
    """

    def __init__(
        self, remote: Hop, exchange: Exchange, *, clock: Clock, tls: ssl.SSLContext | None, advertised: str
    ) -> None:
        self.exchange = exchange
        self._remote = remote
        self._clock = clock
        self._tls = tls
        self._advertised = advertised
        self._address: Hop | None = None
        self._datagrams: DatagramLink | None = None
        self._stream: StreamLink | None = None
        self._waiting: list[Packet] = []
        self._waits = asyncio.Event()
        self._connecting = asyncio.Lock()

    @property
    def is_connected(self) -> bool:
        """Whether what is said now leaves now."""
        return self._datagrams is not None or (self._stream is not None and self._stream.is_open)

    async def way(self) -> Way:
        """The way of the next call; say its local host in SDP too. Connects when there is no connection.

        Raises OSError when the carrier's name has no address or the connection cannot be made.
        """
        async with asyncio.timeout(CONNECT_S), self._connecting:
            if self.exchange.transport is Transport.UDP:
                self._address = await self._resolved()
                local = await self._datagram_address(self._address)
                remote = self._address
            else:
                local, remote = await self._stream_address(), self._remote
        return Way(
            transport=self.exchange.transport, local=Hop(self._advertised or local.host, local.port), remote=remote
        )

    def place(self, invitation: Invitation, way: Way, on_events: OnEvents) -> Leg[OutgoingCall]:
        """Place a call. Nothing is reported before this returns."""
        exchange = self.exchange
        call = OutgoingCall(
            invitation, way=way, seed=secrets.token_bytes(16), now=exchange.now(), timers=exchange.timers
        )
        leg = Leg(exchange, call, self)
        leg.on_events = on_events
        exchange.keep(leg)
        leg.flush()
        return leg

    def send(self, packet: Packet) -> None:
        """Send one message, or let it wait for a connection."""
        if self._datagrams is not None:
            self._datagrams.send(packet)
        elif self._stream is not None and self._stream.is_open:
            self._stream.send(packet)
        elif len(self._waiting) < MOST_WAITING:
            self._waiting.append(packet)
            self._waits.set()

    async def run(self) -> None:
        """Keep the way open until cancelled: signs of life while calls are going, and connections for what waits."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._ping_for_ever())
            loops.create_task(self._reconnect_for_ever())

    async def close(self) -> None:
        """Stop: calls still going are hung up, what they say is sent, repetitions are not waited for."""
        await self.exchange.close()
        if self._stream is not None:
            await self._stream.end()

    async def _ping_for_ever(self) -> None:
        while True:
            await self._clock.sleep(PING_S)
            if self.exchange.legs and self._datagrams is not None and self._address is not None:
                self._datagrams.send(Packet(PING, self._address))
            elif self.exchange.legs and self._stream is not None:
                self._stream.write(PING)

    async def _reconnect_for_ever(self) -> None:
        while True:
            await self._waits.wait()
            self._waits.clear()
            try:
                await self.way()
            except OSError as error:
                self._waiting.clear()
                self.exchange.lost(self, str(error) or "there is no connection in time")

    # ---------------------------------------------------------------------------------------------------------------

    async def _resolved(self) -> Hop:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(*self._remote, type=socket.SOCK_DGRAM)
        self.exchange.askers = {str(address[4][0]) for address in found}
        return Hop(str(found[0][4][0]), self._remote.port)

    async def _datagram_address(self, remote: Hop) -> Hop:
        if self._datagrams is None:
            anywhere = "::" if ":" in remote.host else "0.0.0.0"
            opened, self._datagrams = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: DatagramLink(self.exchange.received), local_addr=(anywhere, 0)
            )
            self.exchange.served_by(opened, self._datagrams.local)
        return Hop(local_host(remote), self.exchange.local.port)

    async def _stream_address(self) -> Hop:
        if self._stream is None or not self._stream.is_open:
            _, self._stream = await asyncio.get_running_loop().create_connection(
                lambda: StreamLink(self.exchange.received, self._lost, self), *self._remote, ssl=self._tls
            )
            waiting, self._waiting = self._waiting, []
            for packet in waiting:
                self._stream.send(packet)
        self.exchange.local = self._stream.local
        return self._stream.local

    def _lost(self, _: Link, reason: str) -> None:
        for leg in self.exchange.legs:
            if not leg.call.is_answered:
                leg.lost(reason)


# -------------------------------------------------------------------------------------------------------------------


def reach(
    remote: Hop,
    *,
    clock: Clock,
    transport: Transport = Transport.UDP,
    tls: ssl.SSLContext | None = None,
    advertised: str = "",
    timers: Timers = USUAL_TIMERS,
) -> Trunk:
    """Make ready for calls to a carrier; nothing is opened yet.

    tls: for Transport.TLS. advertised: our address as the carrier sees it, when that is another (NAT).
    """
    exchange = Exchange(transport, clock=clock, timers=timers)
    return Trunk(remote, exchange, clock=clock, tls=tls, advertised=advertised)
