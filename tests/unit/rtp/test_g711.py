import itertools
import sys
import warnings
from struct import pack, unpack

import pytest

from heliograph.rtp.g711 import Law, decode, encode, silence

BOTH = pytest.mark.parametrize("law", Law)
EVERY = pack("<65536h", *range(-32768, 32768))


@BOTH
def test_every_code_has_a_value_that_has_this_code(law: Law) -> None:
    codes = bytes(range(256))
    again = encode(decode(codes, law), law)
    # The µ-law has a negative nothing too.
    assert [code for code in codes if again[code] != code] == ([0x7F] if law is Law.PCMU else [])


@BOTH
def test_louder_is_never_quieter(law: Law) -> None:
    values = unpack("<65536h", decode(encode(EVERY, law), law))
    assert all(low <= high for low, high in itertools.pairwise(values))


@BOTH
def test_what_is_lost_is_little_and_less_where_it_is_quiet(law: Law) -> None:
    values = unpack("<65536h", decode(encode(EVERY, law), law))
    for sample, value in zip(range(-32768, 32768), values, strict=True):
        assert abs(sample - value) <= max(8, abs(sample) / 20)


@pytest.mark.parametrize(("law", "code", "value"), [
    (Law.PCMU, 0xFF, 0), (Law.PCMU, 0x80, 32124), (Law.PCMU, 0x00, -32124), (Law.PCMU, 0xEF, 132),
    (Law.PCMA, 0xD5, 8), (Law.PCMA, 0x55, -8), (Law.PCMA, 0xAA, 32256), (Law.PCMA, 0x2A, -32256),
])  # fmt: skip
def test_values_of_the_tables(law: Law, code: int, value: int) -> None:
    assert unpack("<h", decode(bytes((code,)), law)) == (value,)


@BOTH
def test_nothing_to_be_heard_is_nearly_zero(law: Law) -> None:
    assert max(unpack("<160h", decode(silence(160, law), law))) <= 8


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="audioop is gone from Python 3.13 on")
def test_the_standard_library_that_was_agrees() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import audioop  # noqa: PLC0415  it warns as it is imported
    codes = bytes(range(256))
    assert decode(codes, Law.PCMU) == audioop.ulaw2lin(codes, 2)
    assert decode(codes, Law.PCMA) == audioop.alaw2lin(codes, 2)
    assert encode(EVERY, Law.PCMA) == audioop.lin2alaw(EVERY, 2)
    # It cuts negative samples to 14 bits in another way, which shows at the edges of a step only.
    positive = EVERY[65536:]
    assert encode(positive, Law.PCMU) == audioop.lin2ulaw(positive, 2)


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="two octets"):
        encode(b"abc", Law.PCMU)
