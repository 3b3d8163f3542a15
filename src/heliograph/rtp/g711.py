"""G.711: a sample of speech squeezed into one octet, by either of two laws.

Samples are signed 16-bit integers, little-endian, 8,000 in a second. Both laws keep more detail of what is quiet: the
steps of a segment are twice as wide as those of the segment below it.
Source: ITU-T G.711 (11/88), tables 1a to 2b.
"""

from enum import Enum
from itertools import chain
from struct import pack, unpack
from typing import Final

RATE_HZ: Final = 8_000
"""Samples, and so octets, in a second."""

_SEGMENTS: Final = 8
_STEPS: Final = 16
_FULL: Final = 1 << 15
_MU_BIAS: Final = 132
_EVEN_BITS: Final = 0x55


class Law(Enum):
    """The name that SDP has for a law; its value is the payload type of RTP (RFC 3551 §6)."""

    PCMU = 0
    PCMA = 8


def encode(samples: bytes, law: Law) -> bytes:
    """An octet for each sample. Raises ValueError for half a sample at the end.

    >>> encode(bytes(4), Law.PCMU), encode(bytes(4), Law.PCMA)
    (b'\\xff\\xff', b'\\xd5\\xd5')
    """
    if len(samples) % 2:
        raise ValueError("a sample has two octets")
    return bytes(map(_CODES[law].__getitem__, unpack(f"<{len(samples) // 2}H", samples)))


def decode(octets: bytes, law: Law) -> bytes:
    """A sample for each octet.

    >>> decode(b"\\x80\\x00", Law.PCMU) == pack("<2h", 32124, -32124)
    True
    """
    low, high = _HALVES[law]
    samples = bytearray(2 * len(octets))
    samples[0::2] = octets.translate(low)
    samples[1::2] = octets.translate(high)
    return bytes(samples)


def silence(octets: int, law: Law) -> bytes:
    """So many octets of nothing to be heard."""
    return _CODES[law][:1] * octets


def loudness(octets: bytes, law: Law) -> float:
    """The mean size of the samples: 0 for silence, some thousands for speech."""
    return sum(map(_SIZES[law].__getitem__, octets)) / len(octets) if octets else 0.0


# Tables ------------------------------------------------------------------------------------------------------------


def _mu_codes() -> bytes:
    """The codes of the samples 0 to 32767 by the µ-law, which begins in the midst of its first step and ends early."""
    steps = [
        bytes((~(segment * _STEPS + step) & 0xFF,)) * (8 << segment)
        for segment in range(_SEGMENTS)
        for step in range(_STEPS)
    ]
    codes = b"".join(steps)[_MU_BIAS - 128 :]
    return codes + codes[-1:] * (_FULL - len(codes))


def _a_codes() -> bytes:
    """The codes of the samples 0 to 32767 by the A-law, in which the two lowest segments have the same steps."""
    return b"".join(
        bytes((0x80 | (segment * _STEPS + step),)) * (16 << max(segment - 1, 0))
        for segment in range(_SEGMENTS)
        for step in range(_STEPS)
    ).translate(bytes(code ^ _EVEN_BITS for code in range(256)))


def _with_negatives(codes: bytes) -> bytes:
    """A code for every sample, read as a number without sign: those from 32768 are the negative ones, -32768 first."""
    return codes + codes[::-1].translate(bytes(code ^ 0x80 for code in range(256)))


def _mu_value(code: int) -> int:
    segment, step = divmod(~code & 0x7F, _STEPS)
    value = ((step << 3) + _MU_BIAS << segment) - _MU_BIAS
    return value if code & 0x80 else -value


def _a_value(code: int) -> int:
    segment, step = divmod((code ^ _EVEN_BITS) & 0x7F, _STEPS)
    value = (step << 4) + 8 if not segment else (step << 4) + 264 << segment - 1
    return value if code & 0x80 else -value


def _halves(values: list[int]) -> tuple[bytes, bytes]:
    """The low and the high octet of the value of each code."""
    octets = bytes(chain.from_iterable(pack("<h", value) for value in values))
    return octets[0::2], octets[1::2]


_CODES: Final = {Law.PCMU: _with_negatives(_mu_codes()), Law.PCMA: _with_negatives(_a_codes())}
_VALUES: Final = {
    Law.PCMU: [_mu_value(code) for code in range(256)],
    Law.PCMA: [_a_value(code) for code in range(256)],
}
_HALVES: Final = {law: _halves(values) for law, values in _VALUES.items()}
_SIZES: Final = {law: [abs(value) for value in values] for law, values in _VALUES.items()}
