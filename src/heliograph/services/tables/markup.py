"""Markup of a workbook, read in a stream: whatever it holds, no more than a cell of it is in memory.

Refused: document types (with their entities), more octets or deeper nesting than any spreadsheet writes, and a single
tag that does not end.
"""

import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from xml.parsers import expat

from heliograph.services.refused import Refused

LONGEST_TEXT = 32_767
"""Characters of a cell: what spreadsheets take."""
_DEEPEST = 32
_LONGEST_TAG = 1 << 20
_PIECE = 1 << 16

Attributes = Mapping[str, str]


class Text:
    """The text between two tags, as far as it is wanted."""

    __slots__ = ("_length", "_pieces", "is_wanted")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self.is_wanted = False

    def add(self, piece: str) -> None:
        """One more piece of it."""
        if self.is_wanted:
            self._length += len(piece)
            if self._length > LONGEST_TEXT:
                raise Refused(f"A cell of the workbook has more than {LONGEST_TEXT} characters.")
            self._pieces.append(piece)

    def take(self) -> str:
        """All that has gathered; it is empty again."""
        text = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return text


def walk(
    archive: zipfile.ZipFile,
    name: str,
    *,
    begin: Callable[[str, Attributes], None],
    end: Callable[[str], None],
    text: Callable[[str], None] | None = None,
) -> Iterator[int]:
    """Read a file of a workbook and tell of each tag, by its name without prefix; gives the octets read so far.

    Stop in between to take what was told. Raises Refused.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    depth = 0

    def begun(tag: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise Refused("The workbook is nested deeper than any spreadsheet writes it.")
        begin(tag.rpartition(":")[2] if ":" in tag else tag, attributes)

    def ended(tag: str) -> None:
        nonlocal depth
        depth -= 1
        end(tag.rpartition(":")[2] if ":" in tag else tag)

    parser.StartElementHandler = begun
    parser.EndElementHandler = ended
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _no_document_type
    count = 0
    with broken(), archive.open(name) as file:
        while piece := file.read(_PIECE):
            count += len(piece)
            parser.Parse(piece, False)
            if count - parser.CurrentByteIndex > _LONGEST_TAG:
                raise Refused("A tag of the workbook does not end.")
            yield count
        parser.Parse(b"", True)
    yield count


def _no_document_type(*_: object) -> None:
    raise Refused("The workbook declares a document type, which no spreadsheet does.")


@contextmanager
def broken() -> Iterator[None]:
    """Turn what a damaged archive raises into a refusal."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, expat.ExpatError, NotImplementedError) as error:
        raise Refused(f"The workbook is damaged: {error}.") from error
