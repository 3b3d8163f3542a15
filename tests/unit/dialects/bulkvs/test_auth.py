import asyncio
import base64
import doctest
from collections.abc import Mapping

import pytest

from heliograph.dialects.bulkvs import auth
from heliograph.dialects.bulkvs.auth import credentials
from tests.unit.dialects.bulkvs.calls import failure, read
from tests.unit.dialects.world import KEY, Caller, basic, world_with

BASIC = basic().encode()
BARE = BASIC.removeprefix(b"Basic ")


def test_examples_in_docstrings_hold() -> None:
    attempted = doctest.testmod(auth)
    assert attempted.failed == 0
    assert attempted.attempted > 0


@pytest.mark.parametrize(
    ("value", "query"),
    [
        (BASIC, b""),
        (b"basic " + BARE, b""),
        (b" BASIC  " + BARE + b" ", b"x=1"),
        (BASIC, b"pbx=3cx"),
        (b"Bearer " + BARE, b"pbx=3cx"),
        (b"bearer " + BARE, b"a=b&pbx=3CX"),
    ],
)
def test_user_and_key_are_found(value: bytes, query: bytes) -> None:
    assert credentials({b"authorization": value}, query) == (KEY, "shop")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"authorization": b""},
        {b"authorization": b"Basic"},
        {b"authorization": BARE},
        {b"authorization": b"Bearer " + BARE},
        {b"authorization": b"Basic " + KEY.encode()},
        {b"authorization": b"Basic " + base64.b64encode(KEY.encode())},
        {b"authorization": b"Basic " + base64.b64encode(b":" + KEY.encode())},
        {b"authorization": b"Basic " + base64.b64encode(b"shop:")},
        {b"authorization": b"Basic " + base64.b64encode(b"\xff:\xfe")},
        {b"authorization": b"Basic \xff\xfe"},
        {b"authorization": b"Basic " + BARE[:-1]},
    ],
    ids=range(12),
)
def test_what_is_not_both_is_neither(headers: Mapping[bytes, bytes]) -> None:
    assert credentials(headers, b"") is None


@pytest.mark.parametrize(
    ("shown", "query", "status"),
    [
        (basic(), "", 200),
        (basic("shop2"), "", 401),
        (basic("SHOP"), "", 401),
        (basic(key="49|" + "w" * 40), "", 401),
        (f"Bearer {KEY}", "", 401),
        (basic().replace("Basic", "Bearer"), "", 401),
        (basic().replace("Basic", "Bearer"), "?pbx=3cx", 200),
    ],
)
def test_the_user_must_be_the_key_s_account(shown: str, query: str, status: int) -> None:
    reply = asyncio.run(Caller(world_with())("GET", f"/webHooks{query}", headers={"authorization": shown}, key=None))
    assert reply.status == status
    if status == 401:
        assert reply.headers["www-authenticate"] == 'Basic realm="Heliograph", charset="UTF-8"'
        assert read(reply) == failure(401, "The user name or the API token is missing or not valid.")
