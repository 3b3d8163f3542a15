"""Dispatch: the queues between accept and the carriers' sessions.

Each carrier has one line: a queue that is fair between accounts, its live sessions, and its throughput. A message
in a line is owned by this process; the store knows it as `queued` until a session marks it.
"""

import asyncio
from collections.abc import Iterable

from heliograph.core.directory import Carrier
from heliograph.core.fairness import FairQueue
from heliograph.core.ids import AccountId, CarrierId, MessageId, first_at
from heliograph.core.messages import WHOLE, Message, Parcel
from heliograph.core.reasons import Reason
from heliograph.core.receipts import Receipt
from heliograph.core.settling import fact_at_home
from heliograph.core.standing import Ended, Requeued
from heliograph.core.states import MessageState
from heliograph.core.throttle import TokenBucket
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.fetching import Fetching
from heliograph.pipeline.lease import MARGIN_MS
from heliograph.pipeline.ports import Incoming, Stored
from heliograph.pipeline.receive import receive, take_in
from heliograph.pipeline.session import LineSession
from heliograph.pipeline.settlement import Settlement, States
from heliograph.pipeline.share import Everything, Share
from heliograph.pipeline.submit import Departed

_NO_SESSION = 0


class Line:
    """One carrier's queue and sessions. Implements `ports.Feed` and `ports.Inbox`.

    holding: messages taken from the queue whose outcome is not committed yet.
    """

    def __init__(self, carrier_id: CarrierId, dispatch: "Dispatch") -> None:
        self.carrier_id = carrier_id
        self.desk = dispatch.desk
        self.settlement = dispatch.settlement
        self.queue = FairQueue()
        self.holding: set[MessageId] = set()
        self.sessions: set[LineSession] = set()
        self._requeue = dispatch.requeue
        self.share = dispatch.share
        self._carrier = _removed(carrier_id)
        self._paused_until = 0.0
        self._bucket: TokenBucket | None = None
        self._bucket_rate = 0.0

    @property
    def carrier(self) -> Carrier:
        """The carrier as it is set up now, or as it last was when it has been removed."""
        self._carrier = self.desk.directory.snapshot.carriers.get(self.carrier_id, self._carrier)
        return self._carrier

    def open_session(self) -> LineSession:
        """A session is up."""
        now_ms = self.desk.clock.now_ms()
        session = LineSession(self, self.desk.ids.next(now_ms))
        self.sessions.add(session)
        return session

    def receive(self, receipts: list[Receipt], stored: Stored) -> None:
        """Receipts that came outside of a session."""
        receive(self, receipts, stored)

    def take_in(self, incoming: list[Incoming], stored: Stored) -> None:
        """Incoming messages that came outside of a session."""
        take_in(self, _NO_SESSION, incoming, stored=stored)

    def add(self, messages: Iterable[Message]) -> None:
        """Queue messages and wake the sessions."""
        self.queue.append(messages)
        self._wake()

    def put_back(self, messages: list[Message]) -> None:
        """Messages that could not be sent go back to the front."""
        self.holding.difference_update([message.message_id for message in messages])
        self.queue.put_back(reversed(messages))
        self._wake()

    def _wake(self) -> None:
        for session in self.sessions:
            session.wake()

    def pause(self, seconds: float) -> None:
        """Leave the carrier alone for a while."""
        self._paused_until = max(self._paused_until, self.desk.clock.monotonic() + seconds)

    def wait_s(self) -> float | None:
        """How long a session that found nothing should wait; None to wait until it is woken.

        0 when there is something by now: a token fell, or a pause ended, since the session looked.
        """
        now = self.desk.clock.monotonic()
        if not self.queue:
            return None
        if self._paused_until > now:
            return self._paused_until - now
        bucket = self._throughput(now)
        return 0.0 if bucket is None else bucket.wait_s(now)

    def parcels_of(self, message: Message) -> list[Parcel]:
        """What leaves of a message, in this line: the segments that no carrier has, or all of it in one piece."""
        segments = len(message.content.segments)
        if segments > 1 and self.desk.takes_whole(self.carrier):
            return [Parcel(message, WHOLE)]
        return [Parcel(message, segment) for segment in range(segments) if segment not in message.accepted]

    def draw(self, slots: int) -> list[Message]:
        """Messages for a session with free slots, within the throughput. A long message may exceed the slots."""
        now = self.desk.clock.monotonic()
        if not self.queue or self._paused_until > now:
            return []
        bucket = self._throughput(now)
        allowed = slots if bucket is None else bucket.take(slots, now)
        if allowed <= 0:
            return []
        messages = self.queue.take(allowed)
        is_whole = self.desk.takes_whole(self.carrier)
        drawn, pieces = 0, 0
        for message in messages:
            count = 1 if is_whole else len(message.content.segments)
            if pieces and pieces + count > allowed:
                break
            pieces += count
            drawn += 1
        if drawn < len(messages):
            self.queue.put_back(reversed(messages[drawn:]))
        if bucket is not None:
            bucket.give_back(allowed - pieces)
        del messages[drawn:]
        self.holding.update([message.message_id for message in messages])
        return messages

    def _throughput(self, now: float) -> TokenBucket | None:
        rate = self.share.throughput(self.carrier)
        if rate != self._bucket_rate:
            self._bucket_rate = rate
            self._bucket = TokenBucket(rate, burst=max(1.0, rate / 10), now=now) if rate else None
        return self._bucket

    def depart(self, departed: list[Departed], states: States) -> None:
        """Committed: messages that were put back are queued again, the others have left memory."""
        back: dict[CarrierId, list[Message]] = {}
        for fact, message in departed:
            change = fact.fact
            state = states.get((fact.account_id, fact.message_id))
            if state is MessageState.SUBMITTING:
                continue
            self.holding.discard(fact.message_id)
            is_queued = state is MessageState.QUEUED
            if type(change) is Requeued and not change.due_ms and is_queued:
                back.setdefault(change.carrier_id, []).append(message)
        for carrier_id, messages in back.items():
            self._requeue(carrier_id, messages)

    def expire(self, messages: list[Message]) -> None:
        """End messages whose validity has passed while they waited here; they are ours until that is committed."""
        now_ms = self.desk.clock.now_ms()
        fact = Ended(MessageState.EXPIRED, Reason.VALIDITY_PASSED)
        ids = [message.message_id for message in messages]
        self.holding.update(ids)
        self.settlement.settle(
            [
                fact_at_home((message.account_id, message.message_id), fact, carrier_id=self.carrier_id, at_ms=now_ms)
                for message in messages
            ],
            lambda _: self.holding.difference_update(ids),
        )


