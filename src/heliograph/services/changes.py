"""What every change has in common: a time, somebody who makes it, a row that remembers it, and names to look up."""

from collections.abc import Iterable

from heliograph.core.directory import Account, Carrier
from heliograph.core.ids import AccountId
from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.net.clock import Clock
from heliograph.services.refused import Refused, Unknown
from heliograph.store import accounts, audit, carriers
from heliograph.store.connection import Connection

NAME_CHARS = 64


class ChangeLog:
    """Remembers changes for one actor: `operator`, or who else is at the door."""

    def __init__(self, clock: Clock, actor: str) -> None:
        self._clock = clock
        self._actor = actor

    def now_ms(self) -> int:
        """The time of a change."""
        return self._clock.now_ms()

    async def note(self, connection: Connection, action: str, *, subject: str, **detail: object) -> None:
        """Keep a change in the transaction that makes it. detail: new values, no secrets among them."""
        await audit.note(
            connection, actor=self._actor, action=action, subject=subject, now_ms=self.now_ms(), detail=detail
        )


async def nobody_follows() -> None:
    """What a command does after a change: running servers look for themselves."""


async def the_account(connection: Connection, name: str) -> Account:
    """The account with a name; raises Unknown when there is none."""
    account = await accounts.named(connection, name)
    if account is None:
        raise Unknown(f"There is no account named {name!r}; `heliograph account list` shows them.")
    return account


async def account_numbered(connection: Connection, account_id: AccountId) -> Account:
    """The account with an id; raises Unknown when there is none."""
    account = await accounts.numbered(connection, account_id)
    if account is None:
        raise Unknown(f"There is no account {account_id}.")
    return account


def refusal_of(account: Account) -> Refusal | None:
    """Why an account may set nothing up by itself just now; the operator may."""
    if account.is_suspended:
        return Refusal(Reason.SUSPENDED)
    return None if account.has_agreed else Refusal(Reason.NOT_AGREED)


def same_name(written: str, known: Iterable[str]) -> str | None:
    """The known name that is the written one but for the case of its letters, the very same one first.

    >>> same_name("default", ["Main", "Default"]), same_name("other", ["Main"])
    ('Default', None)
    """
    alike = [each for each in known if each.casefold() == written.casefold()]
    return written if written in alike else next(iter(alike), None)


def listed(known: Iterable[str]) -> str:
    """What there is, for a sentence that says that something else is not there.

    >>> listed(["b", "a"]), listed([])
    ('it has a, b', 'it has none')
    """
    return f"it has {', '.join(sorted(known)) or 'none'}"


async def the_carrier(connection: Connection, name: str) -> Carrier:
    """The carrier with a name; raises Refused when there is none."""
    carrier = await carriers.named(connection, name)
    if carrier is None:
        raise Refused(f"There is no carrier named {name!r}; `heliograph carrier list` shows them.")
    return carrier


def good_name(name: str, *, what: str) -> str:
    """A name that prints on one line; raises Refused for any other."""
    if not 1 <= len(name) <= NAME_CHARS or not name.isprintable() or name != name.strip():
        raise Refused(f"The name of {what} has 1 to {NAME_CHARS} printable characters and no blank at its ends.")
    return name


def good_prefix(prefix: str) -> str:
    """The digits that numbers begin with, a plus sign before them ignored; raises Refused for anything else."""
    digits = prefix.removeprefix("+")
    if digits and not (digits.isascii() and digits.isdecimal() and len(digits) <= 15):
        raise Refused(f"{prefix!r} is not a prefix: write the first digits of international numbers, such as 27.")
    return digits
