import pytest

from heliograph.core.messages import Traits
from heliograph.core.voice import GENDERS, LANGUAGES, MOST_CHARS, reading_ms, units_of, voice_from, why_unread


def test_all_voices_there_are() -> None:
    assert len(LANGUAGES) == 34
    assert {"male", "female"} == GENDERS
    for language in LANGUAGES:
        for gender in GENDERS:
            traits = Traits(template_id="7", language=language, gender=gender)
            assert voice_from(traits) == traits
            assert voice_from(traits._replace(language=language.upper(), gender=gender.title())) == traits


@pytest.mark.parametrize(
    ("language", "gender"),
    [
        ("", ""),
        ("en-gb", ""),
        ("", "female"),
        ("en", "female"),
        ("en_gb", "female"),
        ("xx-yy", "male"),
        ("en-gb", "none"),
        (" en-gb", "male"),
        ("en-gb\0", "male"),
    ],
)
def test_voices_that_nobody_has(language: str, gender: str) -> None:
    assert voice_from(Traits(language=language, gender=gender)) is None


def test_a_started_half_minute_counts() -> None:
    assert [units_of("a" * count) for count in (1, 428, 429, 857, 858)] == [1, 1, 2, 2, 3]
    assert [units_of("я" * count) for count in (428, 429)] == [1, 2]
    assert [units_of("语" * count) for count in (136, 137)] == [1, 2]
    assert [units_of("9" * count) for count in (85, 86)] == [1, 2]
    assert units_of("") == 1
    assert units_of("语" * MOST_CHARS) == 37


def test_scripts_are_counted_each_for_itself() -> None:
    assert reading_ms("안녕 ok 12") == 2 * 220 + 4 * 70 + 2 * 350


@pytest.mark.parametrize(
    ("text", "language", "why"),
    [
        ("Your code is 4711", "en-gb", ""),
        ("4711", "th-th", ""),
        ("รหัส 4711", "th-th", "th-th reads no Thai (ร)"),
        ("รหัส 4711", "en-us", "en-us reads no Thai (ร)"),
        ("こんにちは、コード 4711", "ja-jp", ""),
        ("東京へ", "ja-jp", "ja-jp reads no kanji (東)"),
        ("Grüße aus 東京", "de-de", "de-de reads no Chinese characters (東)"),
        ("您的验证码是4711", "zh-cn", ""),
        ("您的驗證碼是4711", "zh-hk", ""),
        ("Привет", "ru-ru", ""),
        ("Привет", "pl-pl", "pl-pl reads no Cyrillic (П)"),
        ("مرحبا", "en-gb", "en-gb reads no Arabic (م)"),
        ("… 👍 !", "en-gb", "there is nothing in it to speak"),
        (" \n", "ja-jp", "there is nothing in it to speak"),
    ],
)
def test_what_a_voice_cannot_read_is_named(text: str, language: str, why: str) -> None:
    assert why_unread(text, language) == why


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_voice_reads_latin_letters_and_digits(language: str) -> None:
    assert why_unread("Code 4711, merci à José", language) == ""