def _removed(carrier_id: CarrierId) -> Carrier:
    """Stands for a carrier that messages were routed to and that is no longer there."""
    return Carrier(carrier_id=carrier_id, name=f"carrier {carrier_id}", url="", channels=frozenset())


class Dispatch:
    """All lines of this process, and the way to them.

    waiting: messages that stand in the store for lack of memory or time, and are due soon. share: what of the carriers
    is this process's; what is in lines of others is released. claiming: held while
    messages come from the store, older perhaps than any that are here: the low-water id is not known then.
    """

    def __init__(self, desk: Desk, settlement: Settlement, fetching: Fetching, *, share: Share | None = None) -> None:
        self.desk = desk
        self.share: Share = share or Everything()
        self.settlement = settlement
        self.fetching = fetching
        self.lines: dict[CarrierId, Line] = {}
        self.waiting = 0
        self.claiming = asyncio.Lock()

    @property
    def owner(self) -> int:
        """Who the messages handed over must belong to."""
        return self.desk.owner

    @property
    def in_memory(self) -> int:
        """Messages this process holds and has not finished."""
        in_lines = sum(len(line.queue) + len(line.holding) for line in self.lines.values())
        return in_lines + self.fetching.in_memory

    def queued_of(self, account_id: AccountId) -> int:
        """Messages of an account that no session has taken yet."""
        return sum(line.queue.count_of(account_id) for line in self.lines.values())

    def note_waiting(self, messages: int) -> None:
        """So many more wait in the store: they count before they are counted again."""
        self.waiting += messages

    def low_water(self, now_ms: int) -> int:
        """An id below which nothing in this process is unfinished.

        Five minutes are left for submissions whose commit is on the way: they are not in a line yet.
        """
        lowest = [min(ids) for line in self.lines.values() for ids in (line.queue.ids(), line.holding) if ids]
        return min([first_at(now_ms - MARGIN_MS), *lowest, *self.fetching.ids()])

    def wake(self) -> None:
        """Let every session look whether there is something to take."""
        for line in self.lines.values():
            for session in line.sessions:
                session.wake()

    def live_sessions(self) -> frozenset[int]:
        """The sessions that are bound in this process."""
        return frozenset(session.session_id for line in self.lines.values() for session in line.sessions)

    def line(self, carrier_id: CarrierId) -> Line:
        """A carrier's line; there is one even while its driver is not running."""
        line = self.lines.get(carrier_id)
        if line is None:
            line = self.lines[carrier_id] = Line(carrier_id, self)
        return line

    def requeue(self, carrier_id: CarrierId, messages: list[Message]) -> None:
        """Messages that were put back, committed, go to the front of a line."""
        self.line(carrier_id).put_back(messages)

    def hand_over(self, messages: list[Message]) -> None:
        """Messages that were committed as owned by this process go to the lines of their first carriers.

        Those whose files have not been fetched come back here when they are.
        """
        if len(messages) == 1 and not messages[0].content.media:
            self.line(messages[0].plan[0]).add(messages)
            return
        by_carrier: dict[CarrierId, list[Message]] = {}
        incomplete: list[Message] = []
        for message in messages:
            if message.content.media and not message.content.is_complete:
                incomplete.append(message)
            else:
                by_carrier.setdefault(message.plan[0], []).append(message)
        for carrier_id, share in by_carrier.items():
            self.line(carrier_id).add(share)
        if incomplete:
            self.fetching.take(incomplete, self.hand_over)

    def give_up_files(self) -> None:
        """The process stops: what waits for a file goes to its line, and whoever gets it fetches the file."""
        for message in self.fetching.give_up():
            self.line(message.plan[0]).add([message])

    def expire(self, now_ms: int) -> None:
        """End what has waited beyond its validity, for a carrier or for a file."""
        for line in self.lines.values():
            if expired := line.queue.remove_expired(now_ms):
                line.expire(expired)
        for message in self.fetching.remove_expired(now_ms):
            self.line(message.plan[0]).expire([message])
