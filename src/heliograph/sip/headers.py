"""Header fields: their names, and the values that the machines read (RFC 3261 7.3 and 20).

Rules: reading is linear in the length of a value, whatever it holds. What cannot be read is a MessageError.
"""

import re
from typing import Final, NamedTuple, TypeAlias

from heliograph.sip.errors import MessageError
from heliograph.sip.ways import Hop

Header: TypeAlias = tuple[str, str]
Headers: TypeAlias = tuple[Header, ...]
"""Full names in the standard's spelling and unfolded values, in order."""

SIP_PORT: Final = 5060
SIPS_PORT: Final = 5061

_COMPACT: Final = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
_SPELLING: Final = {
    "call-id": "Call-ID",
    "cseq": "CSeq",
    "rseq": "RSeq",
    "rack": "RAck",
    "www-authenticate": "WWW-Authenticate",
}

# A quote or bracket that is never closed takes the rest along: trying it again at each later one would be quadratic.
_QUOTED: Final = r'"(?:[^"\\]|\\.)*(?:"|\\?$)'
_BETWEEN_COMMAS: Final = re.compile(rf'(?:{_QUOTED}|<[^>]*(?:>|$)|[^,"<])+', re.DOTALL)
_BETWEEN_SEMICOLONS: Final = re.compile(rf'(?:{_QUOTED}|<[^>]*(?:>|$)|[^;"<])+', re.DOTALL)
_VIA: Final = re.compile(r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9-]+)\s+(\S.*)", re.IGNORECASE | re.DOTALL)
_HOST_PORT: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?:\s*:\s*([0-9]{1,5}))?")
_CSEQ: Final = re.compile(r"([0-9]{1,10})\s+([!%'*+.\w`~-]+)", re.ASCII)
_MOST_CSEQ: Final = 2**31 - 1


def full_name(name: str) -> str:
    """The standard's spelling of a header's name.

    >>> full_name("v"), full_name("CALL-ID"), full_name("x-account")
    ('Via', 'Call-ID', 'X-Account')
    """
    small = name.lower()
    return _COMPACT.get(small) or _SPELLING.get(small) or "-".join(word.capitalize() for word in small.split("-"))


def first(headers: Headers, name: str) -> str | None:
    """The first value under a full name, whole; None when there is none."""
    return next((value for key, value in headers if key == name), None)


def every(headers: Headers, name: str) -> list[str]:
    """All values under a full name, lists taken apart at their commas."""
    return [value for key, text in headers if key == name for value in split_list(text)]


def split_list(text: str) -> list[str]:
    """Take a comma-separated list apart; commas inside quotes and angle brackets separate nothing.

    >>> split_list('"a, b" <sip:x@y;q=1,2>, <sip:z>')
    ['"a, b" <sip:x@y;q=1,2>', '<sip:z>']
    """
    return [piece.strip() for piece in _BETWEEN_COMMAS.findall(text) if piece.strip()]


class Parameters(dict[str, str | None]):
    """Parameters behind a value: names in small letters, values without their quotes, None for bare names."""


def split_parameters(text: str) -> tuple[str, Parameters]:
    """A value and the parameters after it. Of a name that stands twice the first counts.

    >>> split_parameters('Q.850;cause=16;text="bye; now"')
    ('Q.850', {'cause': '16', 'text': 'bye; now'})
    """
    value, *rest = _BETWEEN_SEMICOLONS.findall(text) or [""]
    parameters = Parameters()
    for piece in rest:
        name, has_value, content = piece.partition("=")
        parameters.setdefault(name.strip().lower(), unquote(content.strip()) if has_value else None)
    return value.strip(), parameters


def unquote(text: str) -> str:
    """Take the quotes off, if there are any.

    >>> unquote(r'"a \\"b\\""'), unquote("token")
    ('a "b"', 'token')
    """
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def quote(text: str) -> str:
    r"""Put quotes on.

    >>> print(quote('a "b"'))
    "a \"b\""
    """
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def read_host_port(text: str) -> tuple[str, int | None]:
    """A host, IPv6 without its brackets, and the port if it says one.

    >>> read_host_port("[2001:db8::1]:5070"), read_host_port("example.com")
    (('2001:db8::1', 5070), ('example.com', None))
    """
    found = _HOST_PORT.fullmatch(text.strip())
    if found is None:
        raise MessageError("a host cannot be read")
    port = int(found[2]) if found[2] else None
    if port is not None and not 0 < port < 65_536:
        raise MessageError("a port is out of range")
    return found[1].strip("[]"), port


def write_host(host: str) -> str:
    """A host as it stands in headers: IPv6 in brackets.

    >>> write_host("::1")
    '[::1]'
    """
    return f"[{host}]" if ":" in host else host


class Via(NamedTuple):
    """One stop on the way of a request. sent_by: where answers go to, unless received and rport say better."""

    transport: str
    host: str
    port: int | None
    parameters: Parameters

    @property
    def branch(self) -> str:
        """What names the transaction; empty from peers older than RFC 3261."""
        return self.parameters.get("branch") or ""

    @property
    def answer_hop(self) -> Hop:
        """Where an answer goes over UDP (RFC 3261 18.2.2, RFC 3581 4)."""
        received, rport = self.parameters.get("received"), self.parameters.get("rport") or ""
        if received and rport.isascii() and rport.isdigit() and 0 < int(rport[:6]) < 65_536:
            return Hop(received, int(rport))
        return Hop(received or self.host, self.port or SIP_PORT)


def read_via(text: str) -> Via:
    """Read one value of Via.

    >>> read_via("SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1;received=192.0.2.1;rport=9").answer_hop
    Hop(host='192.0.2.1', port=9)
    """
    value, parameters = split_parameters(text)
    found = _VIA.fullmatch(value)
    if found is None:
        raise MessageError("Via cannot be read")
    host, port = read_host_port(found[2])
    return Via(found[1].upper(), host, port, parameters)


class CSeq(NamedTuple):
    """The number and method that order requests."""

    number: int
    method: str


def read_cseq(text: str) -> CSeq:
    """Read CSeq.

    >>> read_cseq("314159 INVITE")
    CSeq(number=314159, method='INVITE')
    """
    found = _CSEQ.fullmatch(text.strip())
    if found is None or int(found[1]) > _MOST_CSEQ:
        raise MessageError("CSeq cannot be read")
    return CSeq(int(found[1]), found[2])


def read_tag(text: str) -> str:
    """The tag behind a value of From or To; empty when there is none.

    >>> read_tag('"a;tag=no" <sip:a@b;tag=no>;tag=yes')
    'yes'
    """
    return split_parameters(text)[1].get("tag") or ""


def read_number(text: str | None, *, most: int) -> int | None:
    """The whole number that a value begins with, at most `most`; None when there is none.

    >>> read_number("120 (in a meeting);duration=3600", most=86400)
    120
    """
    found = re.match(r"\s*([0-9]{1,12})", text or "")
    return min(int(found[1]), most) if found else None
