"""SIP addresses: URIs and the name-addr form of From, To and Contact (RFC 3261 19.1 and 20.10)."""

import re
from dataclasses import dataclass
from typing import Final

from heliograph.sip.errors import MessageError
from heliograph.sip.headers import SIP_PORT, SIPS_PORT, quote, read_host_port, split_parameters, unquote, write_host
from heliograph.sip.ways import Hop

_URI: Final = re.compile(r"(sips?):(?:([^@]*)@)?([^;?]+)((?:;[^?]*)?)(?:\?.*)?", re.IGNORECASE | re.DOTALL)
_TEL: Final = re.compile(r"tel:([^;?\s]+)((?:;[^?\s]*)?)", re.IGNORECASE)
_DISPLAY: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^"<]*', re.DOTALL)
_BLANK: Final = re.compile(r"\s")
_UNSAFE: Final = re.compile(rb"[^A-Za-z0-9\-_.!~*'()&=+$,;?/]")
_UNSAFE_IN_PARAMETER: Final = re.compile(rb"[^A-Za-z0-9\-_.!~*'()\[\]/:&+$]")
_ESCAPED: Final = re.compile(rb"%([0-9A-Fa-f]{2})")

UriParameters = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SipUri:
    """scheme: sip or sips (tel is read: the number is its user, and it has no host). user: unescaped, may be empty.

    port: None when not said. parameters: in order, unescaped, names in small letters, values None when bare.
    A password or headers inside a URI are not kept.
    """

    scheme: str = "sip"
    user: str = ""
    host: str
    port: int | None = None
    parameters: UriParameters = ()

    @property
    def hop(self) -> Hop:
        """Where a request to this address goes, as far as a URI says."""
        return Hop(self.host, self.port or (SIPS_PORT if self.scheme == "sips" else SIP_PORT))

    def parameter(self, name: str) -> str | None:
        """A parameter's value, "" for a bare one; None when there is none."""
        return next((value or "" for key, value in self.parameters if key == name), None)

    def __str__(self) -> str:
        """As it stands in a message; whatever a user's name holds is escaped."""
        parameters = "".join(f";{_escape_parameter(name)}{_value(value)}" for name, value in self.parameters)
        user = _escape(self.user, _UNSAFE)
        if self.scheme == "tel":
            return f"tel:{user}{parameters}"
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}:{user}{'@' if user else ''}{write_host(self.host)}{port}{parameters}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NameAddr:
    """display: the name shown, may be empty. parameters: those behind the address, tag among them."""

    uri: SipUri
    display: str = ""
    parameters: UriParameters = ()

    def __str__(self) -> str:
        """As it stands in a message; a line's end in a name becomes a blank."""
        display = quote(re.sub(r"[\x00-\x1f\x7f]", " ", self.display)) + " " if self.display else ""
        return f"{display}<{self.uri}>{''.join(f';{name}{_value(value)}' for name, value in self.parameters)}"


def _escape(text: str, unsafe: re.Pattern[bytes]) -> str:
    octets = text.encode("utf-8", "surrogateescape")
    return unsafe.sub(lambda found: b"%%%02X" % found[0][0], octets).decode("ascii")


def _escape_parameter(text: str) -> str:
    return _escape(text, _UNSAFE_IN_PARAMETER)


def _value(value: str | None) -> str:
    return "" if value is None else f"={_escape_parameter(value)}"


def _unescape(text: str) -> str:
    octets = text.encode("utf-8", "surrogateescape")
    return _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), octets).decode("utf-8", "surrogateescape")


def _parameters(text: str) -> UriParameters:
    pieces = (piece.partition("=") for piece in text.split(";") if piece.strip())
    return tuple(
        (_unescape(name).strip().lower(), _unescape(value).strip() if has_value else None)
        for name, has_value, value in pieces
    )


def read_uri(text: str) -> SipUri:
    """Read a URI; MessageError 416 for a scheme other than sip, sips and tel.

    >>> read_uri("sip:j%40n;x=1:pw@[::1]:5070;transport=tcp;lr?Subject=no")
    SipUri(scheme='sip', user='j@n;x=1', host='::1', port=5070, parameters=(('transport', 'tcp'), ('lr', None)))
    """
    if _BLANK.search(text):
        raise MessageError("an address holds a blank")
    found = _TEL.fullmatch(text)
    if found is not None:
        return SipUri(scheme="tel", user=_unescape(found[1]), host="", parameters=_parameters(found[2]))
    found = _URI.fullmatch(text)
    if found is None:
        is_sip = text[:5].lower().startswith(("sip:", "sips:"))
        raise MessageError("an address cannot be read", 400 if is_sip else 416)
    host, port = read_host_port(found[3])
    user = _unescape((found[2] or "").partition(":")[0])
    return SipUri(scheme=found[1].lower(), user=user, host=host, port=port, parameters=_parameters(found[4]))


def split_name_addr(text: str) -> tuple[str, str, str]:
    """Display name, URI and the parameters behind them, each as it stands; without brackets all are the header's.

    >>> split_name_addr('"Bob" <sip:b@h;lr>;tag=1'), split_name_addr("sip:b@h;tag=1")
    (('Bob', 'sip:b@h;lr', ';tag=1'), ('', 'sip:b@h', ';tag=1'))
    """
    text = text.strip()
    shown = _DISPLAY.match(text)
    display, rest = (shown[0], text[shown.end() :].lstrip()) if shown is not None else ("", text)
    uri, closing, parameters = rest[1:].partition(">")
    if rest.startswith("<") and closing:
        return unquote(display.strip()), uri.strip(), parameters.lstrip()
    if any(each in text for each in '<>"'):
        raise MessageError("an address cannot be read")
    uri, semicolon, parameters = text.partition(";")
    return "", uri, semicolon + parameters


def read_name_addr(text: str) -> NameAddr:
    """Read a value of From, To, Contact, Route or Record-Route."""
    display, uri, rest = split_name_addr(text)
    parameters = tuple(split_parameters(f"-{rest}")[1].items())
    return NameAddr(uri=read_uri(uri), display=display, parameters=parameters)
