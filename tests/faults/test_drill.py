"""`heliograph drill`, as people run it."""

import json
import subprocess
from typing import Any

import pytest

from heliograph.cli.drill.faults import FAULTS, OF_A_FAMILY, OF_THE_SERVER
from heliograph.testing.served import PROGRAM

SECONDS_A_ROUND = 20


def drill(*options: str, rounds: int) -> dict[str, Any]:
    """Run it; what it says. It fails when a promise is broken."""
    command = [*PROGRAM, "drill", "--rounds", str(rounds), "--json", *options]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60 + rounds * SECONDS_A_ROUND)
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["is_kept"]
    assert document["accepted"] > 0
    return document


def without(*names: str) -> str:
    return ",".join(name for name in FAULTS if name not in names)


@pytest.mark.long
def test_a_drill_of_two_faults_keeps_every_promise() -> None:
    document = drill("--without", without("kill", "callers"), rounds=2)
    assert document["faults"] == {"kill": 1, "callers": 1}


@pytest.mark.long
def test_of_two_processes_one_may_die_or_hang_and_all_are_replaced_without_a_refusal() -> None:
    left_out = f"{without('kill', 'crash-point')},{','.join(OF_THE_SERVER)}"
    document = drill("--database", "postgresql://", "--processes", "2", "--without", left_out, rounds=4)
    assert document["faults"] == dict.fromkeys(("kill", "crash-point", *OF_A_FAMILY), 1)
    assert document["takeovers"] == 3


@pytest.mark.long
@pytest.mark.parametrize("database", ["", "postgresql://"], ids=["sqlite", "postgresql"])
def test_a_drill_of_two_hundred_rounds_keeps_every_promise(database: str) -> None:
    drill(*(("--database", database) if database else ()), rounds=200)


@pytest.mark.long
def test_a_drill_of_two_hundred_rounds_with_two_processes_keeps_every_promise() -> None:
    drill("--database", "postgresql://", "--processes", "2", rounds=200)
