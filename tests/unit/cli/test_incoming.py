import sqlite3
from pathlib import Path

import pytest

from heliograph.core.ids import uid_from
from heliograph.store.opening import open_sqlite
from tests.unit.cli.conftest import Heliograph

FIRST = 115_402_342_400_000


@pytest.fixture
def came(heliograph: Heliograph, tmp_path: Path) -> Heliograph:
    """Crane has a number, to which a message came; another one is nobody's, and has bells in it."""
    heliograph("account", "add", "Crane")
    heliograph("number", "add", "Crane", "+27820000000")
    store = open_sqlite("", tmp_path / "data")
    connection = sqlite3.connect(store.path, isolation_level=None)
    for place, (account_id, recipient, text) in enumerate(((1, "27820000000", "Yes"), (0, "27600", "Bell\a"))):
        connection.execute(
            "insert into incoming(account_id, id, carrier_id, sender, recipient, encoding, body, text, missing, "
            "received_at_ms) values (?, ?, 1, '27831112222', ?, 0, '', ?, ?, 1795400000000)",
            (account_id, FIRST + place, recipient, text, place),
        )
    connection.close()
    return heliograph


def test_incoming_messages_are_listed_and_shown(came: Heliograph, tmp_path: Path) -> None:
    documents = came("incoming", "list", "--json").document["incoming"]
    assert [(each["id"], each["account"], each["text"]) for each in documents] == [
        (FIRST + 1, None, "Bell\a"),
        (FIRST, "Crane", "Yes"),
    ]
    assert documents[0]["missing"] == 1
    with sqlite3.connect(tmp_path / "data" / "heliograph.sqlite") as connection:
        ((mark,),) = connection.execute("select mark from account").fetchall()
    connection.close()
    for shown in (str(FIRST), uid_from(FIRST, mark), uid_from(FIRST, mark).upper()):
        assert came("incoming", "show", shown, "--json").document == documents[1]
    assert [each["text"] for each in came("incoming", "list", "--account", "Crane", "--json").document["incoming"]] == [
        "Yes"
    ]
    assert len(came("incoming", "list", "--number", "27600", "--limit", "1", "--json").document["incoming"]) == 1
    people = came("incoming", "list").out
    assert "Bell·" in people
    assert came("incoming", "show", "5").err.startswith("heliograph: There is no incoming message 5")


def test_incoming_messages_are_replayed(came: Heliograph) -> None:
    assert came("incoming", "replay", str(FIRST)).status == 1
    hook = ("webhook", "add", "Crane", "https://example.com/", "--dialect", "touchbasepro", "--type", "MessageReply")
    assert came(*hook).status == 0
    assert came("incoming", "replay", "--number", "+27820000000", "--untold", "--json").document == {"replayed": 1}
    assert came("incoming", "replay", str(FIRST), str(FIRST), "--json").document == {"replayed": 1}
    assert "nobody's" in came("incoming", "replay", str(FIRST + 1)).err
    assert came("audit").status == 0


@pytest.mark.parametrize("line", [(), ("--untold",), ("--number", "27600"), ("7", "--number", "27600", "--untold")])
def test_what_is_to_be_replayed_must_be_named(came: Heliograph, line: tuple[str, ...]) -> None:
    assert "Name messages by their ids" in came("incoming", "replay", *line).err
