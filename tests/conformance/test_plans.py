"""Hot statements find their rows by key, however many there are."""

import asyncio
import json
import pkgutil
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from heliograph.core.ids import AccountId, day_of, first_at, first_of_day
from heliograph.store import audit, hops
from heliograph.store.hops.statements import LARGEST, NOTHING, Statement
from heliograph.store.postgres import days
from heliograph.store.schema import metadata
from heliograph.testing.postgres import Server
from heliograph.testing.stores import FreshPostgres, FreshSqlite, OneDatabase, fresh_store
from tests.faults.backlog import fill


def _statements() -> Iterator[tuple[str, Statement]]:
    for module in pkgutil.iter_modules(hops.__path__, f"{hops.__name__}."):
        for name, value in vars(import_module(module.name)).items():
            if isinstance(value, Statement):
                yield f"{module.name.rpartition('.')[2]}.{name}", value


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory, _pattern: Path) -> Iterator[FreshSqlite]:
    """A store in a file, one for all: whoever asks for a plan changes nothing."""
    store = fresh_store(tmp_path_factory.mktemp("plans"), pattern=_pattern)
    yield store
    store.close()


@pytest.fixture(scope="module")
def empty_postgres(database: OneDatabase) -> Iterator[FreshPostgres]:
    """A store on a server, one for all."""
    database.make_new()
    store = FreshPostgres(database.address)
    yield store
    store.close()


@pytest.mark.parametrize(("name", "statement"), [each for each in _statements() if each[1].text])
@pytest.mark.parametrize("size", [1, 2, LARGEST])
def test_no_table_is_scanned(empty: FreshSqlite, name: str, statement: Statement, size: int) -> None:
    row = (1,) * statement.width
    text, parameters = statement.prepared([row] * size if row else (), (1,) * len(statement.scalars.split()))
    plan = [str(row[3]) for row in empty.rows(f"explain query plan {text}", *parameters)]
    scanned = {step.split()[1] for step in plan if step.startswith("SCAN ")}
    assert not scanned & set(metadata.tables), (name, plan)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from _nodes(child)


