"""Speech over UDP for many calls at once: one schedule says when each of them sends its next packet.

Every packet has its own absolute moment, so that no lateness adds up. A program that was held up for a moment sends at
once what is due; after a longer stop the speech goes on where it was, as after a silence, and floods nobody's buffer.
"""

import asyncio
import ipaddress
import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, NamedTuple

from heliograph.net.clock import Clock
from heliograph.rtp import packets
from heliograph.rtp.outgoing import Outgoing
from heliograph.rtp.packets import FRAME_MS, RtpPacket
from heliograph.rtp.reception import Reception

MOST_LATE_S: Final = 0.1
"""Packets that are later than this are not sent in a burst: the schedule moves."""

_PHASES: Final = 4
_STEP_S: Final = FRAME_MS / 1000 / _PHASES
_MOST_READS: Final = 64
_MOST_OCTETS: Final = 2048
# Of Linux: an ICMP error is told to the socket that caused it, although it is not connected.
_RECVERR: Final = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}


class Place(NamedTuple):
    """Where RTP is sent to, or comes from."""

    host: str
    port: int


class Schedule:
    """Sends a packet of each stream every 20 ms. Streams are spread over a few phases, so that not all send at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._phases: tuple[list[RtpStream], ...] = tuple([] for _ in range(_PHASES))
        self._is_busy = asyncio.Event()

    @property
    def clock(self) -> Clock:
        """Whose time it is."""
        return self._clock

    def add(self, stream: "RtpStream") -> None:
        """Have a stream send from now on."""
        min(self._phases, key=len).append(stream)
        self._is_busy.set()

    def discard(self, stream: "RtpStream") -> None:
        """It sends no more."""
        for phase in self._phases:
            with suppress(ValueError):
                phase.remove(stream)

    async def run(self) -> None:
        """Keep to the schedule; for ever."""
        while True:
            await self._is_busy.wait()
            await self._keep()
            self._is_busy.clear()

    async def _keep(self) -> None:
        due, step = self._clock.monotonic(), 0
        while any(self._phases):
            for stream in tuple(self._phases[step]):
                stream.send_next()
            due += _STEP_S
            step = (step + 1) % _PHASES
            late_s = self._clock.monotonic() - due
            if late_s > MOST_LATE_S:
                due += self._move(late_s)
            elif late_s < 0:
                await self._clock.sleep(-late_s)

    def _move(self, late_s: float) -> float:
        """By how many seconds the schedule moves, in whole packets."""
        missed = int(late_s * 1000 / FRAME_MS)
        for phase in self._phases:
            for stream in phase:
                stream.pause(missed)
        return missed * FRAME_MS / 1000


class RtpStream:
    """One call's socket. It hears from the start, and sends while it is in the schedule.

    follows: send to where packets come from, once they do, instead of to where the other end said. heard: how well it
    is received. heard_at: when the last packet came, in monotonic seconds. listen: told of each packet. unreachable:
    packets in a row that were refused on their way. is_held: the other end wants to hear nothing; the speech waits.
    """

    def __init__(self, sock: socket.socket, schedule: Schedule, *, follows: bool = False) -> None:
        self._socket = sock
        self._schedule = schedule
        self._follows = follows
        self._loop = asyncio.get_running_loop()
        self._remote: tuple[str, int] | None = None
        self._outgoing: Outgoing | None = None
        self._said: asyncio.Future[None] | None = None
        self._has_followed = False
        self.heard = Reception()
        self.heard_at: float | None = None
        self.listen: Callable[[RtpPacket], None] | None = None
        self.is_held = False
        self.sent = 0
        self.unsent = 0
        self.unreachable = 0
        self._loop.add_reader(sock, self._read)

    @property
    def local(self) -> Place:
        """Where it hears."""
        host, port = self._socket.getsockname()[:2]
        return Place(host, port)

    def start(self, outgoing: Outgoing) -> None:
        """Begin to send: silence, until there is something to play."""
        self._outgoing = outgoing
        self._schedule.add(self)

    def move(self, remote: Place) -> None:
        """Send to this place from now on: an address, not a name. Before there is one, packets are lost."""
        self._remote = (remote.host, remote.port)
        self._has_followed = False

    async def play(self, octets: bytes) -> None:
        """Say this, and return when the last of it has been sent; cancelled, it falls silent."""
        if self._outgoing is None:
            raise RuntimeError("the stream has not been started")
        self._outgoing.play(octets)
        self._said = self._loop.create_future()
        try:
            await self._said
        finally:
            self._outgoing.stop()

    @property
    def said_octets(self) -> int:
        """How much of what was played last has been sent."""
        return self._outgoing.said if self._outgoing is not None else 0

    def send_next(self) -> None:
        """Send the next packet; what the network does not take is lost, as it may be anywhere."""
        if self._outgoing is None:
            return
        if self.is_held:
            self._outgoing.pause(1)
            return
        packet = self._outgoing.next_packet()
        try:
            self._send(packet)
        except OSError as error:
            self.unsent += 1
            self._note(error)
        if self._said is not None and self._outgoing.is_silent:
            said, self._said = self._said, None
            if not said.done():
                said.set_result(None)

    def _send(self, packet: bytes) -> None:
        if self._remote is None:
            raise OSError("there is no place to send to")
        self._socket.sendto(packet, self._remote)
        self.sent += 1

    def pause(self, frames: int) -> None:
        """So many packets were not sent in time."""
        if self._outgoing is not None:
            self._outgoing.pause(frames)

    def close(self) -> None:
        """Stop, and give the port back."""
        self._schedule.discard(self)
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    # In ------------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        now = self._schedule.clock.monotonic()
        for _ in range(_MOST_READS):
            try:
                octets, source = self._socket.recvfrom(_MOST_OCTETS)
            except BlockingIOError:
                return
            except OSError as error:
                self._note(error)
                self._read_on()
                return
            packet = packets.decode(octets)
            if packet is not None:
                self._take(packet, source, now)

    def _take(self, packet: RtpPacket, source: tuple[str, int], now: float) -> None:
        if not self.heard.take(packet, now):
            return
        self.heard_at = now
        self.unreachable = 0
        if self._follows and not self._has_followed and self._remote is not None:
            # Once only: whoever sends here later must not get the rest of the call.
            self._remote, self._has_followed = source, True
        if self.listen is not None:
            self.listen(packet)

    def _note(self, error: OSError) -> None:
        if not isinstance(error, BlockingIOError):
            self.unreachable += 1

    def _read_on(self) -> None:
        """Empty the queue of errors, or the socket stays readable. After an error uvloop wants to be asked anew."""
        if sys.platform == "linux":
            with suppress(OSError):
                self._socket.recvmsg(_MOST_OCTETS, 512, socket.MSG_ERRQUEUE)
        self._loop.remove_reader(self._socket)
        self._loop.add_reader(self._socket, self._read)


async def place_of(host: str, port: int) -> Place:
    """Where speech is to be sent to, when a peer wrote this. Raises OSError for a name that has no address."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    address: tuple[str, int] = found[0][4][:2]  # type: ignore[assignment]
    return Place(*address)


def is_address(host: str) -> bool:
    """Whether a host is written as an address, so that nothing has to be looked up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def open_stream(host: str, ports: Iterable[int], schedule: Schedule, *, follows: bool = False) -> RtpStream:
    """A stream on the first port of those given that is free; 0 takes any. Raises OSError when none is."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in ports:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.bind((host, port))
            _hear_errors(sock, family)
        except OSError:
            sock.close()
            continue
        return RtpStream(sock, schedule, follows=follows)
    raise OSError(f"no port for RTP is free on {host}")


def _hear_errors(sock: socket.socket, family: socket.AddressFamily) -> None:
    if sys.platform == "linux":
        sock.setsockopt(*_RECVERR[family], 1)
