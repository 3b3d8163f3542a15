"""What a file is, by its first octets and not by what its sender calls it.

Known are the kinds that phones send and show. Whatever is not among them, web pages, scripts and programs above all,
is never sent, and handed out as octets to be saved. Pure: octets in, a media type out.
Sources: WHATWG MIME Sniffing §6 (images, audio and video), RFC 4867 §5 (AMR), RFC 3839 (3GPP), RFC 6350 (vCard),
3GPP TS 26.140 §4 (what an MMS carries).
"""

from collections.abc import Callable
from typing import Final

OCTETS: Final = "application/octet-stream"
TEXT: Final = "text/plain"

EXTENSIONS: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/bmp": "bmp",
    "image/tiff": "tiff",
    "image/heic": "heic",
    "image/avif": "avif",
    "audio/amr": "amr",
    "audio/amr-wb": "awb",
    "audio/mpeg": "mp3",
    "audio/aac": "aac",
    "audio/mp4": "m4a",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/3gpp": "3gp",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "video/3gpp2": "3g2",
    "video/quicktime": "mov",
    "video/ogg": "ogv",
    TEXT: "txt",
    "text/vcard": "vcf",
    "text/calendar": "ics",
    "application/smil": "smil",
    OCTETS: "bin",
}
"""Every type a file can have here, and how its name ends."""

SOUND_ALONE: Final = {"video/3gpp": "audio/3gpp", "video/mp4": "audio/mp4", "video/ogg": "audio/ogg"}
"""Containers that look the same whether or not there is a picture: here the sender is believed."""

_STARTS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"#!AMR\n", "audio/amr"),
    (b"#!AMR-WB\n", "audio/amr-wb"),
    (b"ID3", "audio/mpeg"),
)
_BRANDS: Final = (
    ((b"3gp", b"3gr", b"3gs", b"3ge", b"3gg"), "video/3gpp"),
    ((b"3g2",), "video/3gpp2"),
    ((b"M4A", b"M4B"), "audio/mp4"),
    ((b"qt  ",), "video/quicktime"),
    ((b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"), "image/heic"),
    ((b"avif", b"avis"), "image/avif"),
    ((b"isom", b"iso", b"mp4", b"avc1", b"dash", b"MSNV", b"mmp4", b"M4V", b"f4v"), "video/mp4"),
)
_BITMAP_HEADERS: Final = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_LOOKED_AT: Final = 1024
_BLANKS: Final = " \t\r\n\f"
_MARKS_OF_PAGES: Final = ("<!doctype html", "<html", "<script", "<svg", "<iframe", "<body", "<?php", "javascript:")
_CALLED_TEXT: Final = frozenset(
    {"", TEXT, OCTETS, "binary/octet-stream", "text/vcard", "text/x-vcard", "text/calendar"}
)


def sniffed(octets: bytes) -> str | None:
    """The type of a file; None for what is not known.

    >>> sniffed(b"GIF89a..."), sniffed(b"hello"), sniffed(b"<html>"), sniffed(b"MZ\\x90\\x00")
    ('image/gif', 'text/plain', None, None)
    """
    for start, content_type in _STARTS:
        if octets.startswith(start):
            return content_type
    for look in _LOOKS:
        found = look(octets)
        if found is not None:
            return found
    return _text(octets)


def typed(octets: bytes, declared: str) -> str:
    """The type under which a file is kept. declared: what its sender called it, "" for nothing."""
    content_type = sniffed(octets)
    if content_type is None:
        return OCTETS
    alone = SOUND_ALONE.get(content_type)
    return alone if alone is not None and essence(declared) == alone else content_type


def may_be_sent(octets: bytes, declared: str) -> bool:
    """Whether a customer's file may go out: of a known kind, and no text that its server calls something else.

    >>> may_be_sent(b"alert(1)", "text/plain"), may_be_sent(b"alert(1)", "text/javascript")
    (True, False)
    """
    content_type = sniffed(octets)
    if content_type is None:
        return False
    return content_type != TEXT or essence(declared) in _CALLED_TEXT


def essence(declared: str) -> str:
    """A media type without its parameters, in small letters.

    >>> essence(' Text/Plain; charset="utf-8"')
    'text/plain'
    """
    return declared.partition(";")[0].strip().lower()


def _riff(octets: bytes) -> str | None:
    if octets[:4] != b"RIFF":
        return None
    return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(octets[8:12])


def _bitmap(octets: bytes) -> str | None:
    # Two letters begin many a text: the header must make sense as well.
    is_bitmap = octets[:2] == b"BM" and octets[6:10] == bytes(4) and len(octets) >= 26
    return "image/bmp" if is_bitmap and int.from_bytes(octets[14:18], "little") in _BITMAP_HEADERS else None


def _boxed(octets: bytes) -> str | None:
    """MP4 and its relatives (ISO/IEC 14496-12 §4.3)."""
    if octets[4:8] != b"ftyp" or len(octets) < 12:
        return None
    brand = octets[8:12]
    return next((kind for starts, kind in _BRANDS if brand.startswith(starts)), None)


def _ogg(octets: bytes) -> str | None:
    if octets[:4] != b"OggS":
        return None
    return "video/ogg" if b"theora" in octets[:256] else "audio/ogg"


def _sound_frame(octets: bytes) -> str | None:
    """MPEG audio without tags: a frame header whose fields have values that exist (ISO/IEC 11172-3 §2.4.1.3)."""
    if len(octets) < 4 or octets[0] != 0xFF or octets[1] & 0xE0 != 0xE0:
        return None
    if octets[1] & 0xF6 == 0xF0:
        return "audio/aac"
    version, layer = octets[1] >> 3 & 3, octets[1] >> 1 & 3
    rate, frequency = octets[2] >> 4, octets[2] >> 2 & 3
    return "audio/mpeg" if version != 1 and layer in (1, 2) and rate not in (0, 15) and frequency != 3 else None


_LOOKS: Final[tuple[Callable[[bytes], str | None], ...]] = (_riff, _bitmap, _boxed, _ogg, _sound_frame)


def _text(octets: bytes) -> str | None:
    """Text of some kind; None for what is no text, and for pages and scripts."""
    try:
        text = octets.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if not text.strip(_BLANKS) or any(character < " " and character not in _BLANKS for character in text):
        return None
    start = text.lstrip(_BLANKS)[:_LOOKED_AT].lower()
    if start.startswith("begin:vcard"):
        return "text/vcard"
    if start.startswith("begin:vcalendar"):
        return "text/calendar"
    if start.startswith("#!") or any(mark in start for mark in _MARKS_OF_PAGES):
        return None
    if start.startswith("<"):
        return "application/smil" if "<smil" in start else None
    return TEXT
