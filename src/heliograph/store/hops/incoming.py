"""Incoming messages: segments are kept and joined, and a whole message is stored with whom it is told, all at once.

What is stored of the places that a batch touches is read, `core.assembly` decides on each segment in order, and
`core.replies` whose the messages are that became whole. A second time the same segments change nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from heliograph.core.assembly import (
    REPEATED_MS,
    Arrival,
    Joined,
    Place,
    Repeated,
    Series,
    decide,
    filled,
    joined,
)
from heliograph.core.events import Audience, MediaLink, Reply, Told
from heliograph.core.ids import AccountId, CarrierId, MessageId
from heliograph.core.messages import Channel
from heliograph.core.replies import Conversation, owner_of
from heliograph.core.states import MessageState
from heliograph.gsm.segments import Encoding
from heliograph.store.hop import Hop
from heliograph.store.hops.outbox import TELL
from heliograph.store.hops.statements import Script, Statement


class IncomingSegment(NamedTuple):
    """What came from a handset. incoming_id: of the message, should this make it whole. text: by the driver.

    media: files that are in the media store.
    """

    incoming_id: int
    place: Place
    arrival: Arrival
    text: str
    channel: Channel = Channel.SMS
    media: tuple[MediaLink, ...] = ()


class TakeIn(NamedTuple):
    """Segments in the order in which they came, at least one.

    audience: of the snapshot in force. live: sessions of their carrier that are bound.
    """

    segments: list[IncomingSegment]
    audience: Audience
    live: frozenset[int]


class Waiting(NamedTuple):
    """A message whose missing segments are not waited for any more. incoming_id: of the message it becomes."""

    incoming_id: int
    first_at_ms: int
    place: Place


class GiveUp(NamedTuple):
    """Messages to be stored as they are."""

    waiting: list[Waiting]
    audience: Audience
    at_ms: int


class TakenIn(NamedTuple):
    """What is committed. told: replies that wait in the outbox. messages: how many were stored, by carrier."""

    told: list[Told]
    messages: Counter[CarrierId]


class _Whole(NamedTuple):
    """A message that is about to be stored."""

    incoming_id: int
    place: Place
    joined: Joined
    at_ms: int
    channel: Channel = Channel.SMS
    media: tuple[MediaLink, ...] = ()


_ALONE = Statement(
    "",
    columns="text",
    # Two processes that get the segments of one message would each miss the other's.
    postgres="select pg_advisory_xact_lock(hashtextextended(column1, 0)) from ({rows}) j",
)
_KNOWN = Statement(
    """
from ({rows}) j cross join incoming_segment s
where s.carrier_id = j.column1 and s.sender = j.column2 and s.recipient = j.column3 and s.reference = j.column4
  and s.first_at_ms >= j.column5
order by s.first_at_ms
""",
    reads="s.carrier_id, s.sender, s.recipient, s.reference, s.first_at_ms, s.total, s.incoming_id,"
    " s.number, s.encoding, s.body, s.received_at_ms, s.session, s.repeated_at_ms",
    columns="int text text int bigint",
)
_SEGMENTS = Statement(
    """
insert into incoming_segment(carrier_id, sender, recipient, reference, first_at_ms, number, total, encoding, body,
                             received_at_ms, session, repeated_at_ms)
select * from ({rows}) j where column1 is not null
on conflict (carrier_id, sender, recipient, reference, first_at_ms, number)
  do update set repeated_at_ms = excluded.repeated_at_ms
""",
    columns="int text text int bigint int int int bytea bigint bigint bigint",
)
_BECAME = Statement(
    """
update incoming_segment as s set incoming_id = j.column6 from ({rows}) j
where s.carrier_id = j.column2 and s.sender = j.column3 and s.recipient = j.column4 and s.reference = j.column5
  and s.first_at_ms = j.column1
""",
    columns="bigint int text text int bigint",
)
_JOIN = Statement(
    """
insert into joining(first_at_ms, carrier_id, sender, recipient, reference)
select * from ({rows}) j where column1 is not null on conflict do nothing
""",
    columns="bigint int text text int",
)
_LEAVE = Statement(
    """
delete from joining where (first_at_ms, carrier_id, sender, recipient, reference) in (select * from ({rows}) j)
""",
    columns="bigint int text text int",
)
_CONVERSATIONS = Statement(
    """
from ({rows}) j cross join conversation c where c.sender = j.column1 and c.recipient = j.column2
""",
    reads="c.sender, c.recipient, c.account_id, c.at_ms",
    answer=tuple[str, str, AccountId, int],
    columns="text text",
)
_INCOMING = Statement(
    """
