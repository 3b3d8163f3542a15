"""heliograph broadcast …, without a server: what is begun waits for one."""

import asyncio
from pathlib import Path

import pytest

from heliograph.core.broadcasts import BroadcastState
from heliograph.core.reasons import Reason
from heliograph.services.broadcasts import Broadcasts
from heliograph.store import broadcasts
from heliograph.store.opening import open_store
from tests.unit.cli.conftest import Heliograph


@pytest.fixture(autouse=True)
def _set_up(heliograph: Heliograph) -> None:
    for words in (
        ("account", "add", "Crane", "--credits", "100"),
        ("carrier", "add", "loop", "--url", "loopback:"),
        ("group", "add", "Crane", "friends"),
        ("group", "add", "Crane", "nobody"),
        ("contact", "add", "Crane", "friends", "27831234567", "--first-name", "Ann"),
        ("contact", "add", "Crane", "friends", "27831234568"),
    ):
        assert heliograph(*words).status == 0


def _start(heliograph: Heliograph, *words: str) -> dict[str, object]:
    text = ("--text", "Dear {first_name|friend}")
    document: dict[str, object] = heliograph(
        "broadcast", "start", "Crane", "--group", "friends", *text, *words, "--json"
    ).document
    return document


def test_a_broadcast_is_begun_listed_shown_and_cancelled(heliograph: Heliograph) -> None:
    begun = _start(heliograph, "--name", "Spring", "--sender", "Heron")
    expected = {
        "account": "Crane",
        "name": "Spring",
        "state": "running",
        "reason": None,
        "groups": ["friends"],
        "contacts": 2,
        "accepted": 0,
        "refused": 0,
        "channel": "sms",
        "sender": "Heron",
        "text": "Dear {first_name|friend}",
        "media": [],
        "send_at": None,
        "ended_at": None,
    }
    assert {name: value for name, value in begun.items() if name not in ("uid", "created_at")} == expected
    uid = str(begun["uid"])
    assert heliograph("broadcast", "show", uid, "--json").document == begun
    assert heliograph("broadcast", "list", "--account", "Crane", "--json").document == {"broadcasts": [begun]}
    assert uid in heliograph("broadcast", "list").out
    said = heliograph("broadcast", "cancel", uid)
    assert said.out == f"Broadcast {uid} is cancelled; 0 messages were made of it.\n"
    assert heliograph("broadcast", "show", uid, "--json").document["state"] == "cancelled"
    assert "cancelled already" in heliograph("broadcast", "cancel", uid).err


def test_a_time_is_in_the_zone_of_the_account(heliograph: Heliograph) -> None:
    heliograph("account", "set", "Crane", "--time-zone", "Africa/Johannesburg")
    begun = _start(heliograph, "--at", "2099-12-31 18:30")
    assert (begun["state"], begun["send_at"]) == ("scheduled", "2099-12-31T16:30:00.000Z")


def test_one_of_voice_has_a_voice(heliograph: Heliograph) -> None:
    assert _start(heliograph, "--channel", "voice", "--language", "en-GB", "--gender", "female")["channel"] == "voice"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("Crane", "--group", "friends"), "No text was given"),
        (("Crane", "--group", "nobody", "--text", "Hi"), "has no contacts"),
        (("Crane", "--group", "strangers", "--text", "Hi"), "no contact group 'strangers'"),
        (("Heron", "--group", "friends", "--text", "Hi"), "no account named 'Heron'"),
        (("Crane", "--group", "friends", "--text", "Hi", "--at", "tomorrow"), "cannot be read"),
        (("Crane", "--group", "friends", "--text", "Hi", "--sender", "much too long a sender"), "not well-formed"),
        (("Crane", "--group", "friends", "--text", "Hi", "--channel", "voice"), "No voice reads"),
        (("Crane", "--group", "friends", "--text", "Hi", "--channel", "mms", "--media", "nowhere"), "media"),
    ],
)
def test_what_is_not_begun(heliograph: Heliograph, words: tuple[str, ...], why: str) -> None:
    said = heliograph("broadcast", "start", *words)
    assert said.status == 1
    assert why in said.err
    assert heliograph("broadcast", "list").out == "There are no broadcasts.\n"


def test_an_unknown_broadcast(heliograph: Heliograph) -> None:
    for command in ("show", "cancel"):
        said = heliograph("broadcast", command, "0123456789abc")
        assert (said.status, "no broadcast '0123456789abc'" in said.err) == (1, True)


def test_one_is_followed_until_it_is_over(
    heliograph: Heliograph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = str(_start(heliograph)["uid"])
    looks = 0
    find = Broadcasts.find

    async def found_later(service: Broadcasts, written: str) -> object:
        """What somebody else does meanwhile: it pauses, then ends."""
        nonlocal looks
        looks += 1
        view = await find(service, written)
        async with service._store.writing() as connection:
            if looks == 1:
                await broadcasts.pause(connection, view.broadcast, reason=Reason.NO_FUNDS)
            elif looks == 3:
                await broadcasts.finish(connection, view.broadcast, now_ms=7)
        return view

    monkeypatch.setattr(Broadcasts, "find", found_later)
    monkeypatch.setattr("heliograph.cli.broadcast.LOOK_S", 0)
    document = heliograph("broadcast", "show", uid, "--follow", "--json").document
    assert (document["state"], document["reason"], looks) == ("done", None, 4)


def test_a_group_that_was_removed_is_shown_as_such(heliograph: Heliograph) -> None:
    uid = str(_start(heliograph)["uid"])
    assert heliograph("group", "remove", "Crane", "friends").status == 0
    shown = heliograph("broadcast", "show", uid, "--json").document
    assert (shown["groups"], shown["contacts"]) == (["(removed)"], 0)


def test_a_reason_is_shown(heliograph: Heliograph, tmp_path: Path) -> None:
    uid = str(_start(heliograph)["uid"])

    async def pause() -> None:
        store = await open_store("", tmp_path / "data")
        async with store.writing() as connection:
            (there,) = await broadcasts.newest(connection, None, most=1)
            await broadcasts.pause(connection, there, reason=Reason.NO_FUNDS)
        await store.close()

    asyncio.run(pause())
    shown = heliograph("broadcast", "show", uid, "--json").document
    assert (shown["state"], shown["reason"]) == (BroadcastState.PAUSED.name.lower(), Reason.NO_FUNDS.sentence)
