import pytest

from heliograph.core.media_types import EXTENSIONS, OCTETS, SOUND_ALONE, TEXT, essence, may_be_sent, sniffed, typed

BITMAP = (
    b"BM" + (70).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little") + b"\1" * 20
)

KNOWN = [
    (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
    (b"GIF87a\1\0\1\0", "image/gif"),
    (b"GIF89a\1\0\1\0", "image/gif"),
    (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
    (BITMAP, "image/bmp"),
    (b"II*\0\x08\0\0\0", "image/tiff"),
    (b"MM\0*\0\0\0\x08", "image/tiff"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
    (b"\0\0\0\x18ftypavif\0\0\0\0", "image/avif"),
    (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", "video/mp4"),
    (b"\0\0\0\x18ftypmp42\0\0\0\0", "video/mp4"),
    (b"\0\0\0\x18ftyp3gp5\0\0\1\0", "video/3gpp"),
    (b"\0\0\0\x18ftyp3g2a\0\0\1\0", "video/3gpp2"),
    (b"\0\0\0\x14ftypqt  \0\0\0\0", "video/quicktime"),
    (b"\0\0\0\x18ftypM4A \0\0\0\0", "audio/mp4"),
    (b"#!AMR\n\x3c", "audio/amr"),
    (b"#!AMR-WB\n\x3c", "audio/amr-wb"),
    (b"ID3\4\0\0\0\0\0\0", "audio/mpeg"),
    (b"\xff\xfb\x90\x00", "audio/mpeg"),
    (b"\xff\xf1\x50\x80", "audio/aac"),
    (b"OggS\0\2" + bytes(22) + b"\1\x1eOpusHead", "audio/ogg"),
    (b"OggS\0\2" + bytes(22) + b"\1\x2a\x80theora", "video/ogg"),
    (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
    (b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nEND:VCARD\r\n", "text/vcard"),
    (b"\xef\xbb\xbfbegin:vcard\n", "text/vcard"),
    (b"BEGIN:VCALENDAR\r\n", "text/calendar"),
    (b"<smil><head/></smil>", "application/smil"),
    (b'<?xml version="1.0"?>\n<!DOCTYPE smil>\n<smil xmlns="x">', "application/smil"),
    (b"Good day", TEXT),
    ("Grüße, ж, 😀\n".encode(), TEXT),
    (b"BMW is a car", TEXT),
    (b"1 < 2", TEXT),
]

REFUSED = [
    b"",
    b" \n\t",
    b"<!DOCTYPE html><title>x</title>",
    b"\xef\xbb\xbf \n<HTML>",
    b"<script>alert(1)</script>",
    b"hello <script>alert(1)</script>",
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>',
    b'<?xml version="1.0"?><svg/>',
    b"<smil><script>x</script></smil>",
    b"<?php system('id');",
    b"<a href=x>",
    b"#!/bin/sh\nrm -rf /\n",
    b"MZ\x90\0\3\0\0\0",
    b"\x7fELF\2\1\1\0",
    b"\xca\xfe\xba\xbe\0\0\0\x34",
    b"PK\3\4\x14\0\0\0",
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
    b"\x1f\x8b\x08\0",
    b"Rar!\x1a\7\0",
    b"\0asm\1\0\0\0",
    b"{\\rtf1}\0",
    b"\xff\xfe<\0h\0t\0m\0l\0>\0",
    b"\xff\xff\xff\xff",
    b"\xff\xfb\xf0\x00",
    b"RIFF\x10\0\0\0AVI LIST",
    b"\0\0\0\x18ftypevil\0\0\0\0",
    b"BM" + bytes(40),
    b"text with a bell \7",
]


@pytest.mark.parametrize(("octets", "content_type"), KNOWN)
def test_what_phones_show(octets: bytes, content_type: str) -> None:
    assert sniffed(octets) == content_type
    assert content_type in EXTENSIONS
    assert may_be_sent(octets, "")
    assert typed(octets, "") == content_type


@pytest.mark.parametrize("octets", REFUSED)
@pytest.mark.parametrize("declared", ["", "image/jpeg", "text/plain", "text/html"])
def test_what_is_never_sent_and_only_handed_out_as_octets(octets: bytes, declared: str) -> None:
    assert not may_be_sent(octets, declared)
    assert typed(octets, declared) == OCTETS


@pytest.mark.parametrize("declared", ["text/html", "text/javascript; charset=utf-8", "APPLICATION/JSON", "image/jpeg"])
def test_text_that_its_server_calls_something_else(declared: str) -> None:
    assert not may_be_sent(b"alert(1)", declared)
    assert typed(b"alert(1)", declared) == TEXT


@pytest.mark.parametrize("declared", ["text/html", "application/x-sh", "video/mp4"])
def test_a_picture_is_one_whatever_its_server_says(declared: str) -> None:
    assert may_be_sent(b"GIF89a", declared)
    assert typed(b"GIF89a", declared) == "image/gif"


def test_sound_in_a_container_for_films() -> None:
    octets = b"\0\0\0\x18ftyp3gp4\0\0\1\0"
    assert typed(octets, "Audio/3GPP; codecs=samr") == "audio/3gpp"
    assert typed(octets, "audio/mpeg") == "video/3gpp"
    assert set(SOUND_ALONE) | set(SOUND_ALONE.values()) <= set(EXTENSIONS)


def test_essence() -> None:
    assert [essence(each) for each in ("", ";", "a/b", " A/B ; c=d;e")] == ["", "", "a/b", "a/b"]
