"""Carriers: made, looked at, changed, drained and removed."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote

from heliograph.core import links
from heliograph.core.directory import Carrier, Policy
from heliograph.core.messages import Channel
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, good_name, the_carrier
from heliograph.services.media import key_of
from heliograph.services.refused import Refused
from heliograph.store import carriers
from heliograph.store.connection import Connection
from heliograph.store.engine import Store


class Kind(NamedTuple):
    """Carriers whose addresses have the same scheme.

    form: of the address. read: what one can carry; raises ValueError, with a sentence, when nothing can use it.
    calls_back: whether it calls us, at an address of ours. policy, window: unless others are named.
    takes_whole: whether a long text is handed to it in one piece, and it reports on that once.
    """

    form: str
    read: Callable[[Carrier], frozenset[Channel]]
    calls_back: bool = False
    policy: Policy = Policy.RESEND
    window: int = 10
    takes_whole: bool = False


Kinds = Mapping[str, Kind]
"""By scheme."""

CALLBACK_PATH: Final = "/carriers/"
_LIMITS = {"window": (1, 10_000), "sessions": (1, 100), "throughput": (0, 1_000_000)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierOptions:
    """What of a carrier may be chosen; None leaves it as it is. Meanings and units as in `core.directory.Carrier`.

    settings: each is added to the ones there are; a None takes its setting away.
    """

    url: str | None = None
    window: int | None = None
    sessions: int | None = None
    throughput: int | None = None
    policy: Policy | None = None
    settings: Mapping[str, object] | None = None

    def columns(self) -> dict[str, object]:
        """What was named, by column; raises Refused for values that no carrier can have."""
        values: dict[str, object] = {}
        if self.url is not None:
            values["url"] = self.url
        for name, (least, most) in _LIMITS.items():
            value = getattr(self, name)
            if value is not None:
                if not least <= value <= most:
                    raise Refused(f"A carrier's {name} is a number from {least} to {most}.")
                values[name] = value
        if self.policy is not None:
            values["policy"] = self.policy
        if self.settings is not None:
            values["settings"] = self.settings_over({})
        return values

    def settings_over(self, present: Mapping[str, object]) -> dict[str, object]:
        """The settings there are, with these over them."""
        named = {**present, **(self.settings or {})}
        return {name: value for name, value in named.items() if value is not None}


def kind_of(url: str, kinds: Kinds) -> Kind:
    """Whose address this is; raises Refused for one that is nobody's."""
    kind = kinds.get(url.partition(":")[0].lower())
    if kind is None or not url.isprintable():
        raise Refused(f"A carrier's address is {_forms(kinds)}.")
    return kind


def _forms(kinds: Kinds) -> str:
    *others, last = dict.fromkeys(kind.form for kind in kinds.values())
    return f"{', '.join(others)} or {last}" if others else last


def callback_path(name: str, key: bytes) -> str:
    """Where the carrier with a name calls us, behind our own address. key: of the installation."""
    return f"{CALLBACK_PATH}{quote(name)}/{links.callback_signature(name, key=key)}"


def without_password(url: str) -> str:
    """An address as it may be shown.

    >>> without_password("smpp://crane:secret@127.0.0.1:2775")
    'smpp://crane:…@127.0.0.1:2775'
    """
    before, at, place = url.rpartition("@")
    scheme, _, names = before.partition("://")
    return f"{scheme}://{names.partition(':')[0]}:…@{place}" if at else url


class Carriers:
    """The operator's work on carriers."""

    def __init__(self, store: Store, clock: Clock, *, kinds: Kinds, actor: str = "operator") -> None:
        self._store = store
        self._kinds = kinds
        self._log = ChangeLog(clock, actor)

    async def add(self, name: str, options: CarrierOptions) -> Carrier:
        """Make a carrier; running servers connect to it within a second."""
        good_name(name, what="a carrier")
        if options.url is None:
            raise Refused(f"A carrier needs an address: {_forms(self._kinds)}.")
        kind = kind_of(options.url, self._kinds)
        values = {"channels": [], "policy": kind.policy, "window": kind.window, **options.columns()}
        async with self._store.writing() as connection:
            if await carriers.named(connection, name) is not None:
                raise Refused(f"There is a carrier named {name!r} already.")
            await carriers.add(connection, {"name": name, **values}, now_ms=self._log.now_ms())
            await self._log.note(connection, "carrier.add", subject=name, **_shown(values))
            return await self._checked(connection, name)

    async def _checked(self, connection: Connection, name: str) -> Carrier:
        """The carrier, with what it can carry; Refused when nothing can use it."""
        carrier = await the_carrier(connection, name)
        try:
            channels = kind_of(carrier.url, self._kinds).read(carrier)
        except ValueError as error:
            raise Refused(f"Carrier {name!r} cannot be used: {error}.") from error
        if channels == carrier.channels:
            return carrier
        await carriers.change(connection, carrier.carrier_id, values={"channels": sorted(channels)})
        return await the_carrier(connection, name)

    async def callback(self, carrier: Carrier) -> str:
        """Where a carrier calls us, behind our own address; "" for one that does not."""
        if not kind_of(carrier.url, self._kinds).calls_back:
            return ""
        return callback_path(carrier.name, await key_of(self._store, os.urandom))

    async def list(self) -> tuple[Carrier, ...]:
        """All carriers, oldest first."""
        async with self._store.reading() as connection:
            return tuple(await carriers.every(connection))

    async def show(self, name: str) -> Carrier:
        """The carrier with a name; refused when there is none."""
        async with self._store.reading() as connection:
            return await the_carrier(connection, name)

    async def change(self, name: str, options: CarrierOptions) -> Carrier:
        """Change what is not None."""
        values = options.columns()
        if not values:
            raise Refused("Nothing to change was named.")
        async with self._store.writing() as connection:
            carrier = await the_carrier(connection, name)
            if options.settings is not None:
                values["settings"] = options.settings_over(carrier.settings)
            await carriers.change(connection, carrier.carrier_id, values=values)
            await self._log.note(connection, "carrier.set", subject=name, **_shown(values))
            return await self._checked(connection, name)

    async def drain(self, name: str, *, is_draining: bool = True) -> Carrier:
        """Give a carrier no new messages, so that it can be removed; or take it back into use."""
        async with self._store.writing() as connection:
            carrier = await the_carrier(connection, name)
            await carriers.change(connection, carrier.carrier_id, values={"is_draining": is_draining})
            await self._log.note(connection, "carrier.drain", subject=name, is_draining=is_draining)
            return await the_carrier(connection, name)

    async def remove(self, name: str) -> None:
        """Forget a carrier and its routes; refused while messages that have not ended are with it."""
        async with self._store.reading() as connection:
            carrier = await the_carrier(connection, name)
            if await carriers.has_unfinished(connection, carrier.carrier_id):
                raise Refused(f"Messages are still with carrier {name!r}: drain it and wait until they have ended.")
        async with self._store.writing() as connection:
            await carriers.remove(connection, carrier.carrier_id)
            await self._log.note(connection, "carrier.remove", subject=name)


def _shown(values: Mapping[str, object]) -> dict[str, object]:
    url = values.get("url")
    return {**values, "url": without_password(url)} if isinstance(url, str) else dict(values)
