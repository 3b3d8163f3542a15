"""A hop asks the store step by step: a statement for a whole batch of rows, and what it answers.

The decisions of a hop stand once, in a script: a generator that yields steps and is sent answers. How a step is
carried out is the engine's: SQLite has rows as bound values, and answers with one JSON value, for its driver lets other
threads in at every row that it fetches; PostgreSQL has rows as one array for each column. Where the engines' languages
differ, a statement has two texts side by side.
"""

import sqlite3
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import chain
from typing import Any, Final, TypeVar

import msgspec

from heliograph.core.ids import day_of, first_of_day
from heliograph.store.hops import columns

Result = TypeVar("Result")
Rows = Sequence[Sequence[object]]

Days = Mapping[tuple[str, int], str]
"""Names of partitions, by table and day."""

LARGEST: Final = 512
"""Rows in one statement on SQLite; larger batches take several."""

TOGETHER_KEPT: Final = 256
"""Texts of several statements together: which of them have rows differs from batch to batch."""

NOTHING: Final = "-"
"""The text of a statement that PostgreSQL has no use for."""

DO_NOTHING: Final = " on conflict do nothing"

DAYS_KEPT: Final = 16
"""Texts of one statement for PostgreSQL: mostly there is one, for today."""


@dataclass(slots=True, eq=False)
class Statement:
    """One statement of a hop.

    text: `{rows}` stands where the rows do, a table with the columns `column1`, `column2` … It is left out for a
    statement about no rows. `?1`, `?2` … are `scalars`. `{day:message}` is the table, on PostgreSQL its partition for
    the day of the ids in `id_column`, and `{near:s.id}` narrows a search to that day and the one before. `{spot:m}` at
    the end of `reads` is, on PostgreSQL alone, a column more: the spot of a row of `m` (a tid), by which the
    transaction that has locked the row may write it.
    columns, scalars: the types of both, by PostgreSQL's names.
    reads: what is read, in front of the text. answer: a row of it, as JSON can carry it; without it rows are fetched
    one by one. returns: the text itself gives rows.
    locks: the table of what is read that nobody else may change until the commit (on SQLite nobody else writes).
    id_column: the one whose ids say which day it is, counted from 1.
    postgres: the text there, where it must be another one; without any other text SQLite has nothing to do. `NOTHING`
    where another statement does it.
    conflict: the end of an insert whose rows are hardly ever there. On PostgreSQL it is left out, because asking first
    costs half as much again as the insert; if one is there after all, all is done again with care, that is, with it.

    Rows that a batch does not fill are NULL in all columns on SQLite: an insert has to leave out rows whose first
    column is NULL.
    """

    text: str
    _: KW_ONLY
    columns: str = ""
    scalars: str = ""
    reads: str = ""
    answer: Any = None
    returns: bool = False
    locks: str = ""
    id_column: int = 0
    postgres: str = ""
    conflict: str = ""
    width: int = field(init=False)
    _kinds: tuple[str, ...] = field(init=False)
    _decode: Callable[[str], list[Any]] | None = field(init=False, default=None)
    _first_row: int = field(init=False)
    _sizes: dict[int, str] = field(init=False, default_factory=dict)
    _days: dict[int, str] = field(init=False, default_factory=dict)
    _named_from: Days | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._kinds = tuple(self.columns.split())
        self.width = len(self._kinds)
        self._first_row = len(self.scalars.split()) + 1
        if self.answer is not None:
            decoder: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list.__class_getitem__(self.answer))
            self._decode = decoder.decode

    @property
    def parameters(self) -> int:
        """How many there are on PostgreSQL."""
        return self._first_row - 1 + self.width

    def about(self, rows: Rows, *scalars: object) -> "Step":
        """A step: this statement for rows of plain values; for none there is nothing to do."""
        return self, rows, scalars

    def alone(self, *scalars: object) -> "Step":
        """A step of a statement without rows."""
        return self, (), scalars

    # SQLite ---------------------------------------------------------------------------------------------------

    def on_sqlite(self, connection: sqlite3.Connection, rows: Rows, scalars: Sequence[object]) -> list[Any]:
        """Carry it out; the rows that it answers."""
        if not self.text:
            return []
        if len(rows) <= LARGEST:
            if not rows and self.width:
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
        return cursor.fetchall() if self.reads or self.returns else []

    def prepared(self, rows: Rows, scalars: Sequence[object]) -> tuple[str, tuple[object, ...]]:
        """The text for up to `LARGEST` rows, one for each power of two of them, and its parameters."""
        count = len(rows)
        size = 1 << (count - 1).bit_length() if count else 0
        text = self._sizes.get(size)
        if text is None:
            text = self._sizes[size] = self._sized(size)
        empty = (None,) * ((size - count) * self.width)
        return text, (*scalars, *chain.from_iterable(rows), *empty)

    def _sized(self, size: int) -> str:
        width, first = self.width, self._first_row
        numbers = (range(first + row * width, first + (row + 1) * width) for row in range(size))
        rows = ",".join(f"({','.join(f'?{number}' for number in row)})" for row in numbers)
        text = (self.text + self.conflict).format(rows=f"values {rows}", day=_WHOLE, near=_NOWHERE)
        reads = self.reads.format(spot=_NOWHERE)
        if self._decode is not None:
            return f"select json_group_array(json_array({reads})) {text}"
        return f"select {reads} {text}" if reads else text

    # PostgreSQL -----------------------------------------------------------------------------------------------

    def on_postgres(
        self, rows: Rows, scalars: Sequence[object], days: Days, *, with_care: bool = False
    ) -> list[tuple[str, Sequence[object]]]:
        """Texts for any number of rows, and their parameters: an array for each column.

        A batch is cut by the days of its ids, of which there is mostly one, and each day's partition is named. Bounds
        on the ids would name it too, but the planner takes them for a search that finds next to nothing, and reads the
        whole day instead of looking for the rows by their keys.
        """
        if self.postgres == NOTHING:
            return []
        if with_care and self.conflict:
            return [
                (self.written(day, days, with_care=True), self.values(some, scalars)) for day, some in self.cut(rows)
            ]
        return [(self._of_day(day, days), self.values(some, scalars)) for day, some in self.cut(rows)]

    def values(self, rows: Rows, scalars: Sequence[object]) -> tuple[object, ...]:
        """The parameters of the text for one day's rows."""
        return (*scalars, *map(columns.written, self._kinds, zip(*rows, strict=True)))

    def cut(self, rows: Rows) -> Iterable[tuple[int, Rows]]:
        """Rows by the day whose partition they are looked for in; day 0 for those of tables that have none."""
        return _by_day(rows, self.id_column - 1).items() if self.id_column and rows else ((0, rows),)

    def _of_day(self, day: int, days: Days) -> str:
        text = self._days.get(day) if self._named_from is days else None
        if text is None:
            if self._named_from is not days or len(self._days) >= DAYS_KEPT:
                self._named_from = days
                self._days.clear()
            text = self._days[day] = self.written(day, days)
        return text

    def written(self, day: int, days: Days, *, before: int = 0, with_care: bool = False) -> str:
        """The text for a day's partition. before: so many parameters are other statements'."""
        first = before + self._first_row
        numbers = range(first, first + self.width)
        arrays = ", ".join(map(columns.parameter, numbers, self._kinds))
        names = ", ".join(f"column{number}" for number in range(1, self.width + 1))
        reads = f"select {self.reads} " if self.reads else ""
        text = (reads + (self.postgres or self.text)).format(
            rows=f"select * from unnest({arrays}) as given({names})",
            day=_Day(day, days),
            near=_Near(day),
            spot=_SPOT,
        )
        if self.locks:
            text += f" for update of {self.locks}"
        if with_care:
            text += self.conflict
        for number, kind in enumerate(self.scalars.split(), 1):
            text = text.replace(f"?{number}", f"${before + number}::{kind}")
        return text


