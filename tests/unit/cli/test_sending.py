"""Sending from the line, and asking what would become of a message, on a store that no server serves."""

import sqlite3
from pathlib import Path

import pytest

from heliograph.services.sending import NODE, Sending
from tests.unit.cli.conftest import Heliograph

NUMBER = "+27831234567"


@pytest.fixture
def crane(heliograph: Heliograph) -> Heliograph:
    """An account with two credits, and a carrier for all numbers."""
    heliograph("account", "add", "Crane", "--credits", "2", "--json")
    heliograph("carrier", "add", "loop", "--url", "loopback:")
    return heliograph


def test_a_message_is_stored_for_whoever_serves(crane: Heliograph, tmp_path: Path) -> None:
    line = ("message", "send", "--account", "Crane", "--text", "Good day")
    told = crane(*line, "--to", "27 83 123 4567", "--to", "nobody", "--to", NUMBER, "--json").document["messages"]
    assert [(each["recipient"], each["segments"], each["reason"]) for each in told] == [
        (NUMBER, 1, None),
        ("nobody", 0, "The recipient is not a phone number."),
        (NUMBER, 1, None),
    ]
    assert told[0]["id"] == told[2]["id"] != told[1]["id"] is None
    (listed,) = crane("message", "list", "--json").document["messages"]
    assert (listed["id"], listed["state"], listed["text"]) == (told[0]["id"], "queued", "Good day")
    assert (listed["sender"], listed["dialect"], listed["carrier"]) == ("Heliograph", "cli", "loop")
    with sqlite3.connect(tmp_path / "data" / "heliograph.sqlite") as connection:
        assert connection.execute("select message_id from ready").fetchall() == [(listed["number"],)]
    connection.close()
    assert listed["number"] >> 6 & 63 == NODE
    shown = crane("account", "show", "Crane", "--json").document
    assert (shown["available"], shown["held"]) == (1, 1)
    assert crane("audit").status == 0


def test_commands_one_after_the_other_never_meet_in_an_id(crane: Heliograph, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = iter((b"\xff", b"\x00"))
    defaults = Sending.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "random_bytes", lambda _: next(dice))
    for _ in range(2):
        crane("message", "send", "--account", "Crane", "--text", "Good day", "--to", NUMBER)
    second, first = crane("message", "list", "--json").document["messages"]
    # The first was dated ahead of the second, and the second is above it all the same.
    assert 0 < (second["number"] >> 12) - (first["number"] >> 12) < 200


def test_an_mms_is_stored_with_the_addresses_of_its_files(crane: Heliograph, tmp_path: Path) -> None:
    crane("account", "topup", "Crane", "1")
    urls = ("http://10.0.0.1/a.jpg", "https://cdn.example/b.jpg")
    line = ("message", "send", "--account", "Crane", "--channel", "MMS", "--media", urls[0], "--media", urls[1])
    (told,) = crane(*line, "--to", NUMBER, "--json").document["messages"]
    assert (told["segments"], told["reason"]) == (1, None)
    (listed,) = crane("message", "list", "--json").document["messages"]
    assert (listed["text"], listed["channel"], listed["price"]) == ("", "mms", 3)
    with sqlite3.connect(tmp_path / "data" / "heliograph.sqlite") as connection:
        assert connection.execute("select url, digest from submission_media order by position").fetchall() == [
            (urls[0], None),
            (urls[1], None),
        ]
    connection.close()
    assert crane("audit").status == 0


def test_a_message_is_scheduled_in_the_accounts_time_zone_and_cancelled(crane: Heliograph) -> None:
    crane("account", "set", "Crane", "--time-zone", "Africa/Johannesburg")
    line = ("message", "send", "--account", "Crane", "--to", NUMBER, "--text", "Good day")
    crane(*line, "--at", "2099-12-31 18:30")
    crane(*line, "--at", "2099-12-31T18:30:00Z", "--template", "1107161234")
    listed = crane("message", "list", "--state", "scheduled", "--json").document["messages"]
    listed.sort(key=lambda each: each["send_at"], reverse=True)
    assert [each["send_at"] for each in listed] == ["2099-12-31T18:30:00.000Z", "2099-12-31T16:30:00.000Z"]
    assert listed[0]["template_id"] == "1107161234"
    assert crane("message", "cancel", listed[0]["id"]).status == 0
    (left,) = crane("message", "list", "--state", "scheduled", "--json").document["messages"]
    assert left["id"] == listed[1]["id"]
    assert crane("account", "show", "Crane", "--json").document["held"] == 1
    assert crane("audit").status == 0
    # A time that has passed is now.
    crane(*line, "--at", "1999-12-31 18:30")
    assert len(crane("message", "list", "--state", "queued", "--json").document["messages"]) == 1


