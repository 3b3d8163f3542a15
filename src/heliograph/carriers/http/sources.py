"""Reads look-ups and conditions as a recipe has them: `"json:data.uid"`, or a table that says more."""

from collections.abc import Set
from typing import Any, Final

from heliograph.carriers.http.lookups import DECODERS, OCTET_DECODERS, Condition, Lookup, Lookups
from heliograph.carriers.http.tables import Table
from heliograph.carriers.http.templates import BadTemplate, Template, template_from

_FIELDS: Final = frozenset({"query", "form"})
_PATHS: Final = frozenset({"json", "item"})
_NAMED: Final = _FIELDS | {"header"}
_MOST_CHARS: Final = 200
NOTHING: Final[Set[str]] = frozenset({"numbers"})


def lookups_from(table: Table, key: str, sources: Set[str], *, is_needed: bool = False) -> Lookups:
    """A look-up, or a list of them of which the first counts that finds something."""
    if is_needed and not table.has(key):
        table.refuse(key, "is missing")

    def read(place: str, written: Any) -> Lookups:
        several = written if isinstance(written, list) else [written]
        return tuple(_lookup(table, place, each, sources) for each in several)

    return table.read(key, read, ())


def list_from(table: Table, key: str, sources: Set[str]) -> Lookup | None:
    """Where a list stands, in JSON."""

    def read(place: str, written: Any) -> Lookup:
        lookup = _lookup(table, place, written, sources)
        if lookup != Lookup(lookup.source, lookup.path) or lookup.source not in _PATHS:
            raise ValueError(f"{written!r} names no place in JSON")
        return lookup

    return table.read(key, read, None)


def conditions_from(table: Table, sources: Set[str], places: Set[str] = NOTHING) -> tuple[Condition, ...]:
    """The conditions under `when`: look-ups with what each must find. places: that templates may have."""
    found = table.table("when")
    if found is None:
        return ()
    conditions = []
    for written, wanted in found.rest().items():
        several = wanted if isinstance(wanted, list) else [wanted]
        try:
            lookup = _plain(written, sources)
            conditions.append(Condition(lookup, tuple(_wanted(each, places) for each in several)))
        except ValueError as error:
            found.refuse(f'"{written}"', f"cannot be: {error}")
    return tuple(conditions)


def _wanted(written: object, places: Set[str]) -> Template:
    if isinstance(written, bool):
        return Template(("true" if written else "false",))
    if isinstance(written, int):
        return Template((str(written),))
    if not isinstance(written, str):
        raise BadTemplate(f"{written!r} is no text, whole number, true or false")
    return template_from(written, places)


def _lookup(table: Table, place: str, written: object, sources: Set[str]) -> Lookup:
    if isinstance(written, str):
        return _plain(written, sources)
    inner = Table(table.file, place, written)
    lookup = _plain(inner.text("at"), sources)
    decode = inner.word("decode", DECODERS, "")
    if decode in OCTET_DECODERS and lookup.source not in _FIELDS:
        inner.refuse("decode", f"{decode!r} is for query: and form: alone")
    after, until = inner.read("between", _between, ("", ""))
    lookup = lookup._replace(decode=decode, after=after, until=until, conditions=conditions_from(inner, sources))
    inner.check_all_taken()
    return lookup


def _between(_place: str, written: Any) -> tuple[str, str]:
    is_pair = isinstance(written, list) and len(written) == 2
    if not is_pair or not all(isinstance(each, str) for each in written):
        raise ValueError("it is two texts: the one before the value and the one behind it")
    return written[0], written[1]


def _plain(written: str, sources: Set[str]) -> Lookup:
    source, colon, rest = written.partition(":")
    if source not in sources:
        raise ValueError(f"{written!r} begins with none of {', '.join(sorted(sources))}")
    if len(rest) > _MOST_CHARS:
        raise ValueError(f"{written[:20]!r}… is longer than {_MOST_CHARS} characters")
    if source in _PATHS:
        path = tuple(rest.split(".")) if rest else ()
        if not colon or "" in path:
            raise ValueError(f'{written!r} is written "{source}:" and names with points between them')
        return Lookup(source, path)
    if source in _NAMED:
        if not rest:
            raise ValueError(f"{written!r} names nothing")
        return Lookup(source, (rest.lower() if source == "header" else rest,))
    if colon:
        raise ValueError(f"{written!r} has nothing behind {source}")
    return Lookup(source)
