"""The right of a connection to commit for an owner: a shared lock of its number, taken while its row says it lives.

So whoever takes the lock alone knows that nothing of that owner is on its way any more.
"""

from typing import Final

import asyncpg

OWNERS: Final = 0x48454C00
DUTIES: Final = 0x48454C01
_HOLDERS: Final = """
select l.pid from pg_locks l
where l.locktype = 'advisory' and l.granted and l.classid = $1::bigint::oid and l.objid = $2::bigint::oid
  and l.objsubid = 2 and l.database = (select oid from pg_database where datname = current_database())
  and l.pid <> pg_backend_pid()
"""


class OwnerGone(Exception):
    """This process was found dead, and what it held is somebody else's: it has to end."""


async def hold(connection: asyncpg.Connection, owner: int, *, wait_s: float) -> None:
    """Let a connection commit for an owner; raises OwnerGone when it is dead."""
    await connection.execute(f"set lock_timeout = '{wait_s * 1000:.0f}ms'")
    await connection.execute(f"select pg_advisory_lock_shared({OWNERS}, {owner})")
    if not await connection.fetchval("select beat_at_ms > 0 from owner where id = $1", owner):
        raise OwnerGone(f"owner {owner} was found dead by another process, which goes on with its messages")


async def shut_out(connection: asyncpg.Connection, owner: int, beat_at_ms: int) -> bool:
    """End all that commits for an owner, write down that it is dead, and free its slots.

    beat_at_ms: its last one. False when it has beaten since. What it had asked for last is over when this returns.
    """
    await connection.fetch(f"select pg_terminate_backend(pid) from ({_HOLDERS}) holders", OWNERS, owner)
    async with connection.transaction():
        await connection.execute("set local lock_timeout = '2s'")
        await connection.execute(f"select pg_advisory_xact_lock({OWNERS}, {owner})")
        dead = await connection.fetchval(
            "update owner set beat_at_ms = 0 where id = $1 and beat_at_ms = $2 returning id", owner, beat_at_ms
        )
        if dead is not None:
            await connection.execute("delete from carrier_slot where owner = $1", owner)
    return dead is not None
