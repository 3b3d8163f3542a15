"""A message's life, in any order of things that can happen to it: what must never happen does not."""

import asyncio
import itertools
import shutil
import sqlite3
import sys
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from heliograph.core.ids import AccountId, CarrierId, MessageId
from heliograph.core.ledger import Balance, PostingKind, post
from heliograph.core.messages import Accepted, Channel, Parcel, Refusal, Submission
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.core.receipts import Receipt, match_key
from heliograph.core.states import MOVES, Charge, MessageState
from heliograph.net.http import CallFailed, Fetched
from heliograph.pipeline.session import LineSession
from heliograph.services.audit import Audit
from heliograph.services.messages import RESOLUTIONS, Messages
from heliograph.services.refused import Refused as Declined
from heliograph.testing.clock import VirtualClock, turns
from heliograph.testing.life import (
    ACME,
    BRAVO,
    GRANT,
    NORTH,
    SOUTH,
    WINDOW,
    Process,
    copied_store,
    let_go,
    pattern_store,
    told_states,
)

T = TypeVar("T")
_S = MessageState
LONG = "A text of several segments. " * 20
PREFIXES = {NORTH: "+2783", SOUTH: "+4477"}
ENDS = (_S.DELIVERED, _S.UNDELIVERED, _S.EXPIRED, _S.REJECTED, _S.UNKNOWN)
BUSY = CallFailed("answered 503", is_passing=True)
FILES: dict[str, list[Fetched | CallFailed]] = {
    "http://cdn.example/there.gif": [Fetched(200, b"GIF89a", "")],
    "http://cdn.example/late.gif": [BUSY, BUSY, Fetched(200, b"GIF89a late", "")],
    "http://cdn.example/never.gif": [BUSY],
    "http://cdn.example/gone.gif": [CallFailed("answered 404")],
}
LATER_S = (1, 5, 3_600, 50 * 3_600)
"""How far in the future messages are scheduled."""
WAITS_S = (0.05, 1.5, 7.0, 400.0, 7_200.0, 49 * 3_600.0, 75 * 3_600.0)


def _reachable() -> dict[MessageState, set[MessageState]]:
    """What may come of each state, itself included, by any number of moves."""
    reached = {state: {state} for state in MessageState}
    for _ in MessageState:
        for state, further in reached.items():
            further |= {after for between in further for after in MOVES[between]}
            assert state in further
    return reached


REACHABLE = _reachable()


@dataclass(eq=False)
class Wire:
    """One session as its carrier sees it. out: segments without an answer; unsettled: answers not committed yet."""

    carrier_id: CarrierId
    session: LineSession
    taking: "asyncio.Task[list[Parcel]]"
    out: list[Parcel] = field(default_factory=list)
    unsettled: int = 0


