"""A hop asks the store step by step: a statement for a whole batch of rows, and what it answers.

The decisions of a hop stand once, in a script: a generator that yields steps and is sent answers. How a step is
carried out is the engine's: SQLite has rows as bound values, and answers with one JSON value, for its driver lets other
threads in at every row that it fetches; PostgreSQL has rows as one array for each column. Where the engines' languages
differ, a statement has two texts side by side.
"""

import sqlite3
from collections.abc import Generator, Sequence
from itertools import chain
from typing import Any, Final, TypeVar

import msgspec

Result = TypeVar("Result")
Rows = Sequence[Sequence[object]]

LARGEST: Final = 512
"""Rows in one statement on SQLite; larger batches take several."""

DAYS_KEPT: Final = 16
"""Texts of one statement for PostgreSQL: mostly there is one, for today."""


class Statement:
    """One statement of a hop.

    text: `{rows}` stands where the rows do, a table with the columns `column1`, `column2` … It is left out for a
    statement about no rows. `?1`, `?2` … are `scalars`. `{within:m.id}` narrows a search by an id to the days of the
    batch, and `{near:s.id}` to those and the day before.
    columns, scalars: the types of both, by PostgreSQL's names.
    reads: what is read, in front of the text. answer: a row of it, as JSON can carry it; without it rows are fetched
    one by one. returns: the text itself gives rows.
    locks: tables of what is read that nobody else may change until the commit (on SQLite nobody else writes).
    id_column: the one whose ids `within` and `near` look at, counted from 1.
    postgres: the text there, where it must be another one; empty where there is nothing to do.

    Rows that a batch does not fill are NULL in all columns on SQLite: an insert has to leave out rows whose first
    column is NULL.
    """

    def __init__(  # noqa: PLR0913 (a table of what statements have; most have two or three of them)
        self,
        text: str,
        *,
        columns: str = "",
        scalars: str = "",
        reads: str = "",
        answer: Any = None,
        returns: bool = False,
        locks: str = "",
        id_column: int = 0,
        postgres: str | None = None,
    ) -> None:
        self._text = text
        self.postgres = text if postgres is None else postgres
        self.columns = columns.split()
        self.scalars = scalars.split()
        self._reads = reads
        self._decode = None if answer is None else msgspec.json.Decoder(list[answer]).decode
        self._fetches = returns or bool(reads)
        self._locks = locks
        self.id_column = id_column
        self._sizes: dict[int, str] = {}
        self._by_days: dict[tuple[int, int], str] = {}

    def about(self, rows: Rows, *scalars: object) -> "Step":
        """A step: this statement for rows of plain values; for none there is nothing to do."""
        return self, rows, scalars

    def alone(self, *scalars: object) -> "Step":
        """A step of a statement without rows."""
        return self, (), scalars

    # SQLite ---------------------------------------------------------------------------------------------------

    def on_sqlite(self, connection: sqlite3.Connection, rows: Rows, scalars: Sequence[object]) -> list[Any]:
        """Carry it out; the rows that it answers."""
        if len(rows) <= LARGEST:
            if not rows and self.columns:
                return []
            return self._answers(connection.execute(*self.prepared(rows, scalars)))
        answers: list[Any] = []
        for start in range(0, len(rows), LARGEST):
            cursor = connection.execute(*self.prepared(rows[start : start + LARGEST], scalars))
            answers += self._answers(cursor)
        return answers

    def _answers(self, cursor: sqlite3.Cursor) -> list[Any]:
        if self._decode is not None:
            found: list[Any] = self._decode(cursor.fetchone()[0])
            return found
        return cursor.fetchall() if self._fetches else []

    def prepared(self, rows: Rows, scalars: Sequence[object]) -> tuple[str, tuple[object, ...]]:
        """The text for up to `LARGEST` rows, one for each power of two of them, and its parameters."""
        count = len(rows)
        size = 1 << (count - 1).bit_length() if count else 0
        text = self._sizes.get(size)
        if text is None:
            text = self._sizes[size] = self._sized(size)
        empty = (None,) * ((size - count) * len(self.columns))
        return text, (*scalars, *chain.from_iterable(rows), *empty)

    def _sized(self, size: int) -> str:
        width, first = len(self.columns), len(self.scalars) + 1
        numbers = (range(first + row * width, first + (row + 1) * width) for row in range(size))
        rows = ",".join(f"({','.join(f'?{number}' for number in row)})" for row in numbers)
        text = self._text.format(rows=f"values {rows}", within=_ANYWHERE, near=_ANYWHERE)
        if self._decode is not None:
            return f"select json_group_array(json_array({self._reads})) {text}"
        return f"select {self._reads} {text}" if self._reads else text


class _Anywhere:
    """A search that is not narrowed."""

    def __format__(self, column: str) -> str:
        return ""


_ANYWHERE = _Anywhere()

Step = tuple[Statement, Rows, tuple[object, ...]]
"""A statement, its rows and its scalars."""

Script = Generator[Step, list[Any], Result]
"""A hop's work on one batch, in an open transaction."""


def carry_out(connection: sqlite3.Connection, script: Script[Result]) -> Result:
    """Carry out a script on SQLite."""
    # A generator begins with None.
    answers: Any = None
    send = script.send
    while True:
        try:
            statement, rows, scalars = send(answers)
        except StopIteration as end:
            result: Result = end.value
            return result
        answers = statement.on_sqlite(connection, rows, scalars)
