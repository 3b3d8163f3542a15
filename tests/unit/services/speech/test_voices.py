"""Every language in every gender, by the real engine in its real processes."""

import asyncio
import math
from array import array
from operator import mul
from statistics import median

import pytest

from heliograph.core.voice import GENDERS, LANGUAGES, why_unread
from heliograph.net.clock import SystemClock
from heliograph.services.speech.sound import FULL, RATE, speech_loudness
from heliograph.services.speech.voices import VOICES, voice_of
from heliograph.services.speech.workers import Workers

WORDS = {"el-gr": "Καλημέρα", "ja-jp": "こんにちは", "ko-kr": "안녕하세요", "ru-ru": "Здравствуйте", "ta-in": "வணக்கம்"}
WORDS |= {"th-th": "1234 56", "zh-cn": "您好", "zh-hk": "您好"}


@pytest.fixture(scope="module")
def spoken() -> dict[tuple[str, str], "array[int]"]:
    async def read() -> list[bytes]:
        pool = Workers(SystemClock())
        texts = [(voice_of(*each), f"{WORDS.get(each[0], 'Hello')} 7") for each in wanted]
        try:
            return await asyncio.gather(*(pool.read(voice, text) for voice, text in texts))
        finally:
            await pool.end()

    wanted = [(language, gender) for language in sorted(LANGUAGES) for gender in sorted(GENDERS)]
    return {each: array("h", sound) for each, sound in zip(wanted, asyncio.run(read()), strict=True)}


def pitch(samples: "array[int]") -> float:
    """Hertz of the voice: the delay after which its sound is most like itself."""
    found = []
    loudest = max(map(abs, samples))
    for first in range(0, len(samples) - 480, 480):
        piece = samples[first : first + 480]
        if max(map(abs, piece)) > loudest / 3:
            likeness = {delay: sum(map(mul, piece[delay:], piece)) / (480 - delay) for delay in range(24, 110)}
            found.append(RATE / max(likeness, key=lambda delay: likeness[delay]))
    return median(found)


def test_there_is_a_voice_for_each_language() -> None:
    assert VOICES.keys() == LANGUAGES
    assert all(why_unread(word, language) == "" for language, word in WORDS.items())


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_language_is_heard_in_both_genders(language: str, spoken: dict[tuple[str, str], "array[int]"]) -> None:
    for gender in GENDERS:
        samples = spoken[language, gender]
        assert 400 < len(samples) * 1000 / RATE < 3_000
        assert -18 < 20 * math.log10(speech_loudness(samples) / FULL) < -14
        assert max(map(abs, samples)) < FULL
    female, male = pitch(spoken[language, "female"]), pitch(spoken[language, "male"])
    assert 70 < male < 140 < female < 300
    assert female > 1.4 * male
