"""Hot statements find their rows by key, however many there are."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest

from heliograph.store import hops
from heliograph.store.hops.statements import LARGEST, Statement
from heliograph.store.schema import metadata
from heliograph.testing.stores import FreshStore


def _statements() -> Iterator[tuple[str, Statement]]:
    for module in pkgutil.iter_modules(hops.__path__, f"{hops.__name__}."):
        for name, value in vars(import_module(module.name)).items():
            if isinstance(value, Statement):
                yield f"{module.name.rpartition('.')[2]}.{name}", value


@pytest.mark.parametrize(("name", "statement"), list(_statements()))
@pytest.mark.parametrize("size", [1, 2, LARGEST])
def test_no_table_is_scanned(engine: FreshStore, name: str, statement: Statement, size: int) -> None:
    row = (1,) * len(statement.columns)
    text, parameters = statement.prepared([row] * size if row else (), (1,) * len(statement.scalars))
    plan = [str(row[3]) for row in engine.rows(f"explain query plan {text}", *parameters)]
    scanned = {step.split()[1] for step in plan if step.startswith("SCAN ")}
    assert not scanned & set(metadata.tables), (name, plan)


def test_rows_are_carried_out_in_pieces_and_what_is_left_over_is_no_row(engine: FreshStore) -> None:
    insert = Statement("insert into meta select * from ({rows}) j where column1 is not null", columns="text bigint")
    values = Statement(
        "from ({rows}) j join meta m on m.name = j.column1", reads="m.value", answer=tuple[int], columns="text"
    )
    connection = engine.store.connect()
    for count in (0, 1, 3, LARGEST, LARGEST + 1, 3 * LARGEST + 7):
        connection.execute("delete from meta")
        insert.on_sqlite(connection, [(f"n{number}", number) for number in range(count)], ())
        assert connection.execute("select count(*) from meta").fetchone() == (count,)
        answers = values.on_sqlite(connection, [(f"n{number}",) for number in range(count)], ())
        assert sorted(answers) == [(number,) for number in range(count)]
    connection.close()


def test_scalars_stand_before_the_rows(engine: FreshStore) -> None:
    statement = Statement(
        "from ({rows}) j where j.column1 > ?2", reads="j.column1 + ?1", columns="int", scalars="int int"
    )
    connection = engine.store.connect()
    assert statement.on_sqlite(connection, [(1,), (2,), (3,)], (10, 1)) == [(12,), (13,)]
    connection.close()
