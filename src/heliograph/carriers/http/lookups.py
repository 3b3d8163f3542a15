"""Look-ups: where in an answer or a call a value stands, and conditions on such values. Pure, and total.

A value is a text: numbers and the words true and false come as JSON writes them, and what is null, a list or an object
is no value. Nothing that the other end may say makes a look-up fail; what is not there is None.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, unquote_plus

import msgspec

from heliograph.carriers.http.templates import Template, Values

MOST_FIELDS: Final = 1_000
"""Of one query or form."""

MOST_CHARS: Final = 100_000
"""Of one value: more is not a value."""


class Said:
    """What came from the other end: an answer, or a call. Everything is read when it is asked for.

    status: of an answer, 0 of a call. item: what `each` of a list is about, while it is. own: our reference.
    """

    def __init__(
        self,
        body: bytes,
        *,
        status: int = 0,
        path: str = "",
        query: str = "",
        headers: Mapping[str, str] | None = None,
        own: str = "",
    ) -> None:
        self.body = body
        self.status = status
        self.path = path
        self.headers = headers or {}
        self.own = own
        self.item: object = None
        self._query = query

    @cached_property
    def json(self) -> object:
        """The body as JSON; None when it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError):
            return None

    @cached_property
    def text(self) -> str:
        """The body as a text."""
        return self.body.decode("utf-8", "replace")

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's first value of each name; a character for each octet."""
        return _fields(self._query)

    @cached_property
    def form(self) -> dict[str, str]:
        """The same of the body."""
        return _fields(self.body.decode("latin-1"))


def _fields(written: str) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        pairs = parse_qsl(written, keep_blank_values=True, encoding="latin-1", max_num_fields=MOST_FIELDS)
    except ValueError:
        return found
    for name, value in pairs:
        found.setdefault(name, value)
    return found


class Lookup(NamedTuple):
    """Where one value stands.

    source: json, item, query, form, header, text, path, status or reference. path: below it. decode: see `DECODERS`.
    after, until: of the value, only what stands between the first of one and the next of the other.
    conditions: all must hold, or there is no value here.
    """

    source: str
    path: tuple[str, ...] = ()
    decode: str = ""
    after: str = ""
    until: str = ""
    conditions: "tuple[Condition, ...]" = ()


Lookups: TypeAlias = tuple[Lookup, ...]
"""Several places for one value: the first that has it."""


class Condition(NamedTuple):
    """What a value must be: one of the wanted; `*` stands for anything, an empty text for nothing, 4xx for a class."""

    lookup: Lookup
    wanted: tuple[Template, ...]


def value_in(said: Said, lookups: Lookups, values: Values) -> str | None:
    """The first value that is there. values: for the templates of conditions."""
    for lookup in lookups:
        if holds(said, lookup.conditions, values):
            found = _value(said, lookup)
            if found is not None:
                return found
    return None


def holds(said: Said, conditions: Sequence[Condition], values: Values) -> bool:
    """Whether all conditions do."""
    return all(_holds(said, condition, values) for condition in conditions)


def _holds(said: Said, condition: Condition, values: Values) -> bool:
    lookup = condition.lookup
    found = _value(said, lookup) or ""
    return any(_fits(found, template, values, is_status=lookup.source == "status") for template in condition.wanted)


def _fits(found: str, template: Template, values: Values, *, is_status: bool) -> bool:
    if template.only:
        wanted = values[template.only]
        return found == wanted if isinstance(wanted, str) else found in wanted
    written = template.filled(values)
    if is_status and written[1:] == "xx":
        return found[:1] == written[:1]
    return found != "" if written == "*" else found == written


def _value(said: Said, lookup: Lookup) -> str | None:
    text = _text(thing_in(said, lookup))
    if text is None or len(text) > MOST_CHARS:
        return None
    text = DECODERS[lookup.decode](text)
    if text is None:
        return None
    # No text of ours has a NUL: one of the engines cannot keep it.
    text = text.replace("\0", "")
    if lookup.after:
        _, found, text = text.partition(lookup.after)
        if not found:
            return None
    return text.partition(lookup.until)[0] if lookup.until else text


def items_in(said: Said, lookup: Lookup | None) -> list[object]:
    """What a list holds; one thing that is nothing where there is no list to look for."""
    if lookup is None:
        return [None]
    found = thing_in(said, lookup)
    return found if isinstance(found, list) else []


def texts_in(said: Said, lookup: Lookup) -> list[str]:
    """The values of a list, or the one value that stands in its place."""
    found = thing_in(said, lookup)
    return [text for each in (found if isinstance(found, list) else [found]) if (text := _text(each))]


def thing_in(said: Said, lookup: Lookup) -> object:
    """What stands in a place, whatever it is."""
    match lookup.source:
        case "json":
            return _below(said.json, lookup.path)
        case "item":
            return _below(said.item, lookup.path)
        case "query":
            return _octets(said.query.get(lookup.path[0]), lookup)
        case "form":
            return _octets(said.form.get(lookup.path[0]), lookup)
        case "header":
            return said.headers.get(lookup.path[0])
        case "text":
            return said.text
        case "path":
            return said.path
        case "status":
            return said.status
        case _:
            return said.own


def _octets(value: str | None, lookup: Lookup) -> str | None:
    """Fields are UTF-8 unless something else is said of them."""
    if value is None or lookup.decode in OCTET_DECODERS:
        return value
    return value.encode("latin-1", "replace").decode("utf-8", "replace")


def _below(found: Any, path: tuple[str, ...]) -> object:
    for name in path:
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isascii() and name.isdecimal() and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) and abs(value) < 10**30 else None


def _from_hex(text: str) -> str | None:
    try:
        return bytes.fromhex(text).decode("utf-16-be", "replace")
    except ValueError:
        return None


DECODERS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "": lambda text: text,
    "form": lambda text: unquote_plus(text, errors="replace"),
    "hex utf-16": _from_hex,
    "latin-1": lambda text: text,
    "utf-16": lambda text: text.encode("latin-1", "replace").decode("utf-16-be", "replace"),
}
"""How a value is written beside plainly: as in a form once more, in hexadecimal UTF-16, or in other octets."""

OCTET_DECODERS: Final = frozenset({"latin-1", "utf-16"})
"""Those that are about the octets of a query or form."""
