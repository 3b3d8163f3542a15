"""What SIP messages leave and arrive by: a UDP socket, a TCP or TLS connection. They know octets, not calls."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import Protocol, TypeAlias, cast

from heliograph.sip.errors import MessageError
from heliograph.sip.framing import PING, PONG, Framing
from heliograph.sip.ways import Hop, Packet

LINGER_S = 2.0
"""How long a peer may take to read the last of what we wrote."""


class Link(Protocol):
    """What a call's messages leave by."""

    def send(self, packet: Packet) -> None:
        """Send one message, as far as there is a way."""
        ...


OnOctets: TypeAlias = Callable[[bytes, Hop, Link], None]
"""Given each message, where it came from, and what an answer leaves by."""

OnLost: TypeAlias = Callable[[Link, str], None]
"""Told that a connection ended, and why."""


class DatagramLink(asyncio.DatagramProtocol):
    """A UDP socket."""

    def __init__(self, on_octets: OnOctets) -> None:
        self.local = Hop("", 0)
        self._on_octets = on_octets
        self._transport: asyncio.DatagramTransport | None = None
        self._family = socket.AF_INET

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._family = transport.get_extra_info("socket").family
        self.local = Hop(*transport.get_extra_info("sockname")[:2])

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A datagram has come; those that hold no more than line ends are signs of life."""
        if data.strip(b"\r\n\0"):
            self._on_octets(data, Hop(addr[0], addr[1]), self)

    def error_received(self, exc: Exception) -> None:
        """A datagram could not leave. Its repetitions may; if not, the transaction's timer tells."""

    def close(self) -> None:
        """Send no more."""
        if self._transport is not None:
            self._transport.close()

    def send(self, packet: Packet) -> None:
        """Send one datagram, after finding the address of a host that was named."""
        if _is_address(packet.hop.host):
            self._send(packet.octets, packet.hop)
            return
        look_up = partial(socket.getaddrinfo, *packet.hop, family=self._family, type=socket.SOCK_DGRAM)
        found = asyncio.get_running_loop().run_in_executor(None, look_up)
        found.add_done_callback(partial(self._found, packet.octets))

    def _found(self, octets: bytes, found: "asyncio.Future[list[tuple[object, ...]]]") -> None:
        if not found.cancelled() and found.exception() is None and found.result():
            address = cast(tuple[str, int], found.result()[0][4])
            self._send(octets, Hop(address[0], address[1]))

    def _send(self, octets: bytes, hop: Hop) -> None:
        fits = (self._family == socket.AF_INET6) == (":" in hop.host)
        if fits and self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(octets, (hop.host, hop.port))


class StreamLink(asyncio.Protocol):
    """A TCP or TLS connection."""

    def __init__(self, on_octets: OnOctets, on_lost: OnLost, link: Link | None = None) -> None:
        """link: what the calls of this connection send by, when it is not the connection itself."""
        self.local = Hop("", 0)
        self._on_octets = on_octets
        self._on_lost = on_lost
        self._link = link or self
        self._transport: asyncio.Transport | None = None
        self._framing = Framing()
        self._source = Hop("", 0)
        self._ended = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether anything can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        self._transport = cast(asyncio.Transport, transport)
        self._source = Hop(*transport.get_extra_info("peername")[:2])
        self.local = Hop(*transport.get_extra_info("sockname")[:2])

    def data_received(self, data: bytes) -> None:
        """Octets have come. What cannot be cut into messages ends the connection."""
        try:
            pieces = self._framing.take(data)
        except MessageError:
            self.close()
            return
        for piece in pieces:
            if piece == PING:
                self.write(PONG)
            else:
                self._on_octets(piece, self._source, self._link)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._transport = None
        self._ended.set()
        self._on_lost(self, f"the connection ended{f': {exc}' if exc else ''}")

    def send(self, packet: Packet) -> None:
        """Send one message."""
        self.write(packet.octets)

    def write(self, octets: bytes) -> None:
        """Send octets."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(octets)

    def close(self) -> None:
        """Send what waits, and end."""
        if self._transport is not None:
            self._transport.close()

    async def end(self) -> None:
        """The same, and wait for it; a peer that does not read is cut off."""
        transport = self._transport
        if transport is None:
            return
        self.close()
        try:
            async with asyncio.timeout(LINGER_S):
                await self._ended.wait()
        except TimeoutError:
            transport.abort()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def local_host(remote: Hop) -> str:
    """Our address on the way to another; nothing is sent."""
    family = socket.AF_INET6 if ":" in remote.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((remote.host, remote.port))
        return str(probe.getsockname()[0])
