"""Where texts are cut and how many segments they cost."""

import pytest

from heliograph.gsm.alphabet import NotInAlphabet
from heliograph.gsm.national import Language, Tables, header_of, tables_in
from heliograph.gsm.segments import (
    Encoding,
    Segment,
    TooLong,
    count_segments,
    encoding_of,
    join,
    split,
    split_octets,
)

GSM7, UCS2, BINARY = Encoding

# Each: name, text, encoding, segments with an 8-bit reference, segments with a 16-bit reference.
COUNTS = [
    ("nothing", "", GSM7, 1, 1),
    ("160 a", "a" * 160, GSM7, 1, 1),
    ("161 a", "a" * 161, GSM7, 2, 2),
    ("304 a", "a" * 304, GSM7, 2, 2),
    ("306 a", "a" * 306, GSM7, 2, 3),
    ("307 a", "a" * 307, GSM7, 3, 3),
    ("80 euro signs", "€" * 80, GSM7, 1, 1),
    ("81 euro signs", "€" * 81, GSM7, 2, 2),
    ("152 euro signs", "€" * 152, GSM7, 2, 2),
    ("153 euro signs", "€" * 153, GSM7, 3, 3),
    ("160 septets with a pair at the cut", "a" * 152 + "€" + "a" * 6, GSM7, 1, 1),
    ("306 septets with a pair at the cut", "a" * 152 + "€" + "a" * 152, GSM7, 3, 3),
    ("306 septets with a pair before the cut", "a" * 151 + "€" + "a" * 153, GSM7, 2, 3),
    ("70 я", "я" * 70, UCS2, 1, 1),
    ("71 я", "я" * 71, UCS2, 2, 2),
    ("134 я", "я" * 134, UCS2, 2, 3),
    ("135 я", "я" * 135, UCS2, 3, 3),
    ("35 emoji", "😀" * 35, UCS2, 1, 1),
    ("36 emoji", "😀" * 36, UCS2, 2, 2),
    ("66 emoji", "😀" * 66, UCS2, 2, 2),
    ("67 emoji", "😀" * 67, UCS2, 3, 3),
    ("134 units with a pair at the cut", "я" * 66 + "😀" + "я" * 66, UCS2, 3, 3),
    ("a curly quote", "a" * 159 + "’", UCS2, 3, 3),
]


@pytest.mark.parametrize(("text", "encoding", "narrow", "wide"), [pytest.param(*row[1:], id=row[0]) for row in COUNTS])
def test_counts_of_known_texts(text: str, encoding: Encoding, narrow: int, wide: int) -> None:
    assert encoding_of(text) is encoding
    assert count_segments(text) == (encoding, narrow)
    assert count_segments(text, wide_reference=True) == (encoding, wide)
    for wide_reference, count in ((False, narrow), (True, wide)):
        used, segments = split(text, reference=7, wide_reference=wide_reference)
        assert (used, len(segments)) == (encoding, count)
        assert join((segment.body for segment in segments), encoding) == text


def test_a_lone_segment_has_no_header() -> None:
    assert split("", reference=7) == (GSM7, (Segment(b"", b""),))
    assert split("@я", reference=7) == (UCS2, (Segment(b"", b"\x00@\x04\x4f"),))
    assert split("@€", reference=7) == (GSM7, (Segment(b"", b"\x00\x1b\x65"),))


def test_joined_segments_carry_their_place_and_are_filled() -> None:
    _, segments = split("a" * 307, reference=0xA7)

    assert [segment.udh.hex() for segment in segments] == ["050003a70301", "050003a70302", "050003a70303"]
    assert [len(segment.body) for segment in segments] == [153, 153, 1]
    assert segments[2].payload == bytes.fromhex("050003a70303") + b"a"


def test_a_wide_reference_takes_one_octet_more() -> None:
    _, segments = split("я" * 67 + "a" * 66, reference=0x01A7, wide_reference=True)

    assert [segment.udh.hex() for segment in segments] == ["06080401a70301", "06080401a70302", "06080401a70303"]
    assert [len(segment.body) for segment in segments] == [132, 132, 2]


