"""What comes from strangers about files: octets, types and links. Nothing may raise, or be taken for what it is not."""

from hypothesis import assume, given
from hypothesis import strategies as st

from heliograph.core.links import KEY_OCTETS, NAME_CHARS, digest_in, name_of
from heliograph.core.media_types import EXTENSIONS, OCTETS, may_be_sent, sniffed, typed

STARTS = [
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF", b"RIFF1234WEBP", b"BM", b"\0\0\0\x18ftyp", b"#!AMR\n",
    b"ID3", b"\xff", b"OggS", b"<", b"<smil", b"BEGIN:VCARD", b"\xef\xbb\xbf", b"#!", b"MZ", b"\x7fELF", b"%PDF-",
    b"PK\3\4", b"",
]  # fmt: skip
FILES = st.builds(bytes.__add__, st.sampled_from(STARTS), st.binary(max_size=80))
DECLARED = st.one_of(st.just(""), st.sampled_from([*EXTENSIONS, "text/html"]), st.text(max_size=20))
KEYS = st.binary(min_size=KEY_OCTETS, max_size=KEY_OCTETS)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
TIMES = st.integers(0, 2**40 - 1)


@given(FILES, DECLARED)
def test_every_file_has_a_type_that_we_know(octets: bytes, declared: str) -> None:
    kept = typed(octets, declared)
    assert kept in EXTENSIONS
    assert (kept == OCTETS) == (sniffed(octets) is None)
    assert not may_be_sent(octets, declared) or kept != OCTETS


@given(st.sampled_from([b"<html", b"<script", b"<!DOCTYPE html", b"<svg"]), st.text(max_size=60), DECLARED)
def test_no_page_is_ever_sent(mark: bytes, text: str, declared: str) -> None:
    assert not may_be_sent(mark + text.encode(errors="replace"), declared)


@given(DIGESTS, TIMES, KEYS, TIMES)
def test_a_link_is_good_until_it_ends(digest: str, expires_at_s: int, key: bytes, now_s: int) -> None:
    found = digest_in(name_of(digest, expires_at_s=expires_at_s, key=key), now_s=now_s, key=key)
    assert found == ((digest, expires_at_s) if now_s <= expires_at_s else None)


@given(DIGESTS, TIMES, KEYS, KEYS)
def test_a_link_is_good_for_one_key(digest: str, expires_at_s: int, key: bytes, other: bytes) -> None:
    assume(key != other)
    assert digest_in(name_of(digest, expires_at_s=expires_at_s, key=key), now_s=0, key=other) is None


@given(
    st.one_of(
        st.text(), st.text(min_size=NAME_CHARS, max_size=NAME_CHARS), st.binary().map(lambda it: it.decode("latin-1"))
    )
)
def test_what_nobody_signed_is_no_link(written: str) -> None:
    assert digest_in(written, now_s=0, key=bytes(KEY_OCTETS)) is None
