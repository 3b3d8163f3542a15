"""Accounts: made, looked at, suspended, resumed, topped up and changed."""

import os
import re
import unicodedata
import zoneinfo
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypedDict, Unpack

from heliograph.core.directory import Account
from heliograph.core.ids import AccountId
from heliograph.core.ledger import Balance, PostingKind
from heliograph.core.messages import Channel
from heliograph.core.money import credits_from_amount
from heliograph.core.numbers import sender_from
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, good_name, the_account
from heliograph.services.keys import make_key
from heliograph.services.refused import Refused
from heliograph.store import accounts, numbers, postings
from heliograph.store.connection import Connection
from heliograph.store.engine import Store

USER_CHARS: Final = 15
"""Integrations of one vendor keep the name they sign in with in a field of this size."""
MOST_AMOUNT: Final = 2**53
"""Micro-credits: what JSON readers keep exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account and its first key, which is shown once."""

    account: Account
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountView:
    """An account with its credits and numbers."""

    account: Account
    balance: Balance
    numbers: Sequence[str]
    created_at_ms: int


class AccountChange(TypedDict, total=False):
    """What can be changed of an account; None leaves it as it is.

    sender: "" for the operator's. senders: none for any well-formed one. rate_limit: requests a minute, 0 for no limit,
    "default" for the operator's. channels: what it may send. settings: of single dialects, by their names; None takes
    one away.
    """

    sender: str | None
    senders: Sequence[str] | None
    rate_limit: int | Literal["default"] | None
    time_zone: str | None
    has_agreed: bool | None
    channels: Collection[Channel] | None
    settings: Mapping[str, Mapping[str, object]] | None