class Life(RuleBasedStateMachine):
    """Two accounts, two carriers (north sends again what it doubts, south holds it), a webhook."""

    pattern: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="life-"))
        self.runner = asyncio.Runner()
        self.clock = VirtualClock()
        self.store = copied_store(self.folder, self.pattern)
        self.look = sqlite3.connect(self.store.path)
        self.numbers = itertools.count(1)
        self.wires: list[Wire] = []
        self.accepting: list[asyncio.Task[Accepted | Refusal]] = []
        self.accepted: set[tuple[AccountId, MessageId]] = set()
        self.states: dict[tuple[AccountId, MessageId], MessageState] = {}
        self.issued: dict[tuple[CarrierId, str], str] = {}
        self.carrier_ids: dict[tuple[MessageId, int], str] = {}
        self.sent: dict[tuple[CarrierId, MessageId, int], int] = defaultdict(int)
        self.told: dict[int, bytes] = {}
        self.start_process()

    # How it is done --------------------------------------------------------------------------------------------

    def start_process(self) -> None:
        self.process = Process(self.store, self.clock)
        self.process.web.answers |= {url: list(answers) for url, answers in FILES.items()}
        self.run(self.process.start())
        self.run(self.started(self.process.dispatch.fetching.follow()))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something and let everybody react, committing as it goes."""

        async def done() -> T:
            self.process.writer.by_hand = False
            result = await work
            await turns()
            return result

        return self.runner.run(done())

    def go_on(self, *, commits: bool) -> None:
        """Let everybody react; commit what is queued, or leave it."""

        async def reacted() -> None:
            await turns()
            if commits:
                for _ in range(5):
                    self.process.writer.commit()
                    await turns()
                for wire in self.wires:
                    wire.unsettled = 0

        self.runner.run(reacted())
        self.process.check()
        self.collect()

    def collect(self) -> None:
        """See what came of what was begun."""
        for task in [task for task in self.accepting if task.done()]:
            self.accepting.remove(task)
            answer = task.result()
            if isinstance(answer, Accepted):
                for verdict in answer.verdicts:
                    assert verdict.message_id is not None
                    self.accepted.add((self.owners[verdict.message_id], verdict.message_id))
        for wire in self.wires:
            if wire.taking.done():
                parcels = wire.taking.result()
                for parcel in parcels:
                    self.send(wire, parcel)
                wire.taking = self.process.spawn(wire.session.take())
                self.process.tasks.discard(wire.taking)

    @property
    def owners(self) -> dict[MessageId, AccountId]:
        return {message_id: account_id for account_id, message_id in self.rows("select account_id, id from message")}

    def send(self, wire: Wire, parcel: Parcel) -> None:
        """A segment leaves: it must be marked, and the carrier must not be known to have it."""
        message, place = parcel.message, (parcel.message.message_id, parcel.segment)
        taken = self.rows(
            "select 1 from attempt where message_id = ? and segment = ? and carrier_message_id is not null", *place
        )
        assert not taken, f"segment {place} was taken and is sent again"
        assert message.content.is_complete, f"{place} leaves without its files"
        ((state, session),) = self.rows("select state, session from message where id = ?", message.message_id)
        # A receipt of one segment may end a message while others of it, marked before, are about to leave.
        is_marked = state == _S.SUBMITTING or (parcel.segment > 0 and MessageState(state).is_terminal)
        assert is_marked and session == wire.session.session_id, f"{place} leaves without its mark"  # noqa: PT018
        wire.out.append(parcel)
        assert len(wire.out) + wire.unsettled <= WINDOW
        self.sent[wire.carrier_id, *place] += 1
        if wire.carrier_id == SOUTH:
            assert self.sent[wire.carrier_id, *place] == 1, f"{place} may have left, and is sent again under hold"

    def rows(self, statement: str, *values: object) -> list[Any]:
        return self.look.execute(statement, values).fetchall()

    def id_of(self, carrier_id: CarrierId, parcel: Parcel) -> str:
        """The id that the carrier gives a segment: known from when it has it, whenever it answers."""
        place = (parcel.message.message_id, parcel.segment)
        written = self.carrier_ids.get(place) or f"c{next(self.numbers):x}"
        self.carrier_ids[place] = written
        self.issued[carrier_id, written] = parcel.message.recipient
        return written

    # What happens ----------------------------------------------------------------------------------------------

    @rule(
        account_id=st.sampled_from([ACME, BRAVO]),
        carrier_id=st.sampled_from([NORTH, SOUTH]),
        count=st.integers(1, 4),
        text=st.sampled_from(["Hi", LONG, ""]),
        after_s=st.sampled_from([0, 0, 0, *LATER_S]),
        commits=st.booleans(),
    )
    def accept(
        self, *, account_id: AccountId, carrier_id: CarrierId, count: int, text: str, after_s: int, commits: bool
    ) -> None:
        recipients = [f"{PREFIXES[carrier_id]}{next(self.numbers):07}" for _ in range(count)]
        submission = Submission(
            account_id=account_id, dialect="plain", channel=Channel.SMS, text=text, recipients=tuple(recipients),
            texts=() if text else tuple(f"Dear {number % 2}" for number in range(count)),
            send_at_ms=self.clock.now_ms() + after_s * 1_000,
        )  # fmt: skip
        self.process.writer.by_hand = True
        self.accepting.append(self.runner.run(self.started(self.process.acceptance.submit(submission))))
        self.go_on(commits=commits)

    @rule(
        count=st.integers(1, 3),
        urls=st.lists(st.sampled_from(sorted(FILES)), min_size=1, max_size=2),
        commits=st.booleans(),
    )
    def accept_mms(self, *, count: int, urls: list[str], commits: bool) -> None:
        recipients = [f"{PREFIXES[NORTH]}{next(self.numbers):07}" for _ in range(count)]
        submission = Submission(
            account_id=ACME, dialect="plain", channel=Channel.MMS, text="", recipients=tuple(recipients),
            media_urls=tuple(urls),
        )  # fmt: skip
        self.process.writer.by_hand = True
        self.accepting.append(self.runner.run(self.started(self.process.acceptance.submit(submission))))
        self.go_on(commits=commits)

    async def started(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = self.process.spawn(work)
        self.process.tasks.discard(task)
        return task

    @precondition(lambda self: len(self.wires) < 3)
    @rule(carrier_id=st.sampled_from([NORTH, SOUTH]), commits=st.booleans())
    def open_session(self, *, carrier_id: CarrierId, commits: bool) -> None:
        self.process.writer.by_hand = True

        async def opened() -> Wire:
            session = self.process.dispatch.line(carrier_id).open_session()
            return Wire(carrier_id, session, await self.started(session.take()))

        self.wires.append(self.runner.run(opened()))
        self.go_on(commits=commits)

    @precondition(lambda self: self.wires)
    @rule(data=st.data(), commits=st.booleans())
    def close_session(self, data: st.DataObject, *, commits: bool) -> None:
        wire = data.draw(st.sampled_from(self.wires))
        self.wires.remove(wire)
        self.process.writer.by_hand = True

        async def closed() -> None:
            wire.taking.cancel()
            await asyncio.gather(wire.taking, return_exceptions=True)
            wire.session.close("the wire was cut")

        self.runner.run(closed())
        self.go_on(commits=commits)

    @precondition(lambda self: any(wire.out for wire in self.wires))
    @rule(data=st.data(), kinds=st.lists(st.sampled_from("ssssrdta"), min_size=1, max_size=4), commits=st.booleans())
    def answer(self, data: st.DataObject, kinds: list[str], *, commits: bool) -> None:
        wire = data.draw(st.sampled_from([wire for wire in self.wires if wire.out]))
        parcels = data.draw(st.permutations(wire.out))[: len(kinds)]
        outcomes = [self.outcome(wire, parcel, kind) for parcel, kind in zip(parcels, kinds, strict=False)]
        self.report(wire, outcomes)
        self.go_on(commits=commits)

    def report(self, wire: Wire, outcomes: list[SubmitOutcome]) -> None:
        self.process.writer.by_hand = True
        for outcome in outcomes:
            wire.out.remove(outcome.parcel)
            wire.unsettled += 1

        async def reported() -> None:
            wire.session.report(outcomes)

        self.runner.run(reported())

    def outcome(self, wire: Wire, parcel: Parcel, kind: str) -> SubmitOutcome:
        place = (wire.carrier_id, parcel.message.message_id, parcel.segment)
        match kind:
            case "s":
                return Submitted(parcel, self.id_of(wire.carrier_id, parcel))
            case "r":
                self.sent[place] -= 1
                return Refused(parcel, Reason.CARRIER_REFUSED, "11")
            case "a":
                return Ambiguous(parcel, "no answer in time")
            case _:
                return self.deferred(parcel, place, kind)

    def deferred(self, parcel: Parcel, place: tuple[CarrierId, MessageId, int], kind: str) -> Deferred:
        self.sent[place] -= 1
        if kind == "d":
            return Deferred(parcel, 30_000, True, "8", tries=2)
        return Deferred(parcel, 1_000, False, "58", pause_ms=500)

    @precondition(lambda self: self.wires and self.issued)
    @rule(data=st.data(), end=st.sampled_from(ENDS), commits=st.booleans())
    def receipt(self, data: st.DataObject, *, end: MessageState, commits: bool) -> None:
        carrier_id, written = data.draw(st.sampled_from(sorted(self.issued)))
        self.deliver(carrier_id, Receipt(match_key(written, is_hex=False), end, self.ends_of(carrier_id, written)))
        self.go_on(commits=commits)

    def ends_of(self, carrier_id: CarrierId, written: str) -> tuple[str, str]:
        return (self.issued[carrier_id, written].removeprefix("+"), "Heliograph")

    def deliver(self, carrier_id: CarrierId, receipt: Receipt) -> None:
        self.process.writer.by_hand = True
        heard: list[bool] = []

        async def delivered() -> None:
            for wire in self.wires:
                if wire.carrier_id == carrier_id:
                    wire.session.receive([receipt], heard.append)
                    break

        self.runner.run(delivered())

    @precondition(lambda self: any(wire.out for wire in self.wires))
    @rule(data=st.data(), end=st.sampled_from(ENDS), commits=st.booleans())
    def receipt_before_answer(self, data: st.DataObject, *, end: MessageState, commits: bool) -> None:
        wire = data.draw(st.sampled_from([wire for wire in self.wires if wire.out]))
        written = self.id_of(wire.carrier_id, data.draw(st.sampled_from(wire.out)))
        key = match_key(written, is_hex=False)
        self.deliver(wire.carrier_id, Receipt(key, end, self.ends_of(wire.carrier_id, written)))
        self.go_on(commits=commits)

    @rule(carrier_id=st.sampled_from([NORTH, SOUTH]), end=st.sampled_from(ENDS))
    def receipt_of_a_stranger(self, *, carrier_id: CarrierId, end: MessageState) -> None:
        self.deliver(carrier_id, Receipt(f"x{next(self.numbers)}", end, ("27999999999", "Heliograph")))
        self.go_on(commits=True)

    @rule()
    def commit(self) -> None:
        self.go_on(commits=True)

    @rule(wait_s=st.sampled_from(WAITS_S))
    def time_passes(self, *, wait_s: float) -> None:
        self.go_on(commits=True)
        self.run(self.clock.advance(wait_s))
        self.run(self.process.beat())
        self.housekeeping()

    @rule()
    def housekeeping(self) -> None:
        for work in (self.process.claim, self.process.sweep, self.process.tell):
            self.run(work())
            self.go_on(commits=True)

    @rule()
    def crash(self) -> None:
        self.runner.run(self.end_process())
        self.start_process()
        self.go_on(commits=True)

    async def end_process(self) -> None:
        begun: list[asyncio.Task[Any]] = [*self.accepting, *(wire.taking for wire in self.wires)]
        self.wires, self.accepting = [], []
        await self.process.crash()
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)

    @precondition(lambda self: self.states)
    @rule(data=st.data(), state=st.sampled_from(RESOLUTIONS))
    def people_step_in(self, data: st.DataObject, *, state: MessageState) -> None:
        """Somebody cancels what waits, or resolves what is held."""
        open_ones = [key for key, at in self.states.items() if at in (_S.SCHEDULED, _S.QUEUED, _S.HELD)]
        if not open_ones:
            return
        _, message_id = key = data.draw(st.sampled_from(open_ones))
        messages = Messages(self.store, self.clock, told=told_states)
        work: Awaitable[object]
        if self.states[key] is _S.HELD:
            work = messages.resolve(str(message_id), state)
        else:
            work = messages.cancel(str(message_id))
        self.go_on(commits=True)
        with suppress(Declined):  # it may have moved on in the meantime
            self.run(_awaited(work))
        self.go_on(commits=True)

    # What always holds -----------------------------------------------------------------------------------------

    @invariant()
    def books_agree(self) -> None:
        for account_id in (ACME, BRAVO):
            ((available, held, captured),) = self.rows(
                "select available, held, captured from balance where account_id = ?", account_id
            )
            assert min(available, held, captured) >= 0
            assert available + held + captured == GRANT
            posted = Balance()
            sums: dict[PostingKind, int] = defaultdict(int)
            for kind, amount in self.rows("select kind, amount from posting where account_id = ?", account_id):
                posted = post(posted, PostingKind(kind), amount)
                sums[PostingKind(kind)] += amount
            assert posted == (available, held, captured)
            prices: dict[int, int] = dict(
                self.rows("select charge, sum(price) from message where account_id = ? group by charge", account_id)
            )
            assert prices.get(Charge.HELD, 0) == held
            # Captures are never undone: were a message charged twice, its price would stand in them twice.
            assert prices.get(Charge.CAPTURED, 0) == captured == sums[PostingKind.CAPTURE]

    @invariant()
    def nothing_is_lost(self) -> None:
        ready = set(self.rows("select account_id, message_id from ready"))
        owner = self.process.desk.owner
        memory = {
            message_id
            for line in self.process.dispatch.lines.values()
            for message_id in (*line.queue.ids(), *line.holding)
        } | set(self.process.dispatch.fetching.ids())
        found = set()
        for account_id, message_id, state, held_by in self.rows("select account_id, id, state, owner from message"):
            key = account_id, message_id
            found.add(key)
            if state == _S.SCHEDULED:
                assert key in ready and held_by == 0, f"{key} is scheduled, owner {held_by}"  # noqa: PT018
            if state in (_S.QUEUED, _S.SUBMITTING):
                places = [key in ready and held_by == 0, message_id in memory and held_by == owner]
                assert sum(places) == 1, f"{key} {_S(state).word}, owner {held_by}, in {places}"
        assert self.accepted <= found

    @invariant()
    def states_only_move_forward(self) -> None:
        for account_id, message_id, number in self.rows("select account_id, id, state from message"):
            state, key = MessageState(number), (account_id, message_id)
            assert state in REACHABLE[self.states.get(key, _S.SCHEDULED)], f"{self.states.get(key)} became {state}"
            self.states[key] = state
        entered: dict[tuple[AccountId, MessageId], list[MessageState]] = defaultdict(list)
        for account_id, message_id, number in self.rows(
            "select account_id, message_id, state from event order by account_id, message_id, at_ms, state"
        ):
            entered[account_id, message_id].append(MessageState(number))
        for key, states in entered.items():
            ends = [state for state in states if state.is_terminal and state is not _S.UNKNOWN]
            assert len(ends) <= 1, f"{key} ended as {ends}"
            assert not self.states[key].is_terminal or self.states[key] in states

    @invariant()
    def windows_are_kept(self) -> None:
        for wire in self.wires:
            assert len(wire.out) + wire.unsettled <= WINDOW
            ((marked,),) = self.rows(
                "select count(*) from message where state = ? and session = ?", _S.SUBMITTING, wire.session.session_id
            )
            assert marked <= WINDOW

    @invariant()
    def deliveries_keep_their_bytes(self) -> None:
        for delivery in self.process.deliverer.calls:
            assert self.told.setdefault(delivery.delivery_id, delivery.body) == delivery.body

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.come_to_an_end()
        finally:
            self.runner.run(self.end_process())
            self.runner.run(let_go(self.store))
            self.runner.close()
            self.look.close()
            shutil.rmtree(self.folder)

    def come_to_an_end(self) -> None:
        """From here on everybody answers and reports, and time passes: then every message ends, and says so."""
        days = (49 * 3_600.0, 75 * 3_600.0)
        for wait_s in (*itertools.repeat(120.0, 12), *days, *itertools.repeat(120.0, 4), *days, 10.0, 10.0):
            for carrier_id in {NORTH, SOUTH} - {wire.carrier_id for wire in self.wires}:
                self.open_session(carrier_id=carrier_id, commits=True)
            for wire in self.wires:
                while wire.out:
                    self.report(wire, [self.outcome(wire, parcel, "s") for parcel in wire.out])
                    self.go_on(commits=True)
            for carrier_id, written in sorted(self.issued):
                key = match_key(written, is_hex=False)
                self.deliver(carrier_id, Receipt(key, _S.DELIVERED, self.ends_of(carrier_id, written)))
            self.time_passes(wait_s=wait_s)
            if not self.rows("select 1 from message where state < ?", _S.DELIVERED) and not self.untold():
                break
        open_ones = self.rows("select id, state, owner from message where state < ?", _S.DELIVERED)
        assert not open_ones
        assert not self.untold()
        for invariant_of_all in (self.books_agree, self.nothing_is_lost, self.states_only_move_forward):
            invariant_of_all()
        assert self.run(Audit(self.store).check()) == ()

    def untold(self) -> list[Any]:
        return self.rows(
            "select message_id, state from outbox union all select id, state from delivery where state = 1"
        )


async def _awaited(work: Awaitable[T]) -> T:
    return await work


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pattern_store(tmp_path_factory.mktemp("pattern"))


@pytest.mark.parametrize("lives", [15, pytest.param(60, marks=pytest.mark.long)])
def test_a_life(pattern: Path, lives: int) -> None:
    Life.pattern = pattern
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=lives, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
