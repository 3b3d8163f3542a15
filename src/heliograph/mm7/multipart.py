"""MIME bodies of several parts, written, and read within bounds.

Octets are compared and cut, never searched with patterns: reading takes time and memory in proportion to the body,
whatever is in it. A body that ends before its last boundary is refused, as the rest may be missing.
Source: RFC 2046 §5.1, RFC 2387 (multipart/related), RFC 2045 §6.
"""

import binascii
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from heliograph.mm7.errors import NotReadable
from heliograph.mm7.headers import content_id_from, content_type_from, headers_from, parameter_of

MOST_OCTETS: Final = 16 * 1024 * 1024
MOST_PARTS: Final = 64
MOST_DEPTH: Final = 3
MOST_LOOKALIKES: Final = 1_000
"""How often what begins like a boundary may be none: by chance never."""

_MOST_BOUNDARY: Final = 200
_LINE_OCTETS: Final = 57


class Part(NamedTuple):
    """One part. content_type: as written; media_type: without parameters. content_id: without brackets.

    name: of the file, from whichever header has one. parts: those of a multipart, whose own content is b"".
    """

    content: bytes
    content_type: str
    content_id: str = ""
    name: str = ""
    parts: "tuple[Part, ...]" = ()

    @property
    def media_type(self) -> str:
        """The type in small letters."""
        return content_type_from(self.content_type).media_type

    @property
    def charset(self) -> str:
        """How a text is written; "" when it is not said."""
        return content_type_from(self.content_type).parameters.get("charset", "").lower()


class Body(NamedTuple):
    """What an HTTP message carries."""

    content_type: str
    octets: bytes


# Reading ---------------------------------------------------------------------------------------------------------


def read(content_type: str, octets: bytes) -> tuple[Part, ...]:
    """The parts of a multipart body; raises NotReadable for one that is broken, cut off, too large or too deep."""
    if len(octets) > MOST_OCTETS:
        raise NotReadable(f"the body has more than {MOST_OCTETS // 1024} KiB")
    return _Reader().read(content_type, octets, 1)


class _Reader:
    """Counts the parts of one body on all its levels."""

    def __init__(self) -> None:
        self._parts = 0

    def read(self, content_type: str, octets: bytes, depth: int) -> tuple[Part, ...]:
        boundary = content_type_from(content_type).parameters.get("boundary", "")
        if not 0 < len(boundary) <= _MOST_BOUNDARY or not boundary.isascii():
            raise NotReadable("a multipart body has no boundary")
        if depth > MOST_DEPTH:
            raise NotReadable("multipart bodies stand too deep in each other")
        return tuple(self._part(each, depth) for each in _cut(octets, b"--" + boundary.encode("ascii")))

    def _part(self, octets: bytes, depth: int) -> Part:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise NotReadable(f"the body has more than {MOST_PARTS} parts")
        lines, content = _halves(octets)
        headers = headers_from(lines)
        content_type = headers.get("content-type", "text/plain")
        content = _decoded(content, headers.get("content-transfer-encoding", ""))
        parts: tuple[Part, ...] = ()
        if content_type_from(content_type).media_type.startswith("multipart/"):
            parts, content = self.read(content_type, content, depth + 1), b""
        return Part(content, content_type, content_id_from(headers.get("content-id", "")), _name_in(headers), parts)


def _cut(octets: bytes, delimiter: bytes) -> Iterator[bytes]:
    """What stands between the delimiters, without the line end that belongs to the next of them."""
    begin, lookalikes = -1, 0
    place = octets.find(delimiter)
    while place >= 0 and lookalikes <= MOST_LOOKALIKES:
        after = place + len(delimiter)
        is_last = octets[after : after + 2] == b"--"
        if _begins_line(octets, place) and (is_last or _ends_line(octets, after)):
            if begin >= 0:
                yield _without_line_end(octets[begin:place])
            if is_last:
                if begin < 0:
                    break
                return
            begin = octets.find(b"\n", after) + 1
            after = max(begin - 1, after)
        else:
            lookalikes += 1
        place = octets.find(delimiter, after)
    raise NotReadable("a multipart body ends before its last boundary" if begin >= 0 else "the boundary is not there")


