"""How one SIP carrier is reached and how calls go over it, read from its address and settings.

Everything is checked here, once, so that a carrier with a mistake is refused when it is set up.
"""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

from heliograph.carriers.settings import BadCarrier, Settings
from heliograph.carriers.treatments import StatusTable, overrides_from
from heliograph.core.directory import Carrier
from heliograph.rtp.g711 import Law
from heliograph.sip.digest import Credentials
from heliograph.sip.ways import Transport

PORT: Final = 5060
TLS_PORT: Final = 5061
RTP_PORTS: Final = range(16_384, 32_768, 2)
"""Where speech arrives, unless the operator's firewall wants other ports. RTP's are even (RFC 3550 §11)."""

_MOST_CREDENTIAL_CHARS: Final = 128
_MOST_CALLER_CHARS: Final = 32
_FORM: Final = "write sip://USER:PASSWORD@HOST:PORT"
_E = TypeVar("_E", bound=Enum)


class Partial(Enum):
    """What a message is of which the recipient heard only the beginning."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


class Voicemail(Enum):
    """What to do about answering machines. SPEAK: do not care, and speak at once. WAIT: speak after their greeting.

    HANG_UP: undelivered. RETRY: call again later, as when nobody answers.
    """

    SPEAK = "speak"
    WAIT = "wait"
    HANG_UP = "hang-up"
    RETRY = "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One carrier's address and habits. Durations are milliseconds or seconds, as their names say.

    domain: of the addresses in SIP; caller: whose number is shown when the message's sender is none. has_plus:
    whether numbers are written with +. advertised: our address as the carrier sees it. laws: best first.
    ring_s: how long it may ring. pause_ms: before we speak; between_ms: before we say it again. times: how often all
    is said. silence_s: hang up on who sends nothing for so long, 0 for never. follows: speech is sent to where speech
    comes from. tries, retry_s: when nobody answers or the line is busy. statuses: what a status of SIP means here.
    """

    host: str
    port: int
    credentials: Credentials | None = field(repr=False)
    transport: Transport = Transport.UDP
    verifies: bool = True
    domain: str = ""
    caller: str = ""
    has_plus: bool = True
    advertised: str = ""
    laws: tuple[Law, ...] = tuple(Law)
    rtp_ports: range = RTP_PORTS
    follows: bool = False
    ring_s: int = 60
    pause_ms: int = 800
    between_ms: int = 1_000
    times: int = 1
    silence_s: int = 0
    partial: Partial = Partial.UNDELIVERED
    voicemail: Voicemail = Voicemail.SPEAK
    tries: int = 3
    retry_s: int = 300
    statuses: StatusTable = field(default_factory=dict)


def profile_of(carrier: Carrier) -> Profile:
    """Read a carrier's address `sip[s]://USER:PASSWORD@HOST:PORT` and settings; raises BadCarrier.

    The credentials may be left out. Settings: `transport` and the fields of `Profile` by their names, where `codecs`
    is a list of PCMU and PCMA, `ports` is written 16384-32767, and `address` is the one that is advertised.
    """
    if carrier.window != 1:
        raise BadCarrier("a line carries one call: the window is 1, and sessions says how many lines there are")
    address = _address_from(carrier.url)
    settings = Settings(carrier.settings)
    is_encrypted = address.scheme == "sips"
    transport = settings.read("transport", _transport_from, Transport.TLS if is_encrypted else Transport.UDP)
    if is_encrypted != (transport is Transport.TLS):
        raise BadCarrier("transport: sips:// is tls, and sip:// is udp or tcp")
    profile = Profile(
        host=unquote(address.hostname or ""),
        port=address.port or (TLS_PORT if is_encrypted else PORT),
        credentials=_credentials_from(address),
        transport=transport,
        verifies=settings.flag("verify", True),
        domain=settings.text("domain", most=253),
        caller=settings.read("caller", _caller_from, ""),
        has_plus=settings.flag("plus", True),
        advertised=settings.read("address", _ip_from, ""),
        laws=settings.read("codecs", _laws_from, tuple(Law)),
        rtp_ports=settings.read("ports", _ports_from, RTP_PORTS),
        follows=settings.flag("follows", False),
        ring_s=settings.number("ring_s", 60, least=1, most=300),
        pause_ms=settings.number("pause_ms", 800, most=10_000),
        between_ms=settings.number("between_ms", 1_000, most=10_000),
        times=settings.number("times", 1, least=1, most=2),
        silence_s=settings.number("silence_s", 0, most=3_600),
        partial=settings.read("partial", _one_of(Partial), Partial.UNDELIVERED),
        voicemail=settings.read("voicemail", _one_of(Voicemail), Voicemail.SPEAK),
        tries=settings.number("tries", 3, least=1, most=20),
        retry_s=settings.number("retry_s", 300, least=1),
        statuses=settings.read("statuses", overrides_from, {}),
    )
    settings.check_all_taken()
    return profile


