import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as some

from heliograph.dialects.dialect import Credentials
from heliograph.dialects.textboost.auth import credentials, credentials_in_body
from tests.unit.dialects.textboost.calls import ROOTS, call
from tests.unit.dialects.world import KEY, Caller, world_with

ENCODED = KEY.replace("|", "%7C")


@pytest.mark.parametrize(
    ("authorization", "query", "key"),
    [
        (b"Bearer 1|a", b"", "1|a"),
        (b"bearer   1|a ", b"", "1|a"),
        (b"Bearer 1%7Ca", b"", "1|a"),
        (b"Bearer 1|a", b"api_token=2|b", "1|a"),
        (b"Bearer ", b"api_token=2%7Cb", "2|b"),
        (b"Basic MTp4", b"page=2&api_token=2%7cb", "2|b"),
        (b"Basic MTp4", b"", None),
        (b"1|a", b"", None),
        (b"", b"api_token=", None),
        (b"", b"api_token[]=x", None),
    ],
)
def test_the_header_goes_before_the_query(authorization: bytes, query: bytes, key: str | None) -> None:
    assert credentials({b"authorization": authorization}, query) == (None if key is None else Credentials(key))


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b'{"api_token":"1|a"}', "1|a"),
        (b'{"api_token":" 1%7Ca "}', "1|a"),
        (b'{"api_token":"1|a","language=en-gb"}', "1|a"),
        (b"api_token=1%7Ca", "1|a"),
        (b"api_token=1|a&x=y", "1|a"),
        (b'{"api_token":1}', None),
        (b'{"api_token":["1|a"]}', None),
        (b"", None),
    ],
)
def test_a_body_may_hold_the_key(body: bytes, key: str | None) -> None:
    assert credentials_in_body({}, body) == (None if key is None else Credentials(key))


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize(
    ("target", "body"),
    [
        (f"/me?api_token={ENCODED}", None),
        ("/contacts", {"name": "A", "api_token": KEY}),
        ("/contacts", f"name=A&api_token={ENCODED}".encode()),
    ],
)
def test_every_way_works_at_both_roots(root: str, target: str, body: object) -> None:
    said = call(world_with(), "GET" if body is None else "POST", target, body, root=root, key=None)
    assert said.status == "success"


@pytest.mark.parametrize(
    ("root", "target", "key", "sentence"),
    [
        ("/api/v3", "/me", None, "Unauthenticated."),
        ("/api/http", "/me", None, "Unauthenticated."),
        ("/api/v3", "/me", "1|x", "Unauthenticated."),
        ("/api/http", "/me", "1|x", "Unauthenticated."),
        ("/api/v3", "/me?api_token=1|x", None, "Unauthenticated."),
        ("/api/http", "/me?api_token=1|x", None, "These credentials do not match our records."),
    ],
)
def test_a_key_that_is_nobody_s(root: str, target: str, key: str | None, sentence: str) -> None:
    said = call(world_with(), "GET", target, root=root, key=key)
    assert (said.http, said.status, said.message) == (200, "error", sentence)


@given(some.binary(), some.binary())
def test_whatever_stands_there_is_a_key_or_none(authorization: bytes, octets: bytes) -> None:
    for found in (credentials({b"authorization": authorization}, octets), credentials_in_body({}, octets)):
        assert found is None or found.api_key


def test_the_body_is_read_for_a_key_only_as_far_as_bodies_are_read() -> None:
    caller = Caller(world_with(), most_body=40)
    reply = asyncio.run(caller("POST", "/api/v3/contacts", b"api_token=" + b"x" * 40, key=None))
    assert reply.status == 413
