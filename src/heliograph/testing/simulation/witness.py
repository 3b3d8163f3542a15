"""What was seen from outside, by those who cannot be wrong: who was told yes, what carriers have, who heard."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import Final, NamedTuple

from heliograph.core.ids import AccountId, CarrierId, MessageId
from heliograph.core.states import MessageState

Segment = tuple[AccountId, MessageId, int]
MOST_LINES: Final = 200_000


class Copy(NamedTuple):
    """A carrier took a segment. at_ms: by the machine's clock. written: the id that the carrier gave it."""

    carrier_id: CarrierId
    written: str
    at_ms: int


class Line(NamedTuple):
    """Something that happened. at_s: since the beginning. about: a recipient, or ""."""

    at_s: float
    about: str
    what: str

    def __str__(self) -> str:
        hours, rest = divmod(self.at_s, 3600)
        return f"{int(hours):02}:{int(rest // 60):02}:{rest % 60:06.3f}  {self.about:<13} {self.what}"


class Witness:
    """now_s: since the beginning.

    accepted: who was told yes, by message. tried: recipients somebody wrote to, with the times they did. copies: what
    carriers took. receipts: those we acknowledged, by carrier and its id. excess: segments that may come twice.
    told: by recipient, the words webhooks were called with. replies: texts whose every segment we acknowledged.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self.accepted: dict[MessageId, tuple[AccountId, str]] = {}
        self.tried: set[str] = set()
        self.copies: dict[Segment, list[Copy]] = defaultdict(list)
        self.receipts: dict[tuple[CarrierId, str], set[MessageState]] = defaultdict(set)
        self.excess = 0
        self.told: dict[str, set[str]] = defaultdict(set)
        self.replies: set[str] = set()
        self.replies_told: Counter[str] = Counter()
        self.bodies: dict[str, bytes] = {}
        self.counts: Counter[str] = Counter()
        self.findings: list[str] = []
        self.story: deque[Line] = deque(maxlen=MOST_LINES)

    def say(self, what: str, about: str = "") -> None:
        """Keep a line of the story."""
        self.story.append(Line(self._now_s(), about, what))

    def find(self, finding: str) -> None:
        """A promise is broken."""
        self.say(f"BROKEN: {finding}")
        self.findings.append(finding)

    def broke_off(self, segments: int, why: str) -> None:
        """A session ended, or an answer did not come, while so many segments could be in doubt."""
        self.excess += segments
        self.counts[why] += 1
