"""Settings: a TOML file, over it the environment, over that the flags of a command.

Every setting has one name: `rate_limit` in the file is `HELIOGRAPH_RATE_LIMIT` in the environment and
`--rate-limit` on the line.
"""

import ipaddress
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from heliograph.core.alphabets import NationalPrefix, national_prefix_from
from heliograph.core.numbers import sender_from
from heliograph.gsm.national import Language
from heliograph.services.refused import Refused
from heliograph.store.blobs.address import address_of as media_address_of

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PREFIX: Final = "HELIOGRAPH_"
LEAST_RETENTION_DAYS: Final = 7
"""By when a message has come to an end whatever its carrier does, and late receipts have stopped."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that can be set. database: "" for the data folder's own.

    database_unsafe: serve also on a PostgreSQL server that may lose in a crash what it has committed.

    public_url: for links we hand out; None is the request's host. webhook_allow: networks that may be called although
    private. rate_limit: requests a minute for each account without a limit of its own, 0 for none.
    message_limit: unfinished messages in the store, memory_limit: those of them held in memory.
    us_campaigns: `required` when US long codes send only for an approved campaign, or `off`.
    national_tables: whose shift tables texts to which numbers may use.
    validity_hours: how long a message is tried. retention_days: how long an ended one is kept, 0 for ever.
    media: where files are kept, "" for a folder in the data folder; media_most_octets: the largest one that is fetched;
    media_link_days: how long a link to one is good. speech_most_octets: what is kept of texts that were read.
    processes: how many serve beside each other here. role: `api` for requests, `worker` for carriers, or `all`.
    process_listen: where the first of them answers for itself; the others do at the ports behind it.
    """

    data: Path
    database: str = ""
    database_unsafe: bool = False
    listen: str = "127.0.0.1:8080"
    smpp_listen: str | None = None
    public_url: str | None = None
    webhook_allow: tuple[Network, ...] = ()
    webhook_https_only: bool = False
    rate_limit: int = 0
    sender: str = "Heliograph"
    us_campaigns: str = "off"
    national_tables: tuple[NationalPrefix, ...] = ()
    message_limit: int = 5_000_000
    memory_limit: int = 50_000
    validity_hours: int = 48
    retention_days: int = 0
    media: str = ""
    media_most_octets: int = 1_500_000
    media_link_days: int = 30
    speech_most_octets: int = 250_000_000
    log_level: str = "info"
    processes: int = 1
    role: str = "all"
    process_listen: str | None = None


class _Setting(NamedTuple):
    """How a value is read; `form` says what is valid. read raises ValueError."""

    read: Callable[[Any], Any]
    form: str


def address_of(listen: str) -> tuple[str, int]:
    """Host and port of a place to listen at; raises ValueError for anything else.

    >>> address_of("127.0.0.1:8080"), address_of("[::1]:2775")
    (('127.0.0.1', 8080), ('::1', 2775))
    """
    address = urlsplit(f"//{listen}")
    if address.hostname is None or address.port is None or address.netloc != listen or address.username is not None:
        raise ValueError(listen)
    return address.hostname, address.port


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _folder(value: Any) -> Path:
    if value == "" or not isinstance(value, str | Path):
        raise ValueError(value)
    return Path(value).expanduser().absolute()


def _listen(value: Any) -> str:
    address_of(_text(value))
    return str(value)


def _listen_or_off(value: Any) -> str | None:
    return None if value in ("", "off", False) else _listen(value)


def _database(value: Any) -> str:
    if value and not _text(value).startswith(("sqlite:///", "postgresql://", "postgres://")):
        raise ValueError(value)
    return str(value)


def _media(value: Any) -> str:
    if value == "":
        return ""
    address = media_address_of(_text(value))
    return str(address) if isinstance(address, Path) else str(value)


def _url(value: Any) -> str | None:
    if value == "":
        return None
    address = urlsplit(_text(value))
    if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
        raise ValueError(value)
    return str(value).rstrip("/")


def _networks(value: Any) -> tuple[Network, ...]:
    written = _text(value).split(",") if isinstance(value, str) else list(value)
    return tuple(ipaddress.ip_network(_text(each).strip()) for each in written if each)


def _sender(value: Any) -> str:
    sender = sender_from(_text(value))
    if sender is None:
        raise ValueError(value)
    return sender.address


_SWITCH = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _SWITCH:
        return _SWITCH[value.lower()]
    raise ValueError(value)


