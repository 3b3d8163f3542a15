import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from heliograph.store import turns
from heliograph.store.engine import Hop
from heliograph.store.hops.statements import Script, Statement
from heliograph.store.sqlite import SqliteStore
from heliograph.store.turns import Turns, only_server

PATIENCE_S = 30.0
_SOURCE = Path(turns.__file__).parents[2]

_HOLD = """
import sys
from pathlib import Path
from heliograph.store.turns import Turns
with Turns(Path(sys.argv[1])).taken():
    print("mine", flush=True)
    sys.stdin.read()
"""
_WRITE = """
import sqlite3, sys, time
from pathlib import Path
from heliograph.store.turns import Turns
folder = Path(sys.argv[1])
turns = Turns(folder)
connection = sqlite3.connect(folder / "load.sqlite", timeout=5.0, isolation_level=None)
connection.execute("select count(*) from row").fetchall()
for number in range(9):
    begun = time.monotonic()
    with turns.taken():
        connection.execute("begin immediate")
        connection.execute("insert into row(number) values (?)", (-1 - number,))
        connection.execute("commit")
    print(time.monotonic() - begun, flush=True)
    time.sleep(0.02)
"""


@contextmanager
def _process(script: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", script, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(_SOURCE)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def _held_elsewhere(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process has the turn."""
    with _process(_HOLD, folder) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        yield process


def _passed(watcher: Turns) -> threading.Event:
    """Set once the watcher has been let on."""
    passed = threading.Event()

    def watch() -> None:
        watcher.let_others_pass()
        passed.set()

    threading.Thread(target=watch, daemon=True).start()
    return passed


def test_a_free_turn_lets_everyone_pass(tmp_path: Path) -> None:
    watcher = Turns(tmp_path)
    for _ in range(3):
        watcher.let_others_pass()
    with Turns(tmp_path).taken(), pytest.raises(BlockingIOError), _without_waiting():
        watcher.let_others_pass()
    with Turns(tmp_path).taken():
        pass


@contextmanager
def _without_waiting() -> Iterator[None]:
    """Where the watcher would wait, it fails."""

    def refuse(seconds: float) -> None:
        raise BlockingIOError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns.time, "sleep", refuse)  # type: ignore[attr-defined]
        yield


def test_looking_does_not_take_the_turn(tmp_path: Path) -> None:
    watcher = Turns(tmp_path)
    watcher.let_others_pass()
    with Turns(tmp_path).taken():
        pass


def test_one_process_at_a_time_has_the_turn(tmp_path: Path) -> None:
    with _held_elsewhere(tmp_path) as holder:
        got = threading.Event()

        def take() -> None:
            with Turns(tmp_path).taken():
                got.set()

        threading.Thread(target=take, daemon=True).start()
        assert not got.wait(0.05)
        assert holder.stdin is not None
        holder.stdin.close()
        assert got.wait(PATIENCE_S)


def test_the_writer_waits_for_whoever_has_the_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT_S", PATIENCE_S)
    with _held_elsewhere(tmp_path) as holder:
        passed = _passed(Turns(tmp_path))
        assert not passed.wait(0.05)
        assert holder.stdin is not None
        holder.stdin.close()
        assert passed.wait(PATIENCE_S)


def test_a_holder_that_crashed_blocks_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT_S", PATIENCE_S)
    with _held_elsewhere(tmp_path) as holder:
        passed = _passed(Turns(tmp_path))
        assert not passed.wait(0.05)
        holder.kill()
        assert passed.wait(PATIENCE_S)
        with Turns(tmp_path).taken():
            pass


def test_a_holder_that_overstays_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "LONGEST_WAIT_S", 0.05)
    with _held_elsewhere(tmp_path):
        begun = time.monotonic()
        assert _passed(Turns(tmp_path)).wait(PATIENCE_S)
        assert time.monotonic() - begun >= 0.05


def test_an_error_gives_the_turn_back(tmp_path: Path) -> None:
    with pytest.raises(KeyError), Turns(tmp_path).taken():
        raise KeyError
    with Turns(tmp_path).taken():
        pass


def test_another_process_gets_its_turn_soon_under_full_load(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "load.sqlite")
    connection = store.connect()
    connection.execute("create table row(number integer)")
    connection.close()
    calls: list[int] = []

    statement = Statement("insert into row(number) select * from ({rows}) j where column1 is not null", columns="int")

    def insert(requests: list[int]) -> Script[list[None]]:
        yield statement.about([(number,) for request in requests for number in range(request)])
        return [None] * len(requests)

    hop: Hop[int, None] = Hop("load", lambda request: request, insert)
    writer = store.writer(lambda call: call())
    is_loaded = True

    def again(result: object) -> None:
        calls.append(1)
        if is_loaded:
            writer.put(hop, 1_000, again)

    for _ in range(8):
        writer.put(hop, 1_000, again)

    def work() -> None:
        while writer.step():
            pass
        writer.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        with _process(_WRITE, tmp_path) as process:
            written, _ = process.communicate(timeout=PATIENCE_S)
            code = process.returncode
    finally:
        is_loaded = False
        thread.join(PATIENCE_S)
    assert code == 0
    waits = [float(line) for line in written.split()]
    assert len(waits) == 9
    assert len(calls) > 9, "there was no load"
    # The middle one: one of nine may fall into a moment when this machine is busy with something else.
    assert statistics.median(waits) < 0.1, waits


def test_one_server_at_a_time(tmp_path: Path) -> None:
    with only_server(tmp_path):
        with pytest.raises(BlockingIOError), only_server(tmp_path):
            pass
        # A command may write while a server runs.
        with Turns(tmp_path).taken():
            pass
    with only_server(tmp_path):
        pass
