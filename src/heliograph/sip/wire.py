"""What the pieces of one call share: its way, timers, ids and outbox."""

import hashlib
from typing import Final

from heliograph.sip.errors import LocalProtocolError
from heliograph.sip.headers import Headers, write_host
from heliograph.sip.messages import Message, Request, Response, response_to, via_of, write
from heliograph.sip.timers import Timers
from heliograph.sip.uris import SipUri
from heliograph.sip.ways import Hop, Packet, Transport, Way

ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS"
MAX_FORWARDS: Final = "70"
_BRANCH_COOKIE: Final = "z9hG4bK"
_LEAST_SEED_OCTETS: Final = 16


class Ids:
    """Names that nobody can guess and no other call has, made from a seed of random octets."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) < _LEAST_SEED_OCTETS:
            raise LocalProtocolError("a call needs at least 16 random octets")
        self._seed = seed
        self._count = 0

    def next(self) -> str:
        """20 hexadecimal digits."""
        self._count += 1
        return hashlib.blake2b(self._count.to_bytes(8, "big"), key=self._seed[:64], digest_size=10).hexdigest()

    def number(self) -> int:
        """A whole number below 2^48."""
        return int(self.next()[:12], 16)


class Wire:
    """One call's way out."""

    def __init__(self, way: Way, *, seed: bytes, timers: Timers) -> None:
        self.way = way
        self.timers = timers
        self.ids = Ids(seed)
        self.tag = self.ids.next()
        self._outbox: list[Packet] = []

    @property
    def is_reliable(self) -> bool:
        """Whether messages need no repetition."""
        return self.way.transport.is_reliable

    def new_branch(self) -> str:
        """What names a new transaction."""
        return _BRANCH_COOKIE + self.ids.next()

    def via(self, branch: str) -> tuple[str, str]:
        """Our stop on a request's way; it asks for answers to where the request came from (RFC 3581)."""
        local = self.way.local
        sent_by = f"{write_host(local.host)}:{local.port}"
        return "Via", f"SIP/2.0/{self.way.transport.value} {sent_by};branch={branch};rport"

    def contact(self, user: str, *, scheme: str = "sip") -> tuple[str, str]:
        """Where the peer finds us for the rest of the call."""
        transport = self.way.transport
        parameters = () if transport is Transport.UDP else (("transport", transport.value.lower()),)
        host, port = self.way.local
        return "Contact", f"<{SipUri(scheme=scheme, user=user, host=host, port=port, parameters=parameters)}>"

    def send(self, message: Message, hop: Hop) -> Packet:
        """Put a message into the outbox; returned for repetitions."""
        packet = Packet(write(message), hop)
        self._outbox.append(packet)
        return packet

    def repeat(self, packet: Packet) -> None:
        """Send the same octets again."""
        self._outbox.append(packet)

    def drained(self) -> list[Packet]:
        """What to send since the last call."""
        packets, self._outbox = self._outbox, []
        return packets

    def respond(self, request: Request, status: int, *, headers: Headers = (), body: bytes = b"") -> Response:
        """An answer of ours, not sent yet."""
        return response_to(request, status, tag=self.tag if status > 100 else "", headers=headers, body=body)

    def answer_hop(self, request: Request) -> Hop:
        """Where an answer goes: over UDP as Via says, on a connection to its other end."""
        return self.way.remote if self.is_reliable else via_of(request).answer_hop
