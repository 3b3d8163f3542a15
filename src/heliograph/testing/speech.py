"""Speech for tests: sounds that nobody understands, each text its own, and how alike two recordings are."""

import math
import random
from collections.abc import Sequence
from operator import mul
from struct import pack, unpack
from typing import Final

from heliograph.pipeline.ports import CannotSend, Speech

RATE_HZ: Final = 8_000
_PROBE: Final = 400


class Murmur:
    """Implements `ports.Speaker`: a text is a sound of some seconds that is like no other text's.

    spoken: what it was asked for. failing: texts that cannot be spoken.
    """

    def __init__(self, *, seconds: float = 1.0, failing: Sequence[str] = ()) -> None:
        self._seconds = seconds
        self._failing = frozenset(failing)
        self.spoken: list[tuple[str, str, str]] = []

    async def speak(self, text: str, *, language: str, gender: str) -> Speech:
        """Murmur."""
        self.spoken.append((text, language, gender))
        if text in self._failing:
            raise CannotSend("nobody can say that")
        return Speech(murmur(f"{text}/{language}/{gender}", seconds=self._seconds))


def murmur(seed: str, *, seconds: float) -> bytes:
    """Syllables of a fifth of a second: a tone that glides under two overtones, loud in the middle."""
    dice, samples = random.Random(seed), list[int]()
    syllable = RATE_HZ // 5
    phase = 0.0
    while len(samples) < seconds * RATE_HZ:
        first, last = dice.uniform(120, 700), dice.uniform(120, 700)
        for place in range(syllable):
            phase += 2 * math.pi * (first + (last - first) * place / syllable) / RATE_HZ
            loud = 6_000 * math.sin(math.pi * place / syllable)
            samples.append(round(loud * (math.sin(phase) + 0.5 * math.sin(2 * phase) + 0.3 * math.sin(3.1 * phase))))
    samples = samples[: round(seconds * RATE_HZ)]
    return pack(f"<{len(samples)}h", *samples)


def likeness(said: bytes, heard: bytes) -> float:
    """The correlation of what was said with where it is found in what was heard: 1.0 when nothing else is there.

    Both are 16-bit samples. 0.0 when it is not to be found whole.
    """
    wanted, present = _numbers(said), _numbers(heard)
    start = _place_of(wanted, present)
    found = present[start : start + len(wanted)]
    if start < 0 or len(found) < len(wanted):
        return 0.0
    return correlation(wanted, found)


def correlation(one: Sequence[int], other: Sequence[int]) -> float:
    """Of two equally long sounds: 1.0 when they are the same but for their loudness, 0.0 for strangers."""
    energy = math.sqrt(_energy(one) * _energy(other))
    return sum(map(mul, one, other)) / energy if energy else 0.0


def _place_of(wanted: Sequence[int], present: Sequence[int]) -> int:
    """Where it begins: where its loudest stretch fits best."""
    loudest = max(range(0, max(1, len(wanted) - _PROBE), _PROBE // 4), key=lambda at: _energy(wanted[at : at + _PROBE]))
    probe = wanted[loudest : loudest + _PROBE]
    places = range(len(present) - len(probe) + 1)
    if not places or not probe:
        return -1
    return max(places, key=lambda place: sum(map(mul, probe, present[place : place + _PROBE]))) - loudest


def _energy(sound: Sequence[int]) -> int:
    return sum(map(mul, sound, sound))


def _numbers(samples: bytes) -> tuple[int, ...]:
    return unpack(f"<{len(samples) // 2}h", samples)
