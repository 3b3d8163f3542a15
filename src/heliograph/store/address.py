"""What the address of a store says by itself. Nothing is opened here, and nothing imported: `serve` reads it first."""

from typing import Final

_SERVERS: Final = ("postgresql://", "postgres://")


def is_server(address: str) -> bool:
    """Whether an address names a PostgreSQL server.

    >>> is_server("postgresql://heliograph@db.example/exchange"), is_server("sqlite:///exchange.sqlite")
    (True, False)
    """
    return address.startswith(_SERVERS)
