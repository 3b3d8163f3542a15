"""Campaigns of accounts: registered, approved, listed and removed."""

from heliograph.core.directory import Account
from heliograph.core.ids import AccountId
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, good_name, listed, same_name, the_account
from heliograph.services.refused import Refused, Unknown
from heliograph.store import campaigns, numbers
from heliograph.store.campaigns import CampaignRow
from heliograph.store.connection import Connection
from heliograph.store.engine import Store

PAGE = 500
"""Rows that one transaction changes at most."""


class Campaigns:
    """The operator's work on campaigns, and what accounts see of theirs. TCR ids are found in any case."""

    def __init__(self, store: Store, clock: Clock, *, actor: str = "operator") -> None:
        self._store = store
        self._log = ChangeLog(clock, actor)

    async def add(self, account_name: str, tcr: str, *, brand: str) -> None:
        """Register a campaign by its TCR id, not yet approved."""
        good_name(tcr, what="a campaign")
        good_name(brand, what="a brand")
        async with self._store.writing() as connection:
            account = await the_account(connection, account_name)
            known = same_name(tcr, await campaigns.names(connection, account.account_id))
            if known is not None:
                raise Refused(f"Account {account_name!r} has a campaign {known!r} already.")
            await campaigns.add(connection, account.account_id, tcr=tcr, brand=brand, now_ms=self._log.now_ms())
            await self._log.note(connection, "campaign.add", subject=tcr, account=account_name, brand=brand)

    async def approve(self, account_name: str, tcr: str) -> str:
        """Let numbers of a campaign send; returns the campaign's id as it is spelt."""
        async with self._store.writing() as connection:
            account = await the_account(connection, account_name)
            known = await _spelt(connection, account, tcr)
            await campaigns.approve(connection, account.account_id, tcr=known)
            await self._log.note(connection, "campaign.approve", subject=known, account=account_name)
            return known

    async def remove(self, account_name: str, tcr: str) -> str:
        """Forget a campaign and take it from its numbers, in turns; returns the campaign's id as it is spelt."""
        while True:
            async with self._store.writing() as connection:
                account = await the_account(connection, account_name)
                known = await _spelt(connection, account, tcr)
                account_id = account.account_id
                if await numbers.detach(connection, account_id, column="campaign", names=[known], most=PAGE) < PAGE:
                    await campaigns.remove(connection, account_id, tcr=known)
                    await self._log.note(connection, "campaign.remove", subject=known, account=account_name)
                    return known

    async def list(self, account_name: str | None = None) -> tuple[CampaignRow, ...]:
        """Campaigns of one account or of all."""
        async with self._store.reading() as connection:
            account = None if account_name is None else await the_account(connection, account_name)
            return tuple(await campaigns.every(connection, account.account_id if account else None))

    async def of_account(self, account_id: AccountId) -> tuple[CampaignRow, ...]:
        """The account's campaigns, in the order of their ids."""
        async with self._store.reading() as connection:
            return tuple(await campaigns.every(connection, account_id))


async def _spelt(connection: Connection, account: Account, tcr: str) -> str:
    names = await campaigns.names(connection, account.account_id)
    known = same_name(tcr, names)
    if known is None:
        raise Unknown(f"Account {account.name!r} has no campaign {tcr!r}; {listed(names)}.")
    return known
