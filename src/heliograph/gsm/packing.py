"""Septets squeezed into octets, eight into seven, as they travel on the air; a few carriers want them so in SMPP too.

The first septet fills the low bits of the first octet. Behind a user data header the septets start on a septet
boundary counted from the start of the header, so up to six fill bits come first.
Source: 3GPP TS 23.038 §6.1.2.1 (packing), TS 23.040 §9.2.3.24 (fill bits).
"""

_SEPTET_BITS = 7
_OCTET_BITS = 8


def fill_bits_after(udh_octets: int) -> int:
    """Fill bits, 0 to 6, between a header of so many octets (its length octet counted) and the first septet.

    >>> fill_bits_after(6), fill_bits_after(7)
    (1, 0)
    """
    return -udh_octets * _OCTET_BITS % _SEPTET_BITS


def pack(septets: bytes, *, fill_bits: int = 0) -> bytes:
    """Pack septets given one to an octet; spare bits are zero.

    When seven bits are spare the result reads like one more `@` (septet 0): the count must travel beside it.
    fill_bits: 0 to 6 zero bits before the first septet. Raises ValueError for octets above 0x7F.

    >>> pack(b"hello").hex()
    'e8329bfd06'
    """
    _check_fill_bits(fill_bits)
    if not septets.isascii():
        raise ValueError("a septet is at most 0x7F")
    bits = 0
    for septet in reversed(septets):
        bits = bits << _SEPTET_BITS | septet
    size_octets = -(-(fill_bits + len(septets) * _SEPTET_BITS) // _OCTET_BITS)
    return (bits << fill_bits).to_bytes(size_octets, "little")


def unpack(octets: bytes, *, count: int, fill_bits: int = 0) -> bytes:
    """The first `count` septets, one to an octet.

    fill_bits: 0 to 6 bits passed over before the first septet. Raises ValueError when the octets hold fewer septets.

    >>> unpack(bytes.fromhex("e8329bfd06"), count=5)
    b'hello'
    """
    _check_fill_bits(fill_bits)
    if count < 0 or fill_bits + count * _SEPTET_BITS > len(octets) * _OCTET_BITS:
        raise ValueError(f"{len(octets)} octets do not hold {count} septets after {fill_bits} fill bits")
    bits = int.from_bytes(octets, "little") >> fill_bits
    return bytes(bits >> start & 0x7F for start in range(0, count * _SEPTET_BITS, _SEPTET_BITS))


def _check_fill_bits(fill_bits: int) -> None:
    if not 0 <= fill_bits < _SEPTET_BITS:
        raise ValueError(f"fill bits are 0 to 6, not {fill_bits}")
