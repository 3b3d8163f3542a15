"""Whatever the text: segments rejoin to it, fit the air, and cut no pair; whatever the octets: parsers hold."""

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.gsm import alphabet, packing, udh
from heliograph.gsm.segments import Encoding, Segment, count_segments, join, split, split_octets

AIR_OCTETS = 140
PATIENT = settings(deadline=None)


def runs(characters: str) -> st.SearchStrategy[str]:
    """Long texts of few kinds of characters, so that pairs meet the cuts in every phase."""
    run = st.builds(lambda character, times: character * times, st.sampled_from(characters), st.integers(1, 160))
    return st.lists(run, max_size=12).map("".join)


GSM7_TEXTS = runs("a@é€[") | st.text(st.sampled_from([c for c in map(chr, range(0x2100)) if alphabet.is_encodable(c)]))
TEXTS = st.text() | GSM7_TEXTS | runs("яa😀\ud7ff\ue000")
OCTETS = st.binary(max_size=300)


def octets_on_air(segment: Segment, encoding: Encoding) -> int:
    if encoding is not Encoding.GSM7:
        return len(segment.payload)
    fill_bits = packing.fill_bits_after(len(segment.udh))
    return len(segment.udh) + len(packing.pack(segment.body, fill_bits=fill_bits))


@PATIENT
@given(TEXTS, st.booleans())
def test_segments_rejoin_to_the_text(text: str, wide: bool) -> None:
    encoding, segments = split(text, reference=200, wide_reference=wide)

    assert join((segment.body for segment in segments), encoding) == text
    assert "".join(join([segment.body], encoding) for segment in segments) == text


@PATIENT
@given(TEXTS, st.booleans())
def test_every_segment_fits_the_air_and_no_pair_is_cut(text: str, wide: bool) -> None:
    encoding, segments = split(text, reference=200, wide_reference=wide)

    for segment in segments:
        assert octets_on_air(segment, encoding) <= AIR_OCTETS
        if encoding is Encoding.GSM7:
            assert segment.body[-1:] != b"\x1b"
        else:
            assert segment.body[-2] not in range(0xD8, 0xDC)


@PATIENT
@given(TEXTS, st.booleans())
def test_no_segment_could_have_taken_the_next_unit_too(text: str, wide: bool) -> None:
    encoding, segments = split(text, reference=200, wide_reference=wide)

    for segment, after in itertools.pairwise(segments):
        size = 1 if encoding is Encoding.GSM7 else 2
        pair = after.body[:1] == b"\x1b" if encoding is Encoding.GSM7 else after.body[0] in range(0xD8, 0xDC)
        fuller = Segment(segment.udh, segment.body + after.body[: size * (1 + pair)])
        assert octets_on_air(fuller, encoding) > AIR_OCTETS


@PATIENT
@given(TEXTS, st.booleans())
def test_the_count_is_that_of_the_split(text: str, wide: bool) -> None:
    encoding, segments = split(text, reference=200, wide_reference=wide)

    assert count_segments(text, wide_reference=wide) == (encoding, len(segments))


@PATIENT
@given(TEXTS | OCTETS.map(lambda octets: octets.decode("latin-1")), st.integers(0, 0xFFFF), st.booleans())
def test_every_joined_segment_says_its_place(text: str, reference: int, wide: bool) -> None:
    reference = reference if wide else reference & 0xFF
    _, segments = split(text, reference=reference, wide_reference=wide)

    if len(segments) == 1:
        assert segments[0].udh == b""
        return
    for number, segment in enumerate(segments, start=1):
        place = udh.Concatenation(reference=reference, total=len(segments), number=number, wide=wide)
        assert udh.concatenation_of(segment.payload) == place
        assert udh.split_udh(segment.payload) == segment


@PATIENT
@given(st.binary(max_size=1000), st.booleans())
def test_octets_rejoin(octets: bytes, wide: bool) -> None:
    segments = split_octets(octets, reference=200, wide_reference=wide)

    assert b"".join(segment.body for segment in segments) == octets
    assert all(len(segment.payload) <= AIR_OCTETS for segment in segments)


@PATIENT
@given(GSM7_TEXTS, st.integers(0, 6))
def test_septets_survive_packing(text: str, fill_bits: int) -> None:
    septets = alphabet.encode(text)
    packed = packing.pack(septets, fill_bits=fill_bits)

    assert packing.unpack(packed, count=len(septets), fill_bits=fill_bits) == septets


@PATIENT
@given(st.text())
def test_a_text_is_encodable_exactly_when_encoding_succeeds(text: str) -> None:
    if alphabet.is_encodable(text):
        assert alphabet.decode(alphabet.encode(text)) == text
        return
    with pytest.raises(alphabet.NotInAlphabet) as caught:
        alphabet.encode(text)
    assert text[caught.value.position] == caught.value.character
    assert alphabet.is_encodable(text[: caught.value.position])


@PATIENT
@given(OCTETS)
def test_decoding_takes_any_octets(octets: bytes) -> None:
    for encoding in (Encoding.GSM7, Encoding.UCS2):
        join([octets], encoding).encode()
    assert len(alphabet.decode(octets)) <= len(octets)


@PATIENT
@given(OCTETS)
def test_any_octets_are_a_header_or_a_broken_one(octets: bytes) -> None:
    with contextlib.suppress(udh.BrokenHeader):
        udh.concatenation_of(octets)
    for parsed in (octets, bytes((min(len(octets), 255),)) + octets[:255]):
        with contextlib.suppress(udh.BrokenHeader):
            elements = udh.parse_udh(parsed)
            body = b"".join(bytes((iei, len(data))) + data for iei, data in elements)
            assert bytes((len(body),)) + body == parsed
