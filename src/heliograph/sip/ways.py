"""Where messages go: transports, hops, packets."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Transport(Enum):
    """The word that stands in Via."""

    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"

    @property
    def is_reliable(self) -> bool:
        """Whether what was written arrives, once and in order, or the connection ends."""
        return self is not Transport.UDP


class Hop(NamedTuple):
    """An address on the way. host: a name or an address, IPv6 without brackets."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the messages of one call travel.

    local: where peers are told to answer to (Via and Contact). remote: where the INVITE goes to, or came from.
    """

    transport: Transport
    local: Hop
    remote: Hop


class Packet(NamedTuple):
    """One message to be sent. hop: where to; of no meaning on a connection, which has one other end."""

    octets: bytes
    hop: Hop