insert into incoming(account_id, id, carrier_id, channel, sender, recipient, encoding, body, text, missing, told,
                     received_at_ms)
select * from ({rows}) j where column1 is not null on conflict do nothing
""",
    columns="int bigint int int text text int bytea text int int bigint",
)
_MEDIA = Statement(
    """
insert into incoming_media(account_id, incoming_id, position, digest)
select * from ({rows}) j where column1 is not null on conflict do nothing
""",
    columns="int bigint int text",
)


class _Fold:
    """What is known of the places of a batch, and what the batch changes of it.

    kept: segments that are new or came once more. became: the series that became messages. begun: new ones.
    """

    def __init__(self, known: dict[Place, list[Series]]) -> None:
        self.known = known
        self.kept: dict[tuple[Place, int, int], tuple[int, Arrival]] = {}
        self.became: dict[tuple[Place, int], int] = {}
        self.begun: set[tuple[Place, int]] = set()

    def take(self, segment: IncomingSegment, live: frozenset[int]) -> _Whole | None:
        """The message that a segment makes whole."""
        incoming_id, place, arrival, text, channel, media = segment
        if channel is not Channel.SMS and place.is_lone:
            # A picture is not told by its octets; a carrier that names what it sends gives it a reference.
            return _Whole(
                incoming_id, place, Joined(arrival.encoding, arrival.body, text), arrival.at_ms, channel, media
            )
        series_here = self.known.setdefault(place, [])
        decision = decide(place, arrival, series_here, live=live)
        series = decision.series
        if isinstance(decision, Repeated):
            again = series.arrivals[arrival.number]._replace(repeated_at_ms=arrival.at_ms)
            self._keep(place, series.having(again), again)
            return None
        self._keep(place, series, arrival)
        if not series.is_whole:
            return None
        whole = Joined(arrival.encoding, arrival.body, text) if place.is_lone else joined(series)
        self.became_message(place, series, incoming_id)
        return _Whole(incoming_id, place, whole, arrival.at_ms, channel, media)

    def _keep(self, place: Place, series: Series, arrival: Arrival) -> None:
        if all(each.first_at_ms != series.first_at_ms for each in self.known[place]):
            self.begun.add((place, series.first_at_ms))
        self._put(place, series)
        self.kept[place, series.first_at_ms, arrival.number] = (series.total, arrival)

    def became_message(self, place: Place, series: Series, incoming_id: int) -> None:
        """A series waits no more."""
        self._put(place, series._replace(incoming_id=incoming_id))
        self.became[place, series.first_at_ms] = incoming_id

    def _put(self, place: Place, series: Series) -> None:
        others = [each for each in self.known[place] if each.first_at_ms != series.first_at_ms]
        self.known[place] = sorted([*others, series], key=lambda each: each.first_at_ms)

    def write(self) -> Script[None]:
        """Write what changed."""
        segments = [
            (
                *place, first_at_ms, number, total, each.encoding, each.body, each.at_ms, each.session,
                each.repeated_at_ms,
            )
            for (place, first_at_ms, number), (total, each) in self.kept.items()
        ]  # fmt: skip
        yield _SEGMENTS.about(segments)
        yield _BECAME.about([(first, *place, became) for (place, first), became in self.became.items()])
        yield _JOIN.about([(first, *place) for place, first in self.begun - self.became.keys()])
        yield _LEAVE.about([(first, *place) for place, first in self.became.keys() - self.begun])


def _known(since: Mapping[Place, int]) -> Script[_Fold]:
    """What is stored of places, each since a time."""
    yield _ALONE.about(sorted({(f"{place.sender} {place.recipient}",) for place in since if not place.is_lone}))
    found: dict[tuple[Place, int], Series] = {}
    wanted = [(*place, since_ms) for place, since_ms in since.items()]
    stored = yield _KNOWN.about(wanted)
    for carrier_id, sender, recipient, reference, first_at_ms, total, incoming_id, *rest in stored:
        number, encoding, body, at_ms, session, repeated_at_ms = rest
        key = Place(CarrierId(carrier_id), sender, recipient, reference), first_at_ms
        series = found.get(key) or Series(first_at_ms, total, {}, incoming_id)
        arrival = Arrival(number, total, Encoding(encoding), body, at_ms, session, repeated_at_ms)
        found[key] = series.having(arrival)
    known: dict[Place, list[Series]] = {place: [] for place in since}
    for (place, _), series in found.items():
        known[place].append(series)
    return _Fold(known)


def _take_in(requests: list[TakeIn]) -> Script[list[TakenIn]]:
    since: dict[Place, int] = {}
    for _, place, arrival, *_ in (segment for request in requests for segment in request.segments):
        since_ms = arrival.at_ms - REPEATED_MS if place.is_lone else 0
        since[place] = min(since_ms, since.get(place, since_ms))
    fold = yield from _known(since)
    whole = [
        [made for segment in request.segments if (made := fold.take(segment, request.live)) is not None]
        for request in requests
    ]
    yield from fold.write()
    return (yield from _store(whole, [request.audience for request in requests]))


def _give_up(requests: list[GiveUp]) -> Script[list[TakenIn]]:
    waiting = [each for request in requests for each in request.waiting]
    fold = yield from _known(dict.fromkeys([each.place for each in waiting], 0))
    whole = [
        [
            _Whole(each.incoming_id, each.place, joined(filled(series, fold.known[each.place])), request.at_ms)
            for each in request.waiting
            if (series := _given_up(fold, each)) is not None
        ]
        for request in requests
    ]
    yield from fold.write()
    yield _LEAVE.about([(each.first_at_ms, *each.place) for each in waiting])
    return (yield from _store(whole, [request.audience for request in requests]))


def _given_up(fold: _Fold, waiting: Waiting) -> Series | None:
    """The series, unless it has become a message meanwhile."""
    place, first_at_ms = waiting.place, waiting.first_at_ms
    for series in fold.known[place]:
        if series.first_at_ms == first_at_ms and not series.incoming_id:
            fold.became_message(place, series, waiting.incoming_id)
            return series
    return None


def _store(whole: list[list[_Whole]], audiences: Iterable[Audience]) -> Script[list[TakenIn]]:
    """Store the messages that became whole, each with its account and the webhooks that are told."""
    talks = yield from _conversations([each.place for made in whole for each in made])
    taken: list[TakenIn] = []
    messages: list[tuple[object, ...]] = []
    files: list[tuple[object, ...]] = []
    for made, audience in zip(whole, audiences, strict=True):
        told: list[Told] = []
        for each in made:
            recipient = each.place.recipient
            talk = talks.get((recipient, each.place.sender))
            account_id = owner_of(recipient, audience.numbers, talk, at_ms=each.at_ms)
            hearing = audience.wanting(account_id, recipient, MessageState.RECEIVED)
            messages.append(_row(account_id, each, told=len(hearing)))
            files += [(account_id, each.incoming_id, position, file.digest) for position, file in enumerate(each.media)]
            reply = _reply(account_id, each)
            told += [Told(webhook_id, reply) for webhook_id in hearing]
        taken.append(TakenIn(told, Counter(each.place.carrier_id for each in made)))
    yield _INCOMING.about(messages)
    yield _MEDIA.about(files)
    yield TELL.about([each.row for results in taken for each in results.told])
    return taken


def _conversations(places: list[Place]) -> Script[dict[tuple[str, str], Conversation]]:
    pairs = list({(place.recipient, place.sender) for place in places})
    found = yield _CONVERSATIONS.about(pairs)
    return {(sender, recipient): Conversation(AccountId(who), at_ms) for sender, recipient, who, at_ms in found}


def _reply(account_id: AccountId, whole: _Whole) -> Reply:
    incoming_id, place, (_, _, text, _), at_ms, _, media = whole
    return Reply(
        account_id, MessageId(incoming_id), MessageState.RECEIVED, at_ms, place.sender, place.recipient, text, media
    )


def _row(account_id: AccountId, whole: _Whole, *, told: int) -> tuple[object, ...]:
    incoming_id, (carrier_id, sender, recipient, _), (encoding, body, text, missing), at_ms, channel, _ = whole
    return (
        account_id, incoming_id, carrier_id, channel, sender, recipient, encoding, body, text, missing, told, at_ms,
    )  # fmt: skip


def _divide(request: TakeIn) -> list[TakeIn]:
    return [request._replace(segments=[segment]) for segment in request.segments]


def _divide_waiting(request: GiveUp) -> list[GiveUp]:
    return [request._replace(waiting=[each]) for each in request.waiting]


def _together(results: list[TakenIn]) -> TakenIn:
    messages: Counter[CarrierId] = sum((result.messages for result in results), Counter())
    return TakenIn([told for result in results for told in result.told], messages)


TAKE_IN: Hop[TakeIn, TakenIn] = Hop("incoming", lambda request: len(request.segments), _take_in, _divide, _together)
GIVE_UP: Hop[GiveUp, TakenIn] = Hop(
    "partial", lambda request: len(request.waiting), _give_up, _divide_waiting, _together
)
