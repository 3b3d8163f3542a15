"""The process that writes: it commits what it is given, and neither end outlives the other by more than a commit."""

import asyncio
import logging
import os
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from heliograph.core.directory import Number
from heliograph.core.events import Audience
from heliograph.core.ids import AccountId, CarrierId, IdSource, MessageId, SubmissionId
from heliograph.core.messages import Channel
from heliograph.core.states import MessageState
from heliograph.store.apart.near import WriterApart, far_end
from heliograph.store.engine import StoreFailed, StoreUnavailable, ask
from heliograph.store.hops.accept import ACCEPT, AcceptRequest, NewBody, NotEnough
from heliograph.store.hops.crossing import Audiences
from heliograph.store.hops.mark import MARK, MarkRequest
from heliograph.store.opening import open_sqlite

PATIENCE_S = 20.0
IDS = IdSource(1)
Story = Callable[[WriterApart, Path], Awaitable[None]]


def play(folder: Path, story: Story, *, deaths: list[BaseException] | None = None) -> None:
    """Tell a story of one near end on a new store."""

    async def told() -> None:
        store = open_sqlite("", folder)
        died = deaths.append if deaths is not None else _never
        writer = await WriterApart.start(far_end(store.path), died)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await story(writer, store.path)
        finally:
            await writer.stop(patience_s=PATIENCE_S)
            await store.close()

    asyncio.run(told())


def _never(error: BaseException) -> None:
    raise AssertionError(error)


def submission(account_id: int = 1) -> AcceptRequest:
    """One that costs more than anybody here has."""
    return AcceptRequest(
        AccountId(account_id),
        [NewBody(SubmissionId(IDS.next(0)), "Hello")],
        "any",
        Channel.SMS,
        "Acme",
        5,
        [],
        0,
        False,
    )


def marking(*messages: int) -> MarkRequest:
    return MarkRequest(7, CarrierId(1), 3, [(AccountId(1), MessageId(number)) for number in messages], 0)


def test_work_is_done_in_order_and_told_in_order(tmp_path: Path) -> None:
    async def story(writer: WriterApart, path: Path) -> None:
        told: list[int] = []
        for number in range(500):
            writer.put(ACCEPT, submission(), lambda result, number=number: told.append(number))  # type: ignore[misc]
        assert await ask(writer, ACCEPT, submission()) == NotEnough(0)
        assert told == list(range(500))
        assert 1 <= writer.commits < 500
        assert await ask(writer, MARK, marking(1, 2)) == set()

    play(tmp_path, story)


def test_stopping_waits_for_everything_that_was_put(tmp_path: Path) -> None:
    results: list[object] = []

    async def story(writer: WriterApart, path: Path) -> None:
        for _ in range(50):
            writer.put(ACCEPT, submission(), results.append)

    play(tmp_path, story)
    assert results == [NotEnough(0)] * 50


def test_one_who_is_told_and_fails_stops_nobody(tmp_path: Path) -> None:
    async def story(writer: WriterApart, path: Path) -> None:
        failures: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, about: failures.append(about["message"]))
        writer.put(ACCEPT, submission(), lambda _: 1 / 0)  # type: ignore[arg-type]
        assert await ask(writer, ACCEPT, submission()) == NotEnough(0)
        assert failures == ["told of accept"]

    play(tmp_path, story)


def test_a_row_that_cannot_be_stored_is_logged_here_and_fails_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(writer: WriterApart, path: Path) -> None:
        bad = ask(writer, MARK, MarkRequest(7, CarrierId(1), 3, [("no", "pair", "this")], 0))  # type: ignore[list-item]
        good = ask(writer, MARK, marking(1))
        with pytest.raises(StoreFailed):
            await bad
        assert await good == set()

    with caplog.at_level(logging.ERROR):
        play(tmp_path, story)


def test_a_store_that_fails_is_told_as_such_and_works_again(tmp_path: Path) -> None:
    async def story(writer: WriterApart, path: Path) -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(StoreUnavailable, match="locked"):
            await ask(writer, ACCEPT, submission())
        other.execute("rollback")
        other.close()
        assert await ask(writer, ACCEPT, submission()) == NotEnough(0)

    play(tmp_path, story)


def test_a_far_end_that_dies_is_told_at_once(tmp_path: Path) -> None:
    deaths: list[BaseException] = []

    async def story(writer: WriterApart, path: Path) -> None:
        assert await ask(writer, ACCEPT, submission()) == NotEnough(0)
        os.kill(writer.pid, signal.SIGKILL)
        while not deaths:  # noqa: ASYNC110 (a process that dies sets no event of ours)
            await asyncio.sleep(0.01)

    play(tmp_path, story, deaths=deaths)
    assert "is gone" in str(deaths[0])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_for_the_whole_program_do_not_end_the_far_end(tmp_path: Path, number: signal.Signals) -> None:
    async def story(writer: WriterApart, path: Path) -> None:
        assert await ask(writer, ACCEPT, submission()) == NotEnough(0)
        os.kill(writer.pid, number)
        assert await ask(writer, ACCEPT, submission()) == NotEnough(0)

    play(tmp_path, story)


def test_the_far_end_goes_when_the_near_end_does(tmp_path: Path) -> None:
    pids: list[int] = []

    async def story(writer: WriterApart, path: Path) -> None:
        pids.append(writer.pid)

    play(tmp_path, story)
    until = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{pids[0]}").exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not Path(f"/proc/{pids[0]}").exists()


def test_a_far_end_that_hangs_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    async def story(writer: WriterApart, path: Path) -> None:
        os.kill(writer.pid, signal.SIGSTOP)
        writer.put(ACCEPT, submission(), lambda _: None)
        begun = time.monotonic()
        await writer.stop(patience_s=0.1)
        assert time.monotonic() - begun < PATIENCE_S / 2
        with pytest.raises(ProcessLookupError):
            os.kill(writer.pid, 0)

    play(tmp_path, story)


def test_of_the_audience_only_news_cross() -> None:
    near, far = Audiences(), Audiences()
    number = Number(msisdn="+27600000000", account_id=AccountId(1), channels=frozenset({Channel.SMS}), webhook="Desk")
    numbers = {"27600000000": number}
    first = Audience({(AccountId(1), MessageState.DELIVERED): ()}, {}, numbers)
    assert far.unpack(near.pack(first)) == first
    assert near.pack(first) is None
    assert far.unpack(None) == first
    second = Audience({}, {(AccountId(1), "desk", MessageState.RECEIVED): ()}, numbers)
    news = near.pack(second)
    assert news is not None
    assert b"27600000000" not in news
    assert far.unpack(news) == second
