"""Address books: what accounts do with their own groups and contacts, and the operator with everybody's.

Groups that are made, renamed and removed are remembered; single contacts are not, for there are very many.
"""

from heliograph.core.contacts import Contact, ContactGroup, good_contact, good_group_name
from heliograph.core.directory import Account
from heliograph.core.ids import AccountId, ContactGroupId, ContactId
from heliograph.core.listing import Listing
from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, account_numbered, refusal_of
from heliograph.store import contacts
from heliograph.store.connection import Connection
from heliograph.store.engine import Store

PAGE = 500
"""Contacts that one transaction removes at most."""
TURNS = 10
"""Transactions in which a group's contacts are removed at once; `pipeline.prune` removes those of a larger one."""
PAUSE_S = 0.005
"""Between two of them: whoever waits for a turn gets it."""

_OPERATOR = "operator"


class Contacts:
    """Groups and contacts of accounts; those of other accounts are as unknown as ones that never were.

    Refused are: NOT_FOUND, for a group or contact that the account does not have; DUPLICATE, for a name or number that
    is there already; BAD_CONTACT and INVALID_RECIPIENT, as `core.contacts` says; and to an account that may set nothing
    up, SUSPENDED and NOT_AGREED. page: from 1.
    """

    def __init__(self, store: Store, clock: Clock, *, actor: str = _OPERATOR) -> None:
        self._store = store
        self._clock = clock
        self._log = ChangeLog(clock, actor)
        self._is_operator = actor == _OPERATOR

    # Groups ------------------------------------------------------------------------------------------------------

    async def groups(self, account_id: AccountId, *, page: int, per_page: int) -> Listing[ContactGroup]:
        """Its groups, newest first."""
        async with self._store.reading() as connection:
            total = await contacts.count_of_groups(connection, account_id)
            skip = (page - 1) * per_page
            found = await contacts.groups(connection, account_id, most=per_page, skip=skip) if skip < total else []
        return Listing(found, total)

    async def add_group(self, account_id: AccountId, name: str) -> ContactGroup | Refusal:
        """Make a group."""
        good = good_group_name(name)
        async with self._store.writing() as connection:
            await contacts.hold(connection, account_id)
            account = await account_numbered(connection, account_id)
            refusal = self._refusal(account) or await _unfit(connection, account_id, good)
            if refusal is not None or good is None:
                return refusal or Refusal(Reason.BAD_CONTACT)
            made = await contacts.add_group(connection, account_id, name=good, now_ms=self._log.now_ms())
            await self._note(connection, "group.add", made, account=account)
        return made

    async def group(self, account_id: AccountId, group_id: ContactGroupId) -> ContactGroup | None:
        """One of them."""
        async with self._store.reading() as connection:
            return await contacts.group(connection, account_id, group_id)

    async def rename_group(
        self, account_id: AccountId, group_id: ContactGroupId, *, name: str
    ) -> ContactGroup | Refusal:
        """Give a group another name; its own again is no other one's."""
        good, now_ms = good_group_name(name), self._log.now_ms()
        async with self._store.writing() as connection:
            await contacts.hold(connection, account_id)
            account = await account_numbered(connection, account_id)
            known = await contacts.group(connection, account_id, group_id, is_held=True)
            refusal = self._refusal(account)
            if refusal is not None or known is None:
                return refusal or Refusal(Reason.NOT_FOUND)
            refusal = await _unfit(connection, account_id, good, but=group_id)
            if refusal is not None or good is None:
                return refusal or Refusal(Reason.BAD_CONTACT)
            await contacts.rename_group(connection, account_id, group_id, name=good, now_ms=now_ms)
            made = known._replace(name=good, modified_at_ms=now_ms)
            await self._note(connection, "group.rename", made, account=account)
        return made

    async def remove_group(self, account_id: AccountId, group_id: ContactGroupId) -> bool:
        """Remove a group with its contacts; whether there was one. It is gone at once, and they bit by bit."""
        async with self._store.writing() as connection:
            account = await account_numbered(connection, account_id)
            known = await contacts.group(connection, account_id, group_id, is_held=True)
            if known is None:
                return False
            await contacts.remove_group(connection, account_id, group_id)
            await self._note(connection, "group.remove", known, account=account)
        for _ in range(TURNS):
            await self._clock.sleep(PAUSE_S)
            async with self._store.writing() as connection:
                if await contacts.remove_leftovers(connection, account_id, group_id, most=PAGE) < PAGE:
                    break
        return True

    async def _note(self, connection: Connection, action: str, group: ContactGroup, *, account: Account) -> None:
        await self._log.note(
            connection,
            action,
            subject=str(group.group_id),
            account=account.name,
            name=group.name,
            contacts=group.contacts,
        )

    # Contacts ----------------------------------------------------------------------------------------------------

    async def contacts(
        self, account_id: AccountId, group_id: ContactGroupId, *, page: int, per_page: int
    ) -> Listing[Contact] | None:
        """Those of a group, newest first; None when there is no such group."""
        async with self._store.reading() as connection:
            known = await contacts.group(connection, account_id, group_id)
            if known is None:
                return None
            found = await contacts.page(connection, known, most=per_page, skip=(page - 1) * per_page)
        return Listing(found, known.contacts)

    async def add(self, contact: Contact) -> Contact | Refusal:
        """Add a contact to its group; its id and times are found here."""
        good = good_contact(contact)
        key = contact.account_id, contact.group_id
        async with self._store.writing() as connection:
            refusal = await self._no_group(connection, *key)
            if refusal is not None:
                return refusal
            if isinstance(good, Reason):
                return Refusal(good)
            if await contacts.known(connection, *key, msisdns=[good.msisdn]):
                return Refusal(Reason.DUPLICATE)
            now_ms = self._log.now_ms()
            (contact_id,) = await contacts.add(connection, *key, made=[good], now_ms=now_ms)
        return good._replace(contact_id=ContactId(contact_id), created_at_ms=now_ms, modified_at_ms=now_ms)

    async def contact(
        self, account_id: AccountId, group_id: ContactGroupId, *, contact_id: ContactId
    ) -> Contact | None:
        """One of a group."""
        async with self._store.reading() as connection:
            if await contacts.group(connection, account_id, group_id) is None:
                return None
            return await contacts.contact_numbered(connection, account_id, group_id, contact_id=contact_id)

    async def change(self, contact: Contact) -> Contact | Refusal:
        """Give the contact with this id the values that are here."""
        good, now_ms = good_contact(contact), self._log.now_ms()
        key = contact.account_id, contact.group_id
        async with self._store.writing() as connection:
            refusal = await self._no_group(connection, *key)
            if refusal is not None:
                return refusal
            before = await contacts.contact_numbered(connection, *key, contact_id=contact.contact_id)
            if before is None:
                return Refusal(Reason.NOT_FOUND)
            if isinstance(good, Reason):
                return Refusal(good)
            same = await contacts.known(connection, *key, msisdns=[good.msisdn])
            if same.get(good.msisdn, before.contact_id) != before.contact_id:
                return Refusal(Reason.DUPLICATE)
            made = good._replace(created_at_ms=before.created_at_ms, modified_at_ms=now_ms)
            await contacts.change(connection, [made], now_ms=now_ms)
        return made

    async def remove(self, account_id: AccountId, group_id: ContactGroupId, *, contact_id: ContactId) -> bool:
        """Remove a contact; whether there was one."""
        async with self._store.writing() as connection:
            if await contacts.group(connection, account_id, group_id, is_held=True) is None:
                return False
            return await contacts.remove(connection, account_id, group_id, contact_id=contact_id)

    # Both --------------------------------------------------------------------------------------------------------

    def _refusal(self, account: Account) -> Refusal | None:
        return None if self._is_operator else refusal_of(account)

    async def _no_group(
        self, connection: Connection, account_id: AccountId, group_id: ContactGroupId
    ) -> Refusal | None:
        """Why nothing may be written into a group, which is held otherwise."""
        refusal = self._refusal(await account_numbered(connection, account_id))
        if refusal is not None:
            return refusal
        known = await contacts.group(connection, account_id, group_id, is_held=True)
        return None if known is not None else Refusal(Reason.NOT_FOUND)


async def _unfit(
    connection: Connection, account_id: AccountId, name: str | None, *, but: ContactGroupId | None = None
) -> Refusal | None:
    """Why no group of an account may have a name. but: the one that may, having it already."""
    if name is None:
        return Refusal(Reason.BAD_CONTACT)
    known = await contacts.group_named(connection, account_id, name)
    return None if known is None or known.group_id == but else Refusal(Reason.DUPLICATE)
