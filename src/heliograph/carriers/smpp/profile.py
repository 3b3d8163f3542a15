"""How one SMPP carrier is reached and what is special about it, read from its address and settings.

Everything is checked here, once, so that a carrier with a mistake is refused when it is set up.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from heliograph.carriers.settings import BadCarrier, Settings
from heliograph.carriers.treatments import StatusTable, overrides_from
from heliograph.core.directory import Carrier
from heliograph.core.receipts import IdForm

DEFAULT_PORT: Final = 2775
"""The registered port; there is none for TLS, so an address with TLS names its own."""

# The standard says 15 and 8; carriers hand out longer ones.
_MOST_CREDENTIAL_OCTETS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One carrier's address and peculiarities.

    service_type: given with every message. validity_s: how long the carrier may try, 0 for its own default.
    entity_id: given with every message, for carriers of India: who is registered as its sender.
    id_form: how its receipts name a message. sniffs_text: believe receipts that are marked as such in their text only.
    enquire_link_s: silence before we ask whether the other end lives; response_s: how long an answer may take.
    """

    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    is_encrypted: bool = False
    verifies: bool = True
    system_type: str = ""
    service_type: str = ""
    validity_s: int = 0
    entity_id: str = ""
    id_form: IdForm = IdForm.AS_IS
    sniffs_text: bool = False
    enquire_link_s: int = 30
    response_s: int = 60
    statuses: StatusTable = field(default_factory=dict)


def profile_of(carrier: Carrier) -> Profile:
    """Read a carrier's address `smpp[s]://SYSTEM_ID:PASSWORD@HOST:PORT` and settings; raises BadCarrier.

    The parts of the address are percent-decoded. Settings: `system_type`, `service_type`, `validity_s`, `entity_id`,
    `id_form`, `sniffs_text`, `enquire_link_s`, `response_s`, `statuses`, and for smpps `verify`.
    """
    address = _address_from(carrier.url)
    settings = Settings(carrier.settings)
    profile = Profile(
        host=unquote(address.hostname or ""),
        port=address.port or DEFAULT_PORT,
        system_id=_credential_from(address.username or ""),
        password=_credential_from(address.password or ""),
        is_encrypted=address.scheme == "smpps",
        verifies=settings.flag("verify", True),
        system_type=settings.text("system_type", most=12),
        service_type=settings.text("service_type", most=5),
        validity_s=settings.number("validity_s", 0, most=63 * 86_400),
        entity_id=settings.text("entity_id", most=64),
        id_form=settings.read("id_form", IdForm, IdForm.AS_IS),
        sniffs_text=settings.flag("sniffs_text", False),
        enquire_link_s=settings.number("enquire_link_s", 30, least=1),
        response_s=settings.number("response_s", 60, least=1),
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
    if address.scheme not in ("smpp", "smpps"):
        raise BadCarrier(f"an SMPP address begins with smpp:// or smpps://, not {address.scheme}:")
    if not address.hostname:
        raise BadCarrier("the address names no host: write smpp://SYSTEM_ID:PASSWORD@HOST:PORT")
    if not address.username:
        raise BadCarrier("the address names no system_id: write smpp://SYSTEM_ID:PASSWORD@HOST:PORT")
    if address.scheme == "smpps" and port is None:
        raise BadCarrier("an smpps:// address needs its port: there is no usual one")
    if address.path not in ("", "/") or address.query or address.fragment:
        raise BadCarrier("the address ends after the port; percent-encode / ? # and @ in the password")
    return address


def _credential_from(written: str) -> str:
    decoded = unquote(written)
    try:
        octets = decoded.encode("latin-1")
    except UnicodeEncodeError:
        raise BadCarrier("system_id and password are Latin-1") from None
    if len(octets) > _MOST_CREDENTIAL_OCTETS or 0 in octets:
        raise BadCarrier(f"system_id and password have at most {_MOST_CREDENTIAL_OCTETS} octets and no NUL")
    return decoded
