"""The engine's voice for each language and gender.

Where the engine has no voice of a country its nearest one is taken. A gender is a variant of the voice: the
female one speaks at 150 to 210 Hz and the male one at 80 to 120 Hz.
"""

from collections.abc import Mapping
from typing import Final

VOICES: Final[Mapping[str, str]] = {
    "cy-gb": "cy",
    "da-dk": "da",
    "de-de": "de",
    "el-gr": "el",
    "en-au": "en",
    "en-gb": "en",
    "en-gb-wls": "en",
    "en-in": "en",
    "en-us": "en-us",
    "es-es": "es",
    "es-mx": "es-419",
    "es-us": "es-419",
    "fr-ca": "fr",
    "fr-fr": "fr",
    "id-id": "id",
    "is-is": "is",
    "it-it": "it",
    "ja-jp": "ja",
    "ko-kr": "ko",
    "ms-my": "ms",
    "nb-no": "nb",
    "nl-nl": "nl",
    "pl-pl": "pl",
    "pt-br": "pt-br",
    "pt-pt": "pt",
    "ro-ro": "ro",
    "ru-ru": "ru",
    "sv-se": "sv",
    "ta-in": "ta",
    "th-th": "th",
    "tr-tr": "tr",
    "vi-vn": "vi",
    "zh-cn": "cmn",
    "zh-hk": "yue",
}
"""By language of `core.voice`: names of eSpeak NG 1.52, where `en` is the British one."""

_VARIANTS: Final[Mapping[str, str]] = {"female": "f2", "male": "m3"}


def voice_of(language: str, gender: str) -> str:
    """The engine's name of a voice; raises KeyError when there is none.

    >>> voice_of("es-mx", "female")
    'es-419+f2'
    """
    return f"{VOICES[language]}+{_VARIANTS[gender]}"
