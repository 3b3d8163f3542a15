import base64

import pytest

from heliograph.core.links import KEY_OCTETS, NAME_CHARS, digest_in, name_of

KEY = bytes(range(KEY_OCTETS))
DIGEST = "c0de" * 16
END_S = 1_800_000_000
NAME = name_of(DIGEST, expires_at_s=END_S, key=KEY)


def test_a_name_is_good_until_its_last_second() -> None:
    assert len(NAME) == NAME_CHARS
    assert digest_in(NAME, now_s=0, key=KEY) == (DIGEST, END_S)
    assert digest_in(NAME, now_s=END_S, key=KEY) == (DIGEST, END_S)
    assert digest_in(NAME, now_s=END_S + 1, key=KEY) is None


def test_another_key_knows_nothing() -> None:
    assert digest_in(NAME, now_s=0, key=bytes(KEY_OCTETS)) is None


@pytest.mark.parametrize("place", range(NAME_CHARS))
def test_no_character_can_be_another(place: int) -> None:
    other = "A" if NAME[place] != "A" else "B"
    assert digest_in(NAME[:place] + other + NAME[place + 1 :], now_s=0, key=KEY) is None


def test_a_later_end_cannot_be_written_in() -> None:
    octets = bytearray(base64.urlsafe_b64decode(NAME))
    octets[0:5] = (END_S * 2).to_bytes(5, "big")
    assert digest_in(base64.urlsafe_b64encode(octets).decode(), now_s=END_S + 1, key=KEY) is None


@pytest.mark.parametrize(
    "written",
    ["", "x", NAME[:-1], NAME + "A", NAME[:-1] + "=", NAME[:-4] + "====", " " + NAME[1:], NAME[:-1] + "é",
     NAME[:-1] + "\0", NAME[:-1] + "+", "A" * NAME_CHARS, NAME[:-1] + "\ud800"],
)  # fmt: skip
def test_what_is_no_name(written: str) -> None:
    assert digest_in(written, now_s=0, key=KEY) is None


@pytest.mark.parametrize(("digest", "key"), [("ab", KEY), (DIGEST, b"short"), ("zz" * 32, KEY), (DIGEST + "00", KEY)])
def test_what_cannot_be_signed(digest: str, key: bytes) -> None:
    with pytest.raises(ValueError, match=r"hexadecimal"):
        name_of(digest, expires_at_s=END_S, key=key)
