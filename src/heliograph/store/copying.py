"""Move a whole store from a file to a server: every row of every table, in one transaction, and counted afterwards."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import JSON, Integer, Table, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.engine import StoreRefused
from heliograph.store.postgres.store import PostgresStore
from heliograph.store.schema import metadata
from heliograph.store.sqlite import SqliteStore
from heliograph.store.turns import Turns, only_server

PAGE: Final = 5_000
Shown = Callable[[str, int], None]
"""Told the table and how many of its rows were copied just now."""


@contextmanager
def held_still(source: SqliteStore) -> Iterator[None]:
    """Nobody writes to the file meanwhile; raises StoreRefused while a server does."""
    folder = source.path.parent
    try:
        with only_server(folder), Turns(folder).taken():
            yield
    except BlockingIOError:
        raise StoreRefused(f"a server runs on the data in {folder}; stop it, copy, and start it on the copy") from None


async def counts(connection: AsyncConnection) -> dict[str, int]:
    """How many rows each table has."""
    return {
        table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
        for table in metadata.sorted_tables
    }


async def copy(source: SqliteStore, target: PostgresStore, shown: Shown) -> dict[str, int]:
    """Copy everything; how many rows of each table there are now.

    Raises StoreRefused when the target holds something already, or has another number of rows in the end: then
    nothing was copied.
    """
    async with source.reading() as before, target.writing() as after:
        if any((await counts(after)).values()):
            raise StoreRefused("there is something in the store that is copied to; it has to be empty")
        for table in metadata.sorted_tables:
            await _copy_table(table, before, after, shown)
        wanted, found = await counts(before), await counts(after)
        if wanted != found:
            differing = [name for name in wanted if wanted[name] != found[name]]
            raise StoreRefused(f"not everything arrived ({', '.join(differing)}); nothing was copied")
        return found


async def _copy_table(table: Table, before: AsyncConnection, after: AsyncConnection, shown: Shown) -> None:
    names = [column.name for column in table.columns]
    shapes = [_as_json if isinstance(column.type, JSON) else _as_text for column in table.columns]
    server: Any = (await after.get_raw_connection()).driver_connection
    async for page in (await before.stream(select(table))).partitions(PAGE):
        records = [[shape(value) for shape, value in zip(shapes, row, strict=True)] for row in page]
        await server.copy_records_to_table(table.name, records=records, columns=names)
        shown(table.name, len(records))
    (key, *others) = table.primary_key.columns
    if not others and isinstance(key.type, Integer) and key.autoincrement is not False:
        # The numbers that the server gives out itself go on from here.
        count_on = "select setval(pg_get_serial_sequence(:table, 'id'), coalesce(max(id), 0) + 1, false) from "
        await after.execute(text(count_on + table.name), {"table": table.name})


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\\u0000", "\\ufffd")


def _as_text(value: object) -> object:
    # PostgreSQL alone does not store this character.
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value
