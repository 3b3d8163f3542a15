"""Columns of rows as a PostgreSQL server reads arrays: in its own notation, each as one text.

The driver would encode an array value by value, and ask of each whether it is a list itself: a third of all that the
program does for a message. A text is written by Python's own formatting, and read by the server as quickly.
https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
"""

from collections.abc import Sequence
from typing import Any, Final

AS_THEY_ARE: Final = frozenset({"bytea"})
"""Kinds of columns that the driver encodes: few values, large ones."""

_IN_QUOTES: Final = frozenset({"text", "tid"})
_SPECIAL: Final = str.maketrans({"\\": "\\\\", '"': '\\"'})


def parameter(number: int, kind: str) -> str:
    """A column's place in a statement.

    >>> parameter(3, "int"), parameter(4, "bytea")
    ('$3::text::int[]', '$4::bytea[]')
    """
    return f"${number}::bytea[]" if kind in AS_THEY_ARE else f"${number}::text::{kind}[]"


def written(kind: str, column: Sequence[object]) -> object:
    """A column's value there; it has a row at least.

    >>> written("bigint", (1, True, None)), written("text", ("a", None, 'b"'))
    ('{1,1,NULL}', '{"a",NULL,"b\\\\""}')
    """
    if kind in AS_THEY_ARE:
        return column
    nulls = column.count(None)
    if nulls == len(column):
        return f"{{{'NULL,' * (nulls - 1)}NULL}}"
    return _texts(column, nulls) if kind in _IN_QUOTES else _numbers(column, nulls)


def _numbers(column: Sequence[Any], nulls: int) -> str:
    if nulls:
        return f"{{{','.join(['NULL' if each is None else format(each, 'd') for each in column])}}}"
    return f"{{{('%d,' * len(column) % tuple(column))[:-1]}}}"


def _texts(column: Sequence[Any], nulls: int) -> str:
    if not nulls:
        joined = '","'.join(column)
        if "\\" not in joined and joined.count('"') == 2 * (len(column) - 1):
            return f'{{"{joined}"}}'
    return f"{{{','.join(['NULL' if each is None else _quoted(each) for each in column])}}}"


def _quoted(text: str) -> str:
    return f'"{text.translate(_SPECIAL)}"'
