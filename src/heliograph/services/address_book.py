"""How the operator names groups and contacts: accounts by name, groups by name or uid, contacts by number or uid."""

from typing import NamedTuple, TypeVar

from heliograph.core.contacts import Contact, ContactGroup
from heliograph.core.directory import Account
from heliograph.core.ids import ContactGroupId, ContactId, id_from_uid, uid_from
from heliograph.core.messages import Refusal
from heliograph.core.numbers import msisdn_from
from heliograph.services.changes import the_account
from heliograph.services.refused import Refused, Unknown
from heliograph.store import contacts
from heliograph.store.engine import Store

T = TypeVar("T")


class Found(NamedTuple):
    """A group and whose it is."""

    account: Account
    group: ContactGroup

    @property
    def uid(self) -> str:
        """The group's uid."""
        return uid_from(self.group.group_id, self.account.mark)

    def uid_of(self, contact: Contact) -> str:
        """The uid of one of its contacts."""
        return uid_from(contact.contact_id, self.account.mark)


async def find_account(store: Store, name: str) -> Account:
    """The account with a name; raises Unknown."""
    async with store.reading() as connection:
        return await the_account(connection, name)


async def find_group(store: Store, account_name: str, written: str) -> Found:
    """A group of an account by its name, or else its uid; raises Unknown."""
    async with store.reading() as connection:
        account = await the_account(connection, account_name)
        found = await contacts.group_named(connection, account.account_id, written)
        identifier = id_from_uid(written, account.mark)
        if found is None and identifier is not None:
            found = await contacts.group(connection, account.account_id, ContactGroupId(identifier))
    if found is None:
        raise Unknown(
            f"Account {account_name!r} has no contact group {written!r}; "
            f"`heliograph group list {account_name}` shows them."
        )
    return Found(account, found)


async def find_contact(store: Store, within: Found, written: str) -> Contact:
    """A contact of a group by its uid or its number; raises Unknown."""
    key = within.account.account_id, within.group.group_id
    identifier, msisdn = id_from_uid(written, within.account.mark), msisdn_from(written)
    found: Contact | None = None
    async with store.reading() as connection:
        if msisdn is not None:
            found = (await contacts.those(connection, *key, msisdns=[msisdn])).get(msisdn)
        if found is None and identifier is not None:
            found = await contacts.contact_numbered(connection, *key, contact_id=ContactId(identifier))
    if found is None:
        raise Unknown(f"Group {within.group.name!r} has no contact {written!r}.")
    return found


def granted(answer: T | Refusal) -> T:
    """What was asked for; raises Refused with the reason when it was refused."""
    if isinstance(answer, Refusal):
        raise Refused(f"{answer.reason.sentence} {answer.reason.advice}")
    return answer
