"""A pipeline that only takes notes: what drivers are tested against."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Literal, NamedTuple, TypeAlias

from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.messages import Content, Message, Parcel
from heliograph.core.outcomes import SubmitOutcome
from heliograph.core.receipts import Receipt
from heliograph.gsm import segments
from heliograph.pipeline.ports import Incoming, Stored

PATIENCE_S: Final = 10.0
"""How long a test waits for what should come soon."""

Storing: TypeAlias = Literal["at once", "never", "by hand"]


class Told(NamedTuple):
    """One call of a driver."""

    session_id: int
    call: Literal["report", "receive", "take_in"]
    items: tuple[SubmitOutcome | Receipt | Incoming, ...]


class NotingFeed:
    """Hands out what `offer` was given, to any session, and notes what drivers tell.

    window: parcels of one session without outcome. storing: whether `stored` is called with True at once, with False
    at once, or kept in `unsettled` for the test to call.
    """

    def __init__(self, *, window: int = 10, storing: Storing = "at once") -> None:
        self.window = window
        self.storing = storing
        self.told: list[Told] = []
        self.sessions: list[NotingSession] = []
        self.unsettled: list[Stored] = []
        self.waiting: deque[Parcel] = deque()
        self._changed = asyncio.Event()

    def open_session(self) -> "NotingSession":
        """As the port asks."""
        session = NotingSession(self, len(self.sessions) + 1)
        self.sessions.append(session)
        self.note()
        return session

    def offer(self, parcels: Iterable[Parcel]) -> None:
        """Give the driver work."""
        self.waiting.extend(parcels)
        self.note()

    @property
    def outcomes(self) -> list[SubmitOutcome]:
        """All outcomes so far, in order."""
        return [item for told in self.told for item in told.items if not isinstance(item, Receipt | Incoming)]

    @property
    def receipts(self) -> list[Receipt]:
        """All receipts so far, in order."""
        return [item for told in self.told for item in told.items if isinstance(item, Receipt)]

    @property
    def incoming(self) -> list[Incoming]:
        """All incoming messages so far, in order."""
        return [item for told in self.told for item in told.items if isinstance(item, Incoming)]

    @property
    def open_sessions(self) -> "list[NotingSession]":
        """Those that were not closed."""
        return [session for session in self.sessions if session.closed is None]

    def settle(self, stored: Stored) -> None:
        """Tell the driver what became of what it handed over."""
        if self.storing == "by hand":
            self.unsettled.append(stored)
        else:
            stored(self.storing == "at once")

    def note(self) -> None:
        """Something has happened: look again."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def changed(self) -> None:
        """Wait until the next thing happens."""
        await self._changed.wait()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until a condition on what was noted holds; TimeoutError when it does not come true."""
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                await self.changed()


class NotingSession:
    """One session's notes. held: parcels without outcome; closed: why, once it is."""

    def __init__(self, feed: NotingFeed, session_id: int) -> None:
        self._feed = feed
        self.session_id = session_id
        self.held: list[Parcel] = []
        self.closed: str | None = None

    async def take(self) -> list[Parcel]:
        """Wait for work and a free slot."""
        feed = self._feed
        await asyncio.sleep(0)  # the turn of the other sessions
        while not (feed.waiting and len(self.held) < feed.window):
            await feed.changed()
        taken = [feed.waiting.popleft() for _ in range(min(len(feed.waiting), feed.window - len(self.held)))]
        self.held += taken
        feed.note()
        return taken

    def report(self, outcomes: list[SubmitOutcome]) -> None:
        """Note outcomes."""
        for outcome in outcomes:
            self.held.remove(outcome.parcel)
        self._feed.told.append(Told(self.session_id, "report", tuple(outcomes)))
        self._feed.note()

    def receive(self, receipts: list[Receipt], stored: Stored) -> None:
        """Note receipts."""
        self._feed.told.append(Told(self.session_id, "receive", tuple(receipts)))
        self._feed.settle(stored)
        self._feed.note()

    def take_in(self, incoming: list[Incoming], stored: Stored) -> None:
        """Note incoming messages."""
        self._feed.told.append(Told(self.session_id, "take_in", tuple(incoming)))
        self._feed.settle(stored)
        self._feed.note()

    def close(self, why: str) -> None:
        """Note the end."""
        self.closed = why
        self._feed.note()


def parcels_for(recipients: Iterable[str], *, text: str = "Hello", sender: str = "Heliograph") -> list[Parcel]:
    """One message for each recipient, as the parcels of its segments."""
    encoding, cut = segments.split(text, reference=7)
    content = Content(SubmissionId(1), sender, text, encoding, cut)
    return [
        Parcel(Message(AccountId(1), MessageId(number), recipient, content, (CarrierId(1),), 2**62), index)
        for number, recipient in enumerate(recipients, start=1)
        for index in range(len(cut))
    ]
