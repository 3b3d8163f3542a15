"""Partitions: everything that grows with the messages stands in one partition for each day of their ids.

So an old day goes as a whole, vacuum works on one day at a time, and a statement that names its days reads only those.
Days are made ahead; what is older than the store itself (another installation's messages that were moved here) stands
in one partition before them. A day is attached, not created in place: the table may be written meanwhile.
"""

from datetime import UTC, datetime
from typing import Final

import asyncpg

from heliograph.core.ids import EPOCH_MS, day_of, first_at, first_of_day
from heliograph.store.hops.statements import Days

TABLES: Final = {"submission": "id", "message": "id", "attempt": "message_id", "event": "message_id"}
"""The tables, and the id by which they are cut."""

AHEAD: Final = 3
"""Days that are made before they begin."""

_DAY_MS = 86_400_000
_LOCK = 0x48454C494F01
# Messages are written three times within seconds. The page has room for that, as the mark makes them larger by the
# session and its time: so the new version stands on the page of the old one, and no index is touched.
_STORAGE: Final = {
    "message": "fillfactor = 45, autovacuum_vacuum_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.1",
}


def name_of(table: str, day: int) -> str:
    """The partition of a day.

    >>> name_of("message", 331)
    'message_20261128'
    """
    return f"{table}_{datetime.fromtimestamp((EPOCH_MS + day * _DAY_MS) / 1000, UTC):%Y%m%d}"


async def make_ahead(connection: asyncpg.Connection, now_ms: int) -> None:
    """Make the days from yesterday to `AHEAD` days from now that are missing, and what stands before the first."""
    today = day_of(first_at(now_ms))
    await make(connection, max(0, today - 1), today + AHEAD)


async def make(connection: asyncpg.Connection, first: int, last: int) -> None:
    """Make those of these days that are missing."""
    known = await existing(connection)
    wanted = [(table, day) for table in TABLES for day in range(first, last + 1) if day not in known[table]]
    if not wanted:
        return
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        # Somebody else may have been quicker.
        known = await existing(connection)
        for table, day in wanted:
            if day in known[table]:
                continue
            if not known[table]:
                await _attach(connection, table, f"{table}_before", f"minvalue) to ({first_of_day(day)}")
                known[table].add(-1)
            if day > max(known[table]):
                await _attach(connection, table, name_of(table, day), _bounds(day))


def _bounds(day: int) -> str:
    return f"{first_of_day(day)}) to ({first_of_day(day + 1)}"


async def _attach(connection: asyncpg.Connection, table: str, name: str, bounds: str) -> None:
    storage = f" with ({_STORAGE[table]})" if table in _STORAGE else ""
    await connection.execute(f"create table {name} (like {table} including defaults including constraints){storage}")
    await connection.execute(f"alter table {table} attach partition {name} for values from ({bounds})")


async def existing(connection: asyncpg.Connection) -> dict[str, set[int]]:
    """The days of each table; -1 stands for what is before them."""
    rows = await connection.fetch(
        "select parent.relname as of_table, child.relname as name from pg_inherits"
        " join pg_class parent on parent.oid = inhparent join pg_class child on child.oid = inhrelid"
        " where parent.oid = any($1::regclass[])",
        list(TABLES),
    )
    found: dict[str, set[int]] = {table: set() for table in TABLES}
    for row in rows:
        found[row["of_table"]].add(_day_of_name(row["name"].rpartition("_")[2]))
    return found


async def named(connection: asyncpg.Connection) -> Days:
    """The partitions of days that there are."""
    if await connection.fetchval("select to_regclass('message')") is None:
        return {}
    return {
        (table, day): name_of(table, day)
        for table, known in (await existing(connection)).items()
        for day in known
        if day >= 0
    }


def _day_of_name(written: str) -> int:
    if written == "before":
        return -1
    at = datetime.strptime(written, "%Y%m%d").replace(tzinfo=UTC)
    return (int(at.timestamp()) * 1000 - EPOCH_MS) // _DAY_MS


async def retire(connection: asyncpg.Connection, before_ms: int) -> list[str]:
    """Remove the days before a time in which nothing is left; their names.

    What is kept longer, such as a message that has not ended, keeps its day.
    """
    before = day_of(first_at(before_ms))
    gone: list[str] = []
    for table, days in (await existing(connection)).items():
        for day in sorted(days):
            name = name_of(table, day)
            if not 0 <= day < before or await connection.fetchval(f"select exists (select from {name})"):
                continue
            # Beside those who read and write; whoever is looking at it just now is waited for.
            await connection.execute(f"alter table {table} detach partition {name} concurrently")
            await connection.execute(f"drop table {name}")
            gone.append(name)
    return gone
