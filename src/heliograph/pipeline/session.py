"""One live session's end of the pipeline: what it takes, what it reports, what it receives.

A slot of the window is taken with a parcel and freed by the commit of its outcome, not by the carrier's answer:
so what is marked, unanswered or not yet committed never exceeds the window.
"""

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING

from heliograph.core.ids import MessageId
from heliograph.core.messages import WHOLE, Message, Parcel
from heliograph.core.outcomes import Ambiguous, Deferred, SubmitOutcome
from heliograph.core.reasons import Reason
from heliograph.core.receipts import Receipt
from heliograph.core.settling import fact_at_home
from heliograph.core.standing import Ended, Requeued
from heliograph.core.states import MessageState
from heliograph.pipeline.ports import Incoming, Stored
from heliograph.pipeline.receive import receive, take_in
from heliograph.pipeline.settlement import States
from heliograph.pipeline.submit import Departed, Judge
from heliograph.store.engine import StoreUnavailable, ask
from heliograph.store.hops.mark import MARK, MarkRequest

if TYPE_CHECKING:
    from heliograph.pipeline.dispatch import Line

STORE_PAUSE_S = 0.5


class LineSession:
    """Implements `ports.SessionFeed`."""

    def __init__(self, line: "Line", session_id: int) -> None:
        self._line = line
        self.session_id = session_id
        self._judge = Judge(line.carrier_id, session_id)
        self._free = line.carrier.window
        self._marked: deque[Parcel] = deque()
        self._out: dict[tuple[MessageId, int], Parcel] = {}
        self._work = asyncio.Event()
        self._closed = False

    def wake(self) -> None:
        """There may be something to take."""
        self._work.set()

    # Taking ----------------------------------------------------------------------------------------------------

    async def take(self) -> list[Parcel]:
        """Parcels that are marked and may leave now."""
        line = self._line
        while True:
            self._work.clear()
            may = line.desk.may_submit
            drew = not self._marked and self._free > 0 and may() and await self._mark()
            parcels = self._hand_out() if may() else []
            if parcels:
                line.desk.reach("submit.taken")
                return parcels
            if drew:
                # What was drawn may not leave any more; there may be others behind it.
                continue
            wait_s = line.wait_s()
            if wait_s is None or self._free <= 0 or not may():
                await self._work.wait()
            else:
                await line.desk.clock.sleep(wait_s)

    async def _mark(self) -> bool:
        """Draw messages and mark them; whether there were any."""
        line = self._line
        messages = line.draw(self._free)
        if not messages:
            return False
        request = MarkRequest(
            line.desk.owner,
            line.carrier_id,
            self.session_id,
            [(message.account_id, message.message_id) for message in messages],
            line.desk.clock.now_ms(),
        )
        marking = ask(line.desk.writer, MARK, request)
        try:
            marked = await asyncio.shield(marking)
        except StoreUnavailable:
            line.put_back(messages)
            line.pause(STORE_PAUSE_S)
            return False
        except asyncio.CancelledError:
            marking.add_done_callback(lambda done: self._unmark(messages, done))
            raise
        self._keep(messages, marked, request.at_ms)
        return True

    def _keep(self, messages: list[Message], marked: set[MessageId], at_ms: int) -> None:
        for message in messages:
            if message.message_id in marked:
                self._marked.extend(self._line.parcels_of(message))
            else:
                self._line.holding.discard(message.message_id)
                if message.expires_at_ms <= at_ms:
                    self._line.expire([message])

    def _unmark(self, messages: list[Message], marking: "asyncio.Future[set[MessageId]]") -> None:
        """Marked, but the session ended before anything could leave."""
        if marking.cancelled() or marking.exception() is not None:
            self._line.put_back(messages)
            return
        self._keep(messages, marking.result(), self._line.desk.clock.now_ms())
        self._return_marked()

    def _hand_out(self) -> list[Parcel]:
        parcels: list[Parcel] = []
        spared: list[Departed] = []
        marked, out = self._marked, self._out
        while marked and len(parcels) < self._free:
            parcel = marked.popleft()
            message = parcel.message
            if len(message.content.segments) > 1 and self._judge.is_failing(message.message_id):
                self._judge.spare(
                    parcel, spared, policy=self._line.carrier.policy, now_ms=self._line.desk.clock.now_ms()
                )
                continue
            out[message.message_id, parcel.segment] = parcel
            parcels.append(parcel)
        self._free -= len(parcels)
        if spared:
            self._settle(spared, 0)
        return parcels

    # Reporting -------------------------------------------------------------------------------------------------

    def report(self, outcomes: list[SubmitOutcome]) -> None:
        """What the carrier said; slots come free when it is committed."""
        line = self._line
        line.desk.reach("submit.answered")
        policy, now_ms = line.carrier.policy, line.desk.clock.now_ms()
        departed: list[Departed] = []
        slots = 0
        counts = Counter(type(outcome) for outcome in outcomes)
        for kind, count in counts.items():
            line.desk.tally.outcomes[line.carrier_id, kind.__name__.lower()] += count
        for outcome in outcomes:
            parcel = outcome.parcel
            if self._out.pop((parcel.message.message_id, parcel.segment), None) is None:
                continue
            slots += 1
            self._judge.judge(outcome, departed, policy=policy, now_ms=now_ms)
            if type(outcome) is Deferred and outcome.pause_ms:
                line.pause(outcome.pause_ms / 1000)
        self._settle(departed, slots)

    def _settle(self, departed: list[Departed], slots: int) -> None:
        if not departed:
            self._give_back_slots(slots)
            return

        def done(states: States) -> None:
            self._line.depart(departed, states)
            self._give_back_slots(slots)

        self._line.settlement.settle([each.fact for each in departed], done)

    def _give_back_slots(self, slots: int) -> None:
        self._free += slots
        self._work.set()

    # Receiving -------------------------------------------------------------------------------------------------

    def receive(self, receipts: list[Receipt], stored: Stored) -> None:
        """Receipts, in order behind the outcomes reported before."""
        receive(self._line, receipts, stored)

    def take_in(self, incoming: list[Incoming], stored: Stored) -> None:
        """Incoming messages."""
        take_in(self._line, self.session_id, incoming, stored=stored)

    # Ending ----------------------------------------------------------------------------------------------------

    def close(self, why: str) -> None:
        """What was out is in doubt; what never left goes back."""
        if self._closed:
            return
        self._closed = True
        self._line.sessions.discard(self)
        self._return_marked()
        self.report([Ambiguous(parcel, why) for parcel in self._out.values()])

    def _return_marked(self) -> None:
        """Put back what is marked and was never handed out; segments of messages that are partly out stay with them."""
        now_ms = self._line.desk.clock.now_ms()
        whole: dict[MessageId, Message] = {}
        spared: list[Departed] = []
        while self._marked:
            parcel = self._marked.popleft()
            message = parcel.message
            if self._judge.knows(message.message_id) or self._is_out(message):
                self._judge_unsent(parcel, spared, now_ms)
            else:
                whole[message.message_id] = message
        spared.extend(self._never_left(message, now_ms) for message in whole.values())
        if spared:
            self._settle(spared, 0)

    def _is_out(self, message: Message) -> bool:
        segments = range(WHOLE, len(message.content.segments))
        return any((message.message_id, segment) in self._out for segment in segments)

    def _judge_unsent(self, parcel: Parcel, spared: list[Departed], now_ms: int) -> None:
        outcome = Deferred(parcel, after_ms=0, counts=False, status="session ended")
        self._judge.judge(outcome, spared, policy=self._line.carrier.policy, now_ms=now_ms)

    def _never_left(self, message: Message, now_ms: int) -> Departed:
        fact: Requeued | Ended = Requeued(self._line.carrier_id, False, 0)
        if message.expires_at_ms <= now_ms:
            fact = Ended(MessageState.EXPIRED, Reason.VALIDITY_PASSED)
        key = message.account_id, message.message_id
        return Departed(fact_at_home(key, fact, carrier_id=self._line.carrier_id, at_ms=now_ms), message)
