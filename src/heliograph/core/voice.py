"""Voice: a text that is read to the recipient. Which voices there are, what they can read, and for how long one reads.

What is paid is estimated when the text is accepted, for nobody knows then how long the call will be.
"""

from typing import Final
from unicodedata import east_asian_width

from heliograph.core.messages import Traits
from heliograph.core.scripts import has_words, script_of, spoken, unreadable

LANGUAGES: Final = frozenset(
    {
        "cy-gb", "da-dk", "de-de", "el-gr", "en-au", "en-gb", "en-gb-wls", "en-in", "en-us", "es-es", "es-mx", "es-us",
        "fr-ca", "fr-fr", "id-id", "is-is", "it-it", "ja-jp", "ko-kr", "ms-my", "nb-no", "nl-nl", "pl-pl", "pt-br",
        "pt-pt", "ro-ro", "ru-ru", "sv-se", "ta-in", "th-th", "tr-tr", "vi-vn", "zh-cn", "zh-hk",
    }
)  # fmt: skip
"""Languages that a voice reads, with their country."""

GENDERS: Final = frozenset({"female", "male"})

UNIT_S: Final = 30
"""Calls are paid by as many seconds or a part of them."""

MOST_CHARS: Final = 5_000
"""Of a text that is read: some six minutes in an alphabet, more than twenty in Chinese."""

_LETTER_MS: Final = 70
_SYLLABLE_MS: Final = 220
_DIGIT_MS: Final = 350


def voice_from(traits: Traits) -> Traits | None:
    """The traits with language and gender as they are written here; None when no voice reads like that.

    >>> voice_from(Traits(language="EN-gb", gender="Female"))
    Traits(template_id='', language='en-gb', gender='female', alphabet=0)
    >>> voice_from(Traits(language="en-gb")) is None
    True
    """
    language, gender = traits.language.lower(), traits.gender.lower()
    if language not in LANGUAGES or gender not in GENDERS:
        return None
    return traits._replace(language=language, gender=gender)


def why_unread(text: str, language: str) -> str:
    """Why the voice of a language cannot read a text, for people; "" when it can.

    >>> why_unread("日本語", "ja-jp"), why_unread("?!", "en-gb"), why_unread("Hello", "en-gb")
    ('ja-jp reads no kanji (日)', 'there is nothing in it to speak', '')
    """
    written = spoken(text, language)
    if not has_words(written):
        return "there is nothing in it to speak"
    letter = unreadable(written, language)
    return f"{language} reads no {script_of(letter, language)} ({letter})" if letter else ""


def reading_ms(text: str) -> int:
    """About how long a text takes to be read.

    A letter of an alphabet takes a fourteenth of a second, blanks and punctuation included; a digit is read as a word;
    a Chinese, Japanese or Korean character is a syllable, of which there are four or five in a second.

    >>> reading_ms("Your code is 4711"), reading_ms("您的验证码")
    (2310, 1100)
    """
    return sum(
        _DIGIT_MS if character.isdigit() else _SYLLABLE_MS if east_asian_width(character) in "WF" else _LETTER_MS
        for character in text
    )


def units_of(text: str) -> int:
    """How many units of `UNIT_S` seconds a call with this text begins: at least one.

    >>> units_of("Hello"), units_of("a" * 429)
    (1, 2)
    """
    return max(1, -(-reading_ms(text) // (UNIT_S * 1000)))
