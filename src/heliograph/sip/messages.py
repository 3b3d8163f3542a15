"""Requests and responses: read tolerantly within bounds, written strictly (RFC 3261 7, 8.2.6 and 18.3).

Rules: a message that was read has one From, To, Call-ID and CSeq, at least one Via, all of them readable, and its body
whole. Octets that are not UTF-8 survive reading and writing. Nothing that is written can end a line early.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, assert_never

from heliograph.sip.errors import LocalProtocolError, MessageError
from heliograph.sip.headers import CSeq, Headers, Via, first, full_name, read_cseq, read_tag, read_via, split_list
from heliograph.sip.ways import Hop

MOST_OCTETS: Final = 65_535
MOST_HEADERS: Final = 200
MOST_HEADER_CHARS: Final = 8_192
MOST_VIAS: Final = 70

_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_FOLD: Final = re.compile(r"\r?\n[ \t]+")
_LINE_END: Final = re.compile(r"\r?\n")
_TOKEN: Final = re.compile(r"[!%'*+.\w`~-]+", re.ASCII)
_STATUS_LINE: Final = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", re.IGNORECASE | re.DOTALL)
_BREAKS_A_LINE: Final = re.compile(r"[\r\n\x00]")
_SINGLE: Final = ("From", "To", "Call-ID", "CSeq")

PHRASES: Final = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    503: "Service Unavailable",
    505: "Version Not Supported",
    513: "Message Too Large",
    603: "Decline",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """uri: as it stands. headers: without Content-Length, which is written from the body."""

    method: str
    uri: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """See Request."""

    status: int
    phrase: str
    headers: Headers
    body: bytes = b""


Message: TypeAlias = Request | Response


def call_id_of(message: Message) -> str:
    """The call a message belongs to."""
    return first(message.headers, "Call-ID") or ""


def via_of(message: Message) -> Via:
    """The topmost Via."""
    return read_via(split_list(first(message.headers, "Via") or "")[0])


def cseq_of(message: Message) -> CSeq:
    """Number and method."""
    return read_cseq(first(message.headers, "CSeq") or "")


def tag_of(message: Message, name: str) -> str:
    """The tag in From or To; empty when there is none."""
    return read_tag(first(message.headers, name) or "")


# Reading -----------------------------------------------------------------------------------------------------------


def read(octets: bytes) -> Message:
    """Read one datagram, or one message of a stream. Raises MessageError with the status to answer a request with.

    A body longer than Content-Length says is cut, a shorter one refused; without Content-Length all is body.
    """
    if len(octets) > MOST_OCTETS:
        raise MessageError("the message is too large", 513)
    octets = octets.lstrip(b"\r\n")
    end = _HEAD_END.search(octets)
    if end is None:
        raise MessageError("the headers do not end")
    start_line, headers = _read_head(octets[: end.start()])
    length = content_length(headers)
    body = octets[end.end() :]
    if length is not None and length > len(body):
        raise MessageError("the body is shorter than its Content-Length")
    headers = tuple(header for header in headers if header[0] != "Content-Length")
    message = _with_start_line(start_line, headers, body[:length])
    _check(message)
    return message


def _read_head(octets: bytes) -> tuple[str, Headers]:
    if b"\0" in octets:
        raise MessageError("there is a NUL in the headers")
    start_line, *lines = _LINE_END.split(_FOLD.sub(" ", octets.decode("utf-8", "surrogateescape")))
    if any("\r" in line for line in (start_line, *lines)):
        raise MessageError("a line ends in its middle")
    if len(lines) > MOST_HEADERS:
        raise MessageError("there are too many headers", 513)
    return start_line, tuple(_read_header(line) for line in lines)


def _read_header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name = name.rstrip(" \t")
    if not colon or _TOKEN.fullmatch(name) is None:
        raise MessageError("a header cannot be read")
    if len(line) > MOST_HEADER_CHARS:
        raise MessageError("a header is too long", 513)
    return full_name(name), value.strip()


def content_length(headers: Headers) -> int | None:
    """What Content-Length says; None when it is missing. MessageError when it is no number, or says two things."""
    values = {value for name, value in headers if name == "Content-Length"}
    if not values:
        return None
    text = values.pop()
    if values or not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise MessageError("Content-Length cannot be read")
    return int(text)


def _with_start_line(line: str, headers: Headers, body: bytes) -> Message:
    status = _STATUS_LINE.fullmatch(line)
    if status is not None:
        return Response(status=int(status[1]), phrase=(status[2] or "").strip(), headers=headers, body=body)
    words = line.split(" ")
    if len(words) != 3 or _TOKEN.fullmatch(words[0]) is None or not words[1]:
        raise MessageError("the first line cannot be read")
    if words[2].upper() != "SIP/2.0":
        raise MessageError("this is not SIP 2.0", 505)
    return Request(method=words[0], uri=words[1], headers=headers, body=body)


def _check(message: Message) -> None:
    """Raise MessageError unless what every message needs is there once and can be read."""
    for name in _SINGLE:
        if [value != "" for key, value in message.headers if key == name] != [True]:
            raise MessageError(f"{name} is missing, or there twice")
    if sum(name == "Via" for name, _ in message.headers) > MOST_VIAS:
        raise MessageError("there are too many Vias", 513)
    if not split_list(first(message.headers, "Via") or ""):
        raise MessageError("Via is missing")
    via_of(message)
    cseq = cseq_of(message)
    if isinstance(message, Request) and cseq.method != message.method:
        raise MessageError("CSeq names another method")


# Writing -----------------------------------------------------------------------------------------------------------


def write(message: Message) -> bytes:
    """The octets of a message, Content-Length included. LocalProtocolError when a value would end its line early."""
    match message:
        case Request(method=method, uri=uri):
            start_line = f"{method} {uri} SIP/2.0"
            if any(blank in uri for blank in " \t"):
                raise LocalProtocolError("an address holds a blank")
        case Response(status=status, phrase=phrase):
            start_line = f"SIP/2.0 {status} {phrase}"
        case _:
            assert_never(message)
    lines = [start_line, *(f"{name}: {value}" for name, value in message.headers)]
    if any(_BREAKS_A_LINE.search(line) for line in lines):
        raise LocalProtocolError("a header's value holds the end of a line")
    head = "\r\n".join([*lines, f"Content-Length: {len(message.body)}", "", ""])
    return head.encode("utf-8", "surrogateescape") + message.body


def response_to(
    request: Request, status: int, *, tag: str = "", phrase: str = "", headers: Headers = (), body: bytes = b""
) -> Response:
    """Answer a request. tag: ours, put behind To unless it has one (a 100 needs none)."""
    kept: list[tuple[str, str]] = []
    for name, value in request.headers:
        if name == "To" and tag and not read_tag(value):
            kept.append((name, f"{value};tag={tag}"))
        elif name in ("Via", "From", "To", "Call-ID", "CSeq") or (name == "Record-Route" and 100 < status < 300):
            kept.append((name, value))
    phrase = phrase or PHRASES.get(status, "")
    return Response(status=status, phrase=phrase, headers=(*kept, *headers), body=body)


def stamped(request: Request, source: Hop) -> Request:
    """A request that came over UDP, with its source noted in the topmost Via (RFC 3261 18.2.1, RFC 3581 4).

    Answers then go to where it came from, whatever a peer behind NAT believes its address to be.
    """
    at = next(index for index, (name, _) in enumerate(request.headers) if name == "Via")
    top, *others = split_list(request.headers[at][1])
    pieces = [piece for piece in top.split(";") if piece.split("=")[0].strip().lower() not in ("received", "rport")]
    noted = ";".join((*pieces, f"received={source.host}", f"rport={source.port}"))
    headers = (*request.headers[:at], ("Via", ", ".join((noted, *others))), *request.headers[at + 1 :])
    return replace(request, headers=headers)
