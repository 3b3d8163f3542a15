"""An account's address book: groups of contacts, and what may be written about one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from heliograph.core.ids import AccountId, ContactGroupId, ContactId

_NO_FIELDS: Mapping[str, str] = MappingProxyType({})


class ContactGroup(NamedTuple):
    """A group. contacts: how many it has."""

    account_id: AccountId
    group_id: ContactGroupId
    name: str
    contacts: int = 0
    created_at_ms: int = 0
    modified_at_ms: int = 0


class Contact(NamedTuple):
    """Somebody in a group. msisdn: in E.164 form. fields: whatever else the account keeps, by name in small letters."""

    account_id: AccountId
    group_id: ContactGroupId
    contact_id: ContactId
    msisdn: str
    first_name: str = ""
    last_name: str = ""
    fields: Mapping[str, str] = _NO_FIELDS
    created_at_ms: int = 0
    modified_at_ms: int = 0
