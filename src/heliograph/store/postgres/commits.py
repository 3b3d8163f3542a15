"""Transactions of the hot connection: each is committed, or certainly was not.

Two transactions that stood in each other's way are tried again.

**A commit without an answer** may have happened or not. Each transaction counts on in a row of ours, and before
anybody is told, we connect again and look how far that row has come; as long as the server is away, those who asked
wait. So nobody hears *no* of what is stored, nor *yes* of what is not, and nobody does twice what was done. The
server's own number of a transaction would not do: one that crashed gives the numbers of what it forgot to others.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

import asyncpg

from heliograph.store.hops.statements import Days, Script
from heliograph.store.postgres.trouble import is_unavailable, may_be_tried_again
from heliograph.store.writer import nothing

Result = TypeVar("Result")
Work = Callable[[asyncpg.Connection], Awaitable[list[Any]]]

TRIES: Final = 5
"""How often a transaction is tried that stood in another's way."""

LOOK_S: Final = 0.2
"""Between two looks for a server that is away, while the end of a transaction is unknown."""

KEPT_MS: Final = 90 * 86_400_000
"""Rows of connections that are gone are removed after so long."""

_NOW: Final = "(extract(epoch from clock_timestamp()) * 1000)::bigint"
_BEGIN_ROW: Final = f"""
insert into last_commit(connection, number, at_ms) values ($1, 0, {_NOW})
on conflict (connection) do update set at_ms = excluded.at_ms
"""
# Prepared by name, so that it goes there in one way with the transaction's beginning.
_PREPARE: Final = f"""
prepare count_on(bigint, bigint) as insert into last_commit(connection, number, at_ms) values ($1, $2, {_NOW})
on conflict (connection) do update set number = excluded.number, at_ms = excluded.at_ms
"""
# Who looks waits until a transaction of ours that the server still works on is over.
_LOOK: Final = "select number from last_commit where connection = $1 for update"
_log = logging.getLogger(__name__)


class Commits:
    """The hot connection. count: transactions so far.

    connect: opens it. away: told, while the end of a transaction is unknown, that the server is not there.
    reach: crash points, for fault tests. sleep: waits, before another look.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        *,
        away: Callable[[Exception], None],
        reach: Callable[[str], None] = nothing,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,  # noqa: TID251 (waits for a server, not for time)
    ) -> None:
        self._connect = connect
        self._away = away
        self._reach = reach
        self._sleep = sleep
        self._connection: asyncpg.Connection | None = None
        self._key = secrets.randbits(62)
        self._has_row = False
        self._number = 0
        self.count = 0

    async def open(self) -> asyncpg.Connection:
        """Connect, if there is no connection."""
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        self._connection = await self._opened()
        return self._connection

    async def _opened(self) -> asyncpg.Connection:
        connection = await self._connect()
        try:
            await connection.execute(_PREPARE)
            if not self._has_row:
                # Before the first transaction: a row that is only being inserted cannot be waited for.
                await connection.execute(_BEGIN_ROW, self._key)
                self._has_row = True
                await connection.execute(f"delete from last_commit where at_ms < {_NOW} - {KEPT_MS}")
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def close(self) -> None:
        """Let go of the connection; the next transaction opens it anew."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close(timeout=1.0)
            except Exception:  # noqa: BLE001 (it is of no use any more, however it ends)
                connection.terminate()

    async def committed(self, work: Work, names: Sequence[str]) -> list[Any]:
        """Do work in a transaction, until it is committed or can not be; its result."""
        for last in (*(False,) * (TRIES - 1), True):
            try:
                return await self._once(work, names)
            except Exception as error:
                if last or not may_be_tried_again(error):
                    raise
        raise AssertionError("a transaction is tried at least once")

    async def _once(self, work: Work, names: Sequence[str]) -> list[Any]:
        connection = await self.open()
        self._number += 1
        try:
            await connection.execute(f"begin; execute count_on({self._key}, {self._number})")
            results = await work(connection)
            for name in names:
                self._reach(f"{name}.stored")
        except BaseException as error:
            if isinstance(error, TimeoutError | asyncpg.InternalClientError):
                # It would be as silent about the end of the transaction, or the driver has lost its place in it.
                connection.terminate()
            if not connection.is_closed():
                with suppress(Exception):
                    await connection.execute("rollback")
            raise
        try:
            await connection.execute("commit")
        except Exception as error:
            # What the server says while the connection stays was rolled back.
            if not is_unavailable(error) or not await self._was_committed(error):
                raise
        self.count += 1
        for name in names:
            self._reach(f"{name}.committed")
        return results

    async def _was_committed(self, error: Exception) -> bool:
        """Whether a transaction was committed whose commit got no answer; asks until the server says."""
        _log.warning("a commit got no answer (%s): looking whether it happened", str(error) or type(error).__name__)
        while True:
            await self.close()
            try:
                connection = await self.open()
                return bool(await connection.fetchval(_LOOK, self._key) == self._number)
            except Exception as another:
                if not is_unavailable(another):
                    raise
                self._away(another)
            await self._sleep(LOOK_S)


async def carry_out(
    connection: asyncpg.Connection, script: Script[Result], days: Days, *, with_care: bool = False
) -> Result:
    """Carry out a script. with_care: prepared for rows that are there already, and for zero octets in texts, each of
    which becomes U+FFFD."""
    # A generator begins with None.
    answers: Any = None
    send = script.send
    while True:
        try:
            statement, rows, scalars = send(answers)
        except StopIteration as end:
            result: Result = end.value
            return result
        if not rows and statement.width:
            answers = []
            continue
        carried = statement.on_postgres(_clean(rows) if with_care else rows, scalars, days, with_care=with_care)
        if len(carried) == 1:
            ((text, values),) = carried
            answers = await connection.fetch(text, *values)
        else:
            answers = [row for text, values in carried for row in await connection.fetch(text, *values)]


def _clean(given: Any) -> Any:
    """Rows, or the steps of several statements, with their texts clean."""
    if isinstance(given, str):
        return given.replace("\0", "\ufffd")
    return [_clean(each) for each in given] if isinstance(given, list | tuple) else given
