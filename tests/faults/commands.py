"""The command line, run in the process of the test: the promised interface without the price of a new interpreter."""

import asyncio
import io
import json
import threading
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from heliograph.cli import main

# What a command prints is caught for the whole process, so that only one may run at a time.
_ONE = threading.Lock()


class Refused(Exception):
    """A command ended with a status that is not 0; what it said."""


class Commands:
    """Commands on one data folder. database: the address of the store, "" for a file in the folder."""

    def __init__(self, data: Path, database: str = "") -> None:
        self._where = ["--data", str(data), *(("--database", database) if database else ())]

    async def run(self, *words: str) -> Any:
        """Run one command and read its JSON answer; raises Refused."""
        return await asyncio.to_thread(self._run, words)

    def _run(self, words: Sequence[str]) -> Any:
        said, complained = io.StringIO(), io.StringIO()
        with _ONE, redirect_stdout(said), redirect_stderr(complained):
            status = main([*words, "--json", *self._where])
        if status:
            raise Refused(f"{' '.join(words)}: {complained.getvalue()}{said.getvalue()}")
        return json.loads(said.getvalue())
