"""Descriptions of media (RFC 4566, offer and answer RFC 3264) for one G.711 stream with telephone events (RFC 4733)."""

from dataclasses import dataclass
from enum import Enum


class Codec(Enum):
    """G.711's two laws; the value is the static payload type (RFC 3551)."""

    PCMU = 0
    PCMA = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """What our side has to offer. host, port: where its RTP arrives. codecs: best first."""

    host: str
    port: int
    codecs: tuple[Codec, ...] = (Codec.PCMU, Codec.PCMA)
    ptime_ms: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What both sides agreed on, as seen from ours.

    host, port: where to send RTP to. codec: what to send; what arrives says its own payload type and may be the other
    law. event_payload_type: of telephone events, None when the peer takes none. ptime_ms: sound in one packet.
    sends, receives: whether we may send, and whether the peer will; both False while it holds the call.
    """

    host: str
    port: int
    codec: Codec
    event_payload_type: int | None
    ptime_ms: int
    sends: bool = True
    receives: bool = True
