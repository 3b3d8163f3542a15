"""Scheduled messages leave at their time, however many others are due, and a kill does not keep one from it."""

import signal
import sqlite3
from pathlib import Path

import pytest

from heliograph.carriers.kinds import KINDS
from heliograph.cli import dialects
from heliograph.core.directory import Policy
from heliograph.core.ids import IdSource, first_at
from heliograph.core.messages import Accepted, Channel, Submission
from heliograph.core.money import CREDIT
from heliograph.net.clock import SystemClock
from heliograph.pipeline.accept import Acceptance
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.directory import Directory
from heliograph.pipeline.drafting import Terms
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.sending import NODE, Nowhere
from heliograph.store.opening import open_store
from heliograph.testing.served import Served
from tests.faults.rig import SHORT, WINDOW, live, rig, until

PUNCTUAL_MS = 1_000
AT_ONCE = 50
TERMS = Terms(sender="Heliograph", validity_ms=3_600_000, most_in_memory=0, most_in_store=10**6)


async def set_up(data: Path) -> None:
    """An account and a carrier that takes what comes."""
    store = await open_store("", data)
    clock = SystemClock()
    await Accounts(store, clock).add("acme", amount=10**6 * CREDIT)
    carrier = CarrierOptions(url="loopback:", window=500)
    await Carriers(store, clock, kinds=KINDS).add("north", carrier)
    await store.close()


async def schedule(data: Path, numbers: list[str], *, first_ms: int, step_ms: float) -> None:
    """Some at a time, each lot a step after the one before: through the door of every dialect, in this process."""
    store, clock = await open_store("", data), SystemClock()
    directory = Directory(store, clock, dialects.told)
    await directory.load()
    ids = IdSource(NODE, last=first_at(clock.now_ms()))
    desk = Desk(directory=directory, store=store, writer=store.turn_writer(), ids=ids, clock=clock, owner=0)
    door = Acceptance(desk, lines=Nowhere(), terms=TERMS)
    (account_id,) = directory.snapshot.accounts
    for place in range(0, len(numbers), AT_ONCE):
        at_ms = first_ms + round(place / AT_ONCE * step_ms)
        lot = tuple(numbers[place : place + AT_ONCE])
        answer = await door.submit(Submission(account_id, "cli", Channel.SMS, SHORT, lot, send_at_ms=at_ms))
        assert isinstance(answer, Accepted)
        assert answer.send_at_ms == at_ms, "stored too late for its time"
    await store.close()


def rows(data: Path, statement: str) -> list[tuple[int, ...]]:
    """What the store holds."""
    connection = sqlite3.connect(data / "heliograph.sqlite")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


LATENESS = "select marked_at_ms - (expires_at_ms - 3600000) from message order by 1"


async def leave_on_time(data: Path, count: int, *, seconds: float, storing_s: float) -> list[int]:
    """How late each message left, in milliseconds, when so many are due within some seconds."""
    await set_up(data)
    # None of these has a fate of its own, such as being put off by the carrier.
    numbers = [f"2783{number:05d}67" for number in range(count)]
    first_ms = SystemClock().now_ms() + int(storing_s * 1000)
    await schedule(data, numbers, first_ms=first_ms, step_ms=seconds * 1000 * AT_ONCE / count)
    async with Served(data) as served:
        await served.start()
        assert SystemClock().now_ms() < first_ms, "started too late for the first message"
        await until(lambda: not rows(data, "select 1 from ready limit 1"), seconds=storing_s + seconds + 20)
        await until(lambda: not rows(data, "select 1 from message where state < 3 limit 1"))
        assert await served.stop() == 0
    late = [int(row[0]) for row in rows(data, LATENESS)]
    assert len(late) == count
    return late


def tell(late: list[int]) -> str:
    """The figures."""
    return f"{len(late)} messages left {late[len(late) // 2]} ms late in the middle, {late[-1]} ms at most"


@live
async def test_messages_leave_within_a_second_of_their_time(tmp_path: Path) -> None:
    late = await leave_on_time(tmp_path, 1_000, seconds=1.2, storing_s=6)
    assert late[0] >= 0, "left before its time"
    assert late[-1] < PUNCTUAL_MS, tell(late)


@pytest.mark.long
@live
async def test_a_hundred_thousand_leave_within_a_second_of_their_time(tmp_path: Path) -> None:
    late = await leave_on_time(tmp_path, 100_000, seconds=60, storing_s=25)
    assert late[0] >= 0
    assert late[-1] < PUNCTUAL_MS, tell(late)


@pytest.mark.parametrize(
    "point",
    [
        "claim.committed",
        pytest.param("claim.stored", marks=pytest.mark.long),
        pytest.param("claim.taken", marks=pytest.mark.long),
    ],
)
@live
async def test_a_kill_while_they_become_due_costs_no_more_than_promised(tmp_path: Path, point: str) -> None:
    async with rig(tmp_path, Policy.RESEND) as it:
        numbers = it.customer.fresh(SHORT, 200)
        it.customer.accepted.update(dict.fromkeys(numbers, SHORT))
        await schedule(tmp_path, numbers, first_ms=SystemClock().now_ms() + 2_500, step_ms=200)
        await it.served.start_doomed(point, 1)
        assert await it.served.died() == -signal.SIGKILL
        await it.served.start()
        await until(lambda: len(it.carried()) == len(numbers))
        outcome = await it.settle()
        outcome.check(Policy.RESEND, window=WINDOW)
        assert outcome.states == {"delivered": len(numbers)}
