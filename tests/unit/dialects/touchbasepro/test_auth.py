from collections.abc import Mapping

import pytest

from heliograph.dialects.touchbasepro.auth import credentials

BEARER = {b"authorization": b"Bearer 49|abc"}


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        (BEARER, b""),
        ({b"authorization": b"bearer 49|abc"}, b""),
        ({b"authorization": b"BEARER  49|abc "}, b""),
        ({b"authorization": b'"Bearer 49|abc"'}, b""),
        ({b"ocp-apim-subscription-key": b"49|abc"}, b""),
        ({b"ocp-apim-subscription-key": b'"49|abc"'}, b""),
        ({}, b"entities=true&subscription-key=49%7Cabc"),
        ({b"authorization": b"Bearer "}, b"subscription-key=49|abc"),
        ({b"authorization": b"Basic c2hvcDp4"}, b"subscription-key=49|abc"),
        ({**BEARER, b"ocp-apim-subscription-key": b"50|other"}, b"subscription-key=51|third"),
    ],
)
def test_a_key_is_found_wherever_the_vendor_s_pages_put_it(headers: Mapping[bytes, bytes], query: bytes) -> None:
    assert credentials(headers, query) == ("49|abc", None)


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, b""),
        ({}, b"entities=true"),
        ({}, b"subscription-key="),
        ({b"authorization": b""}, b""),
        ({b"authorization": b"Bearer"}, b""),
        ({b"authorization": b"Bearer "}, b""),
        ({b"authorization": b'"Bearer "'}, b""),
        ({b"authorization": b'"'}, b""),
        ({b"authorization": b"49|abc"}, b""),
        ({b"authorization": b"\xff\xfe"}, b""),
        ({b"ocp-apim-subscription-key": b'""'}, b""),
    ],
)
def test_no_key_is_no_key(headers: Mapping[bytes, bytes], query: bytes) -> None:
    assert credentials(headers, query) is None
