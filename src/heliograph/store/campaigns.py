"""Campaigns: registered classes of traffic of an account, named by their TCR id."""

from typing import NamedTuple

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import AccountId
from heliograph.store import meta
from heliograph.store.schema import account, campaign, number


class CampaignRow(NamedTuple):
    """A campaign, its account's name beside it. numbers: how many of the account's numbers are in it."""

    account: str
    tcr: str
    brand: str
    is_approved: bool
    numbers: int
    created_at_ms: int


async def every(connection: AsyncConnection, account_id: AccountId | None = None) -> list[CampaignRow]:
    """Campaigns of one account or of all."""
    count = (
        select(func.count())
        .where(number.c.account_id == campaign.c.account_id, number.c.campaign == campaign.c.tcr)
        .scalar_subquery()
    )
    wanted = (
        select(
            account.c.name, campaign.c.tcr, campaign.c.brand, campaign.c.is_approved, count, campaign.c.created_at_ms
        )
        .join(account, account.c.id == campaign.c.account_id)
        .order_by(account.c.name, campaign.c.tcr)
    )
    if account_id is not None:
        wanted = wanted.where(campaign.c.account_id == account_id)
    return [CampaignRow(*row) for row in await connection.execute(wanted)]


async def approved(connection: AsyncConnection) -> list[tuple[AccountId, str]]:
    """The campaigns that numbers may send for."""
    rows = await connection.execute(select(campaign.c.account_id, campaign.c.tcr).where(campaign.c.is_approved))
    return [(AccountId(row.account_id), row.tcr) for row in rows]


async def names(connection: AsyncConnection, account_id: AccountId) -> list[str]:
    """The TCR ids of an account's campaigns."""
    return list(await connection.scalars(select(campaign.c.tcr).where(campaign.c.account_id == account_id)))


async def add(connection: AsyncConnection, account_id: AccountId, *, tcr: str, brand: str, now_ms: int) -> None:
    """Register a campaign, not yet approved."""
    await connection.execute(insert(campaign).values(account_id=account_id, tcr=tcr, brand=brand, created_at_ms=now_ms))
    await meta.bump_revision(connection)


async def approve(connection: AsyncConnection, account_id: AccountId, *, tcr: str) -> bool:
    """Mark a campaign as approved; False when the account has none of this name."""
    approved = await connection.execute(
        update(campaign).where(campaign.c.account_id == account_id, campaign.c.tcr == tcr).values(is_approved=True)
    )
    if not approved.rowcount:
        return False
    await meta.bump_revision(connection)
    return True


async def remove(connection: AsyncConnection, account_id: AccountId, *, tcr: str) -> None:
    """Forget a campaign."""
    await connection.execute(delete(campaign).where(campaign.c.account_id == account_id, campaign.c.tcr == tcr))
    await meta.bump_revision(connection)
