"""What is hidden, and what stays readable."""

from typing import NamedTuple

import pytest

from heliograph.ops.redaction import is_hidden, redacted, redacted_fields, redacted_text

API_KEY = "49|AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcd"


class Letter(NamedTuple):
    recipient: str
    text: str
    segments: int


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to +27831234567 now", "to ***4567 now"),
        ("27831234567", "***4567"),
        ("083 123 4567", "***4567"),
        ("083-123-4567", "***4567"),
        ("to=27831234567&x=1", "to=***4567&x=1"),
        ("n27831234567x", "n***4567x"),
        ("%2B27831234567", "%2B***4567"),
        ("12345678901234567890123456789012", "***9012"),
        (f"key {API_KEY} revoked", "key 49|*** revoked"),
        ("smpp://me:pa55:w@rd@10.0.0.1:2775 is down", "smpp://me:***@10.0.0.1:2775 is down"),
        ("https://u:pw@carrier.example/x?a=b", "https://u:***@carrier.example/x?a=b"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: ***"),
        ("got Bearer abcdefgh12", "got Bearer ***"),
        ("signed with whsec_MfKQ9r8GKYqrTwjU+/=", "signed with whsec_***"),
        ("Letter(text='it\\'s a secret', n=1)", "Letter(text=***, n=1)"),
        ('{"text": "my code is 1", "n": 1}', '{"text"=***, "n": 1}'),
        ("?api_token=abc&text=hello%20you&n=1", "?api_token=***&text=***&n=1"),
        ("bad row [SQL: insert] [parameters: ('hello', 1)]", "bad row [SQL: insert] [parameters: ***]"),
        ("a\x1b[2Jb\rc\x00", "a\\x1b[2Jb\\x0dc\\x00"),
    ],
)
def test_what_a_text_must_not_show(text: str, shown: str) -> None:
    assert redacted_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:54321 and 192.168.100.200 took 12.5 ms",
        "since 2026-11-23 and 2026-11-23T15:04:05.123456Z",
        "message 00068d1b2c3f4a5e9f8e7d6c5b4a3f2e",
        "<Task at 0x7f0123456789>",
        "Finished server process [27270]",
        "the text is too long",
        "smpp://carrier.example:2775/",
        "two\nlines\tand a tab",
    ],
)
def test_what_stays_as_it_is(text: str) -> None:
    assert redacted_text(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "text",
        "body",
        "API_KEY",
        "api-key",
        "password",
        "Authorization",
        "webhook_secret",
        "short_message",
        "apiKey",
        "udh",
    ],
)
def test_names_that_hide_whatever_they_hold(name: str) -> None:
    assert redacted_fields({name: "hello"}) == {name: "***"}
    assert redacted_fields({name: ["hello"]}) == {name: "***"}


@pytest.mark.parametrize("name", ["text_chars", "body_octets", "key_id", "context", "state", "event", "monkey"])
def test_names_that_hide_nothing(name: str) -> None:
    assert not is_hidden(name)


def test_ids_and_measures_stay_whole_and_other_long_numbers_do_not() -> None:
    fields = {
        "message_id": 114_000_000_123_456,
        "carrier_message_id": "12345678901",
        "at_ms": 1_795_435_200_000,
        "recipient": 27_831_234_567,
        "window": 500,
        "share": 0.25,
        "is_bound": True,
        "why": None,
    }
    assert redacted_fields(fields) == fields | {"recipient": "***4567"}


def test_things_inside_things() -> None:
    value = {"to": ["+27831234567"], "letter": Letter("27831234567", "hello", 2), "raw": b"hello", "27831234567": {1}}
    assert redacted(value) == {
        "to": ["***4567"],
        "letter": {"recipient": "***4567", "text": "***", "segments": 2},
        "raw": "<5 octets>",
        "***4567": [1],
    }


def test_an_error_is_shown_by_its_words() -> None:
    assert redacted(ValueError("no route to 27831234567")) == "no route to ***4567"


def test_a_value_that_holds_itself_ends() -> None:
    ring: list[object] = []
    ring.append(ring)
    assert "***" in str(redacted(ring))


def test_what_json_has_no_number_for_is_written_out() -> None:
    assert redacted(float("nan")) == "nan"
