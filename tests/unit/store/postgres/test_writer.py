import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import asyncpg
import pytest

from heliograph.store.engine import Hop, StoreFailed, StoreRefused, StoreUnavailable
from heliograph.store.hops.statements import DO_NOTHING, Script, Statement, together
from heliograph.store.postgres.store import PostgresStore
from heliograph.store.postgres.writer import ENOUGH_ROWS, LONGEST_REST_S, PostgresWriter
from heliograph.testing.postgres import Server, server

PATIENCE_S = 30


class Add(NamedTuple):
    """Names to be added, each once for ever: a name used again, or none, cannot be stored."""

    names: list[str | None]


INSERT = Statement("insert into name(hop, name) select * from ({rows}) j", columns="text text")


def _add(requests: list[Add]) -> Script[list[list[str | None]]]:
    for request in requests:
        yield INSERT.about([("add", name) for name in request.names])
    return [request.names for request in requests]


def _note(requests: list[str]) -> Script[list[int]]:
    yield INSERT.about([("note", request) for request in requests])
    return [len(request) for request in requests]


KEEP_ONCE = Statement(
    "insert into name(hop, name) select * from ({rows}) j where column1 is not null",
    columns="text text",
    conflict=DO_NOTHING,
)


def _keep(requests: list[Add]) -> Script[list[list[str | None]]]:
    yield together([KEEP_ONCE.about([("keep", name) for request in requests for name in request.names])])
    return [request.names for request in requests]


ADD: Hop[Add, list[str | None]] = Hop(
    "add",
    lambda request: len(request.names),
    _add,
    lambda request: [Add([name]) for name in request.names],
    lambda results: [name for result in results for name in result],
)
WHOLE: Hop[Add, list[str | None]] = Hop("whole", lambda request: len(request.names), _add)
KEEP: Hop[Add, list[str | None]] = Hop("keep", lambda request: len(request.names), _keep)
NOTE: Hop[str, int] = Hop("note", lambda _: 1, _note)


class Desk:
    """A writer on a small store. lose: what happens to a commit, instead of its answer; lost_as: how that is noticed.

    while_resting: done then.
    """

    def __init__(self, address: str) -> None:
        self.store = PostgresStore(address)
        self.lose: Callable[[asyncpg.Connection], Awaitable[None]] | None = None
        self.lost_as: Exception = ConnectionResetError()
        self.opened = 0
        self.reached: list[str] = []
        self.died: list[BaseException] = []
        self.waits: list[float] = []
        self.while_resting: Callable[[], None] | None = None
        self.writer = PostgresWriter(self._connect, died=self.died.append, reach=self.reached.append, sleep=self._wait)
        self._told: list[asyncio.Future[Any]] = []

    async def _connect(self) -> asyncpg.Connection:
        self.opened += 1
        connection = await self.store.connect_hot()
        return _Losing(self, connection) if self.lose is not None else connection

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self.while_resting is not None:
            self.while_resting()
        await asyncio.sleep(0.01)

    def put(self, hop: Hop[Any, Any], request: Any) -> None:
        told: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._told.append(told)
        self.writer.put(hop, request, told.set_result)

    def add(self, *names: str | None, hop: Hop[Add, list[str | None]] = ADD) -> None:
        self.put(hop, Add(list(names)))

    def note(self, name: str) -> None:
        self.put(NOTE, name)

    async def told(self) -> list[Any]:
        """What everybody was told."""
        told, self._told = self._told, []
        return list(await asyncio.gather(*told))

    async def stored(self) -> list[str]:
        connection = await self.store.connect()
        try:
            return [row[0] for row in await connection.fetch("select name from name order by place")]
        finally:
            await connection.close()

    async def close(self) -> None:
        await self.writer.stop(patience_s=PATIENCE_S)
        await self.store.close()
        assert not self.died


class _Losing:
    """A connection that is lost once, when it is to commit."""

    def __init__(self, desk: Desk, connection: asyncpg.Connection) -> None:
        self._desk = desk
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, text: str, *values: object) -> Any:
        lose = self._desk.lose
        if text == "commit" and lose is not None:
            self._desk.lose = None
            await lose(self._connection)
            self._connection.terminate()
            raise self._desk.lost_as
        return await self._connection.execute(text, *values)


Story = Callable[[Desk], Awaitable[None]]


def tell(address: str, story: Story) -> None:
    async def told() -> None:
        desk = Desk(address)
        async with asyncio.timeout(PATIENCE_S):
            connection = await desk.store.connect()
            await connection.execute(
                "drop table if exists name;create table name(place serial, name text not null primary key, hop text);"
                "drop table if exists last_commit;"
                "create table last_commit(connection bigint primary key, number bigint not null, at_ms bigint not null)"
            )
            await connection.close()
            await story(desk)
            await desk.close()

    asyncio.run(told())


