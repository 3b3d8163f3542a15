"""Descriptions of media (RFC 4566, offer and answer RFC 3264) for one G.711 stream with telephone events (RFC 4733).

Rules: exactly one audio stream over RTP/AVP is agreed on; every other stream of an offer is refused in its place.
Sound goes to the address that the peer names, if it is an address and not a name, and of one machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from typing import Final, NamedTuple

from heliograph.sip.errors import SdpError

MOST_STREAMS: Final = 16
EVENT_PAYLOAD_TYPE: Final = 101
CONTENT_TYPE: Final = "application/sdp"

_SHORTEST_MS, _LONGEST_MS, _USUAL_MS = 10, 60, 20
_OPPOSITE: Final = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


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

    host, port: where to send RTP to. codec, payload_type: what to send and its number, 0 and 8 from nearly every peer;
    what arrives says its own and may be the other law. event_payload_type: of telephone events, None when the peer
    takes none. ptime_ms: sound in one packet. sends, receives: whether we may send, and whether the peer will; while
    the peer holds the call it does not want our sound.
    """

    host: str
    port: int
    codec: Codec
    payload_type: int
    event_payload_type: int | None
    ptime_ms: int
    sends: bool = True
    receives: bool = True


class Answer(NamedTuple):
    """What we say to an offer, and what it comes to."""

    body: bytes
    stream: Stream


class _Section:
    """A description's part about one stream, or before all of them."""

    def __init__(self, kind: str = "", port: int = 0, protocol: str = "", *, formats: Sequence[str] = ()) -> None:
        self.kind = kind
        self.port = port
        self.protocol = protocol
        self.formats = tuple(formats)
        self.host: str | None = None
        self.attributes: list[tuple[str, str]] = []

    @property
    def direction(self) -> str | None:
        return next((name for name, _ in self.attributes if name in _OPPOSITE), None)

    def payload_types(self) -> dict[int, str]:
        """Formats in the sender's order, each with its encoding's name in capitals; those of other clocks left out."""
        names = {"0": "PCMU", "8": "PCMA"}
        for name, value in self.attributes:
            number, _, encoding = value.partition(" ")
            if name == "rtpmap":
                names[number] = encoding.strip().upper()
        told = ((each, names.get(each, "").split("/")) for each in self.formats if each.isascii() and each.isdigit())
        return {int(each): name for each, (name, *clock) in told if len(each) <= 3 and clock[:1] in ([], ["8000"])}


def offer(media: Media, *, session_id: int, version: int = 1) -> bytes:
    """Our description, offered. session_id, version: numbers of the session and of this description of it."""
    payload_types = {codec.value: codec.name for codec in media.codecs}
    return _write(media, session_id, version, [_section(media, payload_types, "sendrecv", EVENT_PAYLOAD_TYPE)])


def answer(body: bytes, media: Media, *, session_id: int, version: int = 1) -> Answer:
    """Answer an offer. SdpError 488 when nothing in it suits us."""
    session, sections = _read(body)
    for section in sections:
        payload_types = _usable(section, media)
        if payload_types:
            stream = _stream(session, section, payload_types, media)
            direction = _OPPOSITE[section.direction or session.direction or "sendrecv"]
            agreed = {stream.payload_type: stream.codec.name}
            written = [
                _section(media, agreed, direction, stream.event_payload_type) if each is section else _refused(each)
                for each in sections
            ]
            return Answer(_write(media, session_id, version, written), stream)
    raise SdpError("no stream of the offer suits us", 488)


def stream_of_answer(body: bytes, media: Media) -> Stream:
    """What the peer's answer to our offer comes to. SdpError 488 when it refused, or named what we did not offer."""
    session, sections = _read(body)
    payload_types = _usable(sections[0], media) if sections else {}
    if not payload_types:
        raise SdpError("the answer names no codec of ours", 488)
    return _stream(session, sections[0], payload_types, media)


# Reading -----------------------------------------------------------------------------------------------------------


