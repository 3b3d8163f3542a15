"""The address book: contact groups, and the contacts in them."""

import re
from functools import partial
from typing import TypeVar

from heliograph.core.contacts import NAME_CHARS, VALUE_CHARS, Contact, ContactGroup
from heliograph.core.ids import ContactGroupId, ContactId, id_from_uid, uid_from
from heliograph.core.messages import Refusal
from heliograph.core.numbers import msisdn_from
from heliograph.core.reasons import Reason
from heliograph.dialects.dialect import Answer, Call
from heliograph.dialects.fields import bag_of, date_from, line_of, needed, read, short_of, text_of
from heliograph.dialects.pages import page_asked
from heliograph.dialects.parameters import Bag
from heliograph.dialects.textboost import wire
from heliograph.dialects.textboost.answers import done
from heliograph.dialects.textboost.errors import CONTACT_UNKNOWN, UNKNOWN, WORDS, Fault, Words, of_recipient

Stored = TypeVar("Stored", ContactGroup, Contact)

_TAKEN, _SUBSCRIBED = "{} already available as your contact group.", "You have already subscribed to {}"
_FIELD = re.compile("[A-Z][A-Z0-9_]*")
_OWN_FIELDS = frozenset({"PHONE", "FIRST_NAME", "LAST_NAME"})


async def list_groups(call: Call) -> Answer:
    """The account's contact groups, newest first."""
    ask = partial(call.services.contacts.groups, call.account.account_id)
    return done(await page_asked(call, ask, lambda group: _group_row(call, group), per_page=wire.PER_PAGE))


async def add_group(call: Call) -> Answer:
    """Make a contact group."""
    name = _name(call)
    made = await call.services.contacts.add_group(call.account.account_id, name)
    return done(_saved_group(call, _stored(made, _TAKEN.format(name))), "Contact group was successfully added")


async def show_group(call: Call) -> Answer:
    """A contact group."""
    return done(_group_row(call, await _group(call)))


async def rename_group(call: Call) -> Answer:
    """Give a contact group another name."""
    group, name = await _group(call), _name(call)
    renamed = await call.services.contacts.rename_group(group.account_id, group.group_id, name=name)
    return done(_saved_group(call, _stored(renamed, _TAKEN.format(name))), "Contact group was successfully updated")


async def remove_group(call: Call) -> Answer:
    """Remove a contact group with its contacts."""
    group = await _group(call)
    await call.services.contacts.remove_group(group.account_id, group.group_id)
    return done(None, "Contact group was successfully deleted")


async def list_contacts(call: Call) -> Answer:
    """The contacts of a group, newest first."""
    group = await _group(call)
    ask = partial(call.services.contacts.contacts, group.account_id, group.group_id)
    page = await page_asked(call, ask, lambda contact: _row(call, contact), per_page=wire.PER_PAGE)
    if page is None:
        raise Fault(UNKNOWN)
    return done(page)


async def add_contact(call: Call) -> Answer:
    """Add a contact to a group."""
    group = await _group(call)
    wanted = _changed(Contact(group.account_id, group.group_id, ContactId(0), ""), bag_of(call))
    added = _stored(await call.services.contacts.add(wanted), _SUBSCRIBED.format(group.name))
    return done(_saved_row(call, added), "Contact was successfully added")


async def show_contact(call: Call) -> Answer:
    """A contact of a group."""
    return done(_row(call, await _contact(call, await _group(call), CONTACT_UNKNOWN)))


async def change_contact(call: Call) -> Answer:
    """Change a contact: its number, which must be given, and what else is given."""
    group = await _group(call)
    wanted = _changed(await _contact(call, group), bag_of(call))
    changed = _stored(await call.services.contacts.change(wanted), _SUBSCRIBED.format(group.name))
    return done(_saved_row(call, changed), "Contact was successfully updated")


async def remove_contact(call: Call) -> Answer:
    """Remove a contact from its group."""
    contact = await _contact(call, await _group(call))
    await call.services.contacts.remove(contact.account_id, contact.group_id, contact_id=contact.contact_id)
    return done(None, "Contact was successfully deleted")