def _address_from(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError as error:
        raise BadCarrier(f"the address is not well-formed: {error}") from None
    if address.scheme not in ("sip", "sips"):
        raise BadCarrier(f"a SIP address begins with sip:// or sips://, not {address.scheme}:")
    if not address.hostname or not address.netloc:
        raise BadCarrier(f"the address names no host: {_FORM}")
    if ";" in address.hostname:
        raise BadCarrier("the address ends after the port: the transport is a setting")
    if port == 0:
        raise BadCarrier("the port is 1 to 65535")
    if address.path not in ("", "/") or address.query or address.fragment:
        raise BadCarrier("the address ends after the port; percent-encode / ? # and @ in the password")
    return address


def _credentials_from(address: SplitResult) -> Credentials | None:
    user, password = unquote(address.username or ""), unquote(address.password or "")
    if not user:
        if password:
            raise BadCarrier(f"the address has a password and no user: {_FORM}")
        return None
    if max(len(user), len(password)) > _MOST_CREDENTIAL_CHARS or not (user + password).isprintable():
        raise BadCarrier(f"user and password are printable and have at most {_MOST_CREDENTIAL_CHARS} characters")
    return Credentials(user, password)


def _transport_from(written: object) -> Transport:
    try:
        return Transport(str(written).upper())
    except ValueError:
        raise ValueError(f"udp, tcp or tls, not {written!r}") from None


def _caller_from(written: object) -> str:
    # A number is read as one where settings are typed.
    caller = str(written)
    if not caller or len(caller) > _MOST_CALLER_CHARS or not (caller.isascii() and caller.isprintable()):
        raise ValueError(f"a number or name of at most {_MOST_CALLER_CHARS} ASCII characters, not {written!r}")
    return caller


def _ip_from(written: object) -> str:
    return str(ipaddress.ip_address(str(written)))


def _laws_from(written: object) -> tuple[Law, ...]:
    names = [str(each).upper() for each in written] if isinstance(written, list) and written else []
    if not names or len(set(names)) < len(names) or not set(names) <= set(Law.__members__):
        raise ValueError(f"a list of {' and '.join(Law.__members__)}, the best first, not {written!r}")
    return tuple(Law[name] for name in names)


def _ports_from(written: object) -> range:
    first, dash, last = str(written).partition("-")
    if not (dash and first.isdecimal() and last.isdecimal() and 1 <= int(first) < int(last) <= 65_535):
        raise ValueError(f"written like 16384-32767, not {written!r}")
    # An even port, and the odd one behind it for RTCP.
    ports = range(int(first) + int(first) % 2, int(last), 2)
    if not ports:
        raise ValueError("that holds no even port with an odd one behind it")
    return ports


def _one_of(kind: type[_E]) -> Callable[[object], _E]:
    def read(written: object) -> _E:
        try:
            return kind(written)
        except ValueError:
            raise ValueError(f"{', '.join(str(each.value) for each in kind)}, not {written!r}") from None

    return read
