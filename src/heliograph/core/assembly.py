"""Long messages from handsets: which message a segment belongs to, and when that is whole.

Segments come in any order, twice, and mixed with those of other messages. What is joined has one carrier, sender,
recipient and reference (a `Place`) and one total, as references are used again. A segment that we have already is the
carrier's repetition: it sends again what it did not see acknowledged. Nothing is ever dropped for being odd: a header
that contradicts itself makes a message of its own.
Source: 3GPP TS 23.040 §9.2.3.24.1 and §9.2.3.24.8; the SMPP parameters are turned into such a header by the driver.
"""

from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import groupby
from typing import NamedTuple, TypeAlias

from heliograph.core.ids import CarrierId
from heliograph.gsm import segments, udh
from heliograph.gsm.segments import Encoding

LONE = -1
"""The reference of a message that is one segment and has none."""

WIDE = 65_536
"""From here on references have 16 bits: a wide one and a narrow one of the same value are two."""

PATIENCE_MS = 600_000
"""How long the first segment of a message waits for the others."""

REPEATED_MS = 600_000
"""How long the same octets are taken for a repetition of what may not have been acknowledged."""

GAP = "[…]"
"""What stands in a text where segments are missing."""


class Place(NamedTuple):
    """What segments of one message have in common. sender, recipient: as the carrier wrote them, without plus."""

    carrier_id: CarrierId
    sender: str
    recipient: str
    reference: int

    @property
    def is_lone(self) -> bool:
        """Whether what comes here is whole at once."""
        return self.reference == LONE


class Arrival(NamedTuple):
    """A segment as it came. number: its place, from 1 to total. session: over which it came.

    repeated_at_ms: when the carrier sent it once more, 0 if it did not.
    """

    number: int
    total: int
    encoding: Encoding
    body: bytes
    at_ms: int
    session: int
    repeated_at_ms: int = 0

    def is_same(self, other: "Arrival") -> bool:
        """Whether both hold the same octets."""
        return self.body == other.body and self.encoding == other.encoding


