"""A carrier's address and settings, and the mistakes in them."""

from dataclasses import replace

import pytest

from heliograph.carriers.http.profile import profile_of
from heliograph.carriers.settings import BadCarrier
from tests.unit.carriers.http.stories import carrier


def test_the_address_is_read_whole() -> None:
    profile = profile_of(carrier("kannel", base="/sub/", settings={"numbers": "+2782, 2783", "timeout_s": 5}))
    assert profile.base == "https://up.example:8443/sub"
    assert (profile.user, profile.key, profile.host) == ("shop", "1|s/cret", "up.example")
    assert (profile.numbers, profile.timeout_s, profile.sets_up) == (("2782", "2783"), 5, True)
    assert "s/cret" not in repr(profile)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http-recipe://:key@[::1]:80?recipe=kannel&plain=yes", "http://[::1]:80"),
        ("http-recipe://:key@up.example?recipe=kannel", "https://up.example"),
    ],
)
def test_the_base_of_all_calls(url: str, base: str) -> None:
    assert profile_of(replace(carrier("kannel"), url=url)).base == base


def test_numbers_may_be_one_number() -> None:
    assert profile_of(carrier("kannel", settings={"numbers": 27820000001})).numbers == ("27820000001",)


@pytest.mark.parametrize(
    ("url", "settings", "sentence"),
    [
        ("http://a:b@c?recipe=kannel", {}, "begins with http-recipe://"),
        ("http-recipe://a@c?recipe=kannel", {}, "names no host or no key"),
        ("http-recipe://a:b@?recipe=kannel", {}, "names no host or no key"),
        ("http-recipe://a:b@c:x?recipe=kannel", {}, "not well-formed"),
        ("http-recipe://a:b@c", {}, "stand recipe=NAME"),
        ("http-recipe://a:b@c?recipe=kannel&plain=no", {}, "stand recipe=NAME"),
        ("http-recipe://a:b@c?recipe=kannel&more=1", {}, "stand recipe=NAME"),
        ("http-recipe://a:b@c?recipe=kannel#x", {}, "has a #"),
        ("http-recipe://a:b@c?recipe=nobody", {}, "there is no recipe 'nobody'"),
        ("http-recipe://a:b@c?recipe=kannel", {"numbers": "12a"}, "numbers: it is at most 1,000 numbers"),
        ("http-recipe://a:b@c?recipe=kannel", {"timeout_s": 0}, "timeout_s is a whole number from 1 to 300"),
        ("http-recipe://a:b@c?recipe=kannel", {"setup": "no"}, "setup is true or false"),
        ("http-recipe://a:b@c?recipe=kannel", {"mood": 1}, "no such setting of this kind of carrier: mood"),
    ],
)
def test_a_mistake_is_told(url: str, settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(BadCarrier, match=sentence.replace("(", r"\(")):
        profile_of(replace(carrier("kannel", settings=settings), url=url))
