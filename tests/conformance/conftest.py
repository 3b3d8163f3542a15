"""The engines that every test of this folder runs on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from heliograph.store import audit
from heliograph.testing.postgres import Server
from heliograph.testing.stores import (
    GRANT,
    FreshPostgres,
    FreshSqlite,
    FreshStore,
    OneDatabase,
    fresh_store,
    furnished_store,
)
from tests.conformance.steps import Steps


@pytest.fixture(scope="session")
def _pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnished_store(tmp_path_factory.mktemp("pattern"))


@pytest.fixture(scope="session")
def database(postgres_server: Server) -> OneDatabase:
    """A database that is as new for each test."""
    return OneDatabase(postgres_server)


@pytest.fixture
def sqlite(tmp_path: Path, _pattern: Path) -> Iterator[FreshSqlite]:
    """A fresh store in a file."""
    store = fresh_store(tmp_path, pattern=_pattern)
    yield store
    store.close()


@pytest.fixture
def postgres(database: OneDatabase) -> Iterator[FreshPostgres]:
    """A fresh store on a server."""
    database.make_new()
    store = FreshPostgres(database.address)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> FreshStore:
    """A fresh store of each engine."""
    store: FreshStore = request.getfixturevalue(request.param)
    return store


@pytest.fixture
def steps(engine: FreshStore) -> Steps:
    """What can be done to the store."""
    return Steps(engine)


@pytest.fixture
def sound_books(engine: FreshStore) -> Iterator[None]:
    """After the test the books of the account agree: balance, postings and the prices of its messages."""
    yield
    books = engine.reading(lambda connection: audit.books_of(connection, engine.account_id))
    assert books.kept == books.posted
    assert (books.held, books.captured) == (books.kept.held, books.kept.captured)
    assert sum(books.kept) == GRANT