@pytest.fixture(scope="module")
def address(postgres_server: Server) -> str:
    return postgres_server.new_database()


def test_a_row_that_is_hardly_ever_there_is_left_as_it_is_when_it_is_there(address: str) -> None:
    async def story(desk: Desk) -> None:
        desk.add("a", "b", hop=KEEP)
        await desk.told()
        desk.add("b", "c", hop=KEEP)
        desk.note("e")
        assert await desk.told() == [["b", "c"], 1]
        assert await desk.stored() == ["a", "b", "c", "e"]
        # The batch was not cut in two.
        assert desk.writer.commits == 2

    tell(address, story)


def test_hops_share_one_transaction_and_keep_their_order(address: str) -> None:
    async def story(desk: Desk) -> None:
        desk.add("a")
        desk.note("b")
        desk.add("c", "d")
        desk.note("ee")
        assert await desk.told() == [["a"], 1, ["c", "d"], 2]
        assert await desk.stored() == ["a", "c", "d", "b", "ee"]
        assert (desk.writer.commits, desk.opened) == (1, 1)
        assert desk.reached == ["add.stored", "note.stored", "add.committed", "note.committed"]

    tell(address, story)


def test_what_comes_while_a_batch_is_committed_is_the_next_one(address: str) -> None:
    async def story(desk: Desk) -> None:
        desk.note("a")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        desk.note("b")
        desk.note("c")
        assert await desk.told() == [1, 1, 1]
        assert desk.writer.commits == 2

    tell(address, story)


def test_one_bad_request_fails_alone(address: str) -> None:
    async def story(desk: Desk) -> None:
        desk.add("taken")
        await desk.told()
        names = ["a", "b", "taken", "c", "d"]
        for name in names:
            desk.add(name, hop=WHOLE)
        desk.note("e")
        results = await desk.told()
        assert [isinstance(result, StoreFailed) for result in results] == [name == "taken" for name in [*names, "e"]]
        assert sorted(await desk.stored()) == ["a", "b", "c", "d", "e", "taken"]
        assert desk.opened == 1

    tell(address, story)


def test_one_bad_row_fails_alone(address: str) -> None:
    async def story(desk: Desk) -> None:
        desk.add("a", None, "b")
        desk.add("c")
        assert await desk.told() == [["a", "b"], ["c"]]
        assert await desk.stored() == ["a", "b", "c"]

    tell(address, story)


def test_a_fault_of_ours_fails_alone(address: str) -> None:
    def fail(requests: list[str]) -> Script[list[int]]:
        yield from _note(requests)
        raise KeyError("a fault of ours")

    async def story(desk: Desk) -> None:
        desk.note("a")
        desk.put(Hop("fault", lambda _: 1, fail), "b")
        first, second = await desk.told()
        assert first == 1
        assert isinstance(second, StoreFailed)
        assert await desk.stored() == ["a"]

    tell(address, story)


def test_a_zero_octet_is_replaced_instead_of_failing_for_ever(address: str) -> None:
    async def story(desk: Desk) -> None:
        desk.add("good")
        desk.add("with\0zero")
        assert await desk.told() == [["good"], ["with\0zero"]]
        assert await desk.stored() == ["good", "with\ufffdzero"]

    tell(address, story)


def test_who_stood_in_anothers_way_is_tried_again(address: str) -> None:
    tries: list[int] = []
    clash = Statement("do $$ begin raise exception 'in the way' using errcode = '40P01'; end $$")

    def fail(requests: list[str]) -> Script[list[int]]:
        tries.append(1)
        if len(tries) < 3:
            yield clash.alone()
        return (yield from _note(requests))

    async def story(desk: Desk) -> None:
        desk.put(Hop("note", NOTE.size, fail), "a")
        assert await desk.told() == [1]
        assert await desk.stored() == ["a"]
        assert (len(tries), desk.opened) == (3, 1)

    tell(address, story)


def test_one_who_will_not_hear_does_not_keep_the_others_from_hearing(address: str) -> None:
    def deaf(result: object) -> None:
        raise RuntimeError("deaf")

    async def story(desk: Desk) -> None:
        said: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(str(context["exception"])))
        desk.writer.put(NOTE, "a", deaf)
        desk.note("b")
        assert await desk.told() == [1]
        assert said == ["deaf"]

    tell(address, story)


