"""Text with a row on a line and its cells between commas, semicolons, tabs or bars (RFC 4180 and its relatives)."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from heliograph.services.refused import Refused

DELIMITERS = ",;\t|"
LONGEST_LINE = 1 << 20
"""Characters of a line: more are not a row of contacts, and would all be held in memory."""
_PIECE = 1 << 20


@contextmanager
def opened(file: BinaryIO, *, encoding: str | None) -> Iterator[Iterator[Sequence[str]]]:
    """Rows of a text, which is looked through once for what its encoding cannot say; raises Refused."""
    wanted = encoding or "utf-8-sig"
    _check_encoding(file, wanted, is_chosen=encoding is not None)
    text = io.TextIOWrapper(file, encoding=wanted, newline="")
    try:
        yield _rows(text)
    finally:
        # The file is whoever's who opened it.
        text.detach()


def _rows(text: io.TextIOWrapper) -> Iterator[Sequence[str]]:
    lines = _lines(text)
    first = next(lines, "")
    reader = csv.reader(_with_first(first, lines), delimiter=delimiter_of(first))
    try:
        yield from reader
    except csv.Error as error:
        raise Refused(f"Line {reader.line_num} cannot be read: {error}. Is a quotation mark missing?") from None


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise Refused(f"Line {number} has more than {LONGEST_LINE} characters: this is no table.")
        yield line


def _with_first(first: str, others: Iterator[str]) -> Iterator[str]:
    yield first
    yield from others


def delimiter_of(line: str) -> str:
    """What stands between the cells of the first row: the commonest outside of quotation marks, a comma when none does.

    >>> delimiter_of('name;"a,b,c";town'), delimiter_of("number")
    (';', ',')
    """
    bare = "".join(line.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


def _check_encoding(file: BinaryIO, encoding: str, *, is_chosen: bool) -> None:
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise Refused(f"{encoding!r} is no encoding that is known here; try windows-1252 or utf-16.") from None
    at = 0
    try:
        while piece := file.read(_PIECE):
            decoder.decode(piece)
            at += len(piece)
        decoder.decode(b"", final=True)
    except UnicodeError:
        advice = "" if is_chosen else "; say which it is, such as --encoding windows-1252 or --encoding utf-16"
        name = encoding if is_chosen else "UTF-8"
        raise Refused(f"The text is not {name} (somewhere behind octet {at}){advice}.") from None
    file.seek(0)
