"""A fresh store for a test: an account with credits, two carriers, and a writer that works when it is told to.

No thread and no clock: put work, `step`, look.
"""

import asyncio
import marshal
import shutil
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from heliograph.core.ids import AccountId, CarrierId
from heliograph.core.ledger import Balance, PostingKind
from heliograph.core.messages import Channel
from heliograph.core.money import CREDIT
from heliograph.store import accounts, carriers, postings
from heliograph.store.connection import Connection
from heliograph.store.engine import Hop
from heliograph.store.hops.crossing import ways
from heliograph.store.opening import open_store
from heliograph.store.sqlite import SqliteStore
from heliograph.store.writer import BatchWriter, nothing

Request = TypeVar("Request")
Result = TypeVar("Result")
T = TypeVar("T")

NOW_MS = 1_795_400_000_000
GRANT = 1_000 * CREDIT


def _crossed(packed: Any) -> Any:
    return marshal.loads(marshal.dumps(packed))


class FreshStore:
    """A store and its writer; work and results cross as between two processes.

    account_id: has `GRANT` micro-credits; carrier_id, other_carrier_id: the carriers.
    """

    def __init__(self, store: SqliteStore, reach: Callable[[str], None] = nothing) -> None:
        self.store = store
        self.writer: BatchWriter = store.writer(lambda call: call(), reach)
        self.account_id = self.add_account("acme", GRANT)
        self.carrier_id = self._add_carrier("north")
        self.other_carrier_id = self._add_carrier("south")
        self._look = store.connect()
        self._near, self._far = ways(), ways()

    def close(self) -> None:
        """Let go of every connection."""
        self._look.close()
        self.writer.close()

    def add_account(self, name: str, amount: int) -> AccountId:
        """One more account, with credits."""

        async def added(connection: Connection) -> AccountId:
            account_id = await accounts.add(connection, name=name, user=name, mark=f"{len(name):016x}", now_ms=NOW_MS)
            await postings.post(connection, account_id, kinds=(PostingKind.GRANT,), amount=amount, now_ms=NOW_MS)
            return account_id

        return self.writing(added)

    def _add_carrier(self, name: str) -> CarrierId:
        values = {"name": name, "url": f"loopback:{name}", "channels": [Channel.SMS]}
        return self.writing(lambda connection: carriers.add(connection, values, now_ms=NOW_MS))

    def do(self, hop: Hop[Request, Result], request: Request) -> Result:
        """Carry out one request in a batch of its own; raises what went wrong."""
        (result,) = self.together(hop, [request])
        if isinstance(result, Exception):
            raise result
        return result

    def together(self, hop: Hop[Request, Result], requests: Sequence[Request]) -> list[Result | Exception]:
        """Carry out requests in one batch; what came of each, in their order."""
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
        """What a question to the store gives, outside of the writer."""
        return self._look.execute(statement, values).fetchall()

    def execute(self, statement: str, *values: object) -> None:
        """Change something by hand, outside of the writer."""
        self._look.execute(statement, values)

    def balance(self, account_id: AccountId | None = None) -> Balance:
        """An account's credits."""
        wanted = account_id or self.account_id
        return self.reading(lambda connection: postings.balance_of(connection, wanted))

    def reading(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do cold work that only reads."""

        async def done() -> T:
            try:
                async with self.store.reading() as connection:
                    return await work(connection)
            finally:
                await self.store.close()

        return asyncio.run(done())

    def writing(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do cold work in one transaction."""

        async def done() -> T:
            try:
                async with self.store.writing() as connection:
                    return await work(connection)
            finally:
                await self.store.close()

        return asyncio.run(done())


def empty_store(folder: Path) -> Path:
    """The file of a store with the schema and nothing in it: the pattern that `fresh_store` copies."""

    async def opened() -> Path:
        store = await open_store("", folder)
        await store.close()
        return store.path

    return asyncio.run(opened())


def fresh_store(folder: Path, *, pattern: Path, reach: Callable[[str], None] = nothing) -> FreshStore:
    """A store in a folder, from a pattern of `empty_store`."""
    path = folder / pattern.name
    shutil.copyfile(pattern, path)
    return FreshStore(SqliteStore(path), reach)
