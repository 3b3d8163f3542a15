"""A simulation's store on a PostgreSQL server, which knows nothing of a time that leaps.

Time stands still while the server works, and one transaction is carried out at a time, in the order in which they were
asked for: so the same seed tells the same story. Between asking, committing and hearing of it, time passes as the dice
say, and other lanes and processes commit meanwhile. The server's own clock (`clock_timestamp`, `now`) is that of the
simulation: functions of these names stand before its own in the search path of this database alone. What is notified
arrives after a moment that the dice decide.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Any, ClassVar, Final

from heliograph import server
from heliograph.config import Settings
from heliograph.pipeline import lease
from heliograph.pipeline.beside import Others
from heliograph.pipeline.directory import Directory
from heliograph.store.connection import Connection
from heliograph.store.engine import StoreUnavailable
from heliograph.store.postgres.company import Company
from heliograph.store.postgres.lanes import Lanes
from heliograph.store.postgres.opening import make_days, upgrade
from heliograph.store.postgres.store import PostgresStore
from heliograph.testing.clock import START_MS
from heliograph.testing.leaping import LeapingLoop
from heliograph.testing.simulation.ground import Life
from heliograph.testing.stores import numbered

WAIT_S: Final = 30.0
_CLOCK: Final = """
create schema simulated;
create function simulated.clock_timestamp() returns timestamptz language sql stable as
  $$ select to_timestamp(current_setting('heliograph.now_ms')::float8 / 1000) $$;
create function simulated.now() returns timestamptz language sql stable as $$ select simulated.clock_timestamp() $$;
"""
_PATH: Final = "alter database {name} set search_path = public, simulated, pg_catalog"


class Turn:
    """One transaction at a time, while time stands still. dice: seconds that a notice takes."""

    def __init__(self, loop: LeapingLoop, notice_s: Callable[[], float]) -> None:
        self._loop = loop
        self._lock = asyncio.Lock()
        self._held = ExitStack()
        self._notice_s = notice_s
        self._listeners: dict[str, list[tuple[object, Callable[..., None]]]] = defaultdict(list)
        self.dropped: list[Any] = []

    def now_ms(self) -> int:
        """The server's clock: nobody sets it."""
        return int(START_MS + self._loop.time() * 1000)

    async def take(self) -> None:
        """Wait for it. Connections that somebody dropped are closed first, at the other end too."""
        await self._lock.acquire()
        self._held.enter_context(self._loop.held())
        while self.dropped:
            await _closed(self.dropped.pop())

    def give(self) -> None:
        """Somebody else may."""
        self._held.close()
        self._lock.release()

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """For one piece of work."""
        await self.take()
        try:
            yield
        finally:
            self.give()

    def listen(self, listener: object, channel: str, hear: Callable[..., None]) -> None:
        """Somebody listens."""
        self._listeners[channel].append((listener, hear))

    def forget(self, listener: object) -> None:
        """It does so no more."""
        for channel, known in self._listeners.items():
            self._listeners[channel] = [each for each in known if each[0] is not listener]

    def tell(self, channel: str, payload: str) -> None:
        """Everybody who listens hears it soon."""
        for listener, hear in self._listeners[channel]:
            self._loop.call_later(self._notice_s(), hear, listener, 0, channel, payload)


async def _closed(inner: Any) -> None:
    try:
        await inner.close(timeout=WAIT_S)
    except Exception:  # noqa: BLE001 (whatever it is, the connection is gone)
        inner.terminate()


