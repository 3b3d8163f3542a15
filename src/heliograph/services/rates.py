"""Rates: added, listed and removed."""

from heliograph.core.messages import Channel
from heliograph.core.pricing import Rate
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, good_prefix, the_account
from heliograph.services.refused import Refused
from heliograph.store import rates
from heliograph.store.engine import Store
from heliograph.store.rates import RateRow


class Rates:
    """The operator's work on the rate card."""

    def __init__(self, store: Store, clock: Clock, *, actor: str = "operator") -> None:
        self._store = store
        self._log = ChangeLog(clock, actor)

    async def add(
        self, price: int, *, channel: Channel = Channel.SMS, prefix: str = "", account_name: str | None = None
    ) -> RateRow:
        """Set what a segment to numbers with a prefix costs, for one account or for all. price: micro-credits."""
        digits = good_prefix(prefix)
        if price < 0:
            raise Refused("A price is an amount of credits, 0 or more.")
        async with self._store.writing() as connection:
            account = None if account_name is None else await the_account(connection, account_name)
            new = Rate(account.account_id if account else None, channel, digits, price)
            rate_id = await rates.add(connection, new)
            if rate_id is None:
                raise Refused("There is a rate for the same account, channel and prefix already; remove it first.")
            await self._log.note(
                connection,
                "rate.add",
                subject=str(rate_id),
                account=account_name,
                channel=channel.name.lower(),
                prefix=digits,
                price=price,
            )
            return RateRow(rate_id, account_name, new)

    async def list(self) -> tuple[RateRow, ...]:
        """The whole rate card."""
        async with self._store.reading() as connection:
            return tuple(await rates.every(connection))

    async def remove(self, rate_id: int) -> None:
        """Take a rate away; messages already accepted keep their price."""
        async with self._store.writing() as connection:
            if not await rates.remove(connection, rate_id):
                raise Refused(f"There is no rate {rate_id}; `heliograph rate list` shows them.")
            await self._log.note(connection, "rate.remove", subject=str(rate_id))
