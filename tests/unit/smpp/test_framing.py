from heliograph.smpp.framing import Remainder


def test_nothing_kept_nothing_copied() -> None:
    chunk = b"abc"
    assert Remainder().joined(chunk) is chunk


def test_chunks_add_up_until_the_wanted_are_there() -> None:
    remainder = Remainder()
    remainder.keep(b"ab", 5)
    assert remainder.joined(b"c") == b""
    assert remainder.joined(b"d") == b""
    assert remainder.joined(b"efg") == b"abcdefg"
    assert remainder.joined(b"h") == b"h"
