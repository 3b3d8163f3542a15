"""Campaigns of accounts: registered, approved and listed."""

from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, good_name, the_account
from heliograph.services.refused import Refused
from heliograph.store import campaigns
from heliograph.store.campaigns import CampaignRow
from heliograph.store.engine import Store


class Campaigns:
    """The operator's work on campaigns."""

    def __init__(self, store: Store, clock: Clock, *, actor: str = "operator") -> None:
        self._store = store
        self._log = ChangeLog(clock, actor)

    async def add(self, account_name: str, tcr: str, *, brand: str) -> None:
        """Register a campaign by its TCR id, not yet approved."""
        good_name(tcr, what="a campaign")
        good_name(brand, what="a brand")
        async with self._store.writing() as connection:
            account = await the_account(connection, account_name)
            if await campaigns.has(connection, account.account_id, tcr=tcr):
                raise Refused(f"Account {account_name!r} has a campaign {tcr!r} already.")
            await campaigns.add(connection, account.account_id, tcr=tcr, brand=brand, now_ms=self._log.now_ms())
            await self._log.note(connection, "campaign.add", subject=tcr, account=account_name, brand=brand)

    async def approve(self, account_name: str, tcr: str) -> None:
        """Let numbers of a campaign send."""
        async with self._store.writing() as connection:
            account = await the_account(connection, account_name)
            if not await campaigns.approve(connection, account.account_id, tcr=tcr):
                raise Refused(f"Account {account_name!r} has no campaign {tcr!r}.")
            await self._log.note(connection, "campaign.approve", subject=tcr, account=account_name)

    async def list(self, account_name: str | None = None) -> tuple[CampaignRow, ...]:
        """Campaigns of one account or of all."""
        async with self._store.reading() as connection:
            account = None if account_name is None else await the_account(connection, account_name)
            return tuple(await campaigns.every(connection, account.account_id if account else None))
