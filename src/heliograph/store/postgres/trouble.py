"""What PostgreSQL's errors mean for us: the store is away, the work may be tried again, or a request is bad."""

import asyncpg

_AWAY = frozenset(
    {
        "08",  # connection
        "53",  # resources: connections, memory, disk
        "57",  # the operator: shut down, starting up, cancelled
        "58",  # the system: input and output
        "XX",  # damaged data, internal errors
    }
)
_ALSO_AWAY = frozenset(
    {
        "23514",  # a row for a day that has no partition yet: the only checks there are
        "25006",  # read-only: the server became a standby
        "3D000",  # there is no such database
        "28000",  # the role may not connect
        "28P01",  # wrong password
        "42P01",  # a day that was there when we connected and is gone: the next connection knows
        "55P03",  # a lock was not to be had in time
    }
)
_AGAIN = frozenset({"40001", "40P01"})
_THERE_ALREADY = "23505"
_ZERO_OCTET = "22021"


def sqlstate_of(error: BaseException) -> str:
    """The five characters of an error of PostgreSQL's, by whichever driver it came; empty for any other."""
    return getattr(error, "sqlstate", None) or ""


def is_unavailable(error: BaseException) -> bool:
    """Whether an error speaks of the store as a whole, not of the rows.

    The driver's own errors are about connections that are closed or broken; about one that was ended while a statement
    was prepared it says that it does not know where it stands (`InternalClientError`).
    """
    if isinstance(error, asyncpg.PostgresError) or sqlstate_of(error):
        state = sqlstate_of(error)
        return state[:2] in _AWAY or state in _ALSO_AWAY
    return isinstance(error, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError | TimeoutError | EOFError)


def may_be_tried_again(error: BaseException) -> bool:
    """Whether two transactions stood in each other's way, or both found that a row of the receipt map was missing.

    https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
    """
    state = sqlstate_of(error)
    return state in _AGAIN or (state == _THERE_ALREADY and getattr(error, "table_name", None) == "receipt_map")


def is_there_already(error: BaseException) -> bool:
    """Whether a row was to be inserted that is there; with care it may be left as it is."""
    return sqlstate_of(error) == _THERE_ALREADY


def holds_a_zero_octet(error: BaseException) -> bool:
    """Whether a text was refused for its character U+0000, which PostgreSQL alone does not store."""
    return sqlstate_of(error) == _ZERO_OCTET
