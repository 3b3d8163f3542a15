import csv
from pathlib import Path

import openpyxl
import pytest

from heliograph.cli import contact_files
from tests.unit.cli.conftest import Heliograph

ADA = "+27831234567"


@pytest.fixture
def friends(heliograph: Heliograph) -> Heliograph:
    """An account with a group."""
    assert heliograph("account", "add", "acme").status == 0
    assert heliograph("group", "add", "acme", "friends").status == 0
    return heliograph


def test_a_group_is_made_shown_renamed_and_removed(friends: Heliograph) -> None:
    shown = friends("group", "show", "acme", "friends", "--json").document
    assert (shown["name"], shown["contacts"], shown["account"]) == ("friends", 0, "acme")
    assert friends("group", "show", "acme", shown["uid"], "--json").document == shown
    assert "There is one like this already" in friends("group", "add", "acme", "friends").err
    renamed = friends("group", "rename", "acme", shown["uid"], "family", "--json").document
    assert (renamed["uid"], renamed["name"]) == (shown["uid"], "family")
    friends("group", "add", "acme", "friends")
    listed = friends("group", "list", "acme", "--json").document["groups"]
    assert [each["name"] for each in listed] == ["friends", "family"]
    assert friends("group", "list", "acme", "--limit", "1", "--page", "2", "--json").document["groups"] == [renamed]
    assert "Group family of acme is gone." in friends("group", "remove", "acme", "family").out
    said = friends("group", "show", "acme", "family")
    assert (said.status, "no contact group 'family'" in said.err) == (1, True)


def test_a_contact_is_added_shown_changed_and_removed(friends: Heliograph) -> None:
    added = friends(
        "contact", "add", "acme", "friends", "27 83 123 4567", "--first-name", "Ada", "--field", "Town=Rome", "--json"
    ).document
    assert (added["number"], added["first_name"], added["fields"]) == (ADA, "Ada", {"town": "Rome"})
    assert friends("contact", "show", "acme", "friends", ADA, "--json").document == added
    assert "one like this already" in friends("contact", "add", "acme", "friends", ADA).err
    assert "not a phone number" in friends("contact", "add", "acme", "friends", "12").err
    fields = ("--field", "town=", "--field", "pet=cat=dog")
    changed = friends(
        "contact",
        "set",
        "acme",
        "friends",
        added["uid"],
        "--last-name",
        "L",
        "--number",
        "27831234568",
        *fields,
        "--json",
    ).document
    assert (changed["number"], changed["first_name"], changed["last_name"], changed["fields"]) == (
        "+27831234568",
        "Ada",
        "L",
        {"pet": "cat=dog"},
    )
    assert "Nothing to change" in friends("contact", "set", "acme", "friends", added["uid"]).err
    assert "is no field" in friends("contact", "set", "acme", "friends", added["uid"], "--field", "x").err
    assert friends("contact", "list", "acme", "friends", "--json").document["contacts"] == [changed]
    assert friends("contact", "remove", "acme", "friends", "+27831234568").status == 0
    assert friends("contact", "list", "acme", "friends").out == "There are no contacts.\n"
    assert friends("contact", "show", "acme", "friends", ADA).status == 1


