"""Rows as one JSON parameter, and as one JSON answer: a statement for a whole batch instead of one for each row.

SQLite's driver lets the event loop in at every row that it fetches, and then waits for it: a batch that is read row
by row takes several times as long under load as one that comes as a single value.
"""

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec

_encoder = msgspec.json.Encoder()


def rows(values: Sequence[object] | Iterable[object]) -> str:
    """The parameter for `json_each(?)`: an array whose elements are arrays of columns (or single values)."""
    return _encoder.encode(values).decode()


def one(connection: sqlite3.Connection, statement: str, *parameters: str | int) -> str:
    """The single value that a statement answers."""
    value: str = connection.execute(statement, parameters).fetchone()[0]
    return value
