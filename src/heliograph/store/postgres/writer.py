"""The one hot writer of a process: takes work of all hops, commits it together, then tells everyone.

While one transaction runs, the next batch gathers. Most of what a small batch costs is the transaction itself, so after
one the writer rests for as long as that took, and more gathers: the busier the machine, the longer. A batch that fails
is rolled back and cut in two until the bad request stands alone, and that one in its rows; so one bad row fails alone.
A server that is away refuses the batch as unavailable, and the next one connects anew.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg

from heliograph.store.engine import Done, Hop, Request, Result, StoreFailed, StoreUnavailable
from heliograph.store.hops.statements import Days
from heliograph.store.postgres.commits import Commits, carry_out
from heliograph.store.postgres.trouble import holds_a_zero_octet, is_there_already, is_unavailable, may_be_tried_again
from heliograph.store.writer import MOST_ROWS, Finished, Work, nothing

FEWEST_ROWS: Final = 100
ENOUGH_ROWS: Final = 64
"""A batch of so many is worth its transaction."""

LONGEST_REST_S: Final = 0.03
"""How long what comes may wait for company, at most."""

SILENT_S: Final = 0.7
"""How long the server may be silent before those who wait behind others are told that it is away."""

_log = logging.getLogger(__name__)


class PostgresWriter:
    """Works on the event loop.

    connect: opens the hot connection. days: the partitions that there are. is_brief: lets go of the connection whenever
    nothing is queued. died: told when the writer itself fails, which must end the process. reach: crash points, for
    fault tests. sleep: waits, for company or before another look for a server that is away.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        *,
        is_brief: bool = False,
        died: Callable[[BaseException], None] | None = None,
        days: Callable[[], Days] = dict,
        reach: Callable[[str], None] = nothing,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,  # noqa: TID251 (waits for a server, not for time)
    ) -> None:
        self._sleep = sleep
        self._transactions = Commits(connect, away=self._refuse_what_waits, reach=reach, sleep=sleep)
        self._is_brief = is_brief
        self._died = died
        self._days = days
        self._most_rows = MOST_ROWS
        self._queue: deque[Work] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def commits(self) -> int:
        """Transactions so far."""
        return self._transactions.count

    def put(self, hop: Hop[Request, Result], request: Request, done: Done[Result]) -> None:
        """Queue work; it begins at the end of this turn of the loop, or when what runs is committed."""
        self._queue.append(Work(hop, request, done))
        if self._task is None:
            self._begin()

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._work_off(), name="write")
        self._task.add_done_callback(self._ended)

    async def open(self) -> None:
        """Connect before there is anything to do."""
        await self._transactions.open()

    async def stop(self, *, patience_s: float) -> None:
        """Wait until all that was put is committed, then let go of the connection."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=patience_s)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._transactions.close()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._task = None
        if self._queue and not task.cancelled():
            # It was put between the last look and the end.
            self._begin()
        error = None if task.cancelled() else task.exception()
        if error is not None and self._died is not None:
            self._died(error)

    async def _work_off(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._collect():
            began = loop.time()
            self._tell(await self._watched(batch))
            await self._rest(batch, loop.time() - began)
        if self._is_brief:
            await self._transactions.close()

    async def _rest(self, batch: list[Work], took_s: float) -> None:
        """Let more gather, after a small batch."""
        if not self._is_brief and sum(work.hop.size(work.request) for work in batch) < ENOUGH_ROWS:
            await self._sleep(min(took_s, LONGEST_REST_S))

    async def _watched(self, batch: list[Work]) -> list[Finished]:
        """Commit a batch. Whatever comes while the server is silent is refused: it may be so for long."""
        if self._is_brief:
            return await self._commit(batch)
        committing = asyncio.ensure_future(self._commit(batch))
        try:
            while not (await asyncio.wait([committing], timeout=SILENT_S))[0]:
                self._refuse_what_waits(TimeoutError("the store does not answer"))
        finally:
            if not committing.done():
                committing.cancel()
                await asyncio.wait([committing])
        return committing.result()

    def _tell(self, finished: list[Finished]) -> None:
        for done, result in finished:
            try:
                done(result)
            except Exception as error:  # noqa: BLE001 (everyone is told, even when one of them fails)
                told = {"message": "told what was committed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(told)

    def _collect(self) -> list[Work]:
        batch: list[Work] = []
        rows = 0
        while self._queue and rows < self._most_rows:
            work = self._queue.popleft()
            batch.append(work)
            rows += work.hop.size(work.request)
        return batch

    async def _commit(self, batch: list[Work]) -> list[Finished]:
        try:
            finished = await self._transact(batch)
            self._most_rows = min(2 * self._most_rows, MOST_ROWS)
            return finished
        except Exception as error:  # noqa: BLE001 (whatever went wrong, everyone waiting must be told)
            if isinstance(error, TimeoutError):
                # Perhaps the server was not away but slow: next time it gets less to do.
                self._most_rows = max(self._most_rows // 2, FEWEST_ROWS)
            if is_unavailable(error) or may_be_tried_again(error):
                return await self._refused(batch, error)
            if len(batch) > 1:
                half = len(batch) // 2
                return await self._commit(batch[:half]) + await self._commit(batch[half:])
            try:
                return [Finished(batch[0].done, await self._alone(batch[0], error))]
            except Exception as another:  # noqa: BLE001 (as above)
                return await self._refused(batch, another)

    def _refuse_what_waits(self, error: Exception) -> None:
        """Those need not wait until the end of a transaction is known that they have no share in."""
        while waiting := self._collect():
            self._tell([Finished(work.done, StoreUnavailable(str(error))) for work in waiting])

    async def _refused(self, batch: list[Work], error: Exception) -> list[Finished]:
        await self._transactions.close()
        refused = StoreUnavailable(str(error) or type(error).__name__)
        return [Finished(work.done, refused) for work in batch]

    async def _alone(self, work: Work, error: Exception) -> Any:
        """One request that failed: as it is without zero octets, or in its rows."""
        hop = work.hop
        if holds_a_zero_octet(error):
            (finished,) = await self._transact([work], with_care=True)
            return finished.result
        failed = StoreFailed(f"{type(error).__name__}: {error}")
        if hop.divide is None or hop.join is None or hop.size(work.request) < 2:
            return failed
        results = await self._pieces(hop, hop.divide(work.request))
        good = [result for result in results if not isinstance(result, Exception)]
        for bad in (result for result in results if isinstance(result, Exception)):
            _log.error("the store refused a row of %s", hop.name, exc_info=bad)
        return hop.join(good) if good else failed

    async def _pieces(self, hop: Hop[Any, Any], pieces: list[Any]) -> list[Any]:
        """Carry out pieces in one transaction, each under a savepoint; raises when the store is unavailable."""

        async def each(connection: asyncpg.Connection) -> list[Any]:
            results: list[Any] = []
            for piece in pieces:
                await connection.execute("savepoint piece")
                try:
                    results += await carry_out(connection, hop.script([piece]), self._days(), with_care=True)
                except Exception as error:
                    if is_unavailable(error) or may_be_tried_again(error):
                        raise
                    await connection.execute("rollback to piece")
                    results.append(error)
                await connection.execute("release piece")
            return results

        return await self._transactions.committed(each, [hop.name])

    async def _transact(self, batch: list[Work], *, with_care: bool = False) -> list[Finished]:
        by_hop: dict[str, list[Work]] = {}
        for work in batch:
            by_hop.setdefault(work.hop.name, []).append(work)

        async def all_of_them(connection: asyncpg.Connection) -> list[Finished]:
            finished: list[Finished] = []
            for works in by_hop.values():
                script = works[0].hop.script([work.request for work in works])
                results = await carry_out(connection, script, self._days(), with_care=with_care)
                finished.extend(map(Finished, [work.done for work in works], results))
            return finished

        try:
            return await self._transactions.committed(all_of_them, list(by_hop))
        except Exception as error:
            if with_care or not is_there_already(error):
                raise
            return await self._transact(batch, with_care=True)
