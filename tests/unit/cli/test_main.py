import stat
import subprocess
import sys
from pathlib import Path

import pytest

from heliograph.cli import GROUPS, world_from
from heliograph.services.refused import Refused
from heliograph.store.engine import StoreUnavailable
from tests.unit.cli.conftest import Heliograph


@pytest.mark.parametrize(
    "line",
    [
        "--json account list",
        "account --json list",
        "account list --json",
        "account list --json --data d",
        "account list --data=d --json",
    ],
)
def test_options_for_every_command_are_taken_anywhere(line: str) -> None:
    world, rest = world_from(line.split())
    assert world.as_json
    assert rest == ["account", "list"]
    assert world.flags == ({"data": "d"} if "data" in line else {})


def test_what_follows_two_dashes_is_left_alone() -> None:
    world, rest = world_from(["a", "--config", "f", "--database=sqlite:///x", "--", "--json", "--data"])
    assert (world.as_json, world.config, world.flags) == (False, "f", {"database": "sqlite:///x"})
    assert rest == ["a", "--", "--json", "--data"]


def test_an_option_without_its_value_is_refused() -> None:
    with pytest.raises(Refused, match="--config needs a value"):
        world_from(["account", "--config"])


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("acount list", 2, "No such command 'acount'"),
        ("account", 2, "Missing command"),
        ("account ad Crane", 2, "No such command 'ad'"),
        ("account add", 2, "Missing argument"),
        ("account list --nope", 2, "--nope"),
        ("account add Crane --credits many", 1, "'many' is not an amount of credits"),
        ("account show Stork", 1, "There is no account named 'Stork'"),
        ("account list --data", 1, "--data needs a value"),
        ("account list --config /nowhere/h.toml", 1, "cannot be read"),
        ("account list --database mysql://x", 1, "sqlite:///PATH"),
        ("audit --data /dev/null/x", 1, "store"),
        ("message show zzz", 1, "There is no message 'zzz'"),
        ("carrier add a --url gopher://b", 1, "A carrier's address is smpp[s]://"),
        ("carrier add a --url smpp://u:p@h:1 --policy maybe", 2, "maybe"),
    ],
)
def test_a_refusal_is_one_line_on_standard_error(heliograph: Heliograph, line: str, status: int, words: str) -> None:
    said = heliograph(*line.split())
    assert said.status == status
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("heliograph: ")
    assert words in said.err


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (ValueError("odd\nthing"), 70, "ValueError: odd thing (HELIOGRAPH_DEBUG=1"),
        (StoreUnavailable("disk full"), 1, "disk full"),
    ],
)
def test_what_nobody_foresaw_is_one_line_too(
    heliograph: Heliograph, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, words: str
) -> None:
    def fail(use: object) -> None:
        raise error

    monkeypatch.setattr("heliograph.cli.account.run", fail)
    said = heliograph("account", "list")
    assert said.status == status
    assert words in said.err
    assert said.err.count("\n") == 1
    monkeypatch.setenv("HELIOGRAPH_DEBUG", "1")
    assert "Traceback" in heliograph("account", "list").err


@pytest.mark.parametrize("line", ["", "--help"])
def test_the_overview_names_every_group(heliograph: Heliograph, line: str) -> None:
    said = heliograph(*line.split())
    assert said.status == 0
    for name in GROUPS:
        assert name in said.out


def test_an_interrupted_command_says_nothing(heliograph: Heliograph, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(use: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("heliograph.cli.account.run", interrupt)
    assert heliograph("account", "list") == (130, "", "")


def test_a_small_command_imports_no_server(tmp_path: Path) -> None:
    program = (
        "import sys; from heliograph.cli import main; status = main(['account', 'list']); "
        "print([each for each in ('uvicorn', 'uvloop', 'aiohttp', 'starlette', 'alembic', 'rich.traceback')"
        " if each in sys.modules]); sys.exit(status)"
    )
    environ = {"HELIOGRAPH_DATA": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    # The first run makes the schema.
    subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, check=True)
    done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "There are no accounts.\n[]\n"


@pytest.mark.parametrize("line", [("account", "list"), ("migrate",)])
def test_a_new_store_is_its_owners_alone(heliograph: Heliograph, tmp_path: Path, line: tuple[str, ...]) -> None:
    assert heliograph(*line).status == 0
    data = tmp_path / "data"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in data.iterdir()} == {0o600}


def test_a_folder_that_is_there_keeps_its_rights(heliograph: Heliograph, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o750)
    assert heliograph("account", "list").status == 0
    assert stat.S_IMODE(data.stat().st_mode) == 0o750
    assert stat.S_IMODE((data / "heliograph.sqlite").stat().st_mode) == 0o600


def test_every_group_can_be_imported_and_explains_itself(heliograph: Heliograph) -> None:
    for name in GROUPS:
        said = heliograph(name, "--help")
        assert said.status == 0, (name, said.err)
        assert f"heliograph {name}" in said.out
