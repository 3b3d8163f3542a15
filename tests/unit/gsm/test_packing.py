"""Packed septets: published examples, fill bits, and refusals."""

import pytest

from heliograph.gsm.packing import fill_bits_after, pack, unpack


@pytest.mark.parametrize(
    ("septets", "packed"),
    [
        (b"", ""),
        (b"1", "31"),
        (b"hello", "e8329bfd06"),
        (b"hellohello", "e8329bfd4697d9ec37"),
        (b"1234567", "31d98c56b3dd00"),
        (b"12345678", "31d98c56b3dd70"),
    ],
)
def test_eight_septets_fit_into_seven_octets(septets: bytes, packed: str) -> None:
    assert pack(septets).hex() == packed
    assert unpack(bytes.fromhex(packed), count=len(septets)) == septets


def test_a_whole_segment_is_140_octets() -> None:
    assert len(pack(b"a" * 160)) == 140
    assert len(pack(b"a" * 153, fill_bits=fill_bits_after(6))) == 134
    assert len(pack(b"a" * 152, fill_bits=fill_bits_after(7))) == 133


@pytest.mark.parametrize(
    ("udh_octets", "fill_bits"), [(0, 0), (1, 6), (4, 3), (6, 1), (7, 0), (12, 2), (13, 1), (14, 0)]
)
def test_septets_start_on_a_septet_boundary_behind_a_header(udh_octets: int, fill_bits: int) -> None:
    assert fill_bits_after(udh_octets) == fill_bits
    assert (udh_octets * 8 + fill_bits) % 7 == 0


def test_fill_bits_move_the_septets_up() -> None:
    assert pack(b"\x7f", fill_bits=1) == b"\xfe"
    assert pack(b"\x7f", fill_bits=6) == b"\xc0\x1f"
    assert unpack(b"\xc0\x1f", count=1, fill_bits=6) == b"\x7f"


def test_the_count_tells_a_last_at_sign_from_spare_bits() -> None:
    packed = pack(b"abcdefg")

    assert packed == pack(b"abcdefg\x00")
    assert unpack(packed, count=7) == b"abcdefg"
    assert unpack(packed, count=8) == b"abcdefg\x00"


@pytest.mark.parametrize("fill_bits", [-1, 7])
def test_fill_bits_out_of_range_are_refused(fill_bits: int) -> None:
    with pytest.raises(ValueError, match="fill bits"):
        pack(b"a", fill_bits=fill_bits)
    with pytest.raises(ValueError, match="fill bits"):
        unpack(b"aa", count=1, fill_bits=fill_bits)


def test_an_octet_that_is_no_septet_is_refused() -> None:
    with pytest.raises(ValueError, match="0x7F"):
        pack(b"a\x80")


@pytest.mark.parametrize(("count", "fill_bits"), [(9, 0), (8, 1), (-1, 0)])
def test_septets_that_are_not_there_are_refused(count: int, fill_bits: int) -> None:
    with pytest.raises(ValueError, match="do not hold"):
        unpack(b"1234567", count=count, fill_bits=fill_bits)
