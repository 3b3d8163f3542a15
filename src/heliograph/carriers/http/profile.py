"""How one carrier over HTTP is reached and what is special about it, read from its address, settings and recipe."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from heliograph.carriers.http.recipe import Recipe
from heliograph.carriers.http.recipe_file import recipe_named
from heliograph.carriers.settings import BadCarrier, Settings
from heliograph.core.directory import Carrier

SCHEME: Final = "http-recipe"
FORM: Final = "http-recipe://USER:KEY@HOST/BASE?recipe=NAME"
_MOST_NUMBERS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One carrier's address and peculiarities.

    base: of all its addresses. numbers: ours at the carrier, the first for what comes in without naming one.
    timeout_s: how long an answer may take. sets_up: whether the calls of the recipe's setup are made.
    """

    recipe: Recipe
    base: str
    host: str
    user: str
    key: str = field(repr=False)
    numbers: tuple[str, ...] = ()
    timeout_s: int = 30
    sets_up: bool = True


def profile_of(carrier: Carrier) -> Profile:
    """Read a carrier's address, `http-recipe://USER:KEY@HOST:PORT/BASE?recipe=NAME`, and settings; raises BadCarrier.

    It is called by https, or with `&plain=yes` by http. User and key are percent-decoded; the user may be left empty.
    Settings: `numbers`, `timeout_s`, `setup`.
    """
    address, asked = _address_from(carrier.url)
    settings = Settings(carrier.settings)
    host = f"{address.hostname}" if ":" not in (address.hostname or "") else f"[{address.hostname}]"
    place = host if address.port is None else f"{host}:{address.port}"
    profile = Profile(
        recipe=recipe_named(asked["recipe"]),
        base=f"{'http' if 'plain' in asked else 'https'}://{place}{address.path.rstrip('/')}",
        host=address.hostname or "",
        user=unquote(address.username or ""),
        key=unquote(address.password or ""),
        numbers=settings.read("numbers", _numbers_from, ()),
        timeout_s=settings.number("timeout_s", 30, least=1, most=300),
        sets_up=settings.flag("setup", True),
    )
    settings.check_all_taken()
    return profile


def _address_from(url: str) -> tuple[SplitResult, dict[str, str]]:
    """The address, and what stands in its query."""
    try:
        address = urlsplit(url)
        _ = address.port
    except ValueError as error:
        raise BadCarrier(f"the address is not well-formed: {error}") from None
    if address.scheme != SCHEME:
        raise BadCarrier(f"an address with a recipe begins with {SCHEME}://, not {address.scheme}:")
    if not address.hostname or not address.password:
        raise BadCarrier(f"the address names no host or no key: write {FORM}")
    asked = {name: values[-1] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
    if set(asked) - {"recipe", "plain"} or not asked.get("recipe") or asked.get("plain", "yes") != "yes":
        raise BadCarrier("behind the ? stand recipe=NAME and, for http in place of https, &plain=yes")
    if address.fragment or "#" in url:
        raise BadCarrier("the address has a #: percent-encode / ? # and @ in user and key")
    return address, asked


def _numbers_from(written: object) -> tuple[str, ...]:
    listed = written if isinstance(written, list) else str(written).split(",")
    numbers = tuple(str(each).strip().removeprefix("+") for each in listed)
    if not all(number.isascii() and number.isdecimal() for number in numbers) or len(numbers) > _MOST_NUMBERS:
        raise ValueError(f"it is at most {_MOST_NUMBERS:,} numbers with commas between them, not {written!r}")
    return numbers
