"""Starting a server from the line: what is refused, in one line each, and what is only warned of."""

import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from heliograph.cli import server_process
from heliograph.config import Settings
from heliograph.store.engine import StoreUnavailable
from tests.unit.cli.conftest import Heliograph

PROGRAM = "import sys; from heliograph.cli import main; sys.exit(main())"


def environ(data: Path, **settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HELIOGRAPH_")}
    named = {f"HELIOGRAPH_{name.upper()}": value for name, value in settings.items()}
    return {**inherited, "PYTHONPATH": os.pathsep.join(sys.path), "HELIOGRAPH_DATA": str(data), **named}


def fails(data: Path, *line: str, status: int = 1, **settings: str) -> str:
    """The one line of a server that does not start."""
    command = [sys.executable, "-c", PROGRAM, "serve", "--listen", "127.0.0.1:0", *line]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=30, check=False, env=environ(data, **settings)
    )
    assert ended.returncode == status
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr.removeprefix("heliograph: ").removesuffix("\n")


@pytest.mark.parametrize("line", [("--processes", "2"), ("--role", "api"), ("--role", "worker", "--processes", "3")])
def test_sqlite_is_served_by_one_process(heliograph: Heliograph, line: tuple[str, ...]) -> None:
    said = heliograph("serve", *line)
    assert said.status == 1
    assert said.err == (
        "heliograph: A SQLite store has one writer: "
        "serve it with --processes 1 and --role all, or store in PostgreSQL.\n"
    )


def test_a_place_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        said = fails(tmp_path / "data", "--listen", place)
    assert said == f"Cannot listen on {place}: Address already in use; name another place with --listen."


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "data"
    assert fails(folder) == f"Cannot use {folder}: Not a directory; check the data folder's rights."


def test_a_store_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "heliograph.sqlite").write_text("Dear diary, " * 100)
    said = fails(tmp_path)
    assert said.startswith(f"cannot open the store at {tmp_path / 'heliograph.sqlite'}: file is not a database")


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    said = fails(tmp_path, database="postgresql://127.0.0.1:1/x")
    assert said.startswith("cannot open the PostgreSQL store: ")


def test_a_start_that_fails_among_its_tasks_is_one_line_too(heliograph: Heliograph, tmp_path: Path) -> None:
    assert heliograph("account", "list").status == 0
    with sqlite3.connect(tmp_path / "data" / "heliograph.sqlite") as connection:
        connection.execute("drop table carrier")
    connection.close()
    said = fails(tmp_path / "data", status=70)
    assert said.startswith("OperationalError: ")
    assert "no such table: carrier" in said
    assert "TaskGroup" not in said


def test_what_ended_a_task_group_is_told_and_not_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(settings: Settings, **_: object) -> None:
        raise ExceptionGroup("unhandled", [ExceptionGroup("inner", [StoreUnavailable("disk\nfull")]), OSError("late")])

    monkeypatch.setattr("heliograph.server.run", run)
    monkeypatch.setattr("heliograph.ops.logs.configure", lambda level: None)
    monkeypatch.setenv("HELIOGRAPH_DATA", str(tmp_path))
    assert server_process.main() == 1
    assert capsys.readouterr().err == "heliograph: the store cannot be used just now: disk full\n"


def test_the_server_is_the_same_process_without_the_command_line_s_library(tmp_path: Path) -> None:
    settings = environ(tmp_path / "data", listen="127.0.0.1:0")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "serve", "--rate-limit", "7"], stdout=subprocess.PIPE, text=True, env=settings
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        loaded = Path(f"/proc/{running.pid}/maps").read_text(encoding="utf-8")
        environment = Path(f"/proc/{running.pid}/environ").read_bytes().split(b"\0")
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
    assert "pydantic" not in loaded
    assert b"HELIOGRAPH_RATE_LIMIT=7" in environment
    assert b"MALLOC_ARENA_MAX=2" in environment


def test_it_serves_warns_of_smpp_listen_and_keeps_its_data_to_itself(tmp_path: Path) -> None:
    data = tmp_path / "data"
    settings = environ(data, smpp_listen="127.0.0.1:2775", listen="127.0.0.1:0")
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=settings,
    ) as running:
        assert running.stdout is not None
        assert re.fullmatch(r"Heliograph serves http://127\.0\.0\.1:\d+\n", running.stdout.readline())
        running.send_signal(signal.SIGTERM)
        out, errors = running.communicate(timeout=20)
    assert (running.returncode, out) == (0, "")
    lines = [json.loads(line) for line in errors.splitlines()]
    (warning,) = [line for line in lines if line["level"] == "warning"]
    assert warning["event"] == "this version does not listen for customers over SMPP"
    assert warning["smpp_listen"] == "127.0.0.1:2775"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    for file in data.rglob("*"):
        assert stat.S_IMODE(file.stat().st_mode) == (0o700 if file.is_dir() else 0o600), file
