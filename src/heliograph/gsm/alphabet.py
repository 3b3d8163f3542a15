"""The GSM 7-bit default alphabet with its extension table, and how any such pair of tables is written and read.

Septets are handled unpacked here, one to an octet; `packing` squeezes them. Encoding is strict, decoding never fails.
The tables of national languages live in `national`.
Source: 3GPP TS 23.038 §6.2.1 (default alphabet) and §6.2.1.1 (extension table).
"""

import re
from collections.abc import Mapping
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
MAIN: Final = "".join(_ROWS)
"""The default alphabet by septet; what it has at the escape is never read."""

EXTENSION: Final = {
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
"""The extension table: by the septet that comes after an escape."""

NOTHING: Final = "\N{REPLACEMENT CHARACTER}"
"""Where a main table has no character."""

_ESCAPED: Final = re.compile(f"{chr(ESCAPE)}(.?)", re.DOTALL)
_BEHIND_ESCAPE: Final = 0x100
_MAIN_ONLY: Final = re.compile(f"[{re.escape(MAIN.replace(chr(ESCAPE), ''))}]*")


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


class Alphabet:
    """A main table and an extension table, in both directions.

    main: 128 characters by septet, NOTHING where there is none. extension: by the septet after an escape. A character
    that is in both is sent from the main table, as one septet.
    """

    __slots__ = ("_fullmatch", "_octets", "_outside", "_shown")

    def __init__(self, main: str, extension: Mapping[int, str]) -> None:
        pairs = {character: chr(ESCAPE) + chr(septet) for septet, character in reversed([*extension.items()])}
        mains = {c: chr(septet) for septet, c in enumerate(main) if septet != ESCAPE and c != NOTHING}
        septets = pairs | mains
        characters = re.escape("".join(septets))
        self._fullmatch = re.compile(f"[{characters}]*").fullmatch
        self._outside = re.compile(f"[^{characters}]")
        # Septets are ASCII: what the alphabet lacks must come out of str.translate as something that is not.
        self._octets = dict.fromkeys(range(0x80), "\uffff") | {ord(c): written for c, written in septets.items()}
        behind = "".join(extension.get(septet, character) for septet, character in enumerate(main))
        behind = behind[:ESCAPE] + " " + behind[ESCAPE + 1 :]
        self._shown = main + NOTHING * 0x80 + behind + NOTHING * 0x80

    def is_encodable(self, text: str) -> bool:
        """Whether every character is in one of the two tables.

        >>> DEFAULT.is_encodable("10 €"), DEFAULT.is_encodable("10 ₽")
        (True, False)
        """
        return self._fullmatch(text) is not None

    def encode(self, text: str) -> bytes:
        r"""Septets of the text, one to an octet; a character of the extension table takes two.

        Raises NotInAlphabet. Nothing is replaced by a look-alike.

        >>> DEFAULT.encode("@5€")
        b'\x005\x1be'
        """
        septets = self.septets_of(text)
        if septets is None:
            found = self._outside.search(text)
            assert found is not None, "the two tables disagree"
            raise NotInAlphabet(found[0], found.start())
        return septets

    def septets_of(self, text: str) -> bytes | None:
        """What `encode` gives, or None for a text that the alphabet lacks a character of."""
        # str.translate is quick with what it knows and slow with the rest; to ask for ASCII costs nothing.
        if not text.isascii() and self._fullmatch(text) is None:
            return None
        written = text.translate(self._octets)
        return written.encode("ascii") if written.isascii() else None

    def decode(self, octets: bytes) -> str:
        r"""Text of unpacked septets, whatever they are.

        An escape before a septet the extension table lacks is passed over and the main table's character shown; two
        escapes are one space (a second extension table is reserved); an escape at the very end, the mark of a sender
        that cut a pair in two, shows nothing. An octet above 0x7F is no septet and becomes U+FFFD.

        >>> DEFAULT.decode(b"\x005\x1be")
        '@5€'
        """
        text = octets.decode("latin-1")
        if ESCAPE in octets:
            text = _ESCAPED.sub(lambda pair: chr(_BEHIND_ESCAPE + ord(pair[1])) if pair[1] else "", text)
        return text.translate(self._shown)


DEFAULT: Final = Alphabet(MAIN, EXTENSION)
"""The default alphabet with its extension table."""

is_encodable: Final = DEFAULT.is_encodable
encode: Final = DEFAULT.encode
septets_of: Final = DEFAULT.septets_of
decode: Final = DEFAULT.decode


def is_plain(text: str) -> bool:
    """Whether every character is in the default alphabet proper, so that it takes exactly one septet.

    >>> is_plain("10 £"), is_plain("10 €")
    (True, False)
    """
    return _MAIN_ONLY.fullmatch(text) is not None
