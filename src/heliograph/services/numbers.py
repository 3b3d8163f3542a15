"""Numbers of accounts: given, changed, listed and taken back. A number belongs to one account at most."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from heliograph.core.directory import Account, Number
from heliograph.core.ids import AccountId
from heliograph.core.messages import Refusal
from heliograph.core.numbers import number_from
from heliograph.core.reasons import Reason
from heliograph.net.clock import Clock
from heliograph.services.changes import (
    ChangeLog,
    account_numbered,
    listed,
    nobody_follows,
    refusal_of,
    same_name,
    the_account,
)
from heliograph.services.refused import Refused, Unknown
from heliograph.store import accounts, campaigns, numbers, webhooks
from heliograph.store.connection import Connection
from heliograph.store.engine import Store
from heliograph.store.numbers import NumberRow


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberOptions:
    """What a number is for; None leaves it as it is. webhook, campaign: names in any case, "" for none."""

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
    """The operator's work on numbers, by the account's name, and the account's own, by its id.

    Numbers of other accounts are as unknown as ones that nobody has. changed: awaited after each change, so that this
    process's own decisions follow it at once.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        actor: str = "operator",
        changed: Callable[[], Awaitable[None]] = nobody_follows,
    ) -> None:
        self._store = store
        self._changed = changed
        self._log = ChangeLog(clock, actor)

    # The operator's ----------------------------------------------------------------------------------------------

    async def add(self, account_name: str, written: str, *, options: NumberOptions) -> NumberRow:
        """Give a number to an account; SMS and MMS are on unless options say otherwise."""
        msisdn = _good_number(written)
        async with self._store.writing() as connection:
            account = await the_account(connection, account_name)
            known = await numbers.find(connection, msisdn)
            if known is not None:
                raise Refused(f"{known.msisdn} belongs to account {known.account!r} already.")
            values = await _columns(connection, account, options)
            await numbers.add(
                connection, msisdn, account_id=account.account_id, values=values, now_ms=self._log.now_ms()
            )
            await self._log.note(connection, "number.add", subject=msisdn, account=account_name, **values)
            row = await _the_number(connection, msisdn, account_name=account_name)
        await self._changed()
        return row

    async def change(self, written: str, options: NumberOptions, *, account_name: str | None = None) -> NumberRow:
        """Change what is not None. account_name: whose number it must be."""
        if not options.columns():
            raise Refused("Nothing to change was named.")
        msisdn = _good_number(written)
        async with self._store.writing() as connection:
            known = await _the_number(connection, msisdn, account_name=account_name)
            account = await the_account(connection, known.account)
            await self._set(connection, account, known.msisdn, options=options)
            row = await _the_number(connection, msisdn, account_name=account_name)
        await self._changed()
        return row

    async def list(
        self, account_name: str | None = None, *, having: NumberOptions | None = None
    ) -> tuple[NumberRow, ...]:
        """Numbers of one account or of all. having: what is not None must be so."""
        async with self._store.reading() as connection:
            account = None if account_name is None else await the_account(connection, account_name)
            columns = having.columns() if having else {}
            return tuple(await numbers.every(connection, account.account_id if account else None, having=columns))

    async def remove(self, written: str, *, account_name: str | None = None) -> None:
        """Take a number from its account. account_name: whose number it must be."""
        msisdn = _good_number(written)
        async with self._store.writing() as connection:
            known = await _the_number(connection, msisdn, account_name=account_name)
            await self._take(connection, known.msisdn, account=known.account)
        await self._changed()

    # The account's own -------------------------------------------------------------------------------------------

    async def of_account(self, account_id: AccountId) -> tuple[Number, ...]:
        """The account's numbers, in the order of their digits."""
        async with self._store.reading() as connection:
            return tuple(await numbers.of_account(connection, account_id))

    async def assign(
        self,
        account_id: AccountId,
        msisdn: str,
        *,
        sms: bool | None = None,
        mms: bool | None = None,
        webhook: str | None = None,
        campaign: str | None = None,
    ) -> Number | Refusal:
        """Change what is not None; "" for no webhook or no campaign. Returns what became of the number.

        NOT_FOUND when the account has no such number, webhook or campaign; SUSPENDED, NOT_AGREED.
        """
        options = NumberOptions(sms=sms, mms=mms, webhook=webhook, campaign=campaign)
        try:
            async with self._store.writing() as connection:
                account = await account_numbered(connection, account_id)
                refusal = refusal_of(account)
                known = await numbers.numbered(connection, account_id, msisdn)
                if refusal is not None or known is None:
                    return refusal or Refusal(Reason.NOT_FOUND)
                if options.columns():
                    await self._set(connection, account, known.msisdn, options=options)
                made = await numbers.numbered(connection, account_id, msisdn)
        except Unknown:
            return Refusal(Reason.NOT_FOUND)
        assert made is not None
        await self._changed()
        return made

    async def release(self, account_id: AccountId, msisdn: str) -> bool:
        """Take a number from the account; False when it has no such number."""
        async with self._store.writing() as connection:
            known = await numbers.numbered(connection, account_id, msisdn)
            account = await accounts.numbered(connection, account_id)
            if known is None or account is None:
                return False
            await self._take(connection, known.msisdn, account=account.name)
        await self._changed()
        return True

    # Either's ----------------------------------------------------------------------------------------------------

    async def _set(self, connection: Connection, account: Account, msisdn: str, *, options: NumberOptions) -> None:
        values = await _columns(connection, account, options)
        await numbers.change(connection, msisdn, values=values)
        await self._log.note(connection, "number.set", subject=msisdn, account=account.name, **values)

    async def _take(self, connection: Connection, msisdn: str, *, account: str) -> None:
        await numbers.remove(connection, msisdn)
        await self._log.note(connection, "number.remove", subject=msisdn, account=account)


def _good_number(written: str) -> str:
    number = number_from(written)
    if number is None:
        raise Refused(
            f"{written!r} is not a number: write 9 to 15 digits with the country code, + before a shorter number, "
            f"or a short code of 3 to 8 digits."
        )
    return number


async def _the_number(connection: Connection, msisdn: str, *, account_name: str | None) -> NumberRow:
    known = await numbers.find(connection, msisdn)
    if known is None or account_name not in (None, known.account):
        whose = "any account" if account_name is None else f"account {account_name!r}"
        raise Unknown(f"{msisdn} is not a number of {whose}.")
    return known


async def _columns(connection: Connection, account: Account, options: NumberOptions) -> dict[str, object]:
    """What was named, by column; webhook and campaign as the account spells them. Raises Unknown."""
    values = options.columns()
    if options.webhook:
        known = [each.name for each in await webhooks.every(connection, account.account_id) if each.name is not None]
        values["webhook"] = _spelt("webhook", options.webhook, known, account=account)
    if options.campaign:
        known = await campaigns.names(connection, account.account_id)
        values["campaign"] = _spelt("campaign", options.campaign, known, account=account)
    return values


def _spelt(what: str, written: str, known: list[str], *, account: Account) -> str:
    name = same_name(written, known)
    if name is None:
        raise Unknown(f"Account {account.name!r} has no {what} {written!r}; {listed(known)}.")
    return name
