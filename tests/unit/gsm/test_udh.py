"""User data headers written to the octet, read with patience, refused when their lengths lie."""

import pytest

from heliograph.gsm.udh import (
    BrokenHeader,
    Concatenation,
    Element,
    concatenation_header,
    concatenation_of,
    header_of,
    merged,
    parse_udh,
    split_udh,
)

NARROW = Concatenation(reference=0xA7, total=3, number=2)
WIDE = Concatenation(reference=0x01A7, total=255, number=255, wide=True)


@pytest.mark.parametrize(("concatenation", "octets"), [(NARROW, "050003a70302"), (WIDE, "06080401a7ffff")])
def test_concatenation_is_written_and_read(concatenation: Concatenation, octets: str) -> None:
    udh = bytes.fromhex(octets)

    assert concatenation_header(concatenation) == udh
    assert concatenation_of(udh + b"body") == concatenation
    assert split_udh(udh + b"body") == (udh, b"body")


@pytest.mark.parametrize(
    ("reference", "total", "number", "wide"),
    [
        (256, 1, 1, False),
        (-1, 1, 1, False),
        (0x10000, 1, 1, True),
        (0, 256, 1, False),
        (0, 0, 0, False),
        (0, 2, 0, False),
        (0, 2, 3, False),
    ],
)
def test_impossible_places_cannot_be_built(reference: int, total: int, number: int, wide: bool) -> None:
    with pytest.raises(ValueError, match=r"reference is 0 to|cannot be"):
        Concatenation(reference=reference, total=total, number=number, wide=wide)


def test_elements_come_in_their_order_with_unknown_ones_kept() -> None:
    udh = bytes.fromhex("0b 05 04 0b84 23f0 00 03 a7 03 02")

    assert parse_udh(udh) == (Element(0x05, b"\x0b\x84\x23\xf0"), Element(0x00, b"\xa7\x03\x02"))
    assert concatenation_of(udh) == NARROW


@pytest.mark.parametrize("octets", ["00", "02 24 00", "03 24 01 01"])
def test_a_header_without_concatenation_stands_alone(octets: str) -> None:
    assert concatenation_of(bytes.fromhex(octets)) is None


@pytest.mark.parametrize(
    "octets",
    [
        "05 00 03 a7 00 00",  # total 0
        "05 00 03 a7 03 00",  # number 0
        "05 00 03 a7 03 04",  # number above the total
        "04 00 02 a7 03",  # element one octet short
        "06 00 04 a7 03 01 00",  # element one octet long
        "05 08 03 a7 03 01",  # wide identifier, narrow element
    ],
)
def test_a_senseless_concatenation_is_passed_over(octets: str) -> None:
    assert concatenation_of(bytes.fromhex(octets)) is None


def test_the_last_good_concatenation_counts() -> None:
    narrow_then_wide = bytes.fromhex("0b 00 03 a7 03 02 08 04 01a7 ff ff")
    good_then_senseless = bytes.fromhex("0a 00 03 a7 03 02 00 03 a7 00 00")

    assert concatenation_of(narrow_then_wide) == WIDE
    assert concatenation_of(good_then_senseless) == NARROW


@pytest.mark.parametrize("octets", ["", "05", "05 00 03 a7 03", "01 00", "02 00 01", "05 00 04 a7 03 01"])
def test_lengths_that_lie_are_a_broken_header(octets: str) -> None:
    with pytest.raises(BrokenHeader):
        concatenation_of(bytes.fromhex(octets))
    with pytest.raises(BrokenHeader):
        parse_udh(bytes.fromhex(octets))


def test_octets_after_the_header_are_not_parsed_as_elements() -> None:
    with pytest.raises(BrokenHeader, match="after the end"):
        parse_udh(bytes.fromhex("05 00 03 a7 03 02 61"))


def test_elements_are_written_as_they_are_read() -> None:
    elements = (Element(0x24, b"\x01"), Element(0x05, b"\x0b\x84\x23\xf0"))

    assert header_of([]) == b""
    assert parse_udh(header_of(elements)) == elements


def test_two_headers_become_one() -> None:
    header = merged(concatenation_header(WIDE), header_of([Element(0x25, b"\x03")]))

    assert header.hex() == "09080401a7ffff250103"
    assert concatenation_of(header) == WIDE