LOST = (ConnectionResetError(), asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is …"))
"""The second is how the driver says that the server ended the connection while it asked for something."""


@pytest.mark.parametrize("lost_as", LOST, ids=["reset", "out of place"])
def test_a_commit_that_happened_although_its_answer_was_lost(address: str, lost_as: Exception) -> None:
    async def commit(connection: asyncpg.Connection) -> None:
        await connection.execute("commit")

    async def story(desk: Desk) -> None:
        desk.lose, desk.lost_as = commit, lost_as
        desk.note("a")
        assert await desk.told() == [1]
        assert await desk.stored() == ["a"]
        assert (desk.writer.commits, desk.opened) == (1, 2)

    tell(address, story)


@pytest.mark.parametrize("lost_as", LOST, ids=["reset", "out of place"])
def test_a_commit_that_did_not_happen(address: str, lost_as: Exception) -> None:
    async def nothing(connection: asyncpg.Connection) -> None:
        """The request to commit is lost with the connection."""

    async def story(desk: Desk) -> None:
        desk.lose, desk.lost_as = nothing, lost_as
        desk.note("a")
        (result,) = await desk.told()
        assert isinstance(result, StoreUnavailable)
        assert await desk.stored() == []
        desk.note("a")
        assert await desk.told() == [1]

    tell(address, story)


def test_a_commit_that_did_not_happen_is_not_taken_for_one_that_did_after_a_crash() -> None:
    with server(fsync="off") as postgres:

        async def story(desk: Desk) -> None:
            async def crash(_: asyncpg.Connection) -> None:
                """The server forgets the transaction, and gives its number to another one, which is committed."""
                await asyncio.to_thread(postgres.stop, "immediate")
                await asyncio.to_thread(postgres.start)
                connection = await desk.store.connect()
                for place in range(3):
                    await connection.execute(f"insert into name(name) values ('other {place}')")
                await connection.close()

            desk.note("first")
            await desk.told()
            desk.lose = crash
            await desk.writer.stop(patience_s=PATIENCE_S)
            desk.note("a")
            (result,) = await desk.told()
            assert isinstance(result, StoreUnavailable)
            assert "a" not in await desk.stored()

        tell(postgres.address("postgres"), story)


def test_a_server_that_is_away_refuses_and_is_used_again_when_it_is_back() -> None:
    with server(fsync="off") as postgres:

        async def story(desk: Desk) -> None:
            desk.note("a")
            await desk.told()
            await asyncio.to_thread(postgres.stop, "immediate")
            desk.note("b")
            desk.add("c", "d")
            assert [type(result) for result in await desk.told()] == [StoreUnavailable] * 2
            await asyncio.to_thread(postgres.start)
            desk.note("b")
            assert await desk.told() == [1]
            assert await desk.stored() == ["a", "b"]

        tell(postgres.address("postgres"), story)


def test_a_server_that_forgets_is_refused_with_the_settings() -> None:
    with server(synchronous_commit="off", fsync="off") as postgres:

        async def story(desk: Desk) -> None:
            with pytest.raises(StoreRefused, match="fsync = off, synchronous_commit = off"):
                await desk.store.check()

        tell(postgres.address("postgres"), story)
    with server() as postgres:
        tell(postgres.address("postgres"), lambda desk: desk.store.check())


def test_a_command_lets_go_of_its_connection(address: str) -> None:
    async def story(desk: Desk) -> None:
        writer = desk.store.turn_writer()
        told: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        writer.put(NOTE, "a", told.set_result)
        assert await told == 1
        await desk.store.close()
        connection = await desk.store.connect()
        mine = await connection.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        await connection.close()
        assert mine == 0

    tell(address, story)


def test_after_a_small_batch_more_is_let_gather(address: str) -> None:
    async def story(desk: Desk) -> None:
        def more() -> None:
            desk.while_resting = None
            for name in ("b", "c", "d"):
                desk.add(name)

        desk.while_resting = more
        desk.add("a")
        await desk.told()
        await desk.writer.stop(patience_s=PATIENCE_S)
        assert await desk.told() == [["b"], ["c"], ["d"]]
        assert desk.writer.commits == 2
        assert all(0 < each <= LONGEST_REST_S for each in desk.waits)

    tell(address, story)


def test_after_a_large_batch_nobody_waits(address: str) -> None:
    async def story(desk: Desk) -> None:
        desk.add(*(f"name {index}" for index in range(ENOUGH_ROWS)))
        await desk.told()
        await desk.writer.stop(patience_s=PATIENCE_S)
        assert desk.waits == []

    tell(address, story)
