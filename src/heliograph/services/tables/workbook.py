"""A workbook (.xlsx, ECMA-376): its first sheet, the texts its cells share, and which numbers are dates.

Read with the standard library. The readers there are hold more than a row: one whole rows and all shared texts as
objects, another the rectangle of all cells, which a single cell in the last corner makes as large as it likes.
"""

import posixpath
import re
import zipfile
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from heliograph.services.refused import Refused
from heliograph.services.tables import markup
from heliograph.services.tables.markup import Attributes
from heliograph.services.tables.sheet import Formats, rows

MOST_ENTRIES = 2_000
MOST_SHEET_OCTETS = 2 << 30
MOST_STRING_OCTETS = 256 << 20
MOST_OTHER_OCTETS = 16 << 20
MOST_STRINGS = 8_000_000
_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Numbers of formats that are dates everywhere (18.8.30)."""
_NOT_SHOWN = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')
_BOOK = "xl/workbook.xml"


class SharedStrings:
    """Texts by number, close together: 2 million take the memory of their letters and 8 octets each."""

    def __init__(self) -> None:
        self._letters = bytearray()
        self._ends = array("Q", [0])

    def append(self, text: str) -> None:
        """One more."""
        if len(self._ends) > MOST_STRINGS:
            raise Refused(f"The workbook has more than {MOST_STRINGS} texts: save the sheet as .csv.")
        self._letters += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._letters))

    def __getitem__(self, place: int) -> str:
        """The text with a number."""
        if place < 0:
            raise IndexError(place)
        return self._letters[self._ends[place] : self._ends[place + 1]].decode("utf-8", "surrogatepass")


@contextmanager
def opened(file: BinaryIO) -> Iterator[tuple[Iterator[Sequence[str]], int, Callable[[], int]]]:
    """Rows of the first sheet, its octets, and how many of them were read; raises Refused."""
    with markup.broken():
        archive = zipfile.ZipFile(file)
    with archive:
        if len(archive.infolist()) > MOST_ENTRIES:
            raise Refused(f"The workbook has more than {MOST_ENTRIES} files in it.")
        relation, is_1904 = _first_sheet(archive)
        relations = _relations(archive)
        name = relations.get(relation, "")
        total = _checked(archive, name, most=MOST_SHEET_OCTETS)
        strings = _strings(archive, relations)
        formats = Formats(_dates(archive, relations), is_1904)
        done = 0

        def read() -> Iterator[Sequence[str]]:
            nonlocal done
            for row, done in rows(archive, name, strings=strings, formats=formats):  # noqa: B007 (told to the caller)
                yield row

        yield read(), total, lambda: done


def _checked(archive: zipfile.ZipFile, name: str, *, most: int) -> int:
    """The octets of a file in the archive, from which no more are read than it says; raises Refused."""
    try:
        entry = archive.getinfo(name)
    except KeyError:
        raise Refused(f"The file is no workbook that can be read: it has no {name or 'such sheet'}.") from None
    if entry.flag_bits & 1:
        raise Refused("The workbook is protected by a password: save it without.")
    if entry.file_size > most:
        raise Refused(f"{name} of the workbook has more than {most >> 20} MiB: save the sheet as .csv.")
    return entry.file_size


def _told(
    archive: zipfile.ZipFile,
    name: str,
    begin: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
) -> None:
    _checked(archive, name, most=MOST_OTHER_OCTETS)
    for _ in markup.walk(archive, name, begin=begin, end=end or _nothing):
        pass


def _nothing(_tag: str) -> None:
    """What most tags' ends mean."""


def _first_sheet(archive: zipfile.ZipFile) -> tuple[str, bool]:
    """The relation of the first sheet, and whether days count from 1904."""
    sheets: list[str] = []
    is_1904 = False

    def begin(tag: str, attributes: Attributes) -> None:
        nonlocal is_1904
        if tag == "workbookPr":
            is_1904 = attributes.get("date1904", "0") in ("1", "true")
        elif tag == "sheet":
            sheets.append(next((value for name, value in attributes.items() if name.rpartition(":")[2] == "id"), ""))

    _told(archive, _BOOK, begin)
    if not sheets:
        raise Refused("The workbook has no sheet.")
    return sheets[0], is_1904


def _relations(archive: zipfile.ZipFile) -> dict[str, str]:
    """Files of the workbook by the id of their relation, and by what they are (the last word of their type)."""
    found: dict[str, str] = {}

    def begin(tag: str, attributes: Attributes) -> None:
        if tag == "Relationship":
            path = posixpath.normpath(posixpath.join("/xl", attributes.get("Target", ""))).lstrip("/")
            found[attributes.get("Id", "")] = path
            found.setdefault(attributes.get("Type", "").rpartition("/")[2], path)

    _told(archive, "xl/_rels/workbook.xml.rels", begin)
    return found


def _strings(archive: zipfile.ZipFile, relations: dict[str, str]) -> SharedStrings:
    strings, text, spoken = SharedStrings(), markup.Text(), 0

    def begin(tag: str, _attributes: Attributes) -> None:
        nonlocal spoken
        spoken += tag == "rPh"
        text.is_wanted = tag == "t" and not spoken

    def end(tag: str) -> None:
        nonlocal spoken
        spoken -= tag == "rPh"
        text.is_wanted = False
        if tag == "si":
            strings.append(text.take())

    name = relations.get("sharedStrings")
    if name is not None:
        _checked(archive, name, most=MOST_STRING_OCTETS)
        for _ in markup.walk(archive, name, begin=begin, end=end, text=text.add):
            pass
    return strings


def _dates(archive: zipfile.ZipFile, relations: dict[str, str]) -> frozenset[int]:
    """Styles of cells that show a number as a date."""
    formats, dates = set(_DATES), set[int]()
    is_style, number = False, 0

    def begin(tag: str, attributes: Attributes) -> None:
        nonlocal is_style, number
        if tag == "cellXfs":
            is_style = True
        elif tag == "numFmt" and _shows_date(attributes.get("formatCode", "")):
            formats.add(_id_of(attributes))
        elif tag == "xf" and is_style:
            if _id_of(attributes) in formats:
                dates.add(number)
            number += 1

    def end(tag: str) -> None:
        nonlocal is_style
        is_style = is_style and tag != "cellXfs"

    name = relations.get("styles")
    if name is not None:
        _told(archive, name, begin, end)
    return frozenset(dates)


def _id_of(attributes: Attributes) -> int:
    written = attributes.get("numFmtId", "")
    return int(written) if written.isdecimal() and len(written) < 10 else 0


def _shows_date(code: str) -> bool:
    """Whether a format has days, months, years or hours in it.

    >>> _shows_date('yyyy\\\\-mm'), _shows_date('[Red]0.00"days"'), _shows_date("General")
    (True, False, False)
    """
    return any(each in "dmyhs" for each in _NOT_SHOWN.sub("", code).lower())
