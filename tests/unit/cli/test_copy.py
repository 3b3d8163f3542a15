from pathlib import Path

import pytest

from heliograph.testing.postgres import Server
from tests.unit.cli.conftest import Heliograph


@pytest.fixture
def crane(heliograph: Heliograph) -> Heliograph:
    """An installation with something of most things in it."""
    heliograph("account", "add", "Crane", "--credits", "10")
    heliograph("carrier", "add", "north", "--url", "loopback:")
    heliograph("number", "add", "Crane", "+27821234567")
    heliograph("message", "send", "--account", "Crane", "--to", "+27831234567", "--text", "Good day")
    return heliograph


def test_a_store_moves_to_a_server_with_everything_in_it(
    crane: Heliograph, postgres_server: Server, tmp_path: Path
) -> None:
    source = f"sqlite:///{_file(tmp_path)}"
    target = postgres_server.new_database()
    copied = crane("copy", "--from", source, "--to", target, "--json").document
    assert copied["rows"]["message"] == copied["rows"]["ready"] == 1
    assert copied["total"] == sum(copied["rows"].values())
    there = ("--database", target)
    for words in (("account", "list"), ("carrier", "list"), ("number", "list"), ("message", "list")):
        assert crane(*words, "--json", *there).document == crane(*words, "--json").document
    assert crane("audit", *there).status == 0
    # What it numbers itself goes on.
    assert crane("account", "add", "Heron", "--json", *there).document["api_key"].startswith("2|")
    again = crane("copy", "--from", source, "--to", target)
    assert (again.status, "has to be empty" in again.err) == (1, True)


def test_a_copy_goes_from_a_file_to_a_server(heliograph: Heliograph) -> None:
    said = heliograph("copy", "--from", "postgresql://a/b", "--to", "sqlite:///c")
    assert said.status == 1
    assert "from sqlite:///PATH to postgresql://" in said.err


def _file(folder: Path) -> Path:
    (found,) = folder.rglob("heliograph.sqlite")
    return found
