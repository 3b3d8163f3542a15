"""Carriers with habits: what they have been sent, what they answer and when, and what they report in the end.

A carrier outlives the processes that connect to it. What it wants to tell is repeated until it is acknowledged. Its
moods change; each is a set of chances.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.core.receipts import Receipt, match_key
from heliograph.core.states import MessageState
from heliograph.pipeline.ports import Feed, Incoming, SessionFeed
from heliograph.testing.simulation.plan import Plan
from heliograph.testing.simulation.witness import Copy, Witness

RESPONSE_S: Final = 30.0
"""How long a driver waits for an answer."""
AGAIN_S: Final = 5.0
"""How long a carrier waits for an acknowledgement before it tells again, and after one that says no."""
BIND_S: Final = (0.5, 20.0)
ENDS: Final = (*[MessageState.DELIVERED] * 12, MessageState.UNDELIVERED, MessageState.EXPIRED, MessageState.REJECTED)


class Mood(NamedTuple):
    """Chances and times of one habit. answer_s, receipt_s: from and to. drop_s: between cuts of a session, 0 for never.

    lost: a segment never arrives. silent: it does, and is never answered. busy, throttled, refused: answers that are no
    yes. disordered: answers do not keep their order. first, twice, never, strange: of receipts.
    """

    answer_s: tuple[float, float] = (0.02, 0.3)
    receipt_s: tuple[float, float] = (0.5, 20.0)
    lost: float = 0.0
    silent: float = 0.0
    busy: float = 0.0
    throttled: float = 0.0
    refused: float = 0.01
    answers_twice: float = 0.0
    drop_s: float = 0.0
    first: float = 0.02
    twice: float = 0.01
    never: float = 0.01
    strange: float = 0.0


CALM: Final = Mood()
MOODS: Final = {
    "late": Mood(answer_s=(0.5, 1.1 * RESPONSE_S), receipt_s=(1.0, 3_000.0)),
    "silent": Mood(silent=0.3, lost=0.1),
    "busy": Mood(busy=0.2, throttled=0.2, refused=0.1),
    "drops": Mood(drop_s=20.0, answer_s=(0.02, 3.0)),
    "receipts": Mood(first=0.4, twice=0.4, never=0.1, strange=0.3, answers_twice=0.3, receipt_s=(0.0, 2.0)),
}


class Letter(NamedTuple):
    """What a carrier has to tell. done: called when it was acknowledged."""

    what: Receipt | Incoming
    done: Callable[[], None]


@dataclass(eq=False)
class Wire:
    """One session as the carrier sees it. place: of the process whose it is.

    unanswered: by sequence number. letters: told and not acknowledged.
    """

    session: SessionFeed
    window: int
    place: int
    is_up: bool = True
    sequence: int = 0
    unanswered: dict[int, Parcel] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)
    answers: list[SubmitOutcome] = field(default_factory=list)
    taking: "asyncio.Task[None] | None" = None

    def cut(self) -> None:
        """The session is gone."""
        self.is_up = False
        if self.taking is not None:
            self.taking.cancel()


class Upstream:
    """A carrier. name: as it is set up. carrier_id: of it in the store. wires: its sessions."""

    def __init__(self, name: str, carrier_id: CarrierId, *, plan: Plan, witness: Witness, window: int) -> None:
        self.name = name
        self.carrier_id = carrier_id
        self.window = window
        self.mood = CALM
        self.wires: list[Wire] = []
        self.letters: deque[Letter] = deque()
        self.untold = 0
        self._dice = plan.dice(f"carrier {name}")
        self._moods = [mood for kind, mood in MOODS.items() if plan.has(kind)]
        self._witness = witness
        self._numbers = 0
        self._loop = asyncio.get_running_loop()
        self._is_telling = False
        self.now_ms: Callable[[], int] = lambda: 0

    # Moods -----------------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """Change moods, and cut sessions when the mood is so; for ever."""
        dice = self._dice
        while True:
            self.mood = CALM
            if self._moods and dice.random() < 0.7:
                self.mood = dice.choice(self._moods)
            self._witness.say(f"{self.name}: {_odds(self.mood)}")
            until = self._loop.time() + dice.expovariate(1 / 300)
            while self._loop.time() < until:
                pause_s = dice.expovariate(1 / self.mood.drop_s) if self.mood.drop_s else until - self._loop.time()
                await asyncio.sleep(pause_s)
                if self.mood.drop_s and self.wires:
                    self.drop(dice.choice(self.wires), "a session dropped")

    def calm_down(self) -> None:
        """From here on everything is answered and reported."""
        self.mood = replace_mood(CALM, refused=0.0, never=0.0)

    # Sessions --------------------------------------------------------------------------------------------------

    def bind(self, session: SessionFeed, place: int) -> Wire:
        """A session of a process comes up."""
        wire = Wire(session, self.window, place)
        self.wires.append(wire)
        self._tell_soon(0.0)
        return wire

    def drop(self, wire: Wire, why: str) -> None:
        """A session ends without a word: what was out is in doubt, and told again is what was not acknowledged."""
        if wire in self.wires:
            self.wires.remove(wire)
            wire.cut()
            self._witness.broke_off(wire.window, why)
            self._witness.say(f"{self.name}: {why} with {len(wire.unanswered)} unanswered")
            self.letters.extendleft(reversed(wire.letters))
            wire.letters = []
            self._tell_soon(AGAIN_S)

    def now_s(self) -> float:
        """The loop's time."""
        return self._loop.time()

    def bind_pause_s(self) -> float:
        """How long a new session takes."""
        return self._dice.uniform(*BIND_S)

    def arrive(self, wire: Wire, parcels: Sequence[Parcel]) -> None:
        """Segments leave for here."""
        if len(wire.unanswered) + len(parcels) > wire.window:
            self._witness.find(f"{self.name} has more than a window of {wire.window} unanswered segments")
        for parcel in parcels:
            wire.sequence += 1
            wire.unanswered[wire.sequence] = parcel
            self._loop.call_later(RESPONSE_S, self._give_up, wire, wire.sequence)
            if self._dice.random() >= self.mood.lost:
                self._consider(wire, wire.sequence, parcel)
            else:
                self._witness.say(f"{self.name}: lost on the way", parcel.message.recipient)

    def _consider(self, wire: Wire, sequence: int, parcel: Parcel) -> None:
        dice, mood = self._dice, self.mood
        drawn = dice.random()
        answer: SubmitOutcome
        if drawn < mood.throttled:
            answer = Deferred(parcel, 1_000, False, "throttled", pause_ms=500)
        elif drawn < mood.throttled + mood.busy:
            answer = Deferred(parcel, 5_000, True, "busy", tries=3)
        elif drawn < mood.throttled + mood.busy + mood.refused:
            answer = Refused(parcel, Reason.CARRIER_REFUSED, "refused")
        else:
            answer = self._take(parcel)
        if dice.random() < mood.silent:
            return
        delay_s = dice.uniform(*mood.answer_s)
        self._loop.call_later(delay_s, self._answer, wire, sequence, answer)
        if dice.random() < mood.answers_twice:
            self._loop.call_later(delay_s, self._answer, wire, sequence, answer)

    def _take(self, parcel: Parcel) -> Submitted:
        # Every carrier counts from one, so that two of them give the same ids.
        self._numbers += 1
        written = f"{self._numbers:08X}"
        message = parcel.message
        copies = self._witness.copies[message.account_id, message.message_id, parcel.segment]
        copies.append(Copy(self.carrier_id, written, self.now_ms()))
        self._witness.counts["carried"] += 1
        if len(copies) > 1:
            self._witness.counts["copies"] += 1
        self._witness.say(f"{self.name}: took segment {parcel.segment} as {written}", message.recipient)
        self._report(message.recipient, message.content.sender, written)
        return Submitted(parcel, written)

    def _answer(self, wire: Wire, sequence: int, answer: SubmitOutcome) -> None:
        # What is answered again, or too late, belongs to no request any more: the protocol drops it.
        if wire.is_up and wire.unanswered.pop(sequence, None) is not None:
            if not wire.answers:
                self._loop.call_soon(self._pass_on, wire)
            wire.answers.append(answer)

    def _give_up(self, wire: Wire, sequence: int) -> None:
        parcel = wire.unanswered.get(sequence)
        if wire.is_up and parcel is not None:
            self._witness.broke_off(1, "an answer did not come")
            self._answer(wire, sequence, Ambiguous(parcel, "no answer in time"))

    def _pass_on(self, wire: Wire) -> None:
        answers, wire.answers = wire.answers, []
        if wire.is_up:
            wire.session.report(answers)

    # Telling ---------------------------------------------------------------------------------------------------

    def _report(self, recipient: str, sender: str, written: str) -> None:
        """What becomes of a segment that was taken, and when it is told."""
        dice, mood = self._dice, self.mood
        if dice.random() < mood.never:
            return
        key = match_key(written, is_hex=False)
        end = dice.choice(ENDS)
        addresses = (recipient.removeprefix("+"), sender.removeprefix("+"))
        delay_s = 0.0 if dice.random() < mood.first else 0.3 + dice.uniform(*mood.receipt_s)
        if dice.random() < 0.05:
            self.put_later(0.9 * delay_s, Letter(Receipt(key, None, addresses), _nothing))
        noted = (self.carrier_id, key)
        letter = Letter(Receipt(key, end, addresses), lambda: self._witness.receipts[noted].add(end))
        self.put_later(delay_s, letter)
        if dice.random() < mood.twice:
            self.put_later(delay_s + dice.choice((0.0, 60.0, 7_200.0)), letter)
        if dice.random() < mood.strange:
            unknown = Receipt(f"x{self._numbers}", end, ("27999999999", "Nobody"))
            self.put_later(delay_s, Letter(unknown, _nothing))

    def put_later(self, delay_s: float, letter: Letter) -> None:
        """Tell something after a while, however long it takes until somebody acknowledges it."""
        self.untold += 1
        self._loop.call_later(delay_s, self._put, letter)

    def _put(self, letter: Letter) -> None:
        self.untold -= 1
        self.letters.append(letter)
        self._tell_soon(self._dice.uniform(0.0, 1.0))

    def _tell_soon(self, delay_s: float) -> None:
        if not self._is_telling:
            self._is_telling = True
            self._loop.call_later(delay_s, self._tell)

    def _tell(self) -> None:
        self._is_telling = False
        if not self.letters or not self.wires:
            return
        wire = self._dice.choice(self.wires)
        letters = [self.letters.popleft() for _ in range(min(len(self.letters), 20))]
        receipts = [letter for letter in letters if isinstance(letter.what, Receipt)]
        incoming = [letter for letter in letters if isinstance(letter.what, Incoming)]
        wire.letters += letters
        if receipts:
            said = [letter.what for letter in receipts if isinstance(letter.what, Receipt)]
            wire.session.receive(said, lambda is_stored: self._told(wire, receipts, is_stored))
        if incoming:
            texts = [letter.what for letter in incoming if isinstance(letter.what, Incoming)]
            wire.session.take_in(texts, lambda is_stored: self._told(wire, incoming, is_stored))
        if self.letters:
            self._tell_soon(0.01)

    def _told(self, wire: Wire, letters: list[Letter], is_stored: bool) -> None:
        for letter in letters:
            # What a session ended on is told again, although it may be stored.
            if letter not in wire.letters:
                continue
            wire.letters.remove(letter)
            if is_stored:
                letter.done()
            else:
                self.letters.append(letter)
        if self.letters:
            self._tell_soon(0.0 if is_stored else AGAIN_S)


