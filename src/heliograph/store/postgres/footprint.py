"""How much a server has written: what a message weighs in its log and on its disk."""

from typing import Final, NamedTuple

import asyncpg

from heliograph.store.engine import StoreRefused

_FOOTPRINT: Final = """
select (pg_current_wal_lsn() - '0/0')::bigint as log_octets, pg_database_size(current_database()) as disk_octets
"""


class Footprint(NamedTuple):
    """log_octets: written to its log so far, by all its databases. disk_octets: size of this database's files now."""

    log_octets: int
    disk_octets: int


async def footprint(address: str) -> Footprint:
    """Of the server and the database at an address. Raises StoreRefused when it cannot be asked."""
    try:
        connection = await asyncpg.connect(address)
        try:
            return Footprint(*await connection.fetchrow(_FOOTPRINT))
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError) as error:
        raise StoreRefused(f"the PostgreSQL server does not tell what it has written: {error}") from error
