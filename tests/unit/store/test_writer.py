import gc
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from heliograph.store.engine import Hop, StoreUnavailable
from heliograph.store.hops.statements import Script, Statement
from heliograph.store.sqlite import SqliteStore
from heliograph.store.writer import MOST_ROWS, BatchWriter, is_unavailable

PATIENCE_S = 30.0


class Add(NamedTuple):
    """Names to be added, each once for ever: a name used again, or none, cannot be stored."""

    names: list[str | None]


INSERT = Statement(
    "insert into name(hop, name) select * from ({rows}) j where column1 is not null", columns="text text"
)


def _add(requests: list[Add]) -> Script[list[list[str | None]]]:
    for request in requests:
        yield INSERT.about([("add", name) for name in request.names])
    return [request.names for request in requests]


def _note(requests: list[str]) -> Script[list[int]]:
    yield INSERT.about([("note", request) for request in requests])
    return [len(request) for request in requests]


ADD: Hop[Add, list[str | None]] = Hop(
    "add",
    lambda request: len(request.names),
    _add,
    lambda request: [Add([name]) for name in request.names],
    lambda results: [name for result in results for name in result],
)
WHOLE: Hop[Add, list[str | None]] = Hop("whole", lambda request: len(request.names), _add)
NOTE: Hop[str, int] = Hop("note", lambda _: 1, _note)


