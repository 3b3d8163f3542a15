"""Contacts as rows of a table that people keep in files: which column is what, and what a row says.

A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return as a formula, also behind
blanks. Such a text is written with an apostrophe before it, which makes it a text again, and one apostrophe is taken
away when it is read. A text that has apostrophes before such a character of its own gets one more, so that every text
comes back as it was.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from heliograph.core.contacts import (
    MOST_FIELDS,
    NAME_CHARS,
    OWN_NAMES,
    VALUE_CHARS,
    Contact,
    good_field_name,
    is_within_limits,
)
from heliograph.core.ids import AccountId, ContactGroupId, ContactId
from heliograph.core.numbers import msisdn_from

MOST_COLUMNS = 200
"""Columns that a table may have."""

_FORMULA = re.compile(r"'*\s*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+\s*[=+\-@\t\r]")
_WHOLE = re.compile(r"(\+?[0-9]+)\.0+")
_BROKEN = re.compile(r"[0-9]{9,}\.[0-9]+")
_ROUNDED = re.compile(r"[+-]?[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+")
_LETTERS = re.compile(r"[\W_]+")
_SPELLINGS: Mapping[str, frozenset[str]] = {
    "msisdn": frozenset({"msisdn", "number", "gsm", "tel"})
    | {
        what + about
        for what in ("phone", "mobile", "cell", "cellphone", "mobilephone", "telephone")
        for about in ("", "number", "no")
    },
    "first_name": frozenset({"firstname", "forename", "givenname"}),
    "last_name": frozenset({"lastname", "surname", "familyname"}),
}
"""What our names are commonly called, in letters only."""


class BadTable(Exception):
    """A table whose columns make no sense; the text is one sentence that says what would."""


class Columns(NamedTuple):
    """Where things stand in a row; -1 for nowhere. fields: place and name of each."""

    msisdn: int
    first_name: int
    last_name: int
    fields: tuple[tuple[int, str], ...]


class Rejected(NamedTuple):
    """A row that becomes no contact. number: of the row; the one that names the columns is 1. written: its number."""

    number: int
    written: str
    why: str


def guarded(text: str) -> str:
    """A text that no spreadsheet runs.

    >>> guarded("=1+1"), guarded(" -1"), guarded("'@a"), guarded("a=1"), guarded("'tis")
    ("'=1+1", "' -1", "''@a", 'a=1', "'tis")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """The text that was guarded, or was never.

    >>> unguarded("'=1+1"), unguarded("''@a"), unguarded("'tis"), unguarded("-1")
    ('=1+1', "'@a", "'tis", '-1')
    """
    return text[1:] if _GUARDED.match(text) else text


def columns_from(header: Sequence[str], chosen: Mapping[str, str]) -> Columns:
    """Which column is what, by the names in the first row; raises BadTable.

    chosen: by name of a column, in any case: `msisdn`, `first_name`, `last_name`, the name of a field, or "" for none.
    A column whose name is exactly one of ours is that; else one that is commonly called so. All others become fields.

    >>> columns_from(["Mobile", "First name", "Town"], {})
    Columns(msisdn=0, first_name=1, last_name=-1, fields=((2, 'town'),))
    """
    if len(header) > MOST_COLUMNS:
        raise BadTable(f"A table may have {MOST_COLUMNS} columns, and this has {len(header)}.")
    names = [unguarded(each.strip()).strip().lower() for each in header]
    wanted = _chosen(names, chosen)
    own = {name: _place_of(name, names, wanted) for name in ("msisdn", "first_name", "last_name")}
    if own["msisdn"] < 0:
        raise BadTable(
            f"No column is called msisdn, number, phone or mobile; there are {', '.join(map(repr, header))}: "
            f"name the one with --column NAME=msisdn."
        )
    fields: dict[str, int] = {}
    for place, name in enumerate(names):
        called = wanted.get(place, name)
        if place in own.values() or not called:
            continue
        field = good_field_name(called)
        if field is None or field in fields:
            raise BadTable(
                f"Column {place + 1}, {header[place]!r}, cannot be the field {called!r}: there is another one of this "
                f"name, or it has more than {NAME_CHARS} characters. Choose another with --column NAME=FIELD."
            )
        fields[field] = place
    return Columns(own["msisdn"], own["first_name"], own["last_name"], tuple((at, name) for name, at in fields.items()))


