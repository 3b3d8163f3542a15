"""What handsets do to a store: they write, and carriers hand it over."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from heliograph.core.assembly import Arrival, Place, concatenation_in, reference_of
from heliograph.core.directory import Number
from heliograph.core.events import Audience, MediaLink
from heliograph.core.ids import AccountId, CarrierId, IdSource
from heliograph.core.messages import Channel
from heliograph.gsm import segments
from heliograph.gsm.segments import Encoding, Segment
from heliograph.store.hops.incoming import GIVE_UP, TAKE_IN, GiveUp, IncomingSegment, TakeIn, TakenIn, Waiting
from heliograph.store.incoming import joining_page
from heliograph.testing.stores import NOW_MS, FreshStore

HANDSET = "27831112222"
OURS = "27820000000"
SHARED = "27600"
SESSION = 11
NOBODY = Audience({})


@dataclass
class Handsets:
    """A store, ids, and a time that tests move. live: sessions that are bound."""

    engine: FreshStore
    now_ms: int = NOW_MS
    audience: Audience = NOBODY
    numbers: dict[str, Number] = field(default_factory=dict)
    live: frozenset[int] = frozenset({SESSION})
    ids: IdSource = field(default_factory=lambda: IdSource(1))

    def own(self, number: str, account_id: AccountId, *, webhook: str | None = None) -> None:
        """Give a number to an account."""
        self.numbers[number] = Number(
            msisdn=f"+{number}", account_id=account_id, channels=frozenset({Channel.SMS}), webhook=webhook
        )

    def segment(
        self,
        cut: Segment,
        encoding: Encoding = Encoding.GSM7,
        *,
        sender: str = HANDSET,
        recipient: str = OURS,
        session: int = SESSION,
        carrier_id: CarrierId | None = None,
    ) -> IncomingSegment:
        """One segment as it comes in now."""
        found = concatenation_in(cut.udh)
        number, total = (found.number, found.total) if found else (1, 1)
        place = Place(carrier_id or self.engine.carrier_id, sender, recipient, reference_of(found))
        arrival = Arrival(number, total, encoding, cut.body, self.now_ms, session)
        text = "" if encoding is Encoding.BINARY else segments.join((cut.body,), encoding)
        return IncomingSegment(self.ids.next(self.now_ms), place, arrival, text)

    def written(
        self,
        text: str,
        *,
        reference: int = 7,
        wide: bool = False,
        sender: str = HANDSET,
        recipient: str = OURS,
        session: int = SESSION,
    ) -> list[IncomingSegment]:
        """A text as the segments that come in now."""
        encoding, cut = segments.split(text, reference=reference, wide_reference=wide)
        return [self.segment(each, encoding, sender=sender, recipient=recipient, session=session) for each in cut]

    def picture(self, text: str, *files: MediaLink) -> IncomingSegment:
        """An MMS."""
        (plain,) = self.written(text)
        return plain._replace(channel=Channel.MMS, media=files)

    def take_in(self, *came: IncomingSegment) -> TakenIn:
        """Commit one batch; a millisecond passes."""
        taken = self.engine.do(TAKE_IN, self.request(came))
        self.now_ms += 1
        return taken

    def request(self, came: Sequence[IncomingSegment]) -> TakeIn:
        """What is asked of the store."""
        return TakeIn(list(came), self.audience._replace(numbers=self.numbers), self.live)

    def waiting(self, *, before_ms: int | None = None) -> list[Waiting]:
        """Long messages whose first segment came before a time."""
        before = self.now_ms + 1 if before_ms is None else before_ms
        page = self.engine.reading(lambda connection: joining_page(connection, before_ms=before, most=100))
        return [Waiting(self.ids.next(self.now_ms), *each) for each in page]

    def give_up(self, waiting: list[Waiting]) -> TakenIn:
        """Wait no more."""
        return self.engine.do(GIVE_UP, GiveUp(waiting, self.audience._replace(numbers=self.numbers), self.now_ms))

    def texts(self) -> list[str]:
        """What came in, in order."""
        return [str(row[0]) for row in self.engine.rows("select text from incoming order by id")]
