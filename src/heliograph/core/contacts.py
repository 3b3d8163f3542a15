"""An account's address book: groups of contacts, and what may be written about one."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

from heliograph.core.ids import AccountId, ContactGroupId, ContactId
from heliograph.core.numbers import msisdn_from
from heliograph.core.reasons import Reason

NAME_CHARS = 120
"""Characters of a group's name, of a first or last name, and of the name of a field."""
MOST_FIELDS = 50
VALUE_CHARS = 1_000
OWN_NAMES = frozenset({"msisdn", "first_name", "last_name"})
"""What every contact has, and no field may be called."""
_UNKEEPABLE = re.compile("[\0\ud800-\udfff\ufffe\uffff]")
"""NUL, which PostgreSQL keeps in no text, halves of pairs, and two that XML cannot hold."""

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


def good_group_name(written: str) -> str | None:
    """A group's name without blanks at its ends; None when it is empty, too long, or does not print on one line.

    >>> good_group_name(" Friends "), good_group_name("a\\nb"), good_group_name("n" * 121)
    ('Friends', None, None)
    """
    name = written.strip()
    return name if 1 <= len(name) <= NAME_CHARS and name.isprintable() else None


def good_contact(written: Contact) -> Contact | Reason:
    """A contact as it is kept, or why it is not: INVALID_RECIPIENT, BAD_CONTACT.

    Its number is in E.164 form; blanks at the ends of names and values are gone, and so are fields without a value;
    names of fields are in small letters.

    >>> wanted = Contact(AccountId(1), ContactGroupId(2), ContactId(3), "27 83 123 4567", " Ada ", "", {"Town": "Rome"})
    >>> kept = good_contact(wanted)
    >>> kept.msisdn, kept.first_name, kept.fields
    ('+27831234567', 'Ada', {'town': 'Rome'})
    >>> good_contact(wanted._replace(last_name="n" * 121)) is Reason.BAD_CONTACT
    True
    """
    msisdn = msisdn_from(written.msisdn)
    if msisdn is None:
        return Reason.INVALID_RECIPIENT
    first, last = written.first_name.strip(), written.last_name.strip()
    fields: dict[str, str] = {}
    for each, value in written.fields.items():
        name = good_field_name(each)
        if name is None:
            return Reason.BAD_CONTACT
        fields[name] = value.strip()
    fields = {name: value for name, value in fields.items() if value}
    if not is_within_limits(first, last, fields.values()):
        return Reason.BAD_CONTACT
    return written._replace(msisdn=msisdn, first_name=first, last_name=last, fields=fields)


def is_within_limits(first_name: str, last_name: str, values: Collection[str]) -> bool:
    """Whether names and the values of fields are short and few enough, and hold nothing that cannot be kept."""
    return (
        len(first_name) <= NAME_CHARS
        and len(last_name) <= NAME_CHARS
        and len(values) <= MOST_FIELDS
        and max(map(len, values), default=0) <= VALUE_CHARS
        and not _UNKEEPABLE.search("".join((first_name, last_name, *values)))
    )


def good_field_name(written: str) -> str | None:
    """The name of a field in small letters; None when it is empty, too long, or what every contact has.

    >>> good_field_name(" Town "), good_field_name("First_Name")
    ('town', None)
    """
    name = written.strip().lower()
    is_good = 1 <= len(name) <= NAME_CHARS and name.isprintable() and name not in OWN_NAMES
    return name if is_good else None
