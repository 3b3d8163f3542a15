"""What a file is, and its rows."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from heliograph.services.refused import Refused
from heliograph.services.tables import delimited, workbook

_ZIP = b"PK\x03\x04"
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"


class Table(NamedTuple):
    """rows: texts, each row once, blank ones as empty ones. total, done: octets there are, and octets read so far."""

    rows: Iterator[Sequence[str]]
    total: int
    done: Callable[[], int]


@contextmanager
def opened(path: Path, *, encoding: str | None = None) -> Iterator[Table]:
    """Open a table for as long as it is read; what cannot be read raises Refused, here or while rows are taken.

    encoding: of text; None for UTF-8 with or without its mark.
    """
    try:
        with path.open("rb") as file:
            begin = file.read(4)
            file.seek(0)
            if begin == _OLD_WORKBOOK:
                raise Refused(f"{path} is a workbook of the old kind (.xls): save it as .xlsx or .csv.")
            if begin == _ZIP:
                with workbook.opened(file) as (rows, total, done):
                    yield Table(rows, total, done)
            else:
                with delimited.opened(file, encoding=encoding) as lines:
                    yield Table(lines, path.stat().st_size, file.tell)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
