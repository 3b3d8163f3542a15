"""Scripts: what a text looks like to a voice, and which letters the voice of a language reads.

Found out by having every voice of eSpeak NG 1.52 read every script. It reads Latin letters in every language, and
some scripts in the language that is written in them, whatever the voice. What it does not know it spells by the
number of the character, letter for letter ("letter one two three zero"), which nobody understands; such letters are
not given to it. Digits of other scripts it passes over in silence, so they are turned into those that it knows.
"""

import re
from collections.abc import Mapping
from typing import Final
from unicodedata import category, combining, decimal, decomposition, name, normalize

_LATIN: Final = "A-Za-zªºÀ-ÖØ-öø-İĲ-ňŊ-žʰ-˿"
_GREEK: Final = "ͺΆ-Ϗ"
_WITH_A_VOICE: Final = (
    "\u0530-\u058f"  # Armenian
    "\u0900-\u0a7f"  # Devanagari, Bengali, Gurmukhi
    "\u0a80-\u0aff"  # Gujarati
    "\u0b80-\u0bff"  # Tamil
    "\u0c80-\u0dff"  # Kannada, Malayalam, Sinhala
    "\u10d0-\u10ff"  # Georgian
    "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3"  # Korean
)
_CHINESE: Final = "一-\u9fff〇"

_OWN: Final[Mapping[str, str]] = {
    "cy-gb": "ẀẁẂẃẄẅỲỳ",
    "el-gr": "\u1f00-\u1fff",
    "ja-jp": "ぁ-ゖァ-ヺー",
    "ro-ro": "ȘșȚț",
    "ru-ru": "ЁЂЃЄІЇЈЉЋЌЎЏА-яёђѓєіїјљћќўџҐґ",
    "tr-tr": "ı",
    "vi-vn": "ƠơƯưẠ-ỹ",
    "zh-cn": f"{_CHINESE}ㄅ-ㄯ",
    "zh-hk": _CHINESE,
}
"""Letters that a language's voice reads beside those of `_everywhere`. Thai has a voice and is none of them: it leaves
out vowels, so that nobody understands it."""

_SPELLS_GREEK: Final = frozenset({"en-au", "en-gb", "en-gb-wls", "en-in", "en-us", "vi-vn"})
"""Name Greek letters one by one, which is right for one and not for a word."""
_GREEK_WORD: Final = re.compile(f"[{_GREEK}]{{2}}")

_FOLDED: Final = ("<wide>", "<narrow>", "<font>", "<circle>", "<square>")
_TWINS: Final[Mapping[str, str]] = {"ı": "i", "ẞ": "ß", "ſ": "s"}


def spoken(text: str, language: str) -> str:
    """A text as it is given to the language's voice: the same words in characters that it knows.

    >>> spoken("Ｃｏｄｅ ４７١١ ① 𝐧𝐨𝐰 Ⅳ", "en-gb"), spoken("Tiếng", "de-de"), spoken("Tiếng", "vi-vn")
    ('Code 4711 1 now IV', 'Tieng', 'Tiếng')
    """
    if text.isascii():
        return text
    own = _readable(language)
    composed = normalize("NFC", text)
    strange = [each for each in set(composed) if each.isdecimal() or not own.match(each)]
    changed = {ord(character): _plain(character) for character in strange}
    return normalize("NFC", composed.translate(changed))


def _plain(character: str) -> str:
    """A character in others that are known everywhere, where there are such."""
    digit = decimal(character, None)
    if digit is not None:
        return str(int(digit))
    origin = decomposition(character)
    is_word = category(character) == "So" or character.isalnum()
    if origin.startswith(_FOLDED) or (origin.startswith("<compat>") and is_word):
        return normalize("NFKC", character)
    if character.isalpha() and name(character, "").startswith("LATIN "):
        bare = "".join(each for each in normalize("NFD", character) if not combining(each))
        return _TWINS.get(bare, bare)
    return character


def unreadable(text: str, language: str) -> str:
    """A letter of a text that the language's voice does not read, or ""; the text is one that `spoken` made.

    >>> unreadable("Hello", "de-de"), unreadable("Привет", "ru-ru"), unreadable("Hi Привет", "de-de")
    ('', '', 'П')
    """
    if text.isascii():
        return ""
    own = _readable(language)
    strange = [character for character in set(text) if character.isalpha() and not own.match(character)]
    if strange:
        return min(strange, key=text.index)
    word = _GREEK_WORD.search(text) if language in _SPELLS_GREEK else None
    return word[0][0] if word else ""


def has_words(text: str) -> bool:
    """Whether there is anything in a text to speak: a letter or a number.

    >>> has_words("4711"), has_words("… 👍!")
    (True, False)
    """
    return any(character.isalnum() for character in text)


def script_of(letter: str, language: str) -> str:
    """What people call the letters that this is one of, in a text of the language.

    >>> script_of("П", "de-de"), script_of("字", "de-de"), script_of("字", "ja-jp"), script_of("ə", "tr-tr")
    ('Cyrillic', 'Chinese characters', 'kanji', 'rare Latin letters')
    """
    first = name(letter, "unknown").partition(" ")[0]
    if first == "CJK":
        return "kanji" if language == "ja-jp" else "Chinese characters"
    return "rare Latin letters" if first == "LATIN" else first.capitalize()


def _readable(language: str) -> re.Pattern[str]:
    return _READABLE.get(language, _ANY)


_ANY: Final = re.compile(f"[{_LATIN}{_GREEK}{_WITH_A_VOICE}]")
_READABLE: Final = {
    language: re.compile(f"[{_LATIN}{_GREEK}{_WITH_A_VOICE}{letters}]") for language, letters in _OWN.items()
}
