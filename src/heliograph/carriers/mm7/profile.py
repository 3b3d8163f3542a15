"""How one MM7 carrier is reached and what is special about it, read from its address and settings.

Everything is checked here, once, so that a carrier with a mistake is refused when it is set up.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from heliograph.carriers.settings import BadCarrier, Settings
from heliograph.carriers.treatments import StatusTable, overrides_from
from heliograph.core.directory import Carrier
from heliograph.core.messages import Channel
from heliograph.mm7.codec import NAMESPACE

VERSION: Final = "6.8.0"
MOST_OCTETS: Final = 500_000
"""Of a whole request: what most carriers of the world still pass on."""

_FORM: Final = "mm7+https://VASPID:PASSWORD@HOST:PORT/PATH"
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_|~-]{1,64}")
_OURS: Final = frozenset({"authorization", "content-type", "content-length", "host", "soapaction", "transfer-encoding"})
_VERSION: Final = re.compile(r"[0-9]{1,2}(\.[0-9]{1,3}){1,2}")


class SenderForm(Enum):
    """In which element the sender stands. AUTO: by what it is."""

    AUTO = "auto"
    NUMBER = "number"
    SHORT_CODE = "short-code"
    RFC2822 = "rfc2822"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One carrier's address and peculiarities.

    url: without credentials. user, password: for HTTP Basic, none without a password. headers: sent with every request.
    namespace, version: of the messages we begin; answers have the caller's. has_plus: numbers are written with `+`.
    most_octets: of a request; most_side: pixels of a picture's longer side, 0 for any. validity_s: how long the carrier
    may try, 0 for its own default. is_binary: files as they are, instead of base64. response_s: how long an answer may
    take.
    """

    url: str
    user: str
    password: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    namespace: str = NAMESPACE
    version: str = VERSION
    vasp_id: str = ""
    vas_id: str = ""
    service_code: str = ""
    sender_form: SenderForm = SenderForm.AUTO
    has_plus: bool = True
    is_binary: bool = False
    most_octets: int = MOST_OCTETS
    most_side: int = 0
    validity_s: int = 0
    asks_delivery: bool = True
    asks_reading: bool = False
    response_s: int = 60
    statuses: StatusTable = field(default_factory=dict)


def profile_of(carrier: Carrier) -> Profile:
    """Read a carrier's address `mm7+http[s]://VASPID:PASSWORD@HOST:PORT/PATH` and settings; raises BadCarrier.

    VASPID and password are percent-decoded. Settings: `namespace`, `version`, `vasp_id`, `vas_id`, `service_code`,
    `sender`, `plus`, `binary`, `most_octets`, `most_side`, `validity_s`, `delivery_report`, `read_reply`, `headers`,
    `response_s`, `statuses`.
    """
    address = _address_from(carrier.url)
    user = unquote(address.username or "")
    settings = Settings(carrier.settings)
    profile = Profile(
        url=_url_from(address),
        user=user,
        password=unquote(address.password or ""),
        headers=settings.read("headers", _headers_from, {}),
        namespace=settings.text("namespace", most=200) or NAMESPACE,
        version=settings.read("version", _version_from, VERSION),
        vasp_id=settings.text("vasp_id", most=64) or user,
        vas_id=settings.text("vas_id", most=64),
        service_code=settings.text("service_code", most=64),
        sender_form=settings.read("sender", SenderForm, SenderForm.AUTO),
        has_plus=settings.flag("plus", True),
        is_binary=settings.flag("binary", False),
        most_octets=settings.number("most_octets", MOST_OCTETS, least=10_000, most=10_000_000),
        most_side=settings.number("most_side", 0, most=10_000),
        validity_s=settings.number("validity_s", 0, most=63 * 86_400),
        asks_delivery=settings.flag("delivery_report", True),
        asks_reading=settings.flag("read_reply", False),
        response_s=settings.number("response_s", 60, least=1, most=600),
        statuses=settings.read("statuses", overrides_from, {}),
    )
    settings.check_all_taken()
    return profile


def channels_of(carrier: Carrier) -> frozenset[Channel]:
    """What such a carrier can carry; raises BadCarrier for one that is set up wrongly."""
    profile_of(carrier)
    return frozenset({Channel.MMS})


def _address_from(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError as error:
        raise BadCarrier(f"the address is not well-formed: {error}") from None
    if address.scheme not in ("mm7+http", "mm7+https"):
        raise BadCarrier(f"an MM7 address begins with mm7+http:// or mm7+https://, not {address.scheme}:")
    if not address.hostname:
        raise BadCarrier(f"the address names no host: write {_FORM}")
    if not address.username:
        raise BadCarrier(f"the address names no VASPID: write {_FORM}")
    if port == 0:
        raise BadCarrier("the port is 1 to 65535")
    if address.fragment:
        raise BadCarrier("the address has a # in it: percent-encode it in the password")
    if ":" in unquote(address.username):
        raise BadCarrier("a VASPID with a colon cannot be sent in HTTP Basic")
    return address


def _url_from(address: SplitResult) -> str:
    place = address.netloc.rpartition("@")[2]
    return urlunsplit((address.scheme.removeprefix("mm7+"), place, address.path or "/", address.query, ""))


def _version_from(written: object) -> str:
    if not isinstance(written, str) or not _VERSION.fullmatch(written):
        raise ValueError("a version is written like 6.8.0")
    return written


def _headers_from(written: object) -> Mapping[str, str]:
    if not isinstance(written, Mapping):
        raise ValueError("headers is a table from names to values")
    for name, value in written.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name) or name.lower() in _OURS:
            raise ValueError(f"{name!r} cannot be set")
        if not isinstance(value, str) or len(value) > 1_000 or not (value.isascii() and value.isprintable()):
            raise ValueError(f"the value of {name} is not a line of ASCII characters")
    return dict(written)
