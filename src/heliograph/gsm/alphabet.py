"""The GSM 7-bit default alphabet and its extension table.

Septets are handled unpacked here, one to an octet; `packing` squeezes them. Encoding is strict, decoding never fails.
National language tables do not live here.
Source: 3GPP TS 23.038 §6.2.1 (default alphabet) and §6.2.1.1 (extension table).
"""

import re
from typing import Final

ESCAPE: Final = 0x1B
"""The septet that sends the next one to the extension table. It never stands for a character itself."""

_ROWS: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
)
_MAIN: Final = "".join(_ROWS)
_EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_MAIN_CHARACTERS: Final = _MAIN.replace(chr(ESCAPE), "")
_CHARACTERS: Final = _MAIN_CHARACTERS + "".join(_EXTENSION.values())
_MAIN_ONLY: Final = re.compile(f"[{re.escape(_MAIN_CHARACTERS)}]*")
_ENCODABLE: Final = re.compile(f"[{re.escape(_CHARACTERS)}]*")
_OUTSIDE: Final = re.compile(f"[^{re.escape(_CHARACTERS)}]")


def _encoding_table() -> dict[int, str]:
    # Whatever the alphabet lacks must come out of str.translate as something Latin-1 cannot hold: characters above
    # U+00FF do so by staying as they are, the ones below are sent to U+FFFF.
    table = dict.fromkeys(range(0x100), "\uffff")
    table.update((ord(character), chr(septet)) for septet, character in enumerate(_MAIN) if septet != ESCAPE)
    table.update((ord(character), chr(ESCAPE) + chr(septet)) for septet, character in _EXTENSION.items())
    return table


_SEPTETS_FROM_CHARACTERS: Final = _encoding_table()
_CHARACTERS_FROM_OCTETS: Final = _MAIN + "\N{REPLACEMENT CHARACTER}" * 0x80
# Escapes are resolved after the main table, so the second of the pair is looked up by its main-table character.
_EXTENSION_FROM_MAIN: Final = {_MAIN[septet]: character for septet, character in _EXTENSION.items()} | {
    chr(ESCAPE): " ",
}
_ESCAPED: Final = re.compile(f"{chr(ESCAPE)}(.?)", re.DOTALL)


class NotInAlphabet(ValueError):
    """A character that cannot be sent.

    character: the first offender. position: its index in the text, from 0.
    """

    def __init__(self, character: str, position: int) -> None:
        super().__init__(character, position)
        self.character = character
        self.position = position

    def __str__(self) -> str:
        code = ord(self.character)
        if 0xD800 <= code <= 0xDFFF:
            return f"U+{code:04X} at position {self.position} is a lone surrogate, which no encoding carries"
        return f"U+{code:04X} at position {self.position} is not in the GSM 7-bit alphabet"


def is_encodable(text: str) -> bool:
    """Whether every character is in the default alphabet or its extension table.

    >>> is_encodable("10 €"), is_encodable("10 ₽")
    (True, False)
    """
    return _ENCODABLE.fullmatch(text) is not None


def is_plain(text: str) -> bool:
    """Whether every character is in the default alphabet proper, so that it takes exactly one septet.

    >>> is_plain("10 £"), is_plain("10 €")
    (True, False)
    """
    return _MAIN_ONLY.fullmatch(text) is not None


def encode(text: str) -> bytes:
    r"""Septets of the text, one to an octet; a character of the extension table takes two.

    Raises NotInAlphabet. Nothing is replaced by a look-alike.

    >>> encode("@5€")
    b'\x005\x1be'
    """
    try:
        return text.translate(_SEPTETS_FROM_CHARACTERS).encode("latin-1")
    except UnicodeEncodeError:
        raise _not_in_alphabet(text) from None


def _not_in_alphabet(text: str) -> NotInAlphabet:
    found = _OUTSIDE.search(text)
    assert found is not None, "the two tables disagree"
    return NotInAlphabet(found[0], found.start())


def decode(octets: bytes) -> str:
    r"""Text of unpacked septets, whatever they are.

    An escape before a septet the extension table lacks is passed over and the main table's character shown; two
    escapes are one space (a second extension table is reserved); an escape at the very end, the mark of a sender
    that cut a pair in two, shows nothing. An octet above 0x7F is no septet and becomes U+FFFD.

    >>> decode(b"\x005\x1be")
    '@5€'
    """
    text = octets.decode("latin-1").translate(_CHARACTERS_FROM_OCTETS)
    if ESCAPE not in octets:
        return text
    return _ESCAPED.sub(lambda pair: _EXTENSION_FROM_MAIN.get(pair[1], pair[1]), text)