def _by_day(rows: Rows, place: int) -> Mapping[int, Rows]:
    ids: list[Any] = [row[place] for row in rows]
    first = day_of(min(ids))
    if first == day_of(max(ids)):
        return {first: rows}
    found: dict[int, list[Sequence[object]]] = {}
    for identifier, row in zip(ids, rows, strict=True):
        found.setdefault(day_of(identifier), []).append(row)
    return found


class _Day:
    """A table's partition for a day; the table where there is none."""

    def __init__(self, day: int, days: Days) -> None:
        self._day, self._days = day, days

    def __format__(self, table: str) -> str:
        return self._days.get((table, self._day), table)


class _Near:
    """A search that is narrowed to a day and the one before."""

    def __init__(self, day: int) -> None:
        self._from, self._below = first_of_day(day - 1), first_of_day(day + 1)

    def __format__(self, column: str) -> str:
        return f" and {column} >= {self._from} and {column} < {self._below}"


class _Whole:
    """The table itself."""

    def __format__(self, table: str) -> str:
        return table


class _Spot:
    """One more column: where the row stands."""

    def __format__(self, table: str) -> str:
        return f", {table}.ctid::text"


class _Nowhere:
    """Nothing: a search that is not narrowed, a row without a spot."""

    def __format__(self, _: str) -> str:
        return ""


