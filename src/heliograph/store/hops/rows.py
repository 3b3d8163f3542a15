"""A statement for a whole batch instead of one for each row: rows as bound values, answers as one JSON value.

SQLite's driver lets the event loop in at every statement and at every row that it fetches, and then waits for it: a
batch that is read or written row by row takes several times as long under load. Bound values take less than half the
time of a JSON array that SQLite has to parse.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import msgspec

LARGEST = 512
"""Rows in one statement; larger batches take several."""

_encoder = msgspec.json.Encoder()


class Batched:
    """A statement about rows, prepared once for each power of two of them.

    text: `{rows}` stands where the rows do, a list of `VALUES`; `?1`, `?2` … are the `scalars` first parameters. Rows
    that a batch does not fill are NULL in all columns: an insert has to leave out rows whose first column is NULL.
    """

    __slots__ = ("_text", "_texts", "columns", "scalars")

    def __init__(self, text: str, *, columns: int, scalars: int = 0) -> None:
        self._text = text
        self.columns = columns
        self.scalars = scalars
        self._texts: dict[int, str] = {}

    def run(self, connection: sqlite3.Connection, rows: Sequence[Sequence[object]], *scalars: object) -> None:
        """Carry it out for rows of plain values; does nothing for none."""
        for _ in self.each(connection, rows, *scalars):
            pass

    def answers(self, connection: sqlite3.Connection, rows: Sequence[Sequence[object]], *scalars: object) -> list[str]:
        """Carry it out, and give its single value: one for each `LARGEST` rows."""
        return [cursor.fetchone()[0] for cursor in self.each(connection, rows, *scalars)]

    def each(
        self, connection: sqlite3.Connection, rows: Sequence[Sequence[object]], *scalars: object
    ) -> Iterator[sqlite3.Cursor]:
        """Carry it out, and give the cursor of each statement that it took."""
        for start in range(0, len(rows), LARGEST):
            some = rows[start : start + LARGEST] if len(rows) > LARGEST else rows
            yield connection.execute(*self.prepared(some, *scalars))

    def prepared(self, rows: Sequence[Sequence[object]], *scalars: object) -> tuple[str, tuple[object, ...]]:
        """The statement for 1 to `LARGEST` rows, and its parameters."""
        size = 1 << (len(rows) - 1).bit_length()
        empty = (None,) * ((size - len(rows)) * self.columns)
        return self._sized(size), (*scalars, *chain.from_iterable(rows), *empty)

    def _sized(self, size: int) -> str:
        text = self._texts.get(size)
        if text is None:
            columns, first = self.columns, self.scalars + 1
            numbers = (range(start, start + columns) for start in range(first, first + size * columns, columns))
            rows = ",".join(f"({','.join(f'?{number}' for number in row)})" for row in numbers)
            text = self._texts[size] = self._text.format(rows=f"values {rows}")
        return text


def rows(values: Sequence[object] | Iterable[object]) -> str:
    """The parameter for `json_each(?)`: an array whose elements are arrays of columns (or single values)."""
    return _encoder.encode(values).decode()


def one(connection: sqlite3.Connection, statement: str, *parameters: str | int) -> str:
    """The single value that a statement answers."""
    value: str = connection.execute(statement, parameters).fetchone()[0]
    return value
