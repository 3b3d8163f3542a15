r"""Texts with merge fields: `{first_name}` stands for what a contact has there, `{first_name|friend}` has a default.

A merge field is a name in single or double braces, `{…}` or `{{…}}`. A name begins with a letter and goes on with
letters, digits, blanks and any of `_-.()#/&'`. Names are compared without regard to case; a blank is an underscore.
`first_name`, `last_name` and `phone` (or `msisdn`) are what every contact has; all others are fields of the account's
own. Whatever is no merge field stays as it is written, braces too: `{}`, `{1}`, `{"a": 1}`, `{first_name`. So nothing
has to be escaped, and nothing can be. A value is put in as it is: braces in it mean nothing.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from heliograph.core.contacts import Contact

# Nothing here is tried twice: each piece ends at a character that it cannot hold.
_FIELD: Final = re.compile(
    r"\{\{ *+([^\W\d_][\w .()#/&'\-]*+)(?:\|([^{}]*+))?\}\}|\{ *+([^\W\d_][\w .()#/&'\-]*+)(?:\|([^{}]*+))?\}"
)
_MOST_KNOWN: Final = 1_000

_STANDARD: Final[Mapping[str, Callable[[Contact], str]]] = {
    "first_name": lambda contact: contact.first_name,
    "last_name": lambda contact: contact.last_name,
    "phone": lambda contact: contact.msisdn,
    "msisdn": lambda contact: contact.msisdn,
}


class MergeField(NamedTuple):
    """A place in a text. name: as `field_name` writes it. default: for contacts who have nothing there."""

    name: str
    default: str


def field_name(written: str) -> str:
    """The one way to write a field's name.

    >>> field_name(" First  NAME "), field_name("first_name")
    ('first_name', 'first_name')
    """
    return "_".join(written.casefold().replace("_", " ").split())


class Template:
    """A text that was read once, to be merged with many contacts.

    >>> Template("Dear {First Name|friend}, {x}!").merge_fields
    (MergeField(name='first_name', default='friend'), MergeField(name='x', default=''))
    """

    __slots__ = ("_known", "_pattern", "merge_fields", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        fields: list[MergeField] = []
        pattern: list[str] = []
        end = 0
        for found in _FIELD.finditer(text):
            name, default = found[1] or found[3], found[2] or found[4] or ""
            fields.append(MergeField(field_name(name), default.strip()))
            pattern += [text[end : found.start()].replace("%", "%%"), "%s"]
            end = found.end()
        pattern.append(text[end:].replace("%", "%%"))
        self.merge_fields = tuple(fields)
        self._pattern = "".join(pattern)
        self._known: dict[tuple[str, ...], tuple[_Source, ...]] = {}

    def merge(self, contact: Contact) -> str:
        """The text for a contact. A field of which it has nothing but blanks, and without default, leaves nothing.

        >>> ann = Contact(1, 2, 3, "+27831234567", "Ann", fields={"order no": "17"})
        >>> Template("{FIRST_NAME}: {Order_No}, {city|here} {{last_name}}").merge(ann)
        'Ann: 17, here '
        """
        if not self.merge_fields:
            return self.text
        names = tuple(contact.fields)
        sources = self._known.get(names)
        if sources is None:
            sources = self._sources(names)
        return self._pattern % tuple([
            value if (value := take(contact)) and not value.isspace() else default for take, default in sources
        ])  # fmt: skip

    def _sources(self, names: tuple[str, ...]) -> "tuple[_Source, ...]":
        """Where the values of contacts come from whose own fields have these names; remembered, for most are alike."""
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        own = {field_name(name): name for name in reversed(names)}
        sources = tuple(
            _Source(_STANDARD.get(name) or _own(own.get(name)), default) for name, default in self.merge_fields
        )
        self._known[names] = sources
        return sources


class _Source(NamedTuple):
    """How a merge field's value is taken from a contact, and what stands there when it has none."""

    take: Callable[[Contact], str]
    default: str


def _own(name: str | None) -> Callable[[Contact], str]:
    if name is None:
        return lambda _: ""
    return lambda contact: contact.fields[name]
