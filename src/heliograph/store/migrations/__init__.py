"""The schema's history. A new store and an old one go the same way: through every revision that they lack.

To change a table: change `store/schema.py`, add a revision to `versions/` that says the same in steps, and set
`HEAD`. A test compares what the revisions make with what the schema says. A revision is never changed once released.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.pool import NullPool

HEAD = "0007"
"""The revision that this program works with."""


def upgrade(path: Path) -> str | None:
    """Bring the SQLite store at a path to `HEAD`, in one transaction; returns the revision it had, None when new.

    Whoever calls holds the store's turn.
    """
    with _opened(path) as connection:
        return upgrade_on(connection)


def upgrade_on(connection: Connection) -> str | None:
    """Bring an open store to `HEAD`, in the transaction that is open; returns the revision it had, None when new."""
    # Alembic is slow to import and needed once in a store's life.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    before = revision_of(connection)
    if before != HEAD:
        settings = Config()
        settings.set_main_option("script_location", str(Path(__file__).parent))
        settings.attributes["connection"] = connection
        command.upgrade(settings, HEAD)
    return before


def revision_of(connection: Connection) -> str | None:
    """The revision of an open store."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    return MigrationContext.configure(connection).get_current_revision()


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Connection]:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 5.0}, poolclass=NullPool)

    def prepare(connection: Any, _record: object) -> None:
        # The driver's own transactions would leave half a schema after a crash.
        connection.isolation_level = None
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("begin immediate"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
