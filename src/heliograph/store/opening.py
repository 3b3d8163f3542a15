"""Open the store an address names, and make its folder and schema when it is new."""

import os
import sqlite3
from pathlib import Path

from sqlalchemy.exc import DatabaseError

from heliograph.store import migrations
from heliograph.store.address import is_server
from heliograph.store.engine import StoreRefused
from heliograph.store.postgres import opening as postgres
from heliograph.store.postgres.store import PostgresStore
from heliograph.store.sqlite import SqliteStore
from heliograph.store.turns import Turns

_SCHEME = "sqlite:///"


def sqlite_path(address: str, data: Path) -> Path:
    """The file of a `sqlite:///…` address; an empty address means the data folder's own."""
    if not address:
        return data / "heliograph.sqlite"
    if not address.startswith(_SCHEME):
        raise StoreRefused(f"{address.split(':', 1)[0]}: is not a store; use sqlite:///PATH or postgresql://…")
    return Path(address.removeprefix(_SCHEME))


async def open_store(address: str, data: Path) -> SqliteStore | PostgresStore:
    """Open a store, ready to use; raises StoreRefused with what to do when it cannot be opened."""
    return await postgres.open_store(address) if is_server(address) else open_sqlite(address, data)


def open_sqlite(address: str, data: Path) -> SqliteStore:
    """Open a store in a file."""
    path = sqlite_path(address, data)
    try:
        make_place(path)
        if _revision(path) is None:
            with Turns(path.parent).taken():
                if _revision(path) is None:
                    migrations.upgrade(path)
        revision = _revision(path)
    except (OSError, sqlite3.DatabaseError, DatabaseError) as error:
        why = error.orig if isinstance(error, DatabaseError) else error
        raise StoreRefused(
            f"cannot open the store at {path}: {why}; check the folder's rights and free space"
        ) from error
    if revision != migrations.HEAD:
        raise StoreRefused(
            f"the store at {path} is at revision {revision}, this program works with {migrations.HEAD}; "
            "run heliograph migrate (after a backup), or the program that made the store"
        )
    return SqliteStore(path)


async def upgrade(address: str, data: Path) -> str | None:
    """Bring the store at an address to this program's revision; returns the one it had, None when it was new."""
    if is_server(address):
        return await postgres.upgrade_at(address)
    path = sqlite_path(address, data)
    make_place(path)
    with Turns(path.parent).taken():
        return migrations.upgrade(path)


def make_place(path: Path) -> None:
    """Make the folder and the empty file of a new store, both for their owner only: it holds carriers' passwords.

    What is there already keeps its rights. SQLite gives its other files those of this one. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _revision(path: Path) -> str | None:
    """The revision of the schema in a file; None when there is none yet."""
    connection = sqlite3.connect(path, timeout=5.0)
    try:
        if connection.execute("select 1 from sqlite_master where name = 'alembic_version'").fetchone() is None:
            return None
        row = connection.execute("select version_num from alembic_version").fetchone()
        return None if row is None else str(row[0])
    finally:
        connection.close()