class Line:
    """A connection as hot work and the company use it. life: of the process it belongs to."""

    def __init__(self, inner: Any, turn: Turn, *, life: Life, commit_s: Callable[[], float]) -> None:
        self._inner = inner
        self._turn = turn
        self._life = life
        self._commit_s = commit_s
        self._has_turn = False
        self._is_gone = False

    def is_closed(self) -> bool:
        """As there."""
        return self._is_gone or bool(self._inner.is_closed())

    def _check(self) -> None:
        try:
            self._life.check()
        except StoreUnavailable as error:
            raise OSError(str(error)) from error

    async def _take(self) -> None:
        await self._turn.take()
        self._has_turn = True
        try:
            self._check()
        except BaseException:
            self._give()
            raise

    def _give(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._turn.give()

    async def execute(self, text: str, *values: Any) -> Any:
        """As there. A transaction has the turn from its beginning to its end."""
        if text.startswith("notify") or "pg_notify" in text:
            self._turn.tell(*(values or (text.split()[1], "")))
            return None
        if text == "begin":
            await asyncio.sleep(self._commit_s())
            await self._take()
            return await self._inner.execute(f"begin; set local heliograph.now_ms = '{self._turn.now_ms()}'")
        if text not in ("commit", "rollback"):
            return await self._do(self._inner.execute, text, *values)
        try:
            done = await self._inner.execute(text)
        finally:
            self._give()
        if text == "commit":
            await asyncio.sleep(self._commit_s())
            self._check()
        return done

    async def fetch(self, text: str, *values: Any) -> Any:
        """As there."""
        return await self._do(self._inner.fetch, text, *values)

    async def fetchval(self, text: str, *values: Any) -> Any:
        """As there."""
        return await self._do(self._inner.fetchval, text, *values)

    async def _do(self, work: Callable[..., Awaitable[Any]], *about: Any) -> Any:
        if self._has_turn:
            return await work(*about)
        await self._take()
        try:
            await self._inner.execute(f"set heliograph.now_ms = '{self._turn.now_ms()}'")
            return await work(*about)
        finally:
            self._give()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """As there."""
        await self._take()
        try:
            async with self._inner.transaction():
                await self._inner.execute(f"set local heliograph.now_ms = '{self._turn.now_ms()}'")
                yield
        finally:
            self._give()

    async def add_listener(self, channel: str, hear: Callable[..., None]) -> None:
        """As there."""
        self._turn.listen(self, channel, hear)

    async def close(self, **_: float) -> None:
        """As there."""
        self.terminate()

    def terminate(self) -> None:
        """As there; the server learns of it before anybody else has its turn."""
        if not self._is_gone:
            self._is_gone = True
            self._turn.forget(self)
            self._turn.dropped.append(self._inner)
            self._give()


class ServerStore(PostgresStore):
    """The store as one process has it."""

    def __init__(self, address: str, turn: Turn, *, life: Life, commit_s: Callable[[], float]) -> None:
        super().__init__(address)
        self._turn = turn
        self._life = life
        self._commit_s = commit_s
        self._lines: list[Line] = []

    async def connect(self, **_: object) -> Any:
        """As there; the server's clock is right from the beginning."""
        inner = await super().connect()
        await inner.execute(f"set heliograph.now_ms = '{self._turn.now_ms()}'")
        return inner

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """As there."""
        async with self._turn.taken():
            self._life.check()
            async with super().reading() as connection:
                yield connection

    searching = reading

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """As there."""
        async with self._turn.taken():
            self._life.check()
            async with super().writing() as connection:
                await connection.exec_driver_sql(f"set local heliograph.now_ms = '{self._turn.now_ms()}'")
                yield connection
                self._life.check()

    async def look_after(self, now_ms: int, *, forgotten_ms: int) -> None:
        """As there."""
        async with self._turn.taken():
            self._life.check()
            await super().look_after(now_ms, forgotten_ms=forgotten_ms)

    async def connect_hot(self) -> Any:
        """As there."""
        async with self._turn.taken():
            self._line(inner := await super().connect_hot())
            await inner.execute(f"set heliograph.now_ms = '{self._turn.now_ms()}'")
            return self._lines[-1]

    def _line(self, inner: Any) -> Line:
        self._lines.append(Line(inner, self._turn, life=self._life, commit_s=self._commit_s))
        return self._lines[-1]

    def company(self, owner: int, died: Callable[[BaseException], None]) -> Company:
        """As there."""

        async def connect() -> Any:
            async with self._turn.taken():
                return self._line(await self.connect())

        return Company(connect, owner, died=died)

    async def gone(self) -> None:
        """Nothing of this process is connected any more."""
        for line in self._lines:
            line.terminate()
        async with self._turn.taken():
            await self.close()


class _People:
    """The life of those who are not a process."""

    def check(self) -> None:
        """They do not die, and the disk is not theirs."""

    def reach(self, point: str) -> None:
        """Nor at any point."""

    def failed(self, error: BaseException) -> None:
        """What is wrong is wrong for all."""
        raise error


class ServerGround:
    """A database of a PostgreSQL server."""

    grains: ClassVar[Sequence[float]] = (2.0, 1.0, 2.0)
    """Others look for a beat more often than every 2.5 s."""
    processes: ClassVar[int] = 2

    def __init__(self, address: str, loop: LeapingLoop, *, notice_s: Callable[[], float]) -> None:
        self._address = address
        self._turn = Turn(loop, notice_s)
        self._loop = loop
        self.store = ServerStore(address, self._turn, life=_People(), commit_s=lambda: 0.0)
        self._look: Any = None

    async def open(self) -> None:
        """Make the schema, under the simulation's clock."""
        async with self._turn.taken():
            plain = await PostgresStore(self._address).connect()
            name = await plain.fetchval("select current_database()")
            await plain.execute(_CLOCK + _PATH.format(name=name))
            await plain.close()
        await upgrade(self.store)
        async with self._turn.taken():
            await make_days(self.store)
            self._look = await self.store.connect()

    def hold(self, life: Life, commit_s: Callable[[], float]) -> "ServerHold":
        """As there."""
        return ServerHold(ServerStore(self._address, self._turn, life=life, commit_s=commit_s), self._turn, life)

    async def rows(self, statement: str, *values: object) -> list[Any]:
        """As there."""
        async with self._turn.taken():
            return [tuple(row) for row in await self._look.fetch(numbered(statement), *values)]

    async def tidy(self) -> None:
        """Vacuum, which nobody may do by himself here: it would change the order of rows at moments of its own."""
        async with self._turn.taken():
            await self._look.execute("vacuum analyze")

    async def close(self) -> None:
        """As there."""
        async with self._turn.taken():
            await self._look.close()
            await self.store.close()


class ServerHold:
    """One process's connections."""

    def __init__(self, store: ServerStore, turn: Turn, life: Life) -> None:
        self.store = store
        self._turn = turn
        self._life = life
        self._lanes: Lanes | None = None

    async def begin(self, directory: Directory, held: lease.Lease, settings: Settings) -> tuple[Lanes, Others | None]:
        """As there."""
        failed = self._life.failed
        self._lanes = await self.store.serving_writer(held.owner, failed, self._life.reach)
        return self._lanes, server._others(self.store, held, directory, settings, failed)  # noqa: SLF001 (the wiring)

    async def leave(self) -> None:
        """As there."""
        if self._lanes is not None:
            await self._lanes.stop(patience_s=WAIT_S)

    async def quiet(self) -> None:
        """As there."""
        async with self._turn.taken():
            pass

    async def close(self) -> None:
        """As there."""
        await self.store.gone()
