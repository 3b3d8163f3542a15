"""A network between a call that is placed and whoever answers it, with its own clock: it loses, delays, doubles."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from heliograph.sip.admission import objection
from heliograph.sip.digest import Challenge, is_proved, write_challenge
from heliograph.sip.events import Answered, CallEvent, Ended, Failed
from heliograph.sip.incoming import IncomingCall
from heliograph.sip.messages import Request, read
from heliograph.sip.outgoing import OutgoingCall
from heliograph.sip.ways import Transport
from tests.unit.sip.samples import CREDENTIALS, OUR_MEDIA, invitation, way

Fate: TypeAlias = Callable[[int], list[float]]
"""When the copies of the nth packet arrive, in seconds after it was sent; none: it is lost."""

CHALLENGE = Challenge("r", "n", qop="auth")
LONGEST_S = 400.0


@dataclass(frozen=True, kw_only=True)
class Story:
    """What both ends do, in seconds from the start, or from the answer where it says so."""

    rings: bool = True
    answers: float | None = 2.0
    refuses: float | None = None
    challenges: bool = False
    caller_gives_up: float | None = None
    caller_ends_after: float | None = 5.0
    called_ends_after: float | None = None


@dataclass
class Network:
    """Runs one story to its end."""

    story: Story
    fate: Fate
    transport: Transport = Transport.UDP
    now: float = 0.0
    caller_events: list[CallEvent] = field(default_factory=list)
    called_events: list[CallEvent] = field(default_factory=list)
    refused: bool = False
    sent: int = 0

    def __post_init__(self) -> None:
        self._numbers = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._called: list[IncomingCall] = []
        self.caller = OutgoingCall(invitation(CREDENTIALS), way=way(self.transport), seed=b"caller" * 3, now=0.0)
        if self.story.caller_gives_up is not None:
            self._at(self.story.caller_gives_up, self._give_up)

    @property
    def is_done(self) -> bool:
        """Whether both ends have forgotten the call."""
        return self.caller.is_done and all(call.is_done for call in self._called)

    def run(self) -> "Network":
        """Let everything happen."""
        self._flush()
        while self.now < LONGEST_S:
            deadlines = [self.caller.deadline, *(call.deadline for call in self._called)]
            due = [self._due[0][0]] if self._due else []
            times = [each for each in (*deadlines, *due) if each is not None]
            if not times:
                break
            self.now = max(self.now, min(times))
            if due and due[0] <= self.now:
                heapq.heappop(self._due)[2]()
            self._tell_caller(self.caller.on_time(self.now))
            for call in self._called:
                self._tell_called(call, call.on_time(self.now))
            self._flush()
        return self

    def _at(self, when: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (when, next(self._numbers), action))

    def _flush(self) -> None:
        for packet in self.caller.packets_to_send():
            self._carry(packet.octets, self._arrive_at_called)
        for call in self._called:
            for packet in call.packets_to_send():
                self._carry(packet.octets, self._arrive_at_caller)

    def _carry(self, octets: bytes, arrive: Callable[[bytes], None]) -> None:
        self.sent += 1
        for delay in self.fate(self.sent):
            self._at(self.now + delay, lambda: arrive(octets))

    def _arrive_at_caller(self, octets: bytes) -> None:
        message = read(octets)
        if self.caller.takes(message):
            self._tell_caller(self.caller.receive(message, now=self.now))

    def _arrive_at_called(self, octets: bytes) -> None:
        message = read(octets)
        call = next((each for each in self._called if each.takes(message)), None)
        if call is not None:
            self._tell_called(call, call.receive(message, now=self.now))
        elif isinstance(message, Request) and message.method == "INVITE":
            assert objection(message) is None
            self._ring(message)

    def _ring(self, invite: Request) -> None:
        call = IncomingCall(invite, way=way(self.transport), seed=b"called%10d" % len(self._called))
        self._called.append(call)
        story = self.story
        if story.challenges and not is_proved(invite, CHALLENGE, CREDENTIALS):
            call.refuse(401, now=self.now, headers=(("WWW-Authenticate", write_challenge(CHALLENGE)),))
            return
        if story.rings:
            call.ring(now=self.now)
        if story.answers is not None:
            self._at(self.now + story.answers, lambda: call.answer(OUR_MEDIA, now=self.now))
        if story.refuses is not None:
            self._at(self.now + story.refuses, lambda: self._refuse(call))

    def _refuse(self, call: IncomingCall) -> None:
        self.refused = self.refused or not self.called_events
        call.refuse(486, now=self.now)

    def _give_up(self) -> None:
        self._tell_caller(self.caller.hang_up(now=self.now))

    def _tell_caller(self, events: list[CallEvent]) -> None:
        self.caller_events += events
        if any(isinstance(event, Answered) for event in events) and self.story.caller_ends_after is not None:
            self._at(self.now + self.story.caller_ends_after, self._give_up)

    def _tell_called(self, call: IncomingCall, events: list[CallEvent]) -> None:
        self.called_events += events
        if any(isinstance(event, Answered) for event in events) and self.story.called_ends_after is not None:
            when = self.now + self.story.called_ends_after
            self._at(when, lambda: self._tell_called(call, call.hang_up(now=self.now)))


def outline(events: list[CallEvent]) -> list[str]:
    """The events that happen once: Failed, or Answered and Ended."""
    return [type(event).__name__ for event in events if isinstance(event, Answered | Ended | Failed)]
