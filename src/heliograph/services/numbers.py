"""Numbers of accounts: given, changed, listed and taken back."""

from dataclasses import asdict, dataclass

from heliograph.core.ids import AccountId
from heliograph.core.numbers import msisdn_from
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, the_account
from heliograph.services.refused import Refused
from heliograph.store import accounts, campaigns, numbers
from heliograph.store.connection import Connection
from heliograph.store.engine import Store
from heliograph.store.numbers import NumberRow


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberOptions:
    """What a number is for; None leaves it as it is. webhook, campaign: names, "" for none."""

    sms: bool | None = None
    mms: bool | None = None
    voice: bool | None = None
    webhook: str | None = None
    campaign: str | None = None

    def columns(self) -> dict[str, object]:
        """What was named, by column."""
        named = {name: value for name, value in asdict(self).items() if value is not None}
        return {name: None if value == "" else value for name, value in named.items()}


class Numbers:
    """The operator's work on numbers."""

    def __init__(self, store: Store, clock: Clock, *, actor: str = "operator") -> None:
        self._store = store
        self._log = ChangeLog(clock, actor)

    async def add(self, account_name: str, written: str, *, options: NumberOptions) -> NumberRow:
        """Give a number to an account; SMS and MMS are on unless options say otherwise."""
        msisdn = _msisdn(written)
        async with self._store.writing() as connection:
            account = await the_account(connection, account_name)
            known = await numbers.find(connection, msisdn)
            if known is not None:
                raise Refused(f"{msisdn} belongs to account {known.account!r} already.")
            await _check_campaign(connection, account.account_id, options=options)
            values = options.columns()
            await numbers.add(
                connection, msisdn, account_id=account.account_id, values=values, now_ms=self._log.now_ms()
            )
            await self._log.note(connection, "number.add", subject=msisdn, account=account_name, **values)
            return await _the_number(connection, msisdn, account_name=account_name)

    async def change(self, written: str, options: NumberOptions, *, account_name: str | None = None) -> NumberRow:
        """Change what is not None. account_name: whose number it must be."""
        values = options.columns()
        if not values:
            raise Refused("Nothing to change was named.")
        msisdn = _msisdn(written)
        async with self._store.writing() as connection:
            known = await _the_number(connection, msisdn, account_name=account_name)
            account = await accounts.named(connection, known.account)
            assert account is not None
            await _check_campaign(connection, account.account_id, options=options)
            await numbers.change(connection, msisdn, values=values)
            await self._log.note(connection, "number.set", subject=msisdn, **values)
            return await _the_number(connection, msisdn, account_name=account_name)

    async def list(self, account_name: str | None = None) -> tuple[NumberRow, ...]:
        """Numbers of one account or of all."""
        async with self._store.reading() as connection:
            account = None if account_name is None else await the_account(connection, account_name)
            return tuple(await numbers.every(connection, account.account_id if account else None))

    async def remove(self, written: str, *, account_name: str | None = None) -> None:
        """Take a number from its account. account_name: whose number it must be."""
        msisdn = _msisdn(written)
        async with self._store.writing() as connection:
            known = await _the_number(connection, msisdn, account_name=account_name)
            await numbers.remove(connection, msisdn)
            await self._log.note(connection, "number.remove", subject=msisdn, account=known.account)


def _msisdn(written: str) -> str:
    msisdn = msisdn_from(written)
    if msisdn is None:
        raise Refused(f"{written!r} is not a number: write 7 to 15 digits with the country code.")
    return msisdn


async def _the_number(connection: Connection, msisdn: str, *, account_name: str | None) -> NumberRow:
    known = await numbers.find(connection, msisdn)
    if known is None or account_name not in (None, known.account):
        whose = "any account" if account_name is None else f"account {account_name!r}"
        raise Refused(f"{msisdn} is not a number of {whose}.")
    return known


async def _check_campaign(connection: Connection, account_id: AccountId, *, options: NumberOptions) -> None:
    if options.campaign and not await campaigns.has(connection, account_id, tcr=options.campaign):
        raise Refused(f"The account has no campaign {options.campaign!r}; add it with `heliograph campaign add`.")