async def _group(call: Call) -> ContactGroup:
    """The group in the path; raises Fault."""
    found = id_from_uid(call.places["group_id"], call.account.mark)
    group = found and await call.services.contacts.group(call.account.account_id, ContactGroupId(found))
    if not group:
        raise Fault(UNKNOWN)
    return group


async def _contact(call: Call, group: ContactGroup, unknown: Words = UNKNOWN) -> Contact:
    """The contact of a group in the path; raises Fault."""
    found = id_from_uid(call.places["uid"], call.account.mark) or 0
    contact = await call.services.contacts.contact(group.account_id, group.group_id, contact_id=ContactId(found))
    if contact is None:
        raise Fault(unknown)
    return contact


def _name(call: Call) -> str:
    return needed("name", read(bag_of(call), wire.GroupChange).name, most=NAME_CHARS)


def _stored(outcome: Stored | Refusal, duplicate: str) -> Stored:
    """What was stored; raises Fault, with these words for one that there is already."""
    if not isinstance(outcome, Refusal):
        return outcome
    if outcome.reason is Reason.DUPLICATE:
        raise Fault(Words(duplicate))
    raise Fault(UNKNOWN if outcome.reason is Reason.NOT_FOUND else WORDS[outcome.reason])


def _changed(contact: Contact, bag: Bag) -> Contact:
    """A contact with what is given, the rest as it is; raises Fault or FieldFault."""
    # Newer versions of the product write these in capital letters.
    bag |= {name.lower(): bag[name] for name in _OWN_FIELDS if name in bag}
    given = read(bag, wire.ContactChange)
    phone = needed("phone", given.phone, most=NAME_CHARS)
    msisdn = msisdn_from(phone)
    if msisdn is None:
        raise Fault(Words(of_recipient(Reason.INVALID_RECIPIENT, phone)))
    first = line_of("first_name", given.first_name, most=NAME_CHARS) if "first_name" in bag else contact.first_name
    last = line_of("last_name", given.last_name, most=NAME_CHARS) if "last_name" in bag else contact.last_name
    written = {
        line_of("field", name, most=NAME_CHARS).lower(): short_of(name, text, most=VALUE_CHARS)
        for name, text in _fields(given, bag).items()
    }
    fields = {name: text for name, text in {**contact.fields, **written}.items() if text}
    return contact._replace(msisdn=msisdn, fields=fields, first_name=first, last_name=last)


def _fields(given: wire.ContactChange, bag: Bag) -> dict[str, str]:
    """Custom fields; "" for one to take away."""
    named = {name: value for name, value in bag.items() if _FIELD.fullmatch(name)} | (given.custom_fields or {})
    return {
        name.strip(): text_of(value)
        for name, value in named.items()
        if name.strip() and name.upper() not in _OWN_FIELDS and isinstance(value, str | int | None)
    }


def _group_row(call: Call, group: ContactGroup) -> wire.Group:
    return wire.Group(uid_from(group.group_id, call.account.mark), group.name)


def _saved_group(call: Call, group: ContactGroup) -> wire.GroupSaved:
    return wire.GroupSaved(group.name, uid_from(group.group_id, call.account.mark))


def _row(call: Call, contact: Contact) -> wire.Contact:
    uid = uid_from(contact.contact_id, call.account.mark)
    return wire.Contact(uid, int(contact.msisdn[1:]), contact.first_name or None, contact.last_name or None)


def _saved_row(call: Call, contact: Contact) -> wire.ContactSaved:
    row, custom = _row(call, contact), {name.upper(): text for name, text in contact.fields.items()}
    fields = {"FIRST_NAME": row.first_name, "LAST_NAME": row.last_name, **custom}
    made, changed = date_from(contact.created_at_ms), date_from(contact.modified_at_ms)
    return wire.ContactSaved(row.uid, row.phone, "subscribe", row.first_name, row.last_name, made, changed, fields)
