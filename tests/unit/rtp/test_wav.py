import io
import struct
import wave

import pytest

from heliograph.rtp.wav import samples_from, wav_from

SAMPLES = struct.pack("<400h", *range(-200, 200))


def test_others_read_the_file() -> None:
    with wave.open(io.BytesIO(wav_from(SAMPLES))) as read:
        assert read.getparams()[:4] == (1, 2, 8_000, 400)
        assert read.readframes(400) == SAMPLES


def test_the_samples_come_back() -> None:
    assert samples_from(wav_from(SAMPLES)) == SAMPLES


@pytest.mark.parametrize("offset", [0, 8, 20, 22, 24, 34])
def test_another_kind_of_file_is_refused(offset: int) -> None:
    octets = bytearray(wav_from(SAMPLES))
    octets[offset] ^= 0x7F
    if offset:
        with pytest.raises(ValueError, match="not a WAV file"):
            samples_from(bytes(octets))


def test_a_stub_is_refused() -> None:
    with pytest.raises(ValueError, match="not a WAV file"):
        samples_from(b"RIFF")