def _read(body: bytes) -> tuple[_Section, list[_Section]]:
    """What stands before the streams, and the streams."""
    session, sections = _Section(), list[_Section]()
    lines = body.decode("utf-8", "replace").replace("\r", "\n").split("\n")
    if lines[0].strip() != "v=0":
        raise SdpError("this is no description of media", 488)
    for line in lines[1:]:
        kind, equals, value = line.partition("=")
        current = sections[-1] if sections else session
        if kind == "m" and equals:
            sections.append(_read_stream(value))
            if len(sections) > MOST_STREAMS:
                raise SdpError("there are too many streams", 488)
        elif kind == "c":
            current.host = _read_host(value)
        elif kind == "a":
            name, _, content = value.strip().partition(":")
            current.attributes.append((name.lower(), content.strip()))
    return session, sections


def _read_stream(value: str) -> _Section:
    words = value.split()
    port = words[1].partition("/")[0] if len(words) > 3 else ""
    if not (port.isascii() and port.isdigit()) or len(port) > 5 or int(port) > 65_535:
        raise SdpError("a stream cannot be read", 488)
    return _Section(words[0].lower(), int(port), words[2].upper(), formats=words[3:])


def _read_host(value: str) -> str:
    words = value.split()
    if len(words) != 3 or words[0].upper() != "IN":
        raise SdpError("a connection cannot be read", 488)
    return words[2].partition("/")[0]


def _usable(section: _Section, media: Media) -> dict[int, Codec]:
    """The payload types of a stream that we speak, in the peer's order; none when it is not for us."""
    if section.kind != "audio" or section.protocol != "RTP/AVP" or section.port == 0:
        return {}
    ours = {codec.name: codec for codec in media.codecs}
    return {number: ours[name] for number, name in section.payload_types().items() if name in ours}


def _stream(session: _Section, section: _Section, payload_types: dict[int, Codec], media: Media) -> Stream:
    host = section.host or session.host
    is_silent = host in ("0.0.0.0", "::")  # how RFC 2543 put a call on hold
    if not is_silent and not _is_one_machine(host or ""):
        raise SdpError("the address for sound cannot be used", 488)
    direction = section.direction or session.direction or "sendrecv"
    payload_type, codec = next(iter(payload_types.items()))
    events = (number for number, name in section.payload_types().items() if name == "TELEPHONE-EVENT")
    return Stream(
        host=host or "",
        port=section.port,
        codec=codec,
        payload_type=payload_type,
        event_payload_type=next(events, None),
        ptime_ms=_ptime(section, session) or media.ptime_ms,
        sends=direction in ("sendrecv", "recvonly") and not is_silent,
        receives=direction in ("sendrecv", "sendonly"),
    )


def _is_one_machine(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return not (address.is_multicast or address.is_unspecified or host == "255.255.255.255")


def _ptime(section: _Section, session: _Section) -> int | None:
    """What the peer wants in one packet, kept within what is usual; None when it does not say."""
    said: dict[str, int] = {}
    for name, value in (*session.attributes, *section.attributes):
        if name in ("ptime", "maxptime") and value.isascii() and value.isdigit() and len(value) <= 4:
            said[name] = int(value)
    if not said:
        return None
    wanted = min(said.get("ptime", _USUAL_MS), said.get("maxptime", _LONGEST_MS))
    return min(max(wanted - wanted % _SHORTEST_MS, _SHORTEST_MS), _LONGEST_MS)


# Writing -----------------------------------------------------------------------------------------------------------


def _section(media: Media, payload_types: dict[int, str], direction: str, event_payload_type: int | None) -> list[str]:
    names = {number: f"{name}/8000" for number, name in payload_types.items()}
    if event_payload_type is not None:
        names[event_payload_type] = "telephone-event/8000"
    lines = [f"m=audio {media.port} RTP/AVP {' '.join(map(str, names))}"]
    lines += [f"a=rtpmap:{number} {name}" for number, name in names.items()]
    if event_payload_type is not None:
        lines.append(f"a=fmtp:{event_payload_type} 0-16")
    return [*lines, f"a=ptime:{media.ptime_ms}", f"a={direction}"]


def _refused(section: _Section) -> list[str]:
    return [f"m={section.kind} 0 {section.protocol} {' '.join(section.formats)}"]


def _write(media: Media, session_id: int, version: int, sections: list[list[str]]) -> bytes:
    at = f"IN {'IP6' if ':' in media.host else 'IP4'} {media.host}"
    head = ["v=0", f"o=- {session_id} {version} {at}", "s=-", f"c={at}", "t=0 0"]
    return "".join(f"{line}\r\n" for section in (head, *sections) for line in section).encode()