def _chosen(names: Sequence[str], chosen: Mapping[str, str]) -> dict[int, str]:
    wanted: dict[int, str] = {}
    for column, target in chosen.items():
        places = [place for place, name in enumerate(names) if name == column.strip().lower()]
        if not places:
            raise BadTable(f"No column is called {column!r}; there are {', '.join(map(repr, names))}.")
        wanted |= dict.fromkeys(places, target.strip().lower())
    return wanted


def _place_of(own: str, names: Sequence[str], wanted: Mapping[int, str]) -> int:
    """The column that is the contact's own thing: the one chosen, the one that is called so, the one that is alike."""
    free = [place for place in range(len(names)) if place not in wanted]
    for places in (
        [place for place, target in wanted.items() if target == own],
        [place for place in free if names[place] == own],
        [place for place in free if _LETTERS.sub("", names[place]) in _SPELLINGS[own]],
    ):
        if len(places) > 1:
            both = " and ".join(repr(names[each]) for each in places[:2])
            raise BadTable(f"Both {both} could be the {own}: leave one out with --column NAME= (nothing behind it).")
        if places:
            return places[0]
    return -1


def contact_from(
    row: Sequence[str], columns: Columns, *, number: int, account_id: AccountId, group_id: ContactGroupId
) -> Contact | Rejected:
    """The contact that a row says, or why it says none. Cells that are missing are empty; those beyond are left."""
    count = len(row)
    written = row[columns.msisdn].strip() if columns.msisdn < count else ""
    msisdn = _msisdn_from(written)
    if msisdn is None:
        return Rejected(number, written, _why_no_number(written))
    first = _cell(row[columns.first_name]) if 0 <= columns.first_name < count else ""
    last = _cell(row[columns.last_name]) if 0 <= columns.last_name < count else ""
    fields = {name: value for place, name in columns.fields if place < count and (value := _cell(row[place]))}
    if not is_within_limits(first, last, fields.values()):
        return Rejected(number, written, _why_not(first, last, fields))
    return Contact(account_id, group_id, ContactId(0), msisdn, first, last, fields)


def _cell(written: str) -> str:
    text = written.strip()
    return unguarded(text).strip() if text[:1] == "'" else text


def _msisdn_from(written: str) -> str | None:
    bare = written.lstrip("'").strip()
    whole = _WHOLE.fullmatch(bare)
    if whole is None and _BROKEN.fullmatch(bare):
        return None
    return msisdn_from(whole[1] if whole else bare)


def _why_no_number(written: str) -> str:
    if not written:
        return "There is no number."
    if _ROUNDED.fullmatch(written.lstrip("'")):
        return "The number was rounded by a spreadsheet: format the column as text, and write the number again."
    return "It is not a phone number: 7 to 15 digits with the country code."


def _why_not(first: str, last: str, fields: Mapping[str, str]) -> str:
    if len(first) > NAME_CHARS or len(last) > NAME_CHARS:
        return f"A name has more than {NAME_CHARS} characters."
    if any(len(value) > VALUE_CHARS for value in fields.values()):
        return f"A field has more than {VALUE_CHARS} characters."
    if len(fields) > MOST_FIELDS:
        return f"There are more than {MOST_FIELDS} fields."
    return "A character cannot be kept: NUL, or half of a pair."


HEADER = ("msisdn", "first_name", "last_name")
assert frozenset(HEADER) == OWN_NAMES


def row_from(contact: Contact, names: Sequence[str]) -> list[str]:
    """A contact as a row: number, first name, last name, and a value for each of these fields. Nothing is guarded."""
    fields = contact.fields
    return [contact.msisdn, contact.first_name, contact.last_name, *(fields.get(name, "") for name in names)]