_NOWHERE, _SPOT, _WHOLE = _Nowhere(), _Spot(), _Whole()

Step = tuple["Statement | _Together", Rows, tuple[object, ...]]
"""A statement, its rows and its scalars."""

Script = Generator[Step, list[Any], Result]
"""A hop's work on one batch, in an open transaction."""


class _Together:
    """Several statements as one. Its rows are steps; it has no scalars of its own."""

    width: Final = 1

    def __init__(self) -> None:
        self._texts: dict[tuple[bool, tuple[tuple[Statement, int], ...]], str] = {}
        self._named_from: Days | None = None

    def on_sqlite(self, connection: sqlite3.Connection, rows: Rows, _scalars: Sequence[object]) -> list[Any]:
        """One after the other, which costs nothing here."""
        steps: Any = rows
        for statement, some, values in steps:
            statement.on_sqlite(connection, some, values)
        return []

    def on_postgres(
        self, rows: Rows, _scalars: Sequence[object], days: Days, *, with_care: bool = False
    ) -> list[tuple[str, Sequence[object]]]:
        """One text, in which each statement is a part of its own."""
        steps: Any = rows
        pieces: list[tuple[Statement, int]] = []
        values: list[object] = []
        for statement, some, given in steps:
            if statement.postgres == NOTHING:
                continue
            for day, rows_of_day in statement.cut(some):
                pieces.append((statement, day))
                values += statement.values(rows_of_day, given)
        return [(self._of(tuple(pieces), days, with_care=with_care), values)]

    def _of(self, pieces: tuple[tuple[Statement, int], ...], days: Days, *, with_care: bool) -> str:
        if self._named_from is not days or len(self._texts) >= TOGETHER_KEPT:
            self._named_from = days
            self._texts.clear()
        text = self._texts.get((with_care, pieces))
        if text is None:
            text = self._texts[with_care, pieces] = _joined(pieces, days, with_care=with_care)
        return text


def _joined(pieces: tuple[tuple[Statement, int], ...], days: Days, *, with_care: bool) -> str:
    before = 0
    texts: list[str] = []
    for number, (statement, day) in enumerate(pieces):
        texts.append(f"piece{number} as ({statement.written(day, days, before=before, with_care=with_care)})")
        before += statement.parameters
    return f"with {', '.join(texts)} select 1"


_TOGETHER = _Together()


def together(steps: Iterable[Step]) -> Step:
    """A step of several that write, none of them a row that another one writes: one way to the server and back.

    Those without rows are left out.
    """
    return _TOGETHER, [step for step in steps if step[1]], ()


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
