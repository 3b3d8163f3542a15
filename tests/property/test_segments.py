"""Whatever the text: segments rejoin to it, fit the air, and cut no pair; whatever the octets: parsers hold."""

import contextlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.gsm import alphabet, national, packing, udh
from heliograph.gsm.national import Language, Tables, tables_in
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
ANY_TABLES = st.builds(Tables, st.sampled_from(Language), st.sampled_from(Language))


def repertoire(language: Language) -> str:
    """Every character that some choice of the language's tables can write."""
    mains = national.LOCKING.get(language, "") + alphabet.MAIN
    every = {*mains, *national.SINGLE.get(language, alphabet.EXTENSION).values()}
    return "".join(sorted(every - {alphabet.NOTHING, chr(alphabet.ESCAPE)}))


@st.composite
def national_texts(draw: st.DrawFn) -> tuple[str, Language]:
    """A text that a language's tables may be able to write, now and then with something that they cannot."""
    language = draw(st.sampled_from(Language))
    characters = repertoire(language)
    own = "".join(each for each in characters if not alphabet.is_encodable(each)) or characters
    text = draw(runs(own + "aA€") | st.text(st.sampled_from(characters), max_size=400) | runs(characters + "я"))
    return text, language


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


@PATIENT
@given(national_texts(), st.booleans())
def test_texts_of_every_language_rejoin_by_what_their_headers_name(written: tuple[str, Language], wide: bool) -> None:
    text, language = written
    encoding, segments = split(text, reference=200, wide_reference=wide, language=language)
    (tables,) = {tables_in(segment.udh) for segment in segments}

    assert join((segment.body for segment in segments), encoding, tables=tables) == text
    assert "".join(join([segment.body], encoding, tables=tables) for segment in segments) == text
    assert count_segments(text, wide_reference=wide, language=language) == (encoding, len(segments))


@PATIENT
@given(national_texts(), st.booleans())
def test_segments_of_every_language_fit_the_air_and_cut_no_pair(written: tuple[str, Language], wide: bool) -> None:
    text, language = written
    encoding, segments = split(text, reference=200, wide_reference=wide, language=language)

    for number, segment in enumerate(segments, start=1):
        assert octets_on_air(segment, encoding) <= AIR_OCTETS
        assert encoding is not Encoding.GSM7 or segment.body[-1:] != b"\x1b"
        assert udh.split_udh(segment.payload) == segment if segment.udh else len(segments) == 1
        place = udh.concatenation_of(segment.udh) if segment.udh else None
        assert (
            place is None
            if len(segments) == 1
            else place == udh.Concatenation(reference=200, total=len(segments), number=number, wide=wide)
        )


@PATIENT
@given(national_texts(), st.booleans())
def test_a_language_never_costs_and_of_its_ways_the_shortest_is_taken(
    written: tuple[str, Language], wide: bool
) -> None:
    text, language = written
    plain, without = count_segments(text, wide_reference=wide)
    encoding, count = count_segments(text, wide_reference=wide, language=language)

    assert count <= without
    if plain is Encoding.GSM7:
        assert (encoding, count) == (plain, without)
        return
    for tables in national.choices(language):
        found = national.alphabet_of(tables)
        if found.is_encodable(text):
            elements = 3 * sum(map(bool, tables))
            room = 160 - -(-(1 + elements) * 8 // 7)
            joined = 160 - -(-((7 if wide else 6) + elements) * 8 // 7)
            septets = len(found.encode(text))
            assert count <= 1 if septets <= room else count <= -(-septets // (joined - 1))


@PATIENT
@given(st.text() | national_texts().map(lambda written: written[0]), ANY_TABLES)
def test_a_text_is_encodable_with_tables_exactly_when_encoding_succeeds(text: str, tables: Tables) -> None:
    found = national.alphabet_of(tables)
    if found.is_encodable(text):
        assert found.decode(found.encode(text)) == text
        return
    with pytest.raises(alphabet.NotInAlphabet) as caught:
        found.encode(text)
    assert text[caught.value.position] == caught.value.character
    assert found.is_encodable(text[: caught.value.position])


@PATIENT
@given(OCTETS, ANY_TABLES)
def test_decoding_with_tables_takes_any_octets(octets: bytes, tables: Tables) -> None:
    text = join([octets], Encoding.GSM7, tables=tables)

    text.encode()
    assert len(text) <= len(octets)


@PATIENT
@given(OCTETS)
def test_any_octets_name_some_tables(octets: bytes) -> None:
    for header in (octets, bytes((min(len(octets), 255),)) + octets[:255]):
        assert all(language in Language for language in tables_in(header))
