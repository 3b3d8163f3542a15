"""The tables against an independent codec, and what strict encoding and patient decoding promise."""

import gsm0338
import pytest

from heliograph.gsm import alphabet
from heliograph.gsm.alphabet import NotInAlphabet

EXTENSION = "\f^{}\\[~]|€"
ORACLE = gsm0338.Codec()
# The oracle takes the escape septet for a character of its own; TS 23.038 gives it none.
OF_THE_ORACLE = [chr(code) for code in range(0x10000) if chr(code) in ORACLE._encoding_map and code != alphabet.ESCAPE]


def test_the_alphabet_is_the_oracles() -> None:
    encodable = [chr(code) for code in range(0x110000) if alphabet.is_encodable(chr(code))]

    assert len(encodable) == 127 + len(EXTENSION)
    assert encodable == OF_THE_ORACLE


@pytest.mark.parametrize("character", OF_THE_ORACLE)
def test_every_character_has_the_oracles_septets(character: str) -> None:
    septets = ORACLE.encode(character)[0]

    assert alphabet.encode(character) == septets
    assert alphabet.decode(septets) == character


@pytest.mark.parametrize(
    ("text", "septets"),
    [
        ("", b""),
        ("Hello, World 12", b"Hello, World 12"),
        ("@$_", b"\x00\x02\x11"),
        ("Grüße", b"Gr\x7e\x1ee"),
        ("ÇØ¡", b"\x09\x0b\x40"),
        ("10€", b"10\x1b\x65"),
        ("{[|]}", b"\x1b\x28\x1b\x3c\x1b\x40\x1b\x3e\x1b\x29"),
        ("\r\n", b"\x0d\x0a"),
    ],
)
def test_encodes_and_decodes_known_texts(text: str, septets: bytes) -> None:
    assert alphabet.encode(text) == septets
    assert alphabet.decode(septets) == text


@pytest.mark.parametrize("character", ["`", "\t", "\0", "\x1b", "ç", "’", "я", "ÿ", "Ā", "😀", "\uffff", "\ud83d"])
def test_look_alikes_and_control_characters_are_refused_by_name(character: str) -> None:
    with pytest.raises(NotInAlphabet) as caught:
        alphabet.encode("10€" + character + "я")

    assert not alphabet.is_encodable("10€" + character)
    assert (caught.value.character, caught.value.position) == (character, 3)
    assert f"U+{ord(character):04X} at position 3" in str(caught.value)


def test_a_lone_surrogate_is_called_one() -> None:
    assert "lone surrogate" in str(NotInAlphabet("\udc00", 0))
    assert "lone surrogate" not in str(NotInAlphabet("\ue000", 0))


def test_plain_text_takes_one_septet_for_each_character() -> None:
    assert alphabet.is_plain("")
    assert alphabet.is_plain("Grüße @ $_\r\n")
    assert not any(alphabet.is_plain(character) for character in EXTENSION + "`я")


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1ba", "a"),
        (b"\x1b\x00", "@"),
        (b"\x1b\x1b", " "),
        (b"\x1b\x1b\x65", " e"),
        (b"\x1b\x1b\x1b\x65", " €"),
        (b"a\x1b", "a"),
        (b"\x1b", ""),
        (b"a\x80\xff", "a\ufffd\ufffd"),
        (b"\x1b\xe5", "\ufffd"),
        (b"\x1b\n.", "\f."),
    ],
)
def test_decoding_shows_what_a_handset_would(octets: bytes, text: str) -> None:
    assert alphabet.decode(octets) == text