@pytest.mark.parametrize(("name", "statement"), [each for each in _statements() if each[1].postgres != NOTHING])
def test_no_table_is_scanned_on_postgres_and_no_day_but_those_of_the_ids(
    empty_postgres: FreshPostgres, name: str, statement: Statement
) -> None:
    today = _today()
    (plan,) = empty_postgres.run(_plans(empty_postgres, [statement]))
    tables = {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"}
    assert not tables, plan
    if statement.id_column:
        found = {node["Relation Name"] for node in plan if "Relation Name" in node} & _partitions(empty_postgres)
        wanted = {days.name_of(table, day) for table in days.TABLES for day in (today - 1, today)}
        assert found, plan
        assert found <= wanted, plan


HOT = ("accept", "claim", "mark", "notify", "outbox", "ready", "settle")
FEW_ROWS = {
    "claim._ADOPT", "claim._IN_DOUBT", "claim._MEDIA", "claim._OWNED_SENDERS", "claim._PUT_BACK", "claim._RELEASE",
    "claim._SUSPENDED", "notify._TRIED", "settle._CLEAR_DOUBTS", "settle._DOUBTS", "settle._LET_GO",
}  # fmt: skip
"""Statements of hot hops that are rarely carried out, or for a few rows."""


def test_rows_are_found_by_their_keys_also_where_the_server_believes_that_there_are_none(
    postgres_server: Server,
) -> None:
    """What counted a table while it was empty, as a nightly `analyze` does with the days to come."""
    postgres = FreshPostgres(postgres_server.new_database())
    try:
        postgres.execute("analyze")
        hot = {
            name: statement
            for name, statement in _statements()
            if name.partition(".")[0] in HOT and name not in FEW_ROWS and statement.postgres != NOTHING
        }
        plans = postgres.run(_plans(postgres, list(hot.values())))
    finally:
        postgres.close()
    whole = {
        name: node["Relation Name"]
        for name, plan in zip(hot, plans, strict=True)
        for node in plan
        if node["Node Type"].startswith("Index") and "Index Cond" not in node
    }
    assert not whole


def test_no_search_of_the_audit_compares_every_row_with_every_row(postgres_server: Server, tmp_path: Path) -> None:
    """Also where tables are long for the memory there is, as those of millions of messages are."""
    address = postgres_server.new_database()
    asyncio.run(fill(tmp_path, address, count=5_000))
    postgres = FreshPostgres(address)
    try:
        postgres.execute("analyze")
        searches = audit.searches_of(AccountId(1)) | audit.searches_beside(int(time.time() * 1000))
        plans = {words: postgres.run(_search_plan(postgres, search)) for words, search in searches.items()}
    finally:
        postgres.close()
    for words, plan in plans.items():
        for node in _nodes(plan):
            for child in node.get("Plans", ()):
                is_whole = child["Parent Relationship"] != "SubPlan" or f"hashed {child['Subplan Name']}" in str(node)
                assert is_whole, (words, node)


async def _search_plan(postgres: FreshPostgres, search: audit.Search) -> dict[str, Any]:
    """How the server carries a search out with next to no memory."""
    async with postgres.store.searching() as connection:
        written = search.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        await connection.execute(text("set work_mem = '64kB'"))
        (explained,) = (await connection.execute(text(f"explain (format json) {written}"))).one()
    (plan,) = explained
    found: dict[str, Any] = plan["Plan"]
    return found


def _today() -> int:
    return day_of(first_at(int(time.time() * 1000)))


async def _plans(postgres: FreshPostgres, statements: list[Statement]) -> list[list[dict[str, Any]]]:
    """The nodes of the plan of each statement for a row of today, as the hot connection makes it."""
    identifier = first_of_day(_today())
    names = await days.named(postgres._look)
    connection = await postgres.store.connect_hot()
    plans: list[list[dict[str, Any]]] = []
    try:
        for number, statement in enumerate(statements):
            row = tuple(str(identifier) if kind in {"text", "tid"} else identifier for kind in statement._kinds)
            scalars = (1,) * len(statement.scalars.split())
            ((text, parameters),) = statement.on_postgres([row] if row else [], scalars, names)
            await connection.execute(f"prepare hot_{number} as {text}")
            values = f"({', '.join(['null'] * len(parameters))})" if parameters else ""
            explained = await connection.fetchval(f"explain (format json, costs off) execute hot_{number}{values}")
            (plan,) = json.loads(explained)
            plans.append(list(_nodes(plan["Plan"])))
    finally:
        await connection.close()
    return plans


def _partitions(postgres: FreshPostgres) -> set[str]:
    return {str(row[0]) for row in postgres.rows("select relname from pg_class where relispartition")}


def test_rows_are_carried_out_in_pieces_and_what_is_left_over_is_no_row(sqlite: FreshSqlite) -> None:
    insert = Statement("insert into meta select * from ({rows}) j where column1 is not null", columns="text bigint")
    values = Statement(
        "from ({rows}) j join meta m on m.name = j.column1", reads="m.value", answer=tuple[int], columns="text"
    )
    connection = sqlite.store.connect()
    for count in (0, 1, 3, LARGEST, LARGEST + 1, 3 * LARGEST + 7):
        connection.execute("delete from meta")
        insert.on_sqlite(connection, [(f"n{number}", number) for number in range(count)], ())
        assert connection.execute("select count(*) from meta").fetchone() == (count,)
        answers = values.on_sqlite(connection, [(f"n{number}",) for number in range(count)], ())
        assert sorted(answers) == [(number,) for number in range(count)]
    connection.close()


def test_scalars_stand_before_the_rows(sqlite: FreshSqlite) -> None:
    statement = Statement(
        "from ({rows}) j where j.column1 > ?2", reads="j.column1 + ?1", columns="int", scalars="int int"
    )
    connection = sqlite.store.connect()
    assert statement.on_sqlite(connection, [(1,), (2,), (3,)], (10, 1)) == [(12,), (13,)]
    connection.close()
