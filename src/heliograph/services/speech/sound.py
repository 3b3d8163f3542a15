"""Sound as a telephone line takes it: 8,000 samples a second, as loud as people speak, without silence around it.

Standard library only, since it runs in the worker, and for any rate of the engine.
"""

from array import array
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from math import gcd, pi, sin, sqrt
from operator import mul
from typing import Final

RATE: Final = 8_000
FULL: Final = 32_767

TAPS: Final = 80
_MIDDLE_HZ: Final = 3_850
"""The filter lets pass what is below 3.4 kHz and stops what is above 4.4 kHz: between them it is half as loud here.
What is left between 4 and 4.4 kHz comes out between 3.6 and 4 kHz, where a telephone line carries nothing."""
_BETA: Final = 5.65
"""Of Kaiser's window: 60 dB less."""

LOUDNESS: Final = FULL * 10 ** (-16 / 20)
"""Root of the mean square of what is spoken: 16 dB below full scale."""
PEAK: Final = FULL * 10 ** (-1 / 20)
KNEE: Final = FULL * 10 ** (-5 / 20)
"""From here on what is louder is bent, so that nothing gets beyond the peak."""

BLOCK: Final = RATE // 100
"""Samples of a hundredth of a second, which are looked at together."""
LEAD: Final = 5
TAIL: Final = 15
"""Blocks of silence that stay before and behind what is spoken."""
_SILENCE: Final = 1 / 100
"""Of the loudest sample: what is below is no speech."""
_PAUSE: Final = 1 / 20
"""Of the loudest block: what is below counts for no loudness."""


def line_sound(samples: "array[int]", rate: int) -> bytes:
    """What a line takes of an engine's samples: signed, 16 bits, little-endian; nothing when there is no sound."""
    return _little_endian(levelled(trimmed(resample(samples, rate))))


def resample(samples: "array[int]", rate: int) -> "array[float]":
    """The same sound with `RATE` samples a second, without what a lower rate cannot hold."""
    common = gcd(rate, RATE)
    steps, phases = rate // common, RATE // common
    filters = _filters(rate)
    silence = array("h", bytes(TAPS))
    held = silence + samples
    held.extend(silence)
    count = len(samples) * phases // steps
    resampled = array("f", bytes(4 * count))
    for place in range(count):
        first, phase = divmod(place * steps, phases)
        resampled[place] = sum(map(mul, filters[phase], held[first + 1 : first + 1 + TAPS]))
    return resampled


@cache
def _filters(rate: int) -> tuple[tuple[float, ...], ...]:
    """A low-pass for each place that an output sample can have between two input samples."""
    phases = RATE // gcd(rate, RATE)
    return tuple(_filter(rate, phase / phases) for phase in range(phases))


def _filter(rate: int, shift: float) -> tuple[float, ...]:
    """Sinc by Kaiser's window, whose middle is `shift` of a sample behind the middle of its taps."""
    half = TAPS // 2
    cut = 2 * _MIDDLE_HZ / rate
    taps = []
    for tap in range(TAPS):
        distance = tap - (half - 1) - shift
        window = _bessel(_BETA * sqrt(max(0.0, 1 - (distance / half) ** 2)))
        taps.append(window * (sin(pi * cut * distance) / (pi * distance) if distance else cut))
    total = sum(taps)
    return tuple(each / total for each in taps)


def _bessel(value: float) -> float:
    """The modified Bessel function of order nought, near enough."""
    total = term = 1.0
    square = value * value / 4
    for order in range(1, 20):
        term *= square / (order * order)
        total += term
    return total


def trimmed(samples: "array[float]") -> "array[float]":
    """Without the silence before and behind it, but for a little; nothing when all of it is silent."""
    peaks = [max(map(abs, samples[first:end])) for first, end in _blocks(len(samples))]
    loudest = max(peaks, default=0.0)
    spoken = [block for block, peak in enumerate(peaks) if peak > loudest * _SILENCE]
    if loudest < 1 or not spoken:
        return array("f")
    return samples[max(0, spoken[0] - LEAD) * BLOCK : (spoken[-1] + 1 + TAIL) * BLOCK]


def levelled(samples: "array[float]") -> "array[int]":
    """As loud as `LOUDNESS` while it is spoken, and nowhere beyond `PEAK`."""
    loudness = speech_loudness(samples)
    if not loudness:
        return array("h")
    gain = LOUDNESS / loudness
    return array("h", (round(_bent(gain * each)) for each in samples))


def speech_loudness(samples: Sequence[float]) -> float:
    """Root of the mean square, pauses left out."""
    powers = [sum(map(mul, piece, piece)) / len(piece) for piece in _pieces(samples)]
    least = max(powers, default=0.0) * _PAUSE**2
    spoken = [power for power in powers if power > least]
    return sqrt(sum(spoken) / len(spoken)) if spoken else 0.0


def _bent(value: float) -> float:
    """A sample below the knee as it is; above it nearer and nearer to the peak."""
    size = abs(value)
    if size <= KNEE:
        return value
    room = PEAK - KNEE
    beyond = size - KNEE
    bent = KNEE + room * beyond / (room + beyond)
    return bent if value > 0 else -bent


def _blocks(count: int) -> list[tuple[int, int]]:
    return list(pairwise([*range(0, count, BLOCK), count])) if count else []


def _pieces(samples: Sequence[float]) -> list[Sequence[float]]:
    return [samples[first:end] for first, end in _blocks(len(samples))]


def _little_endian(samples: "array[int]") -> bytes:
    if array("h", [1]).tobytes() != b"\1\0":
        samples.byteswap()
    return samples.tobytes()
