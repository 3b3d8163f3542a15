import math
from array import array

import pytest

from heliograph.services.speech.sound import (
    BLOCK,
    FULL,
    KNEE,
    LEAD,
    PEAK,
    RATE,
    TAIL,
    line_sound,
    resample,
    speech_loudness,
)

ENGINE_RATE = 22_050


def tone(hertz: float, *, rate: int = ENGINE_RATE, ms: int = 200, size: float = 8_000) -> "array[int]":
    return array("h", (round(size * math.sin(2 * math.pi * hertz * at / rate)) for at in range(rate * ms // 1000)))


def silence(ms: int) -> "array[int]":
    return array("h", bytes(2 * (ENGINE_RATE * ms // 1000)))


def decibels(samples: "array[float]", of: float) -> float:
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    return 20 * math.log10(math.sqrt(sum(each * each for each in middle) / len(middle)) / (of / math.sqrt(2)))


def heard(sound: bytes) -> "array[int]":
    samples = array("h")
    samples.frombytes(sound)
    return samples


@pytest.mark.parametrize("hertz", [100, 300, 1_000, 2_000, 3_000, 3_300])
def test_what_a_telephone_carries_passes(hertz: int) -> None:
    assert abs(decibels(resample(tone(hertz), ENGINE_RATE), 8_000)) < 0.2


@pytest.mark.parametrize("hertz", [4_500, 5_000, 6_000, 7_000, 7_900, 9_000, 10_500])
def test_what_it_does_not_carry_is_gone_instead_of_coming_out_lower(hertz: int) -> None:
    assert decibels(resample(tone(hertz), ENGINE_RATE), 8_000) < -58


def test_a_tone_stays_the_same_tone_sample_for_sample() -> None:
    resampled, wanted = resample(tone(1_000), ENGINE_RATE), tone(1_000, rate=RATE)
    assert len(resampled) == len(wanted)
    assert all(abs(one - other) < 30 for one, other in zip(resampled[50:-50], wanted[50:-50], strict=True))


@pytest.mark.parametrize("rate", [8_000, 16_000, 11_025])
def test_other_rates_of_an_engine_do_as_well(rate: int) -> None:
    assert abs(decibels(resample(tone(1_000, rate=rate), rate), 8_000)) < 0.2


@pytest.mark.parametrize("size", [30, 1_000, 32_000])
def test_speech_is_as_loud_as_speech_whatever_the_engine_made(size: int) -> None:
    samples = heard(line_sound(tone(700, ms=300, size=size) + silence(300) + tone(400, ms=300, size=size), ENGINE_RATE))
    assert -17 < 20 * math.log10(speech_loudness(samples) / FULL) < -15


def test_nothing_is_cut_off_at_the_top() -> None:
    quiet, loud = tone(500, ms=900, size=2_000), tone(500, ms=100, size=32_000)
    samples = heard(line_sound(quiet + loud, ENGINE_RATE))
    assert max(map(abs, samples)) <= PEAK
    assert len({each for each in samples if abs(each) > KNEE}) > 10


def test_silence_around_speech_is_cut_to_a_little() -> None:
    sound = line_sound(silence(400) + tone(500, ms=200) + silence(700), ENGINE_RATE)
    spoken = RATE * 200 // 1000
    assert abs(len(sound) // 2 - (spoken + (LEAD + TAIL) * BLOCK)) <= 3 * BLOCK


@pytest.mark.parametrize("samples", [array("h"), silence(300), array("h", [1])])
def test_no_sound_is_no_speech(samples: "array[int]") -> None:
    assert line_sound(samples, ENGINE_RATE) == b""