def test_an_escape_pair_moves_whole_into_the_next_segment() -> None:
    _, segments = split("a" * 152 + "€" + "a" * 152, reference=0)

    assert [segment.body for segment in segments] == [b"a" * 152, b"\x1b\x65" + b"a" * 151, b"a"]


def test_a_surrogate_pair_moves_whole_into_the_next_segment() -> None:
    _, segments = split("я" * 66 + "😀" + "я" * 66, reference=0)

    assert [len(segment.body) // 2 for segment in segments] == [66, 67, 1]
    assert segments[1].body[:4] == "😀".encode("utf-16-be")


def test_a_unit_whose_second_octet_looks_like_a_surrogate_is_no_pair() -> None:
    _, segments = split("\u04d8" * 134, reference=0)

    assert [len(segment.body) // 2 for segment in segments] == [67, 67]


@pytest.mark.parametrize("text", ["a\ud83d", "\ude00\ud83d", "я" * 80 + "\udfff"])
def test_lone_surrogates_are_refused_everywhere(text: str) -> None:
    with pytest.raises(NotInAlphabet, match="lone surrogate"):
        encoding_of(text)
    with pytest.raises(NotInAlphabet, match="lone surrogate"):
        count_segments(text)
    with pytest.raises(NotInAlphabet, match="lone surrogate"):
        split(text, reference=0)


@pytest.mark.parametrize(
    ("longest", "one_more"), [("a" * 153 * 255, "a"), ("€" * 76 * 255, "€"), ("я" * 67 * 255, "я")]
)
def test_256_segments_are_too_long(longest: str, one_more: str) -> None:
    assert count_segments(longest)[1] == len(split(longest, reference=0)[1]) == 255
    with pytest.raises(TooLong):
        count_segments(longest + one_more)
    with pytest.raises(TooLong):
        split(longest + one_more, reference=0)


@pytest.mark.parametrize(("reference", "wide_reference"), [(256, False), (-1, False), (0x10000, True), (-1, True)])
def test_a_reference_out_of_range_is_refused_before_it_is_needed(reference: int, wide_reference: bool) -> None:
    with pytest.raises(ValueError, match="reference"):
        split("short", reference=reference, wide_reference=wide_reference)


@pytest.mark.parametrize(
    ("size_octets", "narrow", "wide"),
    [(0, [0], [0]), (140, [140], [140]), (141, [134, 7], [133, 8]), (268, [134, 134], [133, 133, 2])],
)
def test_octets_are_cut_by_the_header_alone(size_octets: int, narrow: list[int], wide: list[int]) -> None:
    octets = b"\x1b" * size_octets

    assert [len(segment.body) for segment in split_octets(octets, reference=0)] == narrow
    assert [len(segment.body) for segment in split_octets(octets, reference=0, wide_reference=True)] == wide


def test_bodies_are_joined_before_decoding() -> None:
    assert join([b"10\x1b", b"\x65"], GSM7) == "10€"
    assert join([b"\xd8\x3d", b"\xde\x00"], UCS2) == "😀"


def test_broken_bodies_still_give_text_that_can_be_stored() -> None:
    assert join([b"\xd8\x3d"], UCS2) == "\ufffd"
    assert join([b"\x00a\x00"], UCS2) == "a\ufffd"


def test_binary_bodies_have_no_text() -> None:
    with pytest.raises(ValueError, match="no text"):
        join([b"abc"], BINARY)


SINGLE = Tables(single=Language.TURKISH)
LOCKING = Tables(locking=Language.TURKISH)
HINDI = Tables(Language.HINDI, Language.HINDI)
PLAIN = Tables()

# Each: name, text, language, tables (None: UCS2), segments with an 8-bit reference, segments with a 16-bit reference.
CHOICES = [
    ("the default alphabet is never left", "é" * 161, Language.TURKISH, PLAIN, 2, 2),
    ("one segment is one segment", "ş" * 70, Language.TURKISH, None, 1, 1),
    ("a little Turkish", "ş" + "a" * 153, Language.TURKISH, SINGLE, 1, 1),
    ("a little more Turkish", "şş" + "a" * 152, Language.TURKISH, LOCKING, 1, 1),
    ("155 Turkish letters", "ş" * 155, Language.TURKISH, LOCKING, 1, 1),
    ("156 Turkish letters", "ş" * 156, Language.TURKISH, LOCKING, 2, 2),
    ("298 Turkish letters", "ş" * 298, Language.TURKISH, LOCKING, 2, 3),
    ("296 Turkish letters", "ş" * 296, Language.TURKISH, LOCKING, 2, 2),
    ("298 septets behind escapes", "í" * 149, Language.SPANISH, None, 3, 3),
    ("296 septets behind escapes", "í" * 148, Language.SPANISH, Tables(single=Language.SPANISH), 2, 2),
    ("no more Spanish than UCS2 takes", "í" * 132, Language.SPANISH, None, 2, 2),
    ("Hindi with capitals", "A" + "न" * 150, Language.HINDI, HINDI, 1, 1),
    ("153 septets in both tables", "A" + "न" * 151, Language.HINDI, HINDI, 2, 2),
    ("292 septets in both tables", "A" + "न" * 290, Language.HINDI, HINDI, 2, 3),
    ("290 septets in both tables", "A" + "न" * 288, Language.HINDI, HINDI, 2, 2),
    ("a language that does not help", "я" * 100, Language.TURKISH, None, 2, 2),
    ("another language's letters", "न" * 100, Language.TURKISH, None, 2, 2),
    ("no language", "ş" * 100, Language.NONE, None, 2, 2),
]


@pytest.mark.parametrize(
    ("text", "language", "tables", "narrow", "wide"), [pytest.param(*row[1:], id=row[0]) for row in CHOICES]
)
def test_tables_are_taken_when_they_make_fewer_segments(
    text: str, language: Language, tables: Tables | None, narrow: int, wide: int
) -> None:
    encoding = UCS2 if tables is None else GSM7
    for wide_reference, count in ((False, narrow), (True, wide)):
        assert count_segments(text, wide_reference=wide_reference, language=language) == (encoding, count)
        used, segments = split(text, reference=7, wide_reference=wide_reference, language=language)
        assert (used, len(segments)) == (encoding, count)
        assert {tables_in(segment.udh) for segment in segments} == {tables or PLAIN}
        assert join((each.body for each in segments), used, tables=tables or PLAIN) == text


def test_a_lone_segment_with_tables_has_their_header() -> None:
    _, segments = split("A" + "न" * 150, reference=7, language=Language.HINDI)

    assert segments[0].udh == header_of(HINDI) == bytes.fromhex("06240106250106")
    assert segments[0].payload[7:] == b"\x1bA" + b"\x2f" * 150


def test_joined_segments_with_tables_have_one_header() -> None:
    _, segments = split("ş" * 299, reference=0xA7, language=Language.TURKISH)
    _, wide = split("A" + "न" * 290, reference=0x01A7, wide_reference=True, language=Language.HINDI)

    assert [each.udh.hex() for each in segments] == [f"080003a703{number:02}250101" for number in (1, 2, 3)]
    assert [len(each.body) for each in segments] == [149, 149, 1]
    assert wide[0].udh.hex() == "0c080401a7030124010625" + "0106"
    assert [len(each.body) for each in wide] == [145, 145, 2]


def test_an_escape_pair_of_a_language_moves_whole_into_the_next_segment() -> None:
    _, segments = split("a" * 148 + "Í" + "a" * 148, reference=0, language=Language.SPANISH)

    assert [each.body for each in segments] == [b"a" * 148, b"\x1bI" + b"a" * 147, b"a"]


def test_too_long_with_tables_too() -> None:
    assert count_segments("ş" * 149 * 255, language=Language.TURKISH) == (GSM7, 255)
    with pytest.raises(TooLong):
        count_segments("ş" * 149 * 255 + "ş", language=Language.TURKISH)
    with pytest.raises(TooLong):
        split("ş" * 149 * 255 + "ş", reference=0, language=Language.TURKISH)


def test_a_lone_surrogate_is_refused_in_every_language() -> None:
    with pytest.raises(NotInAlphabet, match="lone surrogate"):
        split("ş\ud83d", reference=0, language=Language.TURKISH)


def test_a_pair_that_a_sender_cut_is_joined_before_decoding() -> None:
    assert join([b"I\x1b", b"sik"], GSM7, tables=SINGLE) == "Işik"
