"""Whether the server keeps what it has committed: a store that forgets would make every *yes* of ours a lie."""

from typing import Final

import asyncpg

from heliograph.store.engine import StoreRefused

OLDEST: Final = 150_000
"""PostgreSQL 15."""

_WANTED: Final = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "local", "remote_write", "remote_apply"),
}


async def check_age(connection: asyncpg.Connection) -> None:
    """Raise StoreRefused when the server is too old."""
    if int(await connection.fetchval("show server_version_num")) < OLDEST:
        version = await connection.fetchval("show server_version")
        raise StoreRefused(f"PostgreSQL 15 or newer is needed; the server is {version}")


async def check(connection: asyncpg.Connection) -> None:
    """Raise StoreRefused when the server loses commits when it crashes."""
    found = [
        f"{name} = {value}"
        for name, allowed in _WANTED.items()
        if (value := await connection.fetchval("select current_setting($1)", name)) not in allowed
    ]
    if found:
        raise StoreRefused(
            f"the PostgreSQL server would lose what it has committed ({', '.join(found)}): accepted messages could be "
            "lost in a crash. Turn these settings on, or set HELIOGRAPH_DATABASE_UNSAFE=true if that does not matter"
        )
