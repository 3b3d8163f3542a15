import pytest

from heliograph.core.assembly import (
    LONE,
    REPEATED_MS,
    WIDE,
    Arrival,
    Place,
    Placed,
    Repeated,
    Series,
    concatenation_in,
    decide,
    filled,
    joined,
    reference_of,
)
from heliograph.core.ids import CarrierId
from heliograph.gsm import segments
from heliograph.gsm.segments import Encoding

PLACE = Place(CarrierId(1), "27831234567", "27820000000", 7)
ALONE = PLACE._replace(reference=LONE)


def arrival(
    number: int, total: int, body: bytes, *, at_ms: int = 0, session: int = 1, encoding: Encoding = Encoding.GSM7
) -> Arrival:
    return Arrival(number, total, encoding, body, at_ms, session)


def series(*bodies: bytes | None, first_at_ms: int = 0, incoming_id: int = 0, session: int = 1) -> Series:
    came = {
        number: arrival(number, len(bodies), body, at_ms=first_at_ms, session=session)
        for number, body in enumerate(bodies, start=1)
        if body is not None
    }
    return Series(first_at_ms, len(bodies), came, incoming_id)


def placed(place: Place, new: Arrival, known: list[Series], live: set[int] | None = None) -> Series:
    decision = decide(place, new, known, live=live or {1})
    assert isinstance(decision, Placed)
    return decision.series


def is_repeated(place: Place, new: Arrival, known: list[Series], live: set[int] | None = None) -> bool:
    return isinstance(decide(place, new, known, live=live or {1}), Repeated)


def test_the_first_segment_begins_a_series() -> None:
    begun = placed(PLACE, arrival(2, 3, b"b", at_ms=50), [])
    assert (begun.first_at_ms, begun.total, set(begun.arrivals)) == (50, 3, {2})
    assert not begun.is_whole


def test_segments_come_in_any_order() -> None:
    whole = placed(PLACE, arrival(1, 3, b"a"), [series(None, b"b", b"c")])
    assert whole.is_whole
    assert joined(whole).text == "abc"


def test_what_we_have_is_a_repetition_also_when_the_message_is_whole() -> None:
    assert is_repeated(PLACE, arrival(1, 2, b"a"), [series(b"a", None)])
    assert is_repeated(PLACE, arrival(1, 2, b"a"), [series(b"a", b"b", incoming_id=9)])


def test_another_body_begins_another_message() -> None:
    waiting = series(b"a", None)
    begun = placed(PLACE, arrival(1, 2, b"x"), [waiting])
    assert begun.first_at_ms > waiting.first_at_ms
    assert placed(PLACE, arrival(2, 2, b"y"), [waiting, begun]).first_at_ms == begun.first_at_ms


def test_another_total_is_another_message() -> None:
    begun = placed(PLACE, arrival(2, 2, b"b"), [series(b"a", None, None)])
    assert (begun.total, set(begun.arrivals)) == (2, {2})


def test_the_same_octets_in_another_alphabet_are_another_message() -> None:
    assert not is_repeated(PLACE, arrival(1, 2, b"ab", encoding=Encoding.UCS2), [series(b"ab", None)])


def test_a_message_that_was_given_up_takes_no_more_segments() -> None:
    begun = placed(PLACE, arrival(2, 2, b"b", at_ms=10), [series(b"a", None, incoming_id=9)])
    assert set(begun.arrivals) == {2}


def test_what_was_acknowledged_long_ago_is_said_again() -> None:
    known = [series(b"a", b"b", incoming_id=9)]
    late = arrival(1, 2, b"a", at_ms=REPEATED_MS + 1)
    assert not is_repeated(PLACE, late, known)
    assert is_repeated(PLACE, late, known, live={2})
    assert not is_repeated(PLACE, arrival(2, 2, b"b", at_ms=REPEATED_MS + 1), [*known, series(b"x", None)], live={2})


def test_people_write_the_same_twice() -> None:
    known = [series(b"1", incoming_id=9)]
    assert not is_repeated(ALONE, arrival(1, 1, b"1", at_ms=5), known)
    assert not is_repeated(ALONE, arrival(1, 1, b"1", at_ms=5, session=2), known, live={1, 2})


