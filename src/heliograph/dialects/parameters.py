"""Reading parameters wherever callers put them: a JSON object, a form, or the query.

Nothing here fails: what cannot be read is an empty bag, and then something that is needed is missing. What is costly to
read is read only when it is short: some of it comes before anybody has shown a key.
"""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl

import msgspec

from heliograph.dialects.bodies import UNREADABLE

MOST_COSTLY = 65_536
"""Octets of a body that is repaired, or is a form in pieces."""
MOST_FORM = 1_048_576
"""Octets of a form or a query."""
MOST_FIELDS = 1_000
"""Of a form or a query."""

Bag = dict[str, object]

_BOUNDARY = re.compile(rb'boundary="?([^",;\s]{1,70})', re.IGNORECASE)
_NAME = re.compile(rb';\s*name="?([^";\n]+)', re.IGNORECASE)
_LISTED = re.compile(r"(\w+)\[\w*\]")
_LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"|"|[\[\]{},:]|[^\s"\[\]{},:]+', re.DOTALL)
_MEMBER = re.compile(r'"([A-Za-z_]\w*)=(.*)"', re.DOTALL)


def read_query(query_string: bytes) -> Bag:
    """The parameters in a query, or in a form that is written like one. A name with brackets is a list's.

    >>> read_query(b"a=1%7C2&b[]=x&b[]=y")
    {'a': '1|2', 'b': ['x', 'y']}
    """
    written = query_string.decode("utf-8", "replace") if len(query_string) <= MOST_FORM else ""
    try:
        return _gathered(parse_qsl(written, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:  # more than that
        return {}


def read_body(headers: Mapping[bytes, bytes], body: bytes) -> Bag:
    """The parameters in a body, which is JSON when it looks so, whatever type it is said to be of."""
    kind = headers.get(b"content-type", b"")
    if body.lstrip()[:1] in (b"{", b"["):
        given = _json(body)
        return given if isinstance(given, dict) else {}
    if kind.lower().startswith(b"multipart/form-data"):
        return _read_pieces(kind, body) if len(body) <= MOST_COSTLY else {}
    return read_query(body)


def _json(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except UNREADABLE:
        pass
    try:
        return msgspec.json.decode(repaired(body))
    except UNREADABLE:
        return None


def repaired(body: bytes) -> str:
    """JSON in which lone members of objects like `"language=en-gb"` are `"language":"en-gb"`.

    A vendor prints them so, having turned lines of a form into JSON. A text that merely holds such characters stays as
    it is. Raises UnicodeDecodeError.

    >>> repaired(b'{"message":"a=b", "language=en-gb"}')
    '{ "message" : "a=b" , "language":"en-gb" }'
    """
    if len(body) > MOST_COSTLY:
        return ""
    lexemes: list[str] = []
    for lexeme in _LEXEME.finditer(body.decode()):
        if lexeme[0] == '"':  # past a string without its end looking could take for ever
            return ""
        lexemes.append(lexeme[0])
    for at in range(1, len(lexemes) - 1):
        member = _MEMBER.fullmatch(lexemes[at])
        if member and lexemes[at - 1] in ("{", ",") and lexemes[at + 1] in (",", "}"):
            lexemes[at] = f'"{member[1]}":"{member[2]}"'
    return " ".join(lexemes)


def _read_pieces(kind: bytes, body: bytes) -> Bag:
    """A form of type multipart/form-data (RFC 7578), without its files."""
    boundary = _BOUNDARY.search(kind)
    fields: list[tuple[str, str]] = []
    for piece in body.split(b"--" + boundary[1])[1 : MOST_FIELDS + 1] if boundary else ():
        head, _, value = piece.replace(b"\r\n", b"\n").partition(b"\n\n")
        name = _NAME.search(head)
        if name is not None and b"filename=" not in head.lower():
            fields.append((name[1].decode("utf-8", "replace"), value.removesuffix(b"\n").decode("utf-8", "replace")))
    return _gathered(fields)


def _gathered(pairs: Iterable[tuple[str, str]]) -> Bag:
    """A bag of pairs: of a repeated name the last, unless brackets say that it is a list."""
    bag: Bag = {}
    for name, value in pairs:
        listed = _LISTED.fullmatch(name)
        if listed is None:
            bag[name] = value
            continue
        values = bag.setdefault(listed[1], [])
        if isinstance(values, list):
            values.append(value)
    return bag