def test_an_import_says_what_became_of_every_row(friends: Heliograph, tmp_path: Path) -> None:
    path, rejects = tmp_path / "in.csv", tmp_path / "rejects.csv"
    path.write_text(f"Handy;Vorname;Ort\n{ADA};Ada;Rome\n=1+1;Eve;x\n2.78e10;Bob;y\n{ADA};Eve;z\n")
    columns = ("--column", "Handy=msisdn", "--column", "Vorname=first_name", "--column", "Ort=town")
    command = ("contact", "import", "acme", "friends", str(path), *columns)
    document = friends(*command, "--rejects", str(rejects), "--json").document
    assert {name: document[name] for name in ("rows", "added", "changed", "known", "rejected")} == {
        "rows": 4,
        "added": 1,
        "changed": 0,
        "known": 1,
        "rejected": 2,
    }
    with rejects.open(newline="") as file:
        rows = list(csv.reader(file))
    assert [row[:2] for row in rows] == [["row", "number"], ["3", "'=1+1"], ["4", "2.78e10"]]
    assert "rounded by a spreadsheet" in rows[2][2]
    assert [each["row"] for each in document["rejects"]] == [3, 4]
    shown = friends("contact", "show", "acme", "friends", ADA, "--json").document
    assert (shown["first_name"], shown["fields"]) == ("Ada", {"town": "Rome"})
    # Twice is once, and strictness is a matter of the caller.
    said = friends(*command)
    assert (said.status, "4 rows: 0 added, 0 changed, 2 known, 2 rejected." in said.out) == (0, True)
    said = friends(*command, "--strict")
    assert (said.status, said.err) == (1, "heliograph: 2 rows were rejected.\n")
    updated = friends(*command, "--update", "--json").document
    assert (updated["changed"], updated["known"]) == (1, 1)
    assert friends("contact", "show", "acme", "friends", ADA, "--json").document["first_name"] == "Eve"


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "The table is empty"),
        (b"name\nAda\n", "No column is called msisdn"),
        (b"phone\n12\n", "No row could be read"),
        (b"phone\n", "No row could be read"),
        ("phone;name\n1;Müller".encode("latin-1"), "--encoding windows-1252"),
    ],
)
def test_an_import_that_reads_nothing_fails(friends: Heliograph, tmp_path: Path, octets: bytes, why: str) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(octets)
    said = friends("contact", "import", "acme", "friends", str(path))
    assert said.status == 1
    assert why in said.err


def test_many_rejects_are_cut_short_in_the_answer(
    friends: Heliograph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_files, "SHOWN", 2)
    path = tmp_path / "in.csv"
    path.write_text(f"phone\n{ADA}\n1\n2\n3\n")
    said = friends("contact", "import", "acme", "friends", str(path))
    assert said.out.splitlines()[-1].strip() == "…; --rejects FILE writes them all."
    assert said.out.count("  row ") == 2


def test_numbers_survive_a_workbook_however_they_are_stored(friends: Heliograph, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Phone"], ["+27831234561"], [27831234562], [27831234563.0], ["'+27831234564"], ["2.78e10"], [27.5]):
        sheet.append(row)
    path = tmp_path / "in.xlsx"
    book.save(path)
    document = friends("contact", "import", "acme", "friends", str(path), "--json").document
    assert (document["added"], [each["row"] for each in document["rejects"]]) == (4, [6, 7])
    listed = friends("contact", "list", "acme", "friends", "--json").document["contacts"]
    assert sorted(each["number"] for each in listed) == [f"+2783123456{place}" for place in range(1, 5)]


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_is_exported_can_be_imported(friends: Heliograph, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    friends("contact", "add", "acme", "friends", ADA, "--first-name", "=1+1", "--field", "note='@x\ty")
    friends("contact", "add", "acme", "friends", "+27831234568", "--field", "town=Zürich 🙂")
    assert friends("contact", "export", "acme", "friends", str(path), "--json").document["contacts"] == 2
    friends("group", "add", "acme", "copy")
    assert friends("contact", "import", "acme", "copy", str(path), "--json").document["added"] == 2

    def kept(name: str) -> list[tuple[object, ...]]:
        found = friends("contact", "list", "acme", name, "--json").document["contacts"]
        return sorted(
            (each["number"], each["first_name"], each["last_name"], sorted(each["fields"].items())) for each in found
        )

    assert kept("copy") == kept("friends")
    assert "ends neither in" in friends("contact", "export", "acme", "friends", str(tmp_path / "out.txt")).err


def test_options_that_make_no_sense_are_refused(friends: Heliograph, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("phone\n")
    command = ("contact", "import", "acme", "friends")
    assert "--column is NAME=WHAT" in friends(*command, str(path), "--column", "x").err
    assert "cannot be read" in friends(*command, str(tmp_path / "none.csv")).err
    assert "cannot be written" in friends(*command, str(path), "--rejects", str(tmp_path / "no" / "r.csv")).err
