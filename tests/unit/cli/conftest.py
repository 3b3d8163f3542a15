"""The command line, called in this process on a data folder of its own."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from heliograph.cli import main


class Said(NamedTuple):
    """What a command wrote, and its status."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        assert self.status == 0, self.err
        return json.loads(self.out)


Heliograph = Callable[..., Said]


@pytest.fixture
def heliograph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Heliograph:
    """Run a command."""
    for name in [each for each in os.environ if each.startswith("HELIOGRAPH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HELIOGRAPH_DATA", str(tmp_path / "data"))

    def run(*arguments: str) -> Said:
        status = main(arguments)
        out, err = capsys.readouterr()
        return Said(status, out, err)

    return run
