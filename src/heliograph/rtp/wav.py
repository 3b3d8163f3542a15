"""Speech as a WAV file, which every computer plays.

Source: Multimedia Programming Interface and Data Specifications 1.0 (1991), "WAVE".
"""

from struct import pack, unpack_from
from typing import Final

from heliograph.rtp.g711 import RATE_HZ

_HEADER_OCTETS: Final = 44


def wav_from(samples: bytes) -> bytes:
    """The file for signed 16-bit samples, little-endian, one channel, 8,000 in a second.

    >>> len(wav_from(bytes(16_000)))
    16044
    """
    shape = pack("<HHIIHH", 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    riff = pack("<4sI4s", b"RIFF", _HEADER_OCTETS - 8 + len(samples), b"WAVE")
    return riff + pack("<4sI", b"fmt ", len(shape)) + shape + pack("<4sI", b"data", len(samples)) + samples


def samples_from(wav: bytes) -> bytes:
    """The samples of such a file. Raises ValueError when it is another kind."""
    if len(wav) < _HEADER_OCTETS or wav[8:16] != b"WAVEfmt " or unpack_from("<HHI", wav, 20) != (1, 1, RATE_HZ):
        raise ValueError("not a WAV file of one channel and 8,000 samples a second")
    start = wav.find(b"data", 36) + 8
    if start < _HEADER_OCTETS or unpack_from("<H", wav, 34) != (16,):
        raise ValueError("not a WAV file of 16-bit samples")
    (octets,) = unpack_from("<I", wav, start - 4)
    return wav[start : start + octets]
