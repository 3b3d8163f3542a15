"""Open the store an address names, and make its folder and schema when it is new."""

import sqlite3
from pathlib import Path

from heliograph.store.engine import StoreRefused
from heliograph.store.sqlite import SqliteStore
from heliograph.store.turns import Turns

_SCHEME = "sqlite:///"


def sqlite_path(address: str, data: Path) -> Path:
    """The file of a `sqlite:///…` address; an empty address means the data folder's own."""
    if not address:
        return data / "heliograph.sqlite"
    if not address.startswith(_SCHEME):
        raise StoreRefused(f"{address.split(':', 1)[0]}: is not a store this version opens; use sqlite:///PATH")
    return Path(address.removeprefix(_SCHEME))


async def open_store(address: str, data: Path) -> SqliteStore:
    """Open a store, ready to use; raises StoreRefused with what to do when it cannot be opened."""
    path = sqlite_path(address, data)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not _has_schema(path):
            from heliograph.store import migrations  # noqa: PLC0415 (slow to import, needed once in a store's life)

            with Turns(path.parent).taken():
                if not _has_schema(path):
                    migrations.upgrade(path)
    except (OSError, sqlite3.OperationalError) as error:
        raise StoreRefused(
            f"cannot open the store at {path}: {error}; check the folder's rights and free space"
        ) from error
    return SqliteStore(path)


def _has_schema(path: Path) -> bool:
    if not path.exists():
        return False
    connection = sqlite3.connect(path, timeout=5.0)
    try:
        return connection.execute("select 1 from sqlite_master where name = 'meta'").fetchone() is not None
    finally:
        connection.close()
