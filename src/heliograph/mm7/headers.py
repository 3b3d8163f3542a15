"""The header lines of MIME, as far as MM7 uses them. Source: RFC 2045 §5.1, RFC 2392 (cid)."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from heliograph.mm7.errors import NotReadable

MOST_LINES: Final = 48
MOST_OCTETS: Final = 16 * 1024

_PARAMETER: Final = re.compile(r"""\s*;\s*([!-~]+?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))""")
_TYPE: Final = re.compile(r"\s*([A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80})\s*")
_ESCAPE: Final = re.compile(r"\\(.)")
_PERCENT: Final = re.compile("%([0-9A-Fa-f]{2})")


class ContentType(NamedTuple):
    """A media type in small letters, and its parameters by name in small letters."""

    media_type: str
    parameters: Mapping[str, str]


def content_type_from(written: str) -> ContentType:
    """Read a Content-Type; one that is none is octets. The first of two parameters of one name counts.

    >>> content_type_from('Multipart/Related; boundary="a b"; type=text/xml')
    ContentType(media_type='multipart/related', parameters={'boundary': 'a b', 'type': 'text/xml'})
    """
    begin = _TYPE.match(written)
    if begin is None:
        return ContentType("application/octet-stream", {})
    return ContentType(begin[1].lower(), _parameters(written, begin.end()))


def _parameters(written: str, place: int) -> dict[str, str]:
    found: dict[str, str] = {}
    while (each := _PARAMETER.match(written, place)) is not None and len(found) < MOST_LINES:
        name, quoted, plain = each.groups()
        found.setdefault(name.lower(), _ESCAPE.sub(r"\1", quoted) if quoted is not None else plain)
        place = each.end()
    return found


def parameter_of(written: str, name: str) -> str:
    """One parameter of a header like Content-Disposition; "" without it."""
    place = written.find(";")
    return "" if place < 0 else _parameters(written, place).get(name, "")


def headers_from(lines: bytes) -> dict[str, str]:
    """Header lines by name in small letters, the first of each; raises NotReadable for too many or too long ones.

    >>> headers_from(b"Content-ID: <a>\\r\\nContent-Type: text/plain;\\r\\n charset=utf-8")
    {'content-id': '<a>', 'content-type': 'text/plain; charset=utf-8'}
    """
    if len(lines) > MOST_OCTETS or lines.count(b"\n") > MOST_LINES:
        raise NotReadable("a part has too many header lines")
    found: dict[str, str] = {}
    text = re.sub(r"\r?\n[ \t]+", " ", lines.decode("latin-1"))
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if colon:
            found.setdefault(name.strip().lower(), value.strip())
    return found


def content_id_from(written: str) -> str:
    """A Content-ID without its brackets, or what an address `cid:` names.

    >>> content_id_from(" <a@b> "), content_id_from("a%40b")
    ('a@b', 'a@b')
    """
    plain = written.strip().removeprefix("<").removesuffix(">")
    return _PERCENT.sub(lambda found: chr(int(found[1], 16)), plain).strip()
