"""The one writer of a SQLite store: takes work of all hops, commits it together, then tells everyone.

A batch that fails is rolled back and cut in two until the bad request stands alone, and that one in its rows;
so one bad row fails alone. A store that is locked, full or failing refuses the whole batch as unavailable and is
opened anew for the next one.
"""

import logging
import queue
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from heliograph.store.hop import Done, Hop, Request, Result, StoreUnavailable
from heliograph.store.hops.statements import carry_out

_log = logging.getLogger(__name__)

MOST_ROWS = 4_000
"""Rows in one transaction: long enough to be worth a commit, short enough for the next request to wait."""

_UNAVAILABLE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)


STATEMENTS = 512
"""Prepared statements that are kept: each hot statement in ten sizes, and some room."""

PRAGMAS = (
    "pragma journal_mode = wal",
    "pragma synchronous = full",
    "pragma foreign_keys = off",
    "pragma temp_store = memory",
    "pragma wal_autocheckpoint = 4000",
    f"pragma journal_size_limit = {256 << 20}",
)


def connect(path: Path) -> sqlite3.Connection:
    """A hot writer's connection to the file of a store."""
    connection = sqlite3.connect(
        path, timeout=1.0, isolation_level=None, check_same_thread=False, cached_statements=STATEMENTS
    )
    for pragma in (*PRAGMAS, "pragma cache_size = -4000"):
        connection.execute(pragma)
    return connection


class Work(NamedTuple):
    """One queued request."""

    hop: Hop[Any, Any]
    request: Any
    done: Done[Any]


class Finished(NamedTuple):
    """A request and what came of it."""

    done: Done[Any]
    result: Any


def nothing(point: str) -> None:
    """What happens at a crash point in production."""


def is_unavailable(error: Exception) -> bool:
    """Whether an error speaks of the store as a whole, not of the rows."""
    if isinstance(error, sqlite3.Error):
        # The low octet is the primary code, https://www.sqlite.org/rescode.html.
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _UNAVAILABLE
    return isinstance(error, OSError)


class BatchWriter:
    """Runs batches on one connection: `put` queues work, `step` commits what there is.

    connect: opens the store. let_others_pass: see `turns`. post: runs a callable where people are to be told.
    reach: crash points, for fault tests.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        *,
        let_others_pass: Callable[[], None],
        post: Callable[[Callable[[], None]], object],
        reach: Callable[[str], None] = nothing,
    ) -> None:
        self._connect = connect
        self._let_others_pass = let_others_pass
        self._post = post
        self._reach = reach
        self._queue: queue.SimpleQueue[Work] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        self.commits = 0

    def put(self, hop: Hop[Request, Result], request: Request, done: Done[Result]) -> None:
        """Queue work."""
        self._queue.put(Work(hop, request, done))

    def refuse(self, error: Exception) -> None:
        """Tell everyone in the queue that nothing can be stored."""
        batch = self._collect()
        finished = [Finished(work.done, error) for work in batch]
        self._post(lambda: _tell(finished))

    def step(self) -> bool:
        """Commit one batch; False when nothing was queued."""
        batch = self._collect()
        if batch:
            finished = self._commit(batch)
            self._post(lambda: _tell(finished))
        return bool(batch)

    def _collect(self) -> list[Work]:
        batch: list[Work] = []
        rows = 0
        with suppress(queue.Empty):
            while rows < MOST_ROWS:
                work = self._queue.get_nowait()
                batch.append(work)
                rows += work.hop.size(work.request)
        return batch

    def _commit(self, batch: list[Work]) -> list[Finished]:
        try:
            return self._transact(batch)
        except Exception as error:  # noqa: BLE001 (whatever went wrong, everyone waiting must be told)
            if is_unavailable(error):
                return self._refused(batch, error)
            if len(batch) > 1:
                half = len(batch) // 2
                return self._commit(batch[:half]) + self._commit(batch[half:])
            try:
                return [Finished(batch[0].done, self._rows_alone(batch[0], error))]
            except Exception as another:  # noqa: BLE001 (as above)
                return self._refused(batch, another)

    def _refused(self, batch: list[Work], error: Exception) -> list[Finished]:
        self.close()
        refused = StoreUnavailable(str(error))
        return [Finished(work.done, refused) for work in batch]

    def _rows_alone(self, work: Work, error: Exception) -> Any:
        hop = work.hop
        if hop.divide is None or hop.join is None or hop.size(work.request) < 2:
            return error
        results = self._pieces(hop, hop.divide(work.request))
        good = [result for result in results if not isinstance(result, Exception)]
        for bad in (result for result in results if isinstance(result, Exception)):
            _log.error("the store refused a row of %s", hop.name, exc_info=bad)
        return hop.join(good) if good else error

    def _pieces(self, hop: Hop[Any, Any], pieces: list[Any]) -> list[Any]:
        """Carry out pieces in one transaction, each under a savepoint; raises when the store is unavailable."""
        connection = self._begun()
        results: list[Any] = []
        try:
            for piece in pieces:
                connection.execute("savepoint piece")
                try:
                    results.extend(carry_out(connection, hop.script([piece])))
                except Exception as error:
                    if is_unavailable(error):
                        raise
                    connection.execute("rollback to piece")
                    results.append(error)
                connection.execute("release piece")
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise
        self.commits += 1
        return results

    def _begun(self) -> sqlite3.Connection:
        self._let_others_pass()
        if self._connection is None:
            self._connection = self._connect()
        self._connection.execute("begin immediate")
        return self._connection

    def _transact(self, batch: list[Work]) -> list[Finished]:
        by_hop: dict[str, list[Work]] = {}
        for work in batch:
            by_hop.setdefault(work.hop.name, []).append(work)
        finished: list[Finished] = []
        connection = self._begun()
        try:
            for works in by_hop.values():
                results = carry_out(connection, works[0].hop.script([work.request for work in works]))
                finished.extend(map(Finished, [work.done for work in works], results))
            for name in by_hop:
                self._reach(f"{name}.stored")
            connection.execute("commit")
        except BaseException:
            if connection.in_transaction:
                connection.execute("rollback")
            raise
        self.commits += 1
        for name in by_hop:
            self._reach(f"{name}.committed")
        return finished

    def close(self) -> None:
        """Let go of the connection; the next batch opens it anew."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _tell(finished: list[Finished]) -> None:
    """Tell everyone, in order, also when one of them fails; then the first failure goes on."""
    failures: list[Exception] = []
    for done, result in finished:
        try:
            done(result)
        except Exception as failure:  # noqa: BLE001 (raised below)
            failures.append(failure)
    if failures:
        raise failures[0]
