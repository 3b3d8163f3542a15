"""Events become deliveries: whatever fails in between, each is told once, in order, in the same bytes at every try."""

import asyncio
import itertools
import json
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from heliograph.core.events import Event, Told
from heliograph.core.ids import MessageId
from heliograph.core.states import MessageState
from heliograph.pipeline.notify import PASSED
from heliograph.pipeline.ports import DeliveryResult
from heliograph.store.engine import Done, Hop, Request, Result, StoreUnavailable
from heliograph.store.hops.notify import DeliveryState
from heliograph.testing.clock import VirtualClock, turns
from heliograph.testing.life import ACME, HOOK, PlainEvents, Process, copied_store, let_go, pattern_store

_S = MessageState
MOST = 500
LIVES = ([_S.SUBMITTED, _S.DELIVERED], [_S.SUBMITTED, _S.UNKNOWN, _S.DELIVERED], [_S.HELD, _S.SUBMITTED], [_S.REJECTED])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.integers(0, 5)),
        st.tuples(st.just("many"), st.sampled_from([1, 499, 500, 501])),
        st.tuples(st.just("store fails"), st.integers(0, 2)),
        st.tuples(st.just("webhook answers"), st.sampled_from([200, 200, 503, 0])),
        st.tuples(st.just("time"), st.sampled_from([1, 5, 600])),
        st.tuples(st.just("crash"), st.just(0)),
    ),
    max_size=12,
)


@dataclass
class Telling:
    """One webhook's events, and processes that come and go."""

    folder: Path
    pattern: Path
    entered: dict[int, list[MessageState]] = field(default_factory=lambda: defaultdict(list))
    bodies: dict[int, bytes] = field(default_factory=dict)
    refused: list[Callable[[], None]] = field(default_factory=list)
    failures: int = 0
    status: int = 200

    async def begin(self) -> None:
        self.numbers = itertools.count(1)
        self.clock = VirtualClock()
        self.store = copied_store(self.folder, self.pattern)
        self.db = sqlite3.connect(self.store.path, isolation_level=None, timeout=0.05)
        self.db.execute("insert into submission values (?, 1, 'any', 1, 'Acme', 'Hello', null)", (ACME,))
        await self.start()

    async def start(self) -> None:
        self.process = Process(self.store, self.clock, PlainEvents(MOST))
        put = self.process.writer.put

        def failing_put(hop: Hop[Request, Result], request: Request, done: Done[Result]) -> None:
            if hop.name == "notify" and self.failures:
                self.failures -= 1
                self.refused.append(lambda: done(StoreUnavailable("the disk is full")))
            else:
                put(hop, request, done)

        self.process.writer.put = failing_put  # type: ignore[method-assign]
        await self.process.start()

    async def enter(self, *events: tuple[int, MessageState]) -> None:
        """Messages enter states: the outbox rows are committed, then the process hears of them."""
        told: list[Told] = []
        await self.write(
            "insert into message(account_id, id, submission_id, recipient, state, segments, charge, carrier_id, price, "
            "expires_at_ms) values (?, ?, 1, '+27831234567', 1, 1, 1, 1, 0, 0) on conflict do nothing",
            [(ACME, number) for number, _ in events],
        )
        for number, state in events:
            self.entered[number].append(state)
            told.append(Told(HOOK, Event(ACME, MessageId(number), state, self.clock.now_ms(), "+27831234567", None)))
        await self.write("insert into outbox values (?, ?, ?, ?, ?)", [each.row for each in told])
        self.process.notify.tell(told)
        await turns()

    async def write(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        """Write all rows or none. A process that crashed in a write lets go of the store only when the loop turns."""
        while True:
            try:
                self.db.execute("begin immediate")
            except sqlite3.OperationalError:
                await asyncio.sleep(0.005)
            else:
                self.db.executemany(statement, rows)
                self.db.execute("commit")
                return

    async def step(self, what: str, size: int) -> None:
        self.process.deliverer.answer = DeliveryResult(self.status or None, "")
        match what:
            case "enter":
                # One message goes a step further on its way: a new one, or one that has further to go.
                number = size
                life = LIVES[number % len(LIVES)]
                if len(self.entered[number]) < len(life):
                    await self.enter((number, life[len(self.entered[number])]))
            case "many":
                await self.enter(*((1_000 + next(self.numbers), _S.DELIVERED) for _ in range(size)))
            case "store fails":
                self.failures = size
            case "webhook answers":
                self.status = size
            case "crash":
                await self.process.crash()
                self.refused.clear()
                self.note_calls()
                await self.start()
            case _:
                await self.clock.advance(size)
                await self.work()

    async def work(self) -> None:
        """The refusals come, what is due is grouped and called."""
        refused, self.refused = self.refused, []
        for refuse in refused:
            refuse()
        self.process.deliverer.answer = DeliveryResult(self.status or None, "")
        await self.process.tell()
        await turns()
        if calling := [task for task in self.process.tasks if not task.done()]:
            await asyncio.wait(calling)
        self.process.check()
        self.note_calls()

    def note_calls(self) -> None:
        for call in self.process.deliverer.calls:
            assert self.bodies.setdefault(call.delivery_id, call.body) == call.body

    async def end(self) -> None:
        """Everything works from here on."""
        self.failures, self.status = 0, 200
        for _ in range(20):
            await self.clock.advance(1.5)
            await self.work()
            self.clock.skip(3_600)
            if not self.rows("select 1 from outbox union all select 1 from delivery where state = 1"):
                return

    def rows(self, statement: str) -> list[Any]:
        return self.db.execute(statement).fetchall()

    def check(self) -> None:
        assert self.rows("select message_id, state from outbox") == []
        heard: dict[int, list[MessageState]] = defaultdict(list)
        for delivery_id, events, body, state in self.rows("select id, events, body, state from delivery order by id"):
            assert state == DeliveryState.DELIVERED
            assert self.bodies[delivery_id] == body
            told = json.loads(body)
            assert len(told) == events <= MOST
            for number, of in told:
                heard[number].append(MessageState(of))
        for number, entered in self.entered.items():
            told_of = heard.pop(number, [])
            assert told_of == [state for state in entered if state in told_of], f"{entered} were told as {told_of}"
            for place, state in enumerate(entered):
                assert state in told_of or any(
                    later.is_terminal and state in PASSED and later is not state and later in told_of
                    for later in entered[place + 1 :]
                ), f"of {entered} nobody was told {state.word}, only {told_of}"
        assert heard == {}


async def told_whatever_happens(pattern: Path, steps: list[tuple[str, int]]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="grouping-"))
    telling = Telling(folder, pattern)
    await telling.begin()
    try:
        for step in steps:
            await telling.step(*step)
        await telling.end()
        telling.check()
    finally:
        await telling.process.crash()
        await let_go(telling.store)
        telling.db.close()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pattern_store(tmp_path_factory.mktemp("pattern"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
@example(steps=[("many", 501), ("many", 500), ("time", 5)])
@example(steps=[("enter", 0), ("enter", 0), ("store fails", 1), ("time", 5), ("time", 5), ("time", 5), ("crash", 0)])
@example(steps=[("enter", 0), ("store fails", 1), ("many", 499), ("enter", 0), ("time", 5)])
@example(steps=[("enter", 0), ("webhook answers", 503), ("time", 5), ("crash", 0), ("enter", 0)])
def test_every_event_is_told_once_in_order_whatever_fails(pattern: Path, steps: list[tuple[str, int]]) -> None:
    asyncio.run(told_whatever_happens(pattern, steps))