def _count(least: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        count = int(value) if isinstance(value, str) and value.isdecimal() else value
        if not isinstance(count, int) or isinstance(count, bool) or count < least:
            raise ValueError(value)
        return count

    return read


def _days(value: Any) -> int:
    days = _count(0)(value)
    if 0 < days < LEAST_RETENTION_DAYS:
        raise ValueError(value)
    return days


def _off_or_required(value: Any) -> str:
    word = "off" if value is False else _text(value).lower()
    if word not in ("off", "required"):
        raise ValueError(value)
    return word


def _national_tables(value: Any) -> tuple[NationalPrefix, ...]:
    if value in ("", "off", False):
        return ()
    written = value.split(",") if isinstance(value, str) else list(value)
    prefixes = tuple(national_prefix_from(_text(each)) for each in written)
    if len(dict(prefixes)) < len(prefixes):
        raise ValueError(value)
    return prefixes


_LANGUAGES: Final = ", ".join(language.name.lower() for language in Language if language)


def _role(value: Any) -> str:
    if value not in ("api", "worker", "all"):
        raise ValueError(value)
    return str(value)


def _level(value: Any) -> str:
    level = _text(value).lower()
    if level not in ("debug", "info", "warning", "error"):
        raise ValueError(value)
    return level


_SETTINGS: Final[Mapping[str, _Setting]] = {
    "data": _Setting(_folder, "the path of a folder"),
    "database": _Setting(_database, "sqlite:///PATH or postgresql://…"),
    "database_unsafe": _Setting(_switch, "true or false"),
    "listen": _Setting(_listen, "HOST:PORT"),
    "smpp_listen": _Setting(_listen_or_off, "HOST:PORT or off"),
    "public_url": _Setting(_url, "an http:// or https:// address without query"),
    "webhook_allow": _Setting(_networks, "networks such as 127.0.0.0/8, with commas between them"),
    "webhook_https_only": _Setting(_switch, "true or false"),
    "rate_limit": _Setting(_count(0), "a whole number of requests a minute, 0 for none"),
    "sender": _Setting(_sender, "a number or at most 11 GSM characters"),
    "us_campaigns": _Setting(_off_or_required, "off or required"),
    "national_tables": _Setting(
        _national_tables, f"off, or PREFIX:LANGUAGE with commas between them, each prefix once ({_LANGUAGES})"
    ),
    "message_limit": _Setting(_count(1), "a whole number of messages, 1 or more"),
    "memory_limit": _Setting(_count(1), "a whole number of messages, 1 or more"),
    "validity_hours": _Setting(_count(1), "a whole number of hours, 1 or more"),
    "retention_days": _Setting(_days, f"0 for ever, or a whole number of days, {LEAST_RETENTION_DAYS} or more"),
    "media": _Setting(_media, "the path of a folder or s3://BUCKET/PREFIX?endpoint=URL&region=NAME"),
    "media_most_octets": _Setting(_count(1), "a whole number of octets, 1 or more"),
    "media_link_days": _Setting(_count(1), "a whole number of days, 1 or more"),
    "speech_most_octets": _Setting(_count(0), "a whole number of octets, 0 to keep nothing"),
    "log_level": _Setting(_level, "debug, info, warning or error"),
    "processes": _Setting(_count(1), "a whole number of processes, 1 or more"),
    "role": _Setting(_role, "api, worker or all"),
    "process_listen": _Setting(_listen_or_off, "HOST:PORT or off"),
}


def load_settings(config: Path | None, environ: Mapping[str, str], flags: Mapping[str, object]) -> Settings:
    """Settings from a file, the environment and flags, the later ones winning; flags that are None were not given.

    config: the file; without it the one that `HELIOGRAPH_CONFIG` names. Raises Refused with the setting, where it
    stands and what is valid.
    """
    named = config or (Path(environ[f"{PREFIX}CONFIG"]) if environ.get(f"{PREFIX}CONFIG") else None)
    values: dict[str, object] = {"data": _default_data(environ)}
    if named is not None:
        values |= _from_file(named)
    for name in _SETTINGS:
        variable = f"{PREFIX}{name.upper()}"
        if environ.get(variable):
            values[name] = _read(name, environ[variable], where=variable)
    for name, value in flags.items():
        if value is not None:
            values[name] = _read(name, value, where=f"--{name.replace('_', '-')}")
    return Settings(**values)  # type: ignore[arg-type]


def environ_of(settings: Settings) -> dict[str, str]:
    """Settings as the environment that `load_settings` reads them from; what is empty is left to its default."""
    written = {name: _written(getattr(settings, name)) for name in _SETTINGS}
    return {f"{PREFIX}{name.upper()}": value for name, value in written.items() if value}


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


def _default_data(environ: Mapping[str, str]) -> Path:
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    return home / ".local" / "share" / "heliograph"


def _from_file(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            written = tomllib.load(file)
    except OSError as error:
        raise Refused(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"The settings file {path} is not TOML: {error}.") from error
    for name in written:
        if name not in _SETTINGS:
            raise Refused(f"{path}: there is no setting {name!r}; there are {', '.join(_SETTINGS)}.")
    return {name: _read(name, value, where=f"{path}: {name}") for name, value in written.items()}


def _read(name: str, value: object, *, where: str) -> object:
    setting = _SETTINGS[name]
    try:
        return setting.read(value)
    except (ValueError, TypeError, AttributeError):
        raise Refused(f"{where} is {setting.form}, not {value!r}.") from None