class Series(NamedTuple):
    """The segments of one message that have come, by number. incoming_id: the message they became, 0 while they wait.

    first_at_ms: tells apart the messages that used one reference.
    """

    first_at_ms: int
    total: int
    arrivals: Mapping[int, Arrival]
    incoming_id: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether none is missing."""
        return len(self.arrivals) == self.total

    def having(self, arrival: Arrival) -> "Series":
        """With one more segment."""
        return self._replace(arrivals={**self.arrivals, arrival.number: arrival})


class Repeated(NamedTuple):
    """We have it already, in this series."""

    series: Series


class Placed(NamedTuple):
    """It belongs to this series, which holds it now, and which may be whole by it."""

    series: Series


Decision: TypeAlias = Repeated | Placed


class Joined(NamedTuple):
    """A message put together. body: all octets that came. missing: how many segments did not."""

    encoding: Encoding
    body: bytes
    text: str
    missing: int = 0


def concatenation_in(header: bytes) -> udh.Concatenation | None:
    """Where a segment stands by its user data header; None for one that stands alone, or contradicts itself.

    >>> concatenation_in(bytes.fromhex("050003a70301")).reference, concatenation_in(b"\\x05\\x00")
    (167, None)
    """
    if not header:
        return None
    try:
        return udh.concatenation_of(header)
    except udh.BrokenHeader:
        return None


def reference_of(found: udh.Concatenation | None) -> int:
    """The reference in its `Place`."""
    if found is None:
        return LONE
    return found.reference + WIDE if found.wide else found.reference


def decide(place: Place, arrival: Arrival, known: Sequence[Series], *, live: Set[int] = frozenset()) -> Decision:
    """What a segment is to what is known of its place, oldest first. live: the sessions that are bound.

    It goes to the newest series that waits for its number. Before that it is a repetition of what came a moment ago;
    and after that of anything whose session ended before we can be sure that it was acknowledged.
    """
    alike = [series for series in known if series.total == arrival.total]
    if place.is_lone:
        again = next((series for series in alike if _repeats_lone(arrival, series, live)), None)
        return Placed(_begun(arrival, known)) if again is None else Repeated(again)
    has_it = [series for series in alike if _holds(series, arrival)]
    for series in has_it:
        if not series.incoming_id or _is_fresh(series.arrivals[arrival.number], arrival):
            return Repeated(series)
    for series in reversed(alike):
        if not series.incoming_id and arrival.number not in series.arrivals:
            return Placed(series.having(arrival))
    for series in has_it:
        if series.arrivals[arrival.number].session not in live:
            return Repeated(series)
    return Placed(_begun(arrival, known))


def _repeats_lone(arrival: Arrival, series: Series, live: Set[int]) -> bool:
    """People do write the same twice: it is a repetition only when the session of the first is gone since."""
    if not _holds(series, arrival):
        return False
    earlier = series.arrivals[arrival.number]
    return earlier.session != arrival.session and earlier.session not in live and _is_fresh(earlier, arrival)


def _holds(series: Series, arrival: Arrival) -> bool:
    earlier = series.arrivals.get(arrival.number)
    return earlier is not None and earlier.is_same(arrival)


def _is_fresh(earlier: Arrival, arrival: Arrival) -> bool:
    return arrival.at_ms - max(earlier.at_ms, earlier.repeated_at_ms) <= REPEATED_MS


def _begun(arrival: Arrival, known: Sequence[Series]) -> Series:
    newest = max((series.first_at_ms for series in known), default=-1)
    return Series(max(arrival.at_ms, newest + 1), arrival.total, {arrival.number: arrival})


def filled(series: Series, known: Sequence[Series]) -> Series:
    """A series whose patience is at its end, with what seemed to be repeated while it waited.

    Two messages that used one reference may have a segment in common; the second time it was taken for a repetition.
    """
    since_ms = max(0, series.first_at_ms - REPEATED_MS)
    for number in range(1, series.total + 1):
        if number not in series.arrivals:
            again = [
                other.arrivals[number]
                for other in known
                if other.total == series.total and number in other.arrivals
                if other.arrivals[number].repeated_at_ms > since_ms
            ]
            if again:
                series = series.having(max(again, key=lambda each: each.repeated_at_ms))
    return series


def joined(series: Series) -> Joined:
    """The message of a series. Bodies are joined before they are decoded: senders do cut characters in two.

    >>> halves = {n: Arrival(n, 3, Encoding.UCS2, body, 0, 1) for n, body in ((1, b"\\x20"), (2, b"\\xac"))}
    >>> joined(Series(0, 3, halves))
    Joined(encoding=<Encoding.UCS2: 1>, body=b' \\xac', text='€[…]', missing=1)
    """
    texts: list[str] = []
    for arrivals in _runs(series):
        if arrivals:
            texts += [
                segments.join([each.body for each in run], encoding)
                for encoding, run in groupby(arrivals, lambda each: each.encoding)
                if encoding is not Encoding.BINARY
            ]
        else:
            texts.append(GAP)
    come = [series.arrivals[number] for number in sorted(series.arrivals)]
    encodings = {each.encoding for each in come}
    text = "".join(texts)
    missing = series.total - len(come)
    if encodings == {Encoding.GSM7, Encoding.UCS2}:
        return Joined(Encoding.UCS2, text.encode("utf-16-be"), text, missing)
    encoding = Encoding.BINARY if Encoding.BINARY in encodings else come[0].encoding
    return Joined(encoding, b"".join(each.body for each in come), text, missing)


def _runs(series: Series) -> Iterator[list[Arrival]]:
    """Stretches of segments that have come, with an empty one for each stretch that has not."""
    places = (series.arrivals.get(number) for number in range(1, series.total + 1))
    for has_come, run in groupby(places, lambda each: each is not None):
        yield [each for each in run if each is not None] if has_come else []