def user_from(name: str) -> str:
    """A name to sign in with: small letters and digits of the account's name, at most fifteen.

    >>> user_from("Blue Crane Travel (Pty)"), user_from("Müller"), user_from("蓝鹤")
    ('bluecranetravel', 'muller', 'account')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]", "", plain)[:USER_CHARS] or "account"


class Accounts:
    """The operator's work on accounts."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        actor: str = "operator",
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._store = store
        self._log = ChangeLog(clock, actor)
        self._random_bytes = random_bytes

    async def add(self, name: str, *, amount: int = 0) -> NewAccount:
        """Make an account with `amount` micro-credits and its first key; a taken name is refused."""
        good_name(name, what="an account")
        _check_amount(amount, least=0)
        async with self._store.writing() as connection:
            if await accounts.named(connection, name) is not None:
                raise Refused(f"There is an account named {name!r} already.")
            user = await self._free_user(connection, name)
            account_id = await accounts.add(
                connection, name=name, user=user, mark=self._random_bytes(8).hex(), now_ms=self._log.now_ms()
            )
            await self._grant(connection, account_id, amount=amount)
            api_key = await make_key(connection, account_id, random_bytes=self._random_bytes, now_ms=self._log.now_ms())
            await self._log.note(connection, "account.add", subject=name, amount=amount)
            account = await the_account(connection, name)
        return NewAccount(account=account, api_key=api_key)

    async def _free_user(self, connection: Connection, name: str) -> str:
        plain = user_from(name)
        user, count = plain, 1
        while await accounts.has_user(connection, user):
            count += 1
            user = f"{plain[: USER_CHARS - len(str(count))]}{count}"
        return user

    async def _grant(self, connection: Connection, account_id: AccountId, *, amount: int) -> None:
        if amount:
            await postings.post(
                connection, account_id, kinds=[PostingKind.GRANT], amount=amount, now_ms=self._log.now_ms()
            )

    async def list(self) -> tuple[AccountView, ...]:
        """All accounts, oldest first."""
        async with self._store.reading() as connection:
            balances = await postings.balances(connection)
            created = await accounts.created_at(connection)
            owned = await numbers.names_by_account(connection)
            return tuple(
                AccountView(
                    account=account,
                    balance=balances.get(account.account_id, Balance()),
                    numbers=owned.get(account.account_id, ()),
                    created_at_ms=created[account.account_id],
                )
                for account in await accounts.every(connection)
            )

    async def find(self, name: str) -> AccountView | None:
        """The account with a name."""
        async with self._store.reading() as connection:
            account = await accounts.named(connection, name)
            if account is None:
                return None
            created = await accounts.created_at(connection)
            return AccountView(
                account=account,
                balance=await postings.balance_of(connection, account.account_id),
                numbers=await numbers.names(connection, account.account_id),
                created_at_ms=created[account.account_id],
            )

    async def suspend(self, name: str) -> None:
        """Refuse everything the account sends from now on; what was accepted goes on."""
        await self._change(name, "account.suspend", values={"is_suspended": True})

    async def resume(self, name: str) -> None:
        """Let a suspended account send again."""
        await self._change(name, "account.resume", values={"is_suspended": False})

    async def top_up(self, name: str, amount: int) -> Balance:
        """Grant credits, or take back some that are available (a negative amount); returns the new balance."""
        _check_amount(amount, least=-MOST_AMOUNT)
        async with self._store.writing() as connection:
            account = await the_account(connection, name)
            before = await postings.balance_of(connection, account.account_id)
            if amount < 0 and before.available + amount < 0:
                has = credits_from_amount(before.available)
                raise Refused(f"Account {name!r} has {has} credits available; no more can be taken back.")
            _check_amount(sum(before) + amount, least=-MOST_AMOUNT)
            await self._grant(connection, account.account_id, amount=amount)
            await self._log.note(connection, "account.topup", subject=name, amount=amount)
            return await postings.balance_of(connection, account.account_id)

    async def change(self, name: str, **wanted: Unpack[AccountChange]) -> None:
        """Change what is named and not None."""
        values, settings = _columns(wanted), wanted.get("settings")
        if not values and not settings:
            raise Refused("Nothing to change was named.")
        await self._change(name, "account.set", values=values, settings=settings)

    async def _change(
        self,
        name: str,
        action: str,
        *,
        values: dict[str, object],
        settings: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        async with self._store.writing() as connection:
            account = await the_account(connection, name)
            if settings:
                values["settings"] = _merged(account.settings, settings)
            await accounts.change(connection, account.account_id, values=values)
            await self._log.note(connection, action, subject=name, **values)

    async def balance(self, account_id: AccountId) -> Balance:
        """Where an account's credits are."""
        async with self._store.reading() as connection:
            return await postings.balance_of(connection, account_id)


def _merged(
    known: Mapping[str, Mapping[str, object]], wanted: Mapping[str, Mapping[str, object]]
) -> dict[str, dict[str, object]]:
    """Settings of dialects with others set, or taken away by None; none of a dialect leave no trace of it.

    >>> _merged({"a": {"x": 1, "y": 2}, "b": {"z": 3}}, {"a": {"x": None, "w": 4}, "b": {"z": None}})
    {'a': {'y': 2, 'w': 4}}
    """
    merged = {
        dialect: {name: value for name, value in settings.items() if value is not None}
        for dialect in {**known, **wanted}
        if (settings := {**known.get(dialect, {}), **wanted.get(dialect, {})})
    }
    return {dialect: settings for dialect, settings in merged.items() if settings}


def _columns(wanted: AccountChange) -> dict[str, object]:
    """What was named, by column; raises Refused for a value that cannot be."""
    values: dict[str, object] = {}
    if (sender := wanted.get("sender")) is not None:
        values["sender"] = _good_sender(sender) if sender else None
    if (senders := wanted.get("senders")) is not None:
        values["senders"] = sorted({_good_sender(each) for each in senders})
    if (rate_limit := wanted.get("rate_limit")) is not None:
        values["rate_limit"] = _good_rate_limit(rate_limit)
    if (time_zone := wanted.get("time_zone")) is not None:
        values["time_zone"] = _good_time_zone(time_zone)
    if (has_agreed := wanted.get("has_agreed")) is not None:
        values["has_agreed"] = has_agreed
    if (channels := wanted.get("channels")) is not None:
        values["channels"] = sorted(set(channels))
    return values


def _check_amount(amount: int, *, least: int) -> None:
    if not least <= amount <= MOST_AMOUNT:
        raise Refused(
            f"An amount lies between {credits_from_amount(least)} and {credits_from_amount(MOST_AMOUNT)} credits."
        )


def _good_sender(written: str) -> str:
    sender = sender_from(written)
    if sender is None:
        raise Refused(f"{written!r} is not a sender: write a number or at most 11 GSM characters without @.")
    return sender.address


def _good_rate_limit(limit: int | Literal["default"]) -> int | None:
    if limit == "default":
        return None
    if limit < 0:
        raise Refused("A rate limit is a number of requests a minute, 0 for none, or the word default.")
    return limit


def _good_time_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        if name != "UTC":
            raise Refused(f"{name!r} is not a time zone: write a name such as Africa/Johannesburg.") from None
    return name