class StrangeDriver:
    """A driver of the product's that speaks to an upstream without a wire. Implements `ports.Driver`."""

    def __init__(self, carrier: Carrier, feed: Feed, upstream: Upstream, *, place: int) -> None:
        self._carrier = carrier
        self._feed = feed
        self._upstream = upstream
        self._place = place

    def is_bound(self) -> bool:
        """Whether it is."""
        return any(wire.place == self._place for wire in self._upstream.wires)

    async def run(self) -> None:
        """Hold the sessions until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._carrier.sessions):
                group.create_task(self._keep_session())

    async def _keep_session(self) -> None:
        upstream = self._upstream
        while True:
            await asyncio.sleep(upstream.bind_pause_s())
            session = self._feed.open_session()
            wire = upstream.bind(session, self._place)
            wire.taking = asyncio.ensure_future(self._take(wire))
            why = "the connection was lost"
            try:
                await asyncio.wait([wire.taking])
            except asyncio.CancelledError:
                why = "stopped"
                wire.taking.cancel()
                await self._drain(wire)
                raise
            finally:
                upstream.drop(wire, "a session ended")
                session.close(why)

    async def _take(self, wire: Wire) -> None:
        while True:
            self._upstream.arrive(wire, await wire.session.take())

    async def _drain(self, wire: Wire) -> None:
        """Wait for answers that are on their way, but not for ever."""
        until = self._upstream.now_s() + 5.0
        while wire.is_up and (wire.unanswered or wire.answers) and self._upstream.now_s() < until:  # noqa: ASYNC110 (as they come)
            await asyncio.sleep(0.1)


def replace_mood(mood: Mood, **chances: float) -> Mood:
    """The mood with other chances."""
    return mood._replace(**chances)  # type: ignore[arg-type]


def _odds(mood: Mood) -> str:
    name = next((kind for kind, known in MOODS.items() if known == mood), "calm")
    return f"is {name}"


def _nothing() -> None:
    """What a letter that nobody counts does when it is acknowledged."""
