"""A fresh store for a test: an account with credits, two carriers, and a writer that works when it is told to.

No thread and no clock: put work, look. There is one for each engine.
"""

import asyncio
import marshal
import re
import shutil
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, TypeVar

from heliograph.core.ids import AccountId, CarrierId, day_of, first_at
from heliograph.core.ledger import Balance, PostingKind
from heliograph.core.messages import Channel
from heliograph.core.money import CREDIT
from heliograph.store import accounts, carriers, postings
from heliograph.store.connection import Connection
from heliograph.store.engine import Hop, Store, Writer
from heliograph.store.hops.crossing import ways
from heliograph.store.opening import open_sqlite, open_store
from heliograph.store.postgres import days
from heliograph.store.postgres.store import PostgresStore
from heliograph.store.postgres.writer import PostgresWriter
from heliograph.store.schema import metadata
from heliograph.store.sqlite import SqliteStore
from heliograph.store.writer import BatchWriter, nothing
from heliograph.testing.postgres import Server

Request = TypeVar("Request")
Result = TypeVar("Result")
T = TypeVar("T")

NOW_MS = 1_795_400_000_000
GRANT = 1_000 * CREDIT


def _crossed(packed: Any) -> Any:
    return marshal.loads(marshal.dumps(packed))


class FreshStore(Protocol):
    """A store and its writer. account_id: has `GRANT` micro-credits; carrier_id, other_carrier_id: the carriers."""

    store: Store
    writer: Writer
    account_id: AccountId
    carrier_id: CarrierId
    other_carrier_id: CarrierId

    def close(self) -> None:
        """Let go of every connection."""
        ...

    def together(self, hop: Hop[Request, Result], requests: Sequence[Request]) -> list[Result | Exception]:
        """Carry out requests in one batch; what came of each, in their order."""
        ...

    def rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """What a question to the store gives, outside of the writer; `?` stands where a value does."""
        ...

    def execute(self, statement: str, *values: object) -> None:
        """Change something by hand, outside of the writer."""
        ...

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something with the store on an event loop that it may be used on."""
        ...

    def reading(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do cold work that only reads."""

        async def done() -> T:
            async with self.store.reading() as connection:
                return await work(connection)

        return self.run(done())

    def writing(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do cold work in one transaction."""

        async def done() -> T:
            async with self.store.writing() as connection:
                return await work(connection)

        return self.run(done())

    def do(self, hop: Hop[Request, Result], request: Request) -> Result:
        """Carry out one request in a batch of its own; raises what went wrong."""
        (result,) = self.together(hop, [request])
        if isinstance(result, Exception):
            raise result
        return result

    def add_account(self, name: str, amount: int) -> AccountId:
        """One more account, with credits."""

        async def added(connection: Connection) -> AccountId:
            account_id = await accounts.add(connection, name=name, user=name, mark=f"{len(name):016x}", now_ms=NOW_MS)
            await postings.post(connection, account_id, kinds=(PostingKind.GRANT,), amount=amount, now_ms=NOW_MS)
            return account_id

        return self.writing(added)

    def _furnish(self) -> None:
        """The account and the carriers, made unless the store is a copy that has them."""
        if self.rows("select id from account"):
            ids = [row[0] for row in self.rows("select id from carrier order by id")]
            self.account_id, self.carrier_id, self.other_carrier_id = AccountId(1), *map(CarrierId, ids)  # type: ignore[arg-type]
            return
        self.account_id = self.add_account("acme", GRANT)
        self.carrier_id = self._add_carrier("north")
        self.other_carrier_id = self._add_carrier("south")

    def _add_carrier(self, name: str) -> CarrierId:
        values = {"name": name, "url": f"loopback:{name}", "channels": [Channel.SMS]}
        return self.writing(lambda connection: carriers.add(connection, values, now_ms=NOW_MS))

    def balance(self, account_id: AccountId | None = None) -> Balance:
        """An account's credits."""
        wanted = account_id or self.account_id
        return self.reading(lambda connection: postings.balance_of(connection, wanted))


class FreshSqlite(FreshStore):
    """In a file; work and results cross as between two processes."""

    store: SqliteStore
    writer: BatchWriter

    def __init__(self, store: SqliteStore, reach: Callable[[str], None] = nothing) -> None:
        self.store = store
        self.writer = store.writer(lambda call: call(), reach)
        self._look = store.connect()
        self._furnish()
        self._near, self._far = ways(), ways()

    def close(self) -> None:
        """Let go of every connection."""
        self._look.close()
        self.writer.close()

    def together(self, hop: Hop[Request, Result], requests: Sequence[Request]) -> list[Result | Exception]:
        """As there."""
        results: dict[int, Result | Exception] = {}
        near, far = self._near[hop.name], self._far[hop.name]
        for place, request in enumerate(requests):
            crossed = far.unpack(_crossed(near.pack(request)))
            self.writer.put(hop, crossed, lambda result, place=place: results.__setitem__(place, result))  # type: ignore[misc]
        while self.writer.step():
            pass
        return [
            result if isinstance(result, Exception) else near.unpack_result(_crossed(far.pack_result(result)))
            for _, result in sorted(results.items())
        ]

    def rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """As there."""
        return self._look.execute(statement, values).fetchall()

    def execute(self, statement: str, *values: object) -> None:
        """As there."""
        self._look.execute(statement, values)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """On one that ends with it."""

        async def done() -> T:
            try:
                return await work
            finally:
                await self.store.close()

        return asyncio.run(done())


class FreshPostgres(FreshStore):
    """In a database of a server, on an event loop of its own."""

    store: PostgresStore
    writer: PostgresWriter

    def __init__(self, address: str, reach: Callable[[str], None] = nothing) -> None:
        self._runner = asyncio.Runner()
        self.store = self.run(open_store(address, Path()))  # type: ignore[assignment]
        self.writer = PostgresWriter(self.store.connect_hot, days=lambda: self.store.days, reach=reach)
        self._look: Any = self.run(self.store.connect())
        # These ids are of that time, whatever the real one is.
        today = day_of(first_at(NOW_MS))
        self.run(days.make(self._look, today - 1, today + 3))
        self._furnish()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """On its own."""
        return self._runner.run(work)

    def close(self) -> None:
        """Let go of every connection."""
        for work in (self.writer.stop(patience_s=10), self._look.close(), self.store.close()):
            self.run(work)
        self._runner.close()

    def together(self, hop: Hop[Request, Result], requests: Sequence[Request]) -> list[Result | Exception]:
        """As there."""

        async def done() -> list[Result | Exception]:
            futures: list[asyncio.Future[Result | Exception]] = []
            for request in requests:
                future: asyncio.Future[Result | Exception] = asyncio.get_running_loop().create_future()
                futures.append(future)
                self.writer.put(hop, request, future.set_result)
            return list(await asyncio.gather(*futures))

        return self.run(done())

    def rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """As there."""
        found = self.run(self._look.fetch(numbered(statement), *values))
        return [tuple(int(value) if isinstance(value, Decimal) else value for value in row) for row in found]

    def execute(self, statement: str, *values: object) -> None:
        """As there."""
        self.run(self._look.execute(numbered(statement), *values))


def numbered(statement: str) -> str:
    """With PostgreSQL's marks for values."""
    pieces = re.split(r"\?", statement)
    return "".join([pieces[0], *(f"${number}{piece}" for number, piece in enumerate(pieces[1:], 1))])


def furnished_store(folder: Path) -> Path:
    """The file of a store with what every fresh one begins with: the pattern that `fresh_store` copies."""
    store = open_sqlite("", folder)
    FreshSqlite(store).close()
    return store.path


def fresh_store(folder: Path, *, pattern: Path, reach: Callable[[str], None] = nothing) -> FreshSqlite:
    """A store in a folder, from a pattern of `furnished_store`."""
    path = folder / pattern.name
    shutil.copyfile(pattern, path)
    return FreshSqlite(SqliteStore(path), reach)


_COUNTED = ("account", "carrier", "api_key", "route", "rate", "webhook", "audit")
_AS_NEW = "select setval(pg_get_serial_sequence('{name}', 'id'), (select coalesce(max(id), 0) + 1 from {name}), false);"


class OneDatabase:
    """A database of a server that is as new for every test: copying one takes longer than most tests."""

    _KEPT = ("account", "carrier", "balance", "posting", "meta")

    def __init__(self, server: Server) -> None:
        self.address = server.new_database()
        FreshPostgres(self.address).close()
        self._do("create schema kept;" + "".join(f"create table kept.{name} as table {name};" for name in self._KEPT))

    def make_new(self, *, is_furnished: bool = True) -> None:
        """Leave nothing in it, or only what `FreshPostgres` begins with."""
        kept = self._KEPT if is_furnished else ()
        self._do(
            "".join(f'delete from "{name}";' for name in metadata.tables)
            + "".join(f"insert into {name} table kept.{name};" for name in kept)
            + "".join(_AS_NEW.format(name=name) for name in _COUNTED)
        )

    def _do(self, statements: str) -> None:
        async def done() -> None:
            connection = await PostgresStore(self.address).connect()
            try:
                await connection.execute(statements)
            finally:
                await connection.close()

        asyncio.run(done())