def _begins_line(octets: bytes, place: int) -> bool:
    return place == 0 or octets[place - 1] == 0x0A


def _ends_line(octets: bytes, place: int) -> bool:
    """Whether nothing but blanks stands before the end of the line."""
    end = octets.find(b"\n", place, place + 80)
    return end >= 0 and not octets[place:end].strip()


def _without_line_end(octets: bytes) -> bytes:
    if octets.endswith(b"\r\n"):
        return octets[:-2]
    return octets[:-1] if octets.endswith(b"\n") else octets


def _halves(octets: bytes) -> tuple[bytes, bytes]:
    """Headers and content; an empty line stands between, and at the start of a part without headers."""
    if octets.startswith((b"\r\n", b"\n")):
        return b"", octets[2 if octets.startswith(b"\r\n") else 1 :]
    ends = [(place, gap) for gap in (b"\r\n\r\n", b"\n\n") if (place := octets.find(gap)) >= 0]
    if not ends:
        return octets, b""
    place, gap = min(ends)
    return octets[:place], octets[place + len(gap) :]


def _decoded(content: bytes, encoding: str) -> bytes:
    match encoding.lower():
        case "" | "7bit" | "8bit" | "binary":
            return content
        case "base64":
            try:
                return binascii.a2b_base64(content)
            except binascii.Error:
                raise NotReadable("a part's base64 is broken") from None
        case "quoted-printable":
            return binascii.a2b_qp(content)
        case _:
            raise NotReadable("a part is in a transfer encoding that is not read")


def _name_in(headers: dict[str, str]) -> str:
    return (
        headers.get("content-location", "")
        or parameter_of(headers.get("content-disposition", ""), "filename")
        or parameter_of(headers.get("content-type", ""), "name")
    )


# Writing ---------------------------------------------------------------------------------------------------------


def written(parts: Sequence[Part], *, kind: str, boundary: str, extra: str = "", is_binary: bool = False) -> Body:
    """A body of kind "related" or "mixed". extra: parameters of its type, as `; name="value"`.

    is_binary: whether contents stand as they are, instead of in base64. Texts always do. The boundary is made longer
    until it stands in no content.
    """
    blocks = [_block(part, is_binary=is_binary) for part in parts]
    mark = boundary
    while any(f"--{mark}".encode("ascii") in block for block in blocks):
        mark += "x"
    line = f"--{mark}".encode("ascii")
    octets = b"".join(line + b"\r\n" + block + b"\r\n" for block in blocks) + line + b"--\r\n"
    return Body(f'multipart/{kind}{extra}; boundary="{mark}"', octets)


def _block(part: Part, *, is_binary: bool) -> bytes:
    is_whole = part.content_type.startswith("multipart/")
    is_plain = part.content_type.startswith(("text/", "application/smil"))
    lines = [f"Content-Type: {part.content_type}"]
    if part.content_id:
        lines.append(f"Content-ID: <{part.content_id}>")
    if part.name:
        lines.append(f"Content-Location: {part.name}")
    if is_binary or is_plain or is_whole:
        encoding, content = ("8bit" if is_plain or not is_binary else "binary"), part.content
    else:
        encoding, content = "base64", in_base64(part.content)
    lines.append(f"Content-Transfer-Encoding: {encoding}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + content


def in_base64(octets: bytes) -> bytes:
    """Octets in base64, in lines of 76 characters."""
    lines = (octets[place : place + _LINE_OCTETS] for place in range(0, len(octets), _LINE_OCTETS))
    return b"\r\n".join(binascii.b2a_base64(line, newline=False) for line in lines)


def fitting(octets: int, *, is_binary: bool) -> int:
    """How many octets of content fill so many on the wire.

    >>> fitting(78_000, is_binary=False), fitting(78_000, is_binary=True)
    (57000, 78000)
    """
    if is_binary:
        return octets
    lines, rest = divmod(octets, _LINE_OCTETS // 3 * 4 + 2)
    return lines * _LINE_OCTETS + rest // 4 * 3
