"""Rates: what messages cost, by channel and prefix, for one account or for all."""

from typing import NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel
from heliograph.core.pricing import Rate
from heliograph.store import meta
from heliograph.store.schema import account, rate


class RateRow(NamedTuple):
    """A rate with the number and the account's name that people know it by; None is every account."""

    rate_id: int
    account: str | None
    rate: Rate


async def every(connection: AsyncConnection) -> list[RateRow]:
    """All rates: the general ones first."""
    rows = await connection.execute(
        select(rate, account.c.name.label("account"))
        .outerjoin(account, account.c.id == rate.c.account_id)
        .order_by(account.c.name.nulls_first(), rate.c.channel, rate.c.prefix)
    )
    return [
        RateRow(
            row.id,
            row.account,
            Rate(
                None if row.account_id is None else AccountId(row.account_id),
                Channel(row.channel),
                row.prefix,
                row.price,
            ),
        )
        for row in rows
    ]


async def add(connection: AsyncConnection, new: Rate) -> int | None:
    """Add a rate; returns its number, or None when there is one for the same account, channel and prefix."""
    taken = select(rate.c.id).where(
        rate.c.account_id.is_not_distinct_from(new.account_id),
        rate.c.channel == new.channel,
        rate.c.prefix == new.prefix,
    )
    if await connection.scalar(taken) is not None:
        return None
    made = await connection.execute(insert(rate).values(new._asdict()).returning(rate.c.id))
    await meta.bump_revision(connection)
    return int(made.scalar_one())


async def remove(connection: AsyncConnection, rate_id: int) -> bool:
    """Take a rate away; False when there is none of this number."""
    gone = await connection.execute(delete(rate).where(rate.c.id == rate_id))
    if not gone.rowcount:
        return False
    await meta.bump_revision(connection)
    return True
