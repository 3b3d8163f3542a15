"""Numbers that belong to accounts: what they may send from, and what reaches them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.directory import Number
from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel
from heliograph.store import meta
from heliograph.store.schema import account, number


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


async def every(connection: AsyncConnection, account_id: AccountId | None = None) -> list[NumberRow]:
    """Numbers of one account or of all, in order."""
    wanted = _WANTED.order_by(number.c.msisdn)
    if account_id is not None:
        wanted = wanted.where(number.c.account_id == account_id)
    return [NumberRow(*row) for row in await connection.execute(wanted)]


async def owned(connection: AsyncConnection) -> list[Number]:
    """All numbers, for the snapshot that decisions are made from."""
    return [
        Number(
            msisdn=row.msisdn,
            account_id=AccountId(row.account_id),
            channels=frozenset(channel for channel in Channel if getattr(row, channel.name.lower())),
            webhook=row.webhook,
            campaign=row.campaign,
        )
        for row in await connection.execute(select(number))
    ]


async def find(connection: AsyncConnection, msisdn: str) -> NumberRow | None:
    """The number, if an account has it."""
    row = (await connection.execute(_WANTED.where(number.c.msisdn == msisdn))).first()
    return NumberRow(*row) if row else None


async def add(
    connection: AsyncConnection, msisdn: str, *, account_id: AccountId, values: Mapping[str, object], now_ms: int
) -> None:
    """Give a number to an account. values: by column; the others have their defaults."""
    await connection.execute(
        insert(number).values(msisdn=msisdn, account_id=account_id, created_at_ms=now_ms, **values)
    )
    await meta.bump_revision(connection)


async def change(connection: AsyncConnection, msisdn: str, *, values: Mapping[str, object]) -> None:
    """Give a number other values, by column."""
    await connection.execute(update(number).where(number.c.msisdn == msisdn).values(dict(values)))
    await meta.bump_revision(connection)


async def remove(connection: AsyncConnection, msisdn: str) -> None:
    """Take a number from its account."""
    await connection.execute(delete(number).where(number.c.msisdn == msisdn))
    await meta.bump_revision(connection)
