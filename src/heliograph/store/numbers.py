"""Numbers that belong to accounts: what they may send from, and what reaches them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.directory import Number
from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel
from heliograph.store import meta
from heliograph.store.schema import account, number

PAGE = 2_000
"""Rows read at once: in the few milliseconds that they take, a server answers nobody."""


class NumberRow(NamedTuple):
    """A number, the account's name beside it. webhook and campaign: names, or None."""

    msisdn: str
    account: str
    sms: bool
    mms: bool
    voice: bool
    webhook: str | None
    campaign: str | None


_WANTED: Select[Any] = select(
    number.c.msisdn,
    account.c.name,
    number.c.sms,
    number.c.mms,
    number.c.voice,
    number.c.webhook,
    number.c.campaign,
).join(account, account.c.id == number.c.account_id)
_OWNED: Select[Any] = select(
    number.c.msisdn,
    number.c.account_id,
    number.c.sms,
    number.c.mms,
    number.c.voice,
    number.c.webhook,
    number.c.campaign,
)
_CHANNELS = {
    (sms, mms, voice): frozenset(
        channel for channel, is_on in ((Channel.SMS, sms), (Channel.MMS, mms), (Channel.VOICE, voice)) if is_on
    )
    for sms in (False, True)
    for mms in (False, True)
    for voice in (False, True)
}
"""One set for all numbers that carry the same."""


def digits_of(msisdn: str) -> str:
    """A number without plus, which is how it stands in a message."""
    return msisdn.removeprefix("+")


async def every(
    connection: AsyncConnection, account_id: AccountId | None = None, *, having: Mapping[str, object] | None = None
) -> list[NumberRow]:
    """Numbers of one account or of all, in order. having: what they must have, by column."""
    wanted = _WANTED.order_by(number.c.msisdn)
    if account_id is not None:
        wanted = wanted.where(number.c.account_id == account_id)
    for name, value in (having or {}).items():
        wanted = wanted.where(number.c[name].is_(None) if value is None else number.c[name] == value)
    return [NumberRow(*row) for row in await connection.execute(wanted)]


async def owned(connection: AsyncConnection) -> AsyncIterator[list[Number]]:
    """All numbers, a page at a time. Equal values are one object, for there can be very many numbers."""
    known: dict[object, Any] = {}
    one = known.setdefault
    last = ""
    while True:
        page = (
            await connection.execute(_OWNED.where(number.c.msisdn > last).order_by(number.c.msisdn).limit(PAGE))
        ).all()
        yield [
            Number(
                msisdn=msisdn,
                account_id=one(account_id, account_id),
                channels=_CHANNELS[sms, mms, voice],
                webhook=one(webhook, webhook),
                campaign=one(campaign, campaign),
            )
            for msisdn, account_id, sms, mms, voice, webhook, campaign in page
        ]
        if len(page) < PAGE:
            return
        last = page[-1].msisdn


async def of_account(connection: AsyncConnection, account_id: AccountId) -> list[Number]:
    """Numbers of an account, in the order of their digits."""
    rows = await connection.execute(_OWNED.where(number.c.account_id == account_id))
    return sorted(map(_number_from, rows), key=lambda each: digits_of(each.msisdn))


async def find(connection: AsyncConnection, msisdn: str) -> NumberRow | None:
    """The number in either spelling, with plus or without, if an account has it."""
    row = (await connection.execute(_WANTED.where(_is(msisdn)))).first()
    return NumberRow(*row) if row else None


async def numbered(connection: AsyncConnection, account_id: AccountId, msisdn: str) -> Number | None:
    """The number in either spelling, if this account has it."""
    row = (await connection.execute(_OWNED.where(_is(msisdn), number.c.account_id == account_id))).first()
    return _number_from(row) if row else None


async def names(connection: AsyncConnection, account_id: AccountId) -> list[str]:
    """The numbers of an account as such, in order."""
    wanted = select(number.c.msisdn).where(number.c.account_id == account_id).order_by(number.c.msisdn)
    return list(await connection.scalars(wanted))


async def webhooks_named(connection: AsyncConnection, account_id: AccountId) -> list[str]:
    """The names of webhooks that numbers of an account name."""
    wanted = select(number.c.webhook).where(number.c.account_id == account_id, number.c.webhook.is_not(None))
    return list(await connection.scalars(wanted.distinct()))


async def names_by_account(connection: AsyncConnection) -> dict[AccountId, list[str]]:
    """The numbers of every account as such, in order."""
    found: dict[AccountId, list[str]] = {}
    for msisdn, account_id in await connection.execute(
        select(number.c.msisdn, number.c.account_id).order_by(number.c.msisdn)
    ):
        found.setdefault(AccountId(account_id), []).append(msisdn)
    return found


async def add(
    connection: AsyncConnection, msisdn: str, *, account_id: AccountId, values: Mapping[str, object], now_ms: int
) -> None:
    """Give a number to an account. values: by column; the others have their defaults."""
    await connection.execute(
        insert(number).values(msisdn=msisdn, account_id=account_id, created_at_ms=now_ms, **values)
    )
    await meta.bump_numbers(connection)


async def change(connection: AsyncConnection, msisdn: str, *, values: Mapping[str, object]) -> None:
    """Give a number other values, by column."""
    await connection.execute(update(number).where(_is(msisdn)).values(dict(values)))
    await meta.bump_numbers(connection)


async def remove(connection: AsyncConnection, msisdn: str) -> None:
    """Take a number from its account."""
    await connection.execute(delete(number).where(_is(msisdn)))
    await meta.bump_numbers(connection)


async def detach(
    connection: AsyncConnection, account_id: AccountId, *, column: str, names: Sequence[str], most: int
) -> int:
    """Take a webhook or a campaign (the column) of these names from up to `most` of an account's numbers; how many."""
    ours = select(number.c.msisdn).where(number.c.account_id == account_id, number.c[column].in_(names)).limit(most)
    detached = await connection.execute(update(number).where(number.c.msisdn.in_(ours)).values({column: None}))
    if detached.rowcount:
        await meta.bump_numbers(connection)
    return detached.rowcount


def _is(msisdn: str) -> Any:
    digits = digits_of(msisdn)
    return number.c.msisdn.in_((digits, f"+{digits}"))


def _number_from(row: Any) -> Number:
    return Number(
        msisdn=row.msisdn,
        account_id=AccountId(row.account_id),
        channels=_CHANNELS[row.sms, row.mms, row.voice],
        webhook=row.webhook,
        campaign=row.campaign,
    )
