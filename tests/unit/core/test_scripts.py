import pytest

from heliograph.core.scripts import has_words, script_of, spoken, unreadable
from heliograph.core.voice import LANGUAGES


@pytest.mark.parametrize(
    ("written", "language", "given"),
    [
        ("plain", "en-gb", "plain"),
        ("٤٧١١ ४७११ ๔๗๑๑ ４７１１", "en-gb", "4711 4711 4711 4711"),
        ("๔๗๑๑", "th-th", "4711"),
        ("४७", "ta-in", "47"),
        ("①②", "de-de", "12"),
        ("Ⅳ ﬁn ㎏ №5 ℃", "de-de", "IV fin kg No5 °C"),
        ("ｺｰﾄﾞ", "ja-jp", "コード"),
        ("e\u0301cole", "fr-fr", "école"),
        ("Tiếng Việt", "en-gb", "Tieng Viet"),
        ("Tie\u0302\u0301ng", "vi-vn", "Tiếng"),
        ("Șase și", "ro-ro", "Șase și"),
        ("Șase", "it-it", "Sase"),
        ("ılık", "tr-tr", "ılık"),
        ("ılık", "de-de", "ilik"),
        ("STRAẞE", "de-de", "STRAßE"),
        ("½ m² € → 👍 …", "en-gb", "½ m² € → 👍 …"),
    ],
)
def test_a_text_in_characters_that_the_voice_knows(written: str, language: str, given: str) -> None:
    assert spoken(written, language) == given
    assert spoken(given, language) == given


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize(
    "text",
    [
        *("Καλημέρα", "안녕하세요", "नमस्ते", "নমস্কার", "ਸਤਿ", "નમસ્તે"),
        *("வணக்கம்", "ನಮಸ್ಕಾರ", "നമസ്കാരം", "ආයුබෝවන්", "გამარჯობა", "Բարեւ"),
    ],
)
def test_scripts_that_the_engine_reads_in_their_own_language(text: str, language: str) -> None:
    is_spelled = text == "Καλημέρα" and (language.startswith("en-") or language == "vi-vn")
    assert unreadable(text, language) == ("Κ" if is_spelled else "")


@pytest.mark.parametrize(
    ("text", "script", "languages"),
    [
        ("Привет", "Cyrillic", {"ru-ru"}),
        ("您好", "Chinese characters", {"zh-cn", "zh-hk"}),
        ("こんにちは", "Hiragana", {"ja-jp"}),
        ("コード", "Katakana", {"ja-jp"}),
        ("ㄋㄧ", "Bopomofo", {"zh-cn"}),
        ("สวัสดี", "Thai", set[str]()),
        ("مرحبا", "Arabic", set[str]()),
        ("שלום", "Hebrew", set[str]()),
        ("నమస్కారం", "Telugu", set[str]()),
        ("ନମସ୍କାର", "Oriya", set[str]()),
        ("សួស្តី", "Khmer", set[str]()),
        ("ሰላም", "Ethiopic", set[str]()),
        ("қазақ", "Cyrillic", set[str]()),
        ("ə", "rare Latin letters", set[str]()),
    ],
)
def test_scripts_that_only_their_own_voices_read(text: str, script: str, languages: set[str]) -> None:
    assert {language for language in LANGUAGES if not unreadable(text, language)} == languages
    named = script_of(text[0], "ja-jp")
    assert named == ("kanji" if script == "Chinese characters" else script)
    assert script_of(text[0], "de-de") == script


def test_the_first_letter_that_is_not_read_is_named() -> None:
    assert unreadable("Hello Мир 東京", "en-gb") == "М"
    assert unreadable("α and β", "en-gb") == ""
    assert script_of("\ue000", "en-gb") == "Unknown"


@pytest.mark.parametrize(
    ("text", "has_some"),
    [("", False), (" ", False), ("?!…", False), ("👍", False), ("€", False), ("1", True), ("您", True)],
)
def test_words_are_letters_or_numbers(text: str, has_some: bool) -> None:
    assert has_words(text) is has_some