class Desk:
    """A writer on a small store, and everything it told, in order."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "names.sqlite"
        self.connect: Callable[[], sqlite3.Connection] = self.plain
        self.turns = 0
        self.opened = 0
        self.reached: list[str] = []
        self.told: list[object] = []
        self.writer = BatchWriter(self._connect, let_others_pass=self._pass, post=self.post, reach=self.reach)
        self.eye = self.plain()
        self.eye.execute("pragma journal_mode = wal")
        self.eye.execute("create table name(name text not null primary key, hop text)")

    def _connect(self) -> sqlite3.Connection:
        self.opened += 1
        return self.connect()

    def _pass(self) -> None:
        self.turns += 1

    def plain(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=0.01, isolation_level=None, check_same_thread=False)

    def post(self, call: Callable[[], None]) -> None:
        call()

    def reach(self, point: str) -> None:
        self.reached.append(point)

    def add(self, *names: str | None, hop: Hop[Add, list[str | None]] = ADD) -> None:
        self.writer.put(hop, Add(list(names)), self.told.append)

    def note(self, name: str) -> None:
        self.writer.put(NOTE, name, self.told.append)

    def step(self) -> list[object]:
        """Do one batch; what was told."""
        self.told.clear()
        assert self.writer.step()
        return list(self.told)

    def stored(self) -> list[str]:
        return [row[0] for row in self.eye.execute("select name from name order by rowid")]

    def close(self) -> None:
        self.eye.close()
        self.writer.close()


@pytest.fixture
def desk(tmp_path: Path) -> object:
    made = Desk(tmp_path)
    yield made
    made.close()
    gc.collect()


# Batches ---------------------------------------------------------------------------------------------------------


def test_nothing_queued_is_nothing_done(desk: Desk) -> None:
    assert not desk.writer.step()
    assert (desk.told, desk.writer.commits) == ([], 0)


def test_hops_share_one_transaction_and_keep_their_order(desk: Desk) -> None:
    desk.add("a")
    desk.note("b")
    desk.add("c", "d")
    desk.note("ee")
    assert desk.step() == [["a"], ["c", "d"], 1, 2]
    assert desk.stored() == ["a", "c", "d", "b", "ee"]
    assert (desk.writer.commits, desk.turns, desk.opened) == (1, 1, 1)


def test_everyone_is_told_after_the_commit(desk: Desk) -> None:
    seen: list[list[str]] = []
    desk.writer.put(NOTE, "a", lambda _: seen.append(desk.stored()))
    desk.note("b")
    desk.step()
    assert seen == [["a", "b"]]


def test_crash_points_lie_before_and_after_the_commit(tmp_path: Path, desk: Desk) -> None:
    seen: list[tuple[str, int]] = []
    desk.reach = lambda point: seen.append((point, len(desk.stored())))  # type: ignore[method-assign]
    writer = BatchWriter(desk.plain, let_others_pass=desk._pass, post=desk.post, reach=desk.reach)
    writer.put(ADD, Add(["a"]), desk.told.append)
    writer.put(NOTE, "b", desk.told.append)
    writer.step()
    assert seen == [("add.stored", 0), ("note.stored", 0), ("add.committed", 2), ("note.committed", 2)]
    writer.close()


def test_a_batch_ends_when_it_is_large_enough(desk: Desk) -> None:
    half = MOST_ROWS // 2
    for first in range(3):
        desk.add(*(f"{first} {number}" for number in range(half)))
    assert len(desk.step()) == 2
    assert len(desk.step()) == 1
    assert desk.writer.commits == 2
    assert len(desk.stored()) == 3 * half


def test_one_bad_request_fails_alone(desk: Desk) -> None:
    desk.add("taken")
    desk.step()
    names = ["a", "b", "taken", "c", "d"]
    for name in names:
        desk.add(name, hop=WHOLE)
    desk.note("e")
    results = desk.step()
    assert len(results) == 6
    assert [isinstance(result, sqlite3.IntegrityError) for result in results] == [
        name == "taken" for name in [*names, "e"]
    ]
    assert sorted(desk.stored()) == ["a", "b", "c", "d", "e", "taken"]
    assert desk.opened == 1


def test_one_bad_row_fails_alone(desk: Desk) -> None:
    desk.add("a", None, "b")
    desk.add("c")
    assert desk.step() == [["a", "b"], ["c"]]
    assert desk.stored() == ["a", "b", "c"]


def test_a_request_of_bad_rows_only_fails(desk: Desk) -> None:
    desk.add(None, None)
    (result,) = desk.step()
    assert isinstance(result, sqlite3.IntegrityError)


def test_a_request_that_cannot_be_divided_fails_whole(desk: Desk) -> None:
    desk.add("a", None, hop=WHOLE)
    (result,) = desk.step()
    assert isinstance(result, sqlite3.IntegrityError)
    assert desk.stored() == []


def test_an_error_that_is_not_the_stores_fails_alone_too(desk: Desk) -> None:
    def fail(requests: list[str]) -> Script[list[int]]:
        yield from _note(requests)
        raise KeyError("a fault of ours")

    desk.note("a")
    desk.writer.put(Hop("fault", lambda _: 1, fail), "b", desk.told.append)
    first, second = desk.step()
    assert first == 1
    assert isinstance(second, KeyError)
    assert desk.stored() == ["a"]


def test_rows_for_which_the_store_was_too_full_are_not_dropped_in_silence(desk: Desk) -> None:
    def add(requests: list[Add]) -> Script[list[list[str | None]]]:
        if requests[0].names == [large]:
            yield Statement("pragma max_page_count = 1").alone()
        return (yield from _add(requests))

    large = "n" * 50_000
    hop = Hop("add", ADD.size, add, ADD.divide, ADD.join)
    desk.add("a", None, large, hop=hop)
    (result,) = desk.step()
    # The caller puts everything that was refused once more: what it is refused must not be stored in part.
    assert isinstance(result, StoreUnavailable)
    assert desk.stored() == []
    desk.add("a", None, large)
    assert desk.step() == [["a", large]]


def test_one_who_will_not_hear_does_not_keep_the_others_from_hearing(desk: Desk) -> None:
    def deaf(result: object) -> None:
        raise RuntimeError("deaf")

    desk.writer.put(NOTE, "a", deaf)
    desk.note("b")
    with pytest.raises(RuntimeError, match="deaf"):
        desk.writer.step()
    assert desk.told == [1]


# A store that cannot ---------------------------------------------------------------------------------------------


def _all_refused_then_all_stored(desk: Desk, mend: Callable[[], object]) -> None:
    """The batch is refused whole; after mending, the next is stored, by the same writer."""
    desk.add("a", "b")
    desk.note("c")
    desk.note("d")
    results = desk.step()
    assert [type(result) for result in results] == [StoreUnavailable] * 3
    assert desk.stored() == []
    commits, opened = desk.writer.commits, desk.opened
    mend()
    desk.add("a", "b")
    desk.note("c")
    assert desk.step() == [["a", "b"], 1]
    assert desk.stored() == ["a", "b", "c"]
    assert (desk.writer.commits, desk.opened) == (commits + 1, opened + 1)


def test_a_store_that_another_has_locked(desk: Desk) -> None:
    desk.eye.execute("begin immediate")
    _all_refused_then_all_stored(desk, lambda: desk.eye.execute("commit"))


def test_a_store_that_is_locked_when_it_had_worked_before(desk: Desk) -> None:
    desk.note("before")
    desk.step()
    desk.eye.execute("begin immediate")
    desk.eye.execute("delete from name")
    _all_refused_then_all_stored(desk, lambda: desk.eye.execute("commit"))


def test_the_products_own_connection_waits_a_second_for_a_lock(tmp_path: Path, desk: Desk) -> None:
    store = SqliteStore(desk.path)
    desk.connect = store.connect
    desk.eye.execute("begin immediate")
    release = threading.Timer(0.3, lambda: desk.eye.execute("commit"))
    release.start()
    desk.note("short")
    assert desk.step() == [5]
    release.join()
    desk.eye.execute("begin immediate")
    desk.note("long")
    (result,) = desk.step()
    assert isinstance(result, StoreUnavailable)
    desk.eye.execute("commit")
    desk.note("long")
    assert desk.step() == [4]


def test_a_store_that_may_only_be_read(desk: Desk) -> None:
    desk.connect = lambda: sqlite3.connect(f"file:{desk.path}?mode=ro", uri=True, isolation_level=None)
    _all_refused_then_all_stored(desk, lambda: setattr(desk, "connect", desk.plain))


def test_a_store_that_is_full(desk: Desk) -> None:
    def small() -> sqlite3.Connection:
        connection = desk.plain()
        connection.execute("pragma max_page_count = 1")
        return connection

    desk.connect = small
    names = ["n" * 5_000 + str(number) for number in range(50)]
    desk.add(*names)
    desk.note("c")
    assert [type(result) for result in desk.step()] == [StoreUnavailable] * 2
    assert desk.stored() == []
    desk.connect = desk.plain
    desk.add(*names)
    assert desk.step() == [names]
    assert desk.stored() == names


def test_a_store_that_is_gone(desk: Desk) -> None:
    desk.connect = lambda: sqlite3.connect(desk.path.parent / "gone" / "names.sqlite", isolation_level=None)
    _all_refused_then_all_stored(desk, lambda: setattr(desk, "connect", desk.plain))


def test_a_file_that_is_no_store(desk: Desk) -> None:
    other = desk.path.parent / "letter"
    other.write_bytes(b"Dear reader, " * 1_000)
    desk.connect = lambda: sqlite3.connect(other, isolation_level=None)
    _all_refused_then_all_stored(desk, lambda: setattr(desk, "connect", desk.plain))


def test_a_disk_that_fails(desk: Desk) -> None:
    failing = [True]

    def fail(requests: list[str]) -> Script[list[int]]:
        if failing:
            failing.clear()
            raise OSError(5, "Input/output error")
        return (yield from _note(requests))

    hop = Hop("note", NOTE.size, fail)
    desk.writer.put(hop, "a", desk.told.append)
    desk.writer.put(hop, "b", desk.told.append)
    assert [type(result) for result in desk.step()] == [StoreUnavailable] * 2
    desk.writer.put(hop, "a", desk.told.append)
    assert desk.step() == [1]
    assert desk.opened == 2


def test_a_store_that_is_damaged(desk: Desk) -> None:
    damaged = desk.path.parent / "damaged.sqlite"
    connection = sqlite3.connect(damaged)
    connection.execute("create table name(name text not null primary key, hop text)")
    connection.close()
    sound = damaged.read_bytes()
    damaged.write_bytes(sound[:4_096] + b"\xff" * (len(sound) - 4_096))
    desk.connect = lambda: sqlite3.connect(damaged, isolation_level=None)
    _all_refused_then_all_stored(desk, lambda: setattr(desk, "connect", desk.plain))


@pytest.mark.parametrize(
    "statement",
    [
        "insert into name(name) values (null)",
        "insert into name(name) select value from json_each('[')",
        "insert into locked(name) values ('a')",
        "select abs(-9223372036854775808)",
    ],
)
def test_a_statement_that_fails_is_no_fault_of_the_store(desk: Desk, statement: str) -> None:
    def fail(requests: list[str]) -> Script[list[int]]:
        yield Statement(statement).alone()
        return [0]

    desk.note("a")
    desk.writer.put(Hop("fault", lambda _: 1, fail), "b", desk.told.append)
    first, second = desk.step()
    assert first == 1
    assert isinstance(second, sqlite3.Error)
    assert desk.opened == 1


def test_only_errors_of_the_store_are_the_stores() -> None:
    assert not is_unavailable(ValueError("database is locked"))
    assert is_unavailable(OSError(28, "No space left on device"))


class Killed(BaseException):
    """What no hop catches."""


def test_a_writer_that_dies_commits_nothing(desk: Desk) -> None:
    def die(requests: list[str]) -> Script[list[int]]:
        yield from _note(requests)
        raise Killed

    desk.writer.put(Hop("note", NOTE.size, die), "a", desk.told.append)
    with pytest.raises(Killed):
        desk.writer.step()
    assert (desk.told, desk.stored()) == ([], [])
