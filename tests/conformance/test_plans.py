"""Hot statements find their rows by key, however many there are."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import pytest

from heliograph.store import hops
from heliograph.store.hops.rows import LARGEST, Batched
from heliograph.store.schema import metadata
from heliograph.testing.stores import FreshStore


def _statements() -> Iterator[tuple[str, Batched]]:
    for module in pkgutil.iter_modules(hops.__path__, f"{hops.__name__}."):
        for name, value in vars(import_module(module.name)).items():
            if isinstance(value, Batched):
                yield f"{module.name.rpartition('.')[2]}.{name}", value


@pytest.mark.parametrize(("name", "statement"), list(_statements()))
@pytest.mark.parametrize("size", [1, 2, LARGEST])
def test_no_table_is_scanned(engine: FreshStore, name: str, statement: Batched, size: int) -> None:
    text, parameters = statement.prepared([(1,) * statement.columns] * size, *(1,) * statement.scalars)
    plan = [str(row[3]) for row in engine.rows(f"explain query plan {text}", *parameters)]
    scanned = {step.split()[1] for step in plan if step.startswith("SCAN ")}
    assert not scanned & set(metadata.tables), (name, plan)


def test_rows_are_carried_out_in_pieces_and_what_is_left_over_is_no_row(engine: FreshStore) -> None:
    insert = Batched("insert into meta select * from ({rows}) where column1 is not null", columns=2)
    names = Batched("select json_group_array(m.value) from ({rows}) j join meta m on m.name = j.column1", columns=1)
    connection = engine.store.connect()
    for count in (0, 1, 3, LARGEST, LARGEST + 1, 3 * LARGEST + 7):
        connection.execute("delete from meta")
        insert.run(connection, [(f"n{number}", number) for number in range(count)])
        assert connection.execute("select count(*), sum(value) from meta").fetchone() == (
            count,
            sum(range(count)) if count else None,
        )
        answers = names.answers(connection, [(f"n{number}",) for number in range(count)])
        assert len(answers) == -(-count // LARGEST)
        assert "[0" in "".join(answers) or not count
    connection.close()


def test_scalars_stand_before_the_rows(engine: FreshStore) -> None:
    statement = Batched(
        "select json_group_array(j.column1 + ?1) from ({rows}) j where j.column1 > ?2", columns=1, scalars=2
    )
    connection = engine.store.connect()
    assert statement.answers(connection, [(1,), (2,), (3,)], 10, 1) == ["[12,13]"]
    connection.close()
