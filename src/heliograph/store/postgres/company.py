"""The processes that share a store: each one's beat, what all of them see of each other, and how they wake each other.

One connection of its own for each process, so that nothing it waits for elsewhere makes it look dead.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple

import asyncpg

from heliograph.core.ids import AccountId, CarrierId
from heliograph.core.slots import Slot
from heliograph.store.hop import StoreUnavailable
from heliograph.store.postgres import owning
from heliograph.store.postgres.owning import DUTIES, OWNERS, OwnerGone
from heliograph.store.postgres.trouble import is_unavailable

WAIT_S: Final = 2.0
READY: Final = "heliograph_ready"
LOOK: Final = "heliograph_look"
_NOW: Final = "(extract(epoch from clock_timestamp()) * 1000)::bigint"
_RATES: Final = 0x48454C494F02

_BEAT: Final = f"""
update owner set beat_at_ms = {_NOW}, low_water_id = coalesce($2, low_water_id), sessions = $3::text::json
where id = $1 and beat_at_ms > 0 returning beat_at_ms
"""
_RESIGN: Final = "update owner set beat_at_ms = 0, low_water_id = greatest(low_water_id, $2) where id = $1"
_OWNERS: Final = """
select o.id, o.node, o.is_worker, o.beat_at_ms, o.low_water_id, o.sessions::text, exists (
  select from pg_locks l where l.locktype = 'advisory' and l.granted and l.classid = $1::bigint::oid
  and l.objid = o.id::bigint::oid and l.objsubid = 2
  and l.database = (select oid from pg_database where datname = current_database()))
from owner o order by o.id
"""
_TAKE: Final = """
with me as (select id from owner where id = $1 and beat_at_ms > 0 for share)
insert into carrier_slot(carrier_id, slot, owner)
select wanted.carrier, wanted.slot, me.id from me cross join unnest($2::int[], $3::int[]) as wanted(carrier, slot)
on conflict do nothing returning carrier_id, slot
"""
_LET_GO: Final = """
delete from carrier_slot where owner = $1 and (carrier_id, slot) in (select * from unnest($2::int[], $3::int[]))
"""
_NEW_LEVELS: Final = f"""
insert into rate_level(account_id, level, at_ms)
select account, most::bigint * 1000000, {_NOW} from unnest($1::int[], $2::int[]) as given(account, most)
on conflict do nothing
"""
_SPEND: Final = f"""
update rate_level r set at_ms = {_NOW}, level = greatest(
  least(given.most::bigint * 1000000, r.level + ({_NOW} - r.at_ms) * given.most * 100 / 6)
    - given.spent::bigint * 1000000,
  - given.most::bigint * 1000000)