def test_a_voice_message_is_paid_by_the_half_minute(crane: Heliograph) -> None:
    crane("account", "topup", "Crane", "10")
    line = ("message", "send", "--account", "Crane", "--to", NUMBER, "--channel", "voice", "--json")
    told = crane(*line, "--language", "EN-GB", "--gender", "Female", "--text", "Good day. " * 50).document
    assert [(each["segments"], each["reason"]) for each in told["messages"]] == [(1, None)]
    (listed,) = crane("message", "list", "--json").document["messages"]
    voice = [listed[name] for name in ("channel", "language", "gender", "price", "segments")]
    assert voice == ["voice", "en-gb", "female", 4, 1]


def test_people_see_a_table(crane: Heliograph) -> None:
    said = crane("message", "send", "--account", "Crane", "--to", NUMBER, "--text", "Good day", "--from", "Stork")
    assert said.status == 0
    assert NUMBER in said.out
    assert crane("message", "list", "--json").document["messages"][0]["sender"] == "Stork"


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        ("", "--account Stork --to 27831234567 --text a", "There is no account named 'Stork'"),
        ("", "--account Crane --to 27831234567 --text=", "No text was given. Send a text"),
        ("", f"--account Crane --to 27831234567 --text {'a' * 400}", "The account has too few credits"),
        ("", "--account Crane --to 27831234567 --text a --from a-sender-too-long", "The sender is not well-formed."),
        ("account set Crane --senders Crane", "--account Crane --to 27831234567 --text a --from Stork", "may not use"),
        ("", "--account Crane --to 27831234567 --text a --media http://a.example/", "The media are too many"),
        ("", "--account Crane --to 27831234567 --channel mms --media cdn.example/a", "one has no http or https"),
        ("", "--account Crane --to 27831234567 --channel fax --text a", "--channel is sms or mms or voice, not 'fax'."),
        ("", "--account Crane --to 27831234567 --text a --at tomorrow", "The time to send at cannot be read. Write it"),
        ("", "--account Crane --to 27831234567 --channel voice --text a", "No voice reads this language"),
        ("", "--account Crane --to 27831234567 --channel voice --text a --language xx --gender male", "No voice reads"),
        ("account suspend Crane", "--account Crane --to 27831234567 --text a", "The account is suspended."),
    ],
)
def test_a_submission_that_is_refused_is_one_line(crane: Heliograph, change: str, line: str, words: str) -> None:
    if change:
        assert crane(*change.split()).status == 0
    said = crane("message", "send", *line.split(), "--json")
    assert (said.status, said.out) == (1, "")
    assert said.err.count("\n") == 1
    assert words in said.err
    assert crane("message", "list", "--json").document == {"messages": []}


def test_when_no_recipient_is_good_the_command_fails_and_names_each(crane: Heliograph) -> None:
    said = crane("message", "send", "--account", "Crane", "--to", "a", "--to", "b", "--text", "Good day")
    assert said.status == 1
    assert said.out.count("The recipient is not a phone number.") == 2
    assert said.err == "heliograph: Nothing was sent: no recipient could be accepted.\n"


def test_what_would_become_of_a_message(crane: Heliograph) -> None:
    line = ("explain", "--account", "Crane", "--to", NUMBER)
    assert crane(*line, "--text", "ş" * 71, "--json").document == {
        "is_accepted": True,
        "recipient": NUMBER,
        "sender": "Heliograph",
        "encoding": "UCS2",
        "segments": 2,
        "carriers": ["loop"],
        "price": 2,
    }
    assert "loop" in crane(*line, "--text", "Good day", "--from", "Stork").out
    assert crane("message", "list", "--json").document == {"messages": []}
    assert crane("account", "show", "Crane", "--json").document["held"] == 0


def test_why_a_message_would_be_refused(crane: Heliograph) -> None:
    line = ("explain", "--account", "Crane", "--json")
    told = crane(*line, "--to", "nobody", "--text", "Good day").document
    assert (told["is_accepted"], told["recipient"], told["reason_number"]) == (False, "nobody", 110)
    assert (told["reason"], told["price"]) == ("The recipient is not a phone number.", 0)
    told = crane(*line, "--to", NUMBER, "--text=").document
    assert told == {
        "is_accepted": False,
        "reason": "No text was given.",
        "reason_number": 117,
        "advice": "Send a text of at least one character.",
    }
    crane("carrier", "remove", "loop")
    assert crane(*line, "--to", NUMBER, "--text", "a").document["reason_number"] == 120
    said = crane("explain", "--account", "Stork", "--to", NUMBER, "--text", "a")
    assert (said.status, said.out) == (1, "")
    assert "There is no account named 'Stork'" in said.err
