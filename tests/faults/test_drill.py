"""`heliograph drill`, as people run it."""

import json
import subprocess
from typing import Any

import pytest

from heliograph.cli.drill.faults import FAULTS
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
@pytest.mark.parametrize("database", ["", "postgresql://"], ids=["sqlite", "postgresql"])
def test_a_drill_of_two_hundred_rounds_keeps_every_promise(database: str) -> None:
    drill(*(("--database", database) if database else ()), rounds=200)
