"""Tables written row by row, beside the file they become: it is there whole or not at all."""

import csv
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from heliograph.services.refused import Refused
from heliograph.services.tables.sheet import MOST_ROWS

Write = Callable[[Sequence[str]], None]
_FORMULA = re.compile(r"\s*[=+\-@\t\r]")


@contextmanager
def written(path: Path, guard: Callable[[str], str]) -> Iterator[Write]:
    """Write a table as its ending says, .csv or .xlsx, for its owner only; raises Refused.

    guard: what keeps a spreadsheet from running a text.
    """
    kinds = {".csv": delimited, ".xlsx": workbook}
    kind = kinds.get(path.suffix.lower())
    if kind is None:
        raise Refused(f"{path} ends neither in .csv nor in .xlsx.")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        with kind(beside, guard) as write:
            yield write
        beside.replace(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def writable(path: Path) -> Iterator[TextIO]:
    """A file of text for its owner only; raises Refused."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error
    with open(handle, "w", encoding="utf-8", newline="", errors="replace") as file:
        yield file


@contextmanager
def delimited(path: Path, guard: Callable[[str], str]) -> Iterator[Write]:
    """Text in UTF-8, with its mark because spreadsheets take it for another encoding without, and commas."""
    with path.open("w", encoding="utf-8-sig", newline="", errors="replace") as file:
        row = csv.writer(file).writerow
        yield lambda cells: row([guard(each) for each in cells])


@contextmanager
def workbook(path: Path, guard: Callable[[str], str]) -> Iterator[Write]:
    """A workbook of one sheet, all of whose cells are texts.

    Texts are never run. One that would be if it was typed has the mark of its kind ("quote prefix"), which is how
    spreadsheets themselves keep the apostrophe before it; the apostrophe of `guard` is written only before those that
    have one of their own.
    """
    import xlsxwriter  # noqa: PLC0415 (for those who write one)

    options = {"constant_memory": True, "tmpdir": str(path.parent)}
    with ExitStack() as ending:
        book = xlsxwriter.Workbook(str(path), options)
        ending.callback(book.close)
        sheet = book.add_worksheet()
        quoted = book.add_format({"quote_prefix": True})
        count = 0

        def write(cells: Sequence[str]) -> None:
            nonlocal count
            if count == MOST_ROWS:
                raise Refused(f"A sheet has {MOST_ROWS} rows, and this would have more: export as .csv.")
            for place, each in enumerate(cells):
                _write_text(sheet, (count, place), each, quoted=quoted, guard=guard)
            count += 1

        yield write


def _write_text(sheet: Any, place: tuple[int, int], text: str, *, quoted: Any, guard: Callable[[str], str]) -> None:
    if not text:
        return
    if _FORMULA.match(text):
        sheet.write_string(*place, text, quoted)
    else:
        sheet.write_string(*place, guard(text))
