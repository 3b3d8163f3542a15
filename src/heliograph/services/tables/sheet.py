"""One sheet of a workbook, as rows of texts (ECMA-376 part 1, 18.3.1)."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from heliograph.services.refused import Refused
from heliograph.services.tables import markup
from heliograph.services.tables.markup import Attributes

MOST_ROWS = 1_048_576
MOST_COLUMNS = 1_000
"""Cells of a row that are read; spreadsheets have 16,384."""
_DIGITS = "0123456789"
_ESCAPED = re.compile("_x([0-9A-Fa-ce-f][0-9A-Fa-f]{3}|[Dd][0-7][0-9A-Fa-f]{2})_")
"""How a character that XML cannot hold is written (22.9.2.19); halves of pairs are left as they are."""
_LAST_DAY = 2_958_466


class Strings(Protocol):
    """The texts that cells share, by number."""

    def __getitem__(self, place: int, /) -> str:
        """One of them."""
        ...


class Formats(NamedTuple):
    """How numbers are shown. dates: styles that show one as a date. is_1904: whether days count from 1904."""

    dates: frozenset[int]
    is_1904: bool = False


def rows(
    archive: zipfile.ZipFile, name: str, *, strings: Strings, formats: Formats
) -> Iterator[tuple[Sequence[str], int]]:
    """The rows of a sheet, each with the octets read so far; blank ones as empty ones. Raises Refused."""
    reader = _Reader(strings, formats)
    for count in markup.walk(archive, name, begin=reader.begin, end=reader.end, text=reader.text.add):
        for row in reader.taken():
            yield row, count


class _Reader:
    """Puts rows together from tags."""

    def __init__(self, strings: Strings, formats: Formats) -> None:
        self.text = markup.Text()
        self._strings = strings
        self._formats = formats
        self._columns: dict[str, int] = {}
        self._done: list[Sequence[str]] = []
        self._row: list[str] = []
        self._count = 0
        self._place = 0
        self._kind = ""
        self._style = ""
        self._value = ""
        self._is_reading = 0

    def taken(self) -> list[Sequence[str]]:
        """Rows that are whole, with the blank ones that stand before each."""
        done, self._done = self._done, []
        return done

    def begin(self, tag: str, attributes: Attributes) -> None:
        """A tag begins."""
        if tag == "c":
            self._place = self._column(attributes.get("r", ""))
            self._kind = attributes.get("t", "n")
            self._style = attributes.get("s", "0")
            self._value = ""
        elif tag in ("v", "t"):
            self.text.is_wanted = self._is_reading == 0
        elif tag == "row":
            self._begin_row(attributes.get("r", ""))
        elif tag == "rPh":
            # How a text is spoken, which is no part of it.
            self._is_reading += 1

    def end(self, tag: str) -> None:
        """A tag ends."""
        if tag in ("v", "t"):
            self._value += self.text.take()
            self.text.is_wanted = False
        elif tag == "c":
            if self._value:
                self._put(self._cell())
        elif tag == "row":
            self._done.append(self._row)
            self._row = []
        elif tag == "rPh":
            self._is_reading -= 1

    def _begin_row(self, number: str) -> None:
        wanted = max(int(number), self._count + 1) if number.isascii() and number.isdecimal() and number else 0
        wanted = wanted or self._count + 1
        if wanted > MOST_ROWS:
            raise Refused(f"The sheet has more than {MOST_ROWS} rows.")
        self._done += [()] * (wanted - self._count - 1)
        self._count = wanted
        self._place = -1

    def _column(self, reference: str) -> int:
        letters = reference.rstrip(_DIGITS)
        place = self._columns.get(letters)
        if place is None:
            place = _column_of(letters) if letters else self._place + 1
            if place >= MOST_COLUMNS:
                raise Refused(f"A row of the sheet has more than {MOST_COLUMNS} columns.")
            if letters:
                self._columns[letters] = place
        return place

    def _put(self, text: str) -> None:
        row = self._row
        if len(row) <= self._place:
            row.extend([""] * (self._place - len(row)))
            row.append(text)
        else:
            row[self._place] = text

    def _cell(self) -> str:
        kind, value = self._kind, self._value
        if kind == "s":
            try:
                return _unescaped(self._strings[int(value)])
            except (IndexError, ValueError):
                raise Refused("The workbook is damaged: a cell names a text that is not there.") from None
        if kind == "n":
            is_date = self._style.isdecimal() and int(self._style) in self._formats.dates
            return number_text(value, is_date=is_date, is_1904=self._formats.is_1904)
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        # What went wrong in a formula is no value.
        return "" if kind == "e" else _unescaped(value)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _column_of(letters: str) -> int:
    """The place of a column from 0; beyond all bounds for what is no column.

    >>> _column_of("A"), _column_of("AB"), _column_of("?")
    (0, 27, 1000)
    """
    if len(letters) > 3 or not all("A" <= each <= "Z" for each in letters):
        return MOST_COLUMNS
    place = 0
    for each in letters:
        place = place * 26 + ord(each) - ord("A") + 1
    return place - 1


def number_text(value: str, *, is_date: bool = False, is_1904: bool = False) -> str:
    """A number as people would write it: whole ones without a point, others with the 15 digits that a cell has.

    >>> number_text("27831234567.0"), number_text("2.7831234567E10"), number_text("0.30000000000000004")
    ('27831234567', '27831234567', '0.3')
    >>> number_text("46053.75", is_date=True)
    '2026-01-31 18:00'
    """
    if value.isdecimal() and not is_date:
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    if is_date and 0 <= number < _LAST_DAY:
        return _date_text(number, is_1904=is_1904)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else format(number, ".15g")


def _date_text(days: float, *, is_1904: bool) -> str:
    """A day, a time of the day, or both. There was no 29 February 1900, but the count of days has it."""
    first = datetime(1904, 1, 1) if is_1904 else datetime(1899, 12, 30 if days >= 60 else 31)  # noqa: DTZ001 (a sheet has no zone)
    try:
        at = first + timedelta(seconds=round(days * 86_400))
    except OverflowError:
        return str(days)
    time = at.strftime("%H:%M:%S").removesuffix(":00")
    if days < 1 and not is_1904:
        return time
    return str(at.date()) if time == "00:00" else f"{at.date()} {time}"