from unnest($1::int[], $2::int[], $3::int[]) as given(account, most, spent)
where r.account_id = given.account
"""
_LEVELS: Final = f"""
select account_id, level, {_NOW} - at_ms from rate_level where at_ms > {_NOW} - 60000
"""
"""After a minute without requests everything is left again."""


class OwnerRow(NamedTuple):
    """A process. sessions: those of carriers that are bound there. is_connected: to the store, whatever its beat."""

    owner: int
    node: int
    is_worker: bool
    beat_at_ms: int
    low_water_id: int
    sessions: frozenset[int]
    is_connected: bool


class Picture(NamedTuple):
    """All processes, and who has which slot."""

    owners: list[OwnerRow]
    slots: dict[Slot, int]


class Spent(NamedTuple):
    """Requests of an account that were counted here since the last time. limit: a minute."""

    account_id: AccountId
    limit: int
    requests: int


class Level(NamedTuple):
    """Requests that an account had left so long ago."""

    left: float
    ago_s: float


class Company:
    """One process among others. owner: its number. died: told when it has been found dead.

    heard: told of carriers that messages are ready for; None when it is worth looking who there is.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        owner: int,
        *,
        died: Callable[[BaseException], None],
    ) -> None:
        self._connect = connect
        self.owner = owner
        self._died = died
        self.heard: Callable[[frozenset[CarrierId] | None], None] = lambda _: None
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self._duties: set[int] = set()
        self._to_tell: set[CarrierId] = set()
        self._telling: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Let go of the connection, and of every duty."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.wait([self._telling])
        connection, self._connection = self._connection, None
        self._duties.clear()
        if connection is not None:
            try:
                await connection.close(timeout=1.0)
            except Exception:  # noqa: BLE001 (it is of no use any more, however it ends)
                connection.terminate()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection, for one who has it alone; raises StoreUnavailable."""
        async with self._turn:
            try:
                if self._connection is None or self._connection.is_closed():
                    self._duties.clear()
                    self._connection = await self._open()
                yield self._connection
            except OwnerGone as gone:
                self._died(gone)
                raise StoreUnavailable(str(gone)) from gone
            except Exception as error:
                if not is_unavailable(error):
                    raise
                self._drop()
                raise StoreUnavailable(str(error) or type(error).__name__) from error

    def _drop(self) -> None:
        """Whatever it was, this connection is not worth waiting for; nor are the duties it held ours any more."""
        connection, self._connection = self._connection, None
        self._duties.clear()
        if connection is not None:
            connection.terminate()

    async def _open(self) -> asyncpg.Connection:
        connection = await self._connect()
        try:
            await owning.hold(connection, self.owner, wait_s=WAIT_S)
            await connection.add_listener(READY, self._hear)
            await connection.add_listener(LOOK, self._hear)
        except BaseException:
            connection.terminate()
            raise
        return connection

    def _hear(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        words = str(payload)
        self.heard(frozenset(CarrierId(int(word)) for word in words.split(",")) if channel == READY else None)

    # What all of them see -------------------------------------------------------------------------------------

    async def beat(self, *, low_water_id: int | None, sessions: Collection[int]) -> None:
        """Show that this process lives. low_water_id: None for as it was."""
        async with self._connected() as connection:
            if await connection.fetchval(_BEAT, self.owner, low_water_id, json.dumps(sorted(sessions))) is None:
                raise OwnerGone(f"owner {self.owner} was found dead by another process")

    async def look(self) -> Picture:
        """Everybody."""
        async with self._connected() as connection:
            owners = [
                OwnerRow._make((*row[:5], frozenset(json.loads(row[5])), row[6]))
                for row in map(tuple, await connection.fetch(_OWNERS, OWNERS))
            ]
            slots = await connection.fetch("select carrier_id, slot, owner from carrier_slot")
            return Picture(owners, {(CarrierId(row[0]), row[1]): row[2] for row in slots})

    async def shut_out(self, owner: int, beat_at_ms: int) -> bool:
        """Make sure that a dead owner commits nothing any more; False when it lives after all, or nobody can say."""
        try:
            connection = await self._connect()
        except Exception as error:
            if is_unavailable(error):
                return False
            raise
        try:
            return await owning.shut_out(connection, owner, beat_at_ms)
        except Exception as error:
            if is_unavailable(error):
                return False
            raise
        finally:
            connection.terminate()

    async def resign(self, low_water_id: int) -> None:
        """This process has given everything away and commits nothing more: somebody has a last look, and forgets it.

        low_water_id: what it could have left is above.
        """
        async with self._connected() as connection, connection.transaction():
            await connection.execute(_RESIGN, self.owner, low_water_id)
            await connection.execute("delete from carrier_slot where owner = $1", self.owner)
            await connection.execute(f"notify {LOOK}")

    async def forget(self, owner: int) -> None:
        """An owner whose messages are recovered is no more; its slots and deliveries are nobody's."""
        async with self._connected() as connection, connection.transaction():
            await connection.execute("delete from carrier_slot where owner = $1", owner)
            await connection.execute("update delivery set owner = 0 where owner = $1 and state = 1", owner)
            await connection.execute("delete from owner where id = $1", owner)
            await connection.execute(f"notify {LOOK}")

    # Slots and duties -----------------------------------------------------------------------------------------

    async def take(self, slots: Sequence[Slot]) -> list[Slot]:
        """Take free slots; those that were had."""
        async with self._connected() as connection:
            rows = await connection.fetch(_TAKE, self.owner, *_columns(slots))
            return [(CarrierId(row[0]), row[1]) for row in rows]

    async def let_go(self, slots: Sequence[Slot]) -> None:
        """Give slots up, and say so."""
        async with self._connected() as connection, connection.transaction():
            await connection.execute(_LET_GO, self.owner, *_columns(slots))
            await connection.execute(f"notify {LOOK}")

    async def has_duty(self, number: int) -> bool:
        """Whether what only one process does is done by this one; it is taken when it is free."""
        if self._connection is None or self._connection.is_closed():
            self._duties.clear()
        if number in self._duties:
            return True
        async with self._connected() as connection:
            if await connection.fetchval("select pg_try_advisory_lock($1, $2)", DUTIES, number):
                self._duties.add(number)
        return number in self._duties

    # Words between them ---------------------------------------------------------------------------------------

    def tell(self, carriers: Iterable[CarrierId]) -> None:
        """Say soon that messages are ready for carriers. Who does not hear it finds them by looking."""
        self._to_tell.update(carriers)
        if self._to_tell and self._telling is None:
            self._telling = asyncio.get_running_loop().create_task(self._tell(), name="tell")
            self._telling.add_done_callback(self._told)

    async def _tell(self) -> None:
        while self._to_tell:
            payload = ",".join(map(str, sorted(self._to_tell)))
            self._to_tell.clear()
            with suppress(StoreUnavailable):
                async with self._connected() as connection:
                    await connection.execute("select pg_notify($1, $2)", READY, payload)

    def _told(self, task: "asyncio.Task[None]") -> None:
        self._telling = None
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            self._died(error)
        else:
            # Something may have been said between the last look and the end.
            self.tell(())

    async def spend(self, spent: Sequence[Spent]) -> dict[AccountId, Level]:
        """Count requests against the limits of all processes; what is left of those that were used lately."""
        async with self._connected() as connection:
            if spent:
                columns = [list(column) for column in zip(*sorted(spent), strict=True)]
                async with connection.transaction():
                    await connection.execute(f"select pg_advisory_xact_lock({_RATES})")
                    await connection.execute(_NEW_LEVELS, *columns[:2])
                    await connection.execute(_SPEND, *columns)
            rows = await connection.fetch(_LEVELS)
            return {AccountId(row[0]): Level(row[1] / 1_000_000, row[2] / 1_000) for row in rows}


def _columns(slots: Sequence[Slot]) -> tuple[list[Any], list[int]]:
    return [carrier_id for carrier_id, _ in slots], [slot for _, slot in slots]