def test_a_lone_message_comes_again_when_its_session_is_gone() -> None:
    known = [series(b"1", incoming_id=9)]
    assert is_repeated(ALONE, arrival(1, 1, b"1", at_ms=5, session=2), known, live={2})
    assert not is_repeated(ALONE, arrival(1, 1, b"2", at_ms=5, session=2), known, live={2})
    assert not is_repeated(ALONE, arrival(1, 1, b"1", at_ms=REPEATED_MS + 1, session=2), known, live={2})


def test_two_lone_messages_of_one_moment_are_told_apart() -> None:
    first = placed(ALONE, arrival(1, 1, b"1"), [])
    assert placed(ALONE, arrival(1, 1, b"1"), [first]).first_at_ms > first.first_at_ms


def test_a_segment_that_two_messages_share_is_found_when_patience_ends() -> None:
    before = series(b"a", b"b", incoming_id=9)
    again = before.having(before.arrivals[2]._replace(repeated_at_ms=30))
    waiting = series(b"c", None, first_at_ms=20)
    assert is_repeated(PLACE, arrival(2, 2, b"b", at_ms=30), [before, waiting])
    assert joined(filled(waiting, [again, waiting])).text == "cb"
    assert joined(filled(waiting, [before, waiting])).text == "c[…]"


def test_characters_that_the_sender_cut_in_two() -> None:
    octets = "😀 10 €".encode("utf-16-be")
    cut = Series(0, 2, {1: arrival(1, 2, octets[:2]), 2: arrival(2, 2, octets[2:])})
    whole = cut._replace(
        arrivals={number: each._replace(encoding=Encoding.UCS2) for number, each in cut.arrivals.items()}
    )
    assert joined(whole) == (Encoding.UCS2, octets, "😀 10 €", 0)
    assert joined(series(b"5\x1b", b"e")).text == "5€"


def test_alphabets_may_differ_within_a_message() -> None:
    came = {1: arrival(1, 2, b"\x00b"), 2: arrival(2, 2, "я".encode("utf-16-be"), encoding=Encoding.UCS2)}
    assert joined(Series(0, 2, came)) == (Encoding.UCS2, "@bя".encode("utf-16-be"), "@bя", 0)
    came[2] = arrival(2, 2, b"\xff\x00", encoding=Encoding.BINARY)
    assert joined(Series(0, 2, came)) == (Encoding.BINARY, b"\x00b\xff\x00", "@b", 0)


def test_a_stretch_that_is_missing_is_marked_once() -> None:
    assert joined(series(None, None, b"c", None, b"e", None)) == (Encoding.GSM7, b"ce", "[…]c[…]e[…]", 4)


@pytest.mark.parametrize(
    ("header", "reference", "number"),
    [("050003070201", 7, 1), ("06080401000302", WIDE + 256, 2), ("0b050423f000000003a70202", 0xA7, 2)],
)
def test_references_of_both_widths(header: str, reference: int, number: int) -> None:
    found = concatenation_in(bytes.fromhex(header))
    assert found is not None
    assert (reference_of(found), found.number) == (reference, number)


def test_one_of_one_with_a_reference_is_whole_and_known_again() -> None:
    whole = placed(PLACE, arrival(1, 1, b"a"), [])
    assert whole.is_whole
    assert is_repeated(PLACE, arrival(1, 1, b"a"), [whole._replace(incoming_id=9)])


@pytest.mark.parametrize("header", ["", "050003070200", "050003070203", "050003070000", "0500", "00"])
def test_a_header_that_joins_nothing(header: str) -> None:
    assert concatenation_in(bytes.fromhex(header)) is None
    assert reference_of(None) == LONE


def test_a_text_as_handsets_cut_it() -> None:
    encoding, cut = segments.split("я" * 200, reference=7)
    known: list[Series] = []
    for number in (3, 1, 2):
        known = [placed(PLACE, arrival(number, len(cut), cut[number - 1].body, encoding=encoding), known)]
    assert joined(known[0]).text == "я" * 200
