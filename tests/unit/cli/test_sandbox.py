"""The sandbox as a newcomer meets it, and what it says when something does not work."""

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import takewhile
from pathlib import Path

import pytest
import structlog

from heliograph.cli import sandbox
from heliograph.core.fates import Fate
from heliograph.testing.receiver import Receiver
from tests.unit.cli.conftest import Heliograph

PROGRAM = "import sys; from heliograph.cli import main; sys.exit(main())"
COMMAND = [sys.executable, "-c", PROGRAM, "sandbox"]
ENVIRON = {
    **{name: value for name, value in os.environ.items() if not name.startswith("HELIOGRAPH_")},
    "PYTHONPATH": os.pathsep.join(sys.path),
}
STEPS = 8
ASKED = 2
"""Steps whose words are asked for instead of told."""


@pytest.fixture
def _ports_taken() -> Iterator[None]:
    """Somebody has the sandbox's usual ports; whoever that is besides us."""
    with ExitStack() as held:
        for port in (sandbox.HTTP_PORT, sandbox.SMPP_PORT, sandbox.MM7_PORT):
            with suppress(OSError):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
        yield


@pytest.fixture
def _logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_ports_taken")
def test_the_tour_ends_well_whatever_is_set_and_taken_on_this_machine(tmp_path: Path) -> None:
    settings = {
        "HELIOGRAPH_DATA": str(tmp_path / "real"),
        "HELIOGRAPH_DATABASE": "postgresql://elsewhere",
        "HELIOGRAPH_LISTEN": f"127.0.0.1:{sandbox.HTTP_PORT}",
        "HELIOGRAPH_RATE_LIMIT": "1",
        "HELIOGRAPH_WEBHOOK_HTTPS_ONLY": "true",
        "TMPDIR": str(tmp_path),
    }
    ended = subprocess.run(
        [*COMMAND, "--once"], capture_output=True, text=True, timeout=60, check=False, env={**ENVIRON, **settings}
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("✓") == STEPS
    assert "✗" not in ended.stdout
    assert "Every step ended as it should." in ended.stdout
    left = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert [path.parts[:2] for path in left] == [("real", "sandbox")] * 3, "more was left than the phones were sent"
    assert [path.suffix for path in left] == [".txt", ".png", ".wav"]
    assert all(str(tmp_path / path) in ended.stdout for path in left[1:])


def test_it_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    data = tmp_path / "data"
    environ = {**ENVIRON, "TMPDIR": str(tmp_path), "HELIOGRAPH_DATA": str(data), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as running:
        assert running.stdout is not None
        said = list(takewhile(lambda line: line != "Ctrl-C ends it.\n", running.stdout))
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=20)
    assert (running.returncode, errors) == (0, "")
    assert any(line.startswith("curl http://127.0.0.1:") for line in said)
    assert list(tmp_path.iterdir()) == [data]


def test_a_tour_that_is_interrupted_did_not_succeed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    environ = {**ENVIRON, "TMPDIR": str(tmp_path), "HELIOGRAPH_DATA": str(data), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [*COMMAND, "--once"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    ) as running:
        assert running.stdout is not None
        assert "Heliograph sandbox" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=20)
    assert (running.returncode, errors) == (130, "")
    assert list(tmp_path.iterdir()) == [data]


@pytest.mark.usefixtures("_logs_as_before")
def test_a_step_that_fails_fails_the_command(heliograph: Heliograph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heliograph.cli.tour.PATIENCE_S", 0.5)
    monkeypatch.setattr(Receiver, "url", "http://127.0.0.1:9")
    said = heliograph("sandbox", "--once")
    assert said.status == 1
    assert said.err.endswith("heliograph: A step of the tour failed.\n")
    # What is asked for instead of told may be there in time.
    assert STEPS - ASKED <= said.out.count("✗") <= STEPS
    assert "nothing (wanted Delivered)" in said.out
    assert "A step failed." in said.out


def test_a_port_that_is_taken_is_not_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert sandbox._free(port) == 0
    assert sandbox._free(port) == port


def test_the_fates(heliograph: Heliograph) -> None:
    rows = heliograph("sandbox", "fates", "--json").document["fates"]
    assert {row["digits"] for row in rows} == {fate.digits for fate in Fate}
    assert all(row["example"].endswith(row["digits"]) and row["sentence"] for row in rows)
    people = heliograph("sandbox", "fates")
    assert people.status == 0
    assert all(row["example"] in people.out for row in rows)
