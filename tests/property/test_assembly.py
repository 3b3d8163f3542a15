"""Whatever the order, however often, whoever else is writing: long messages come in as they were written, each once."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph.carriers.smpp.mapping import incoming_from
from heliograph.core.assembly import GAP, Arrival, Place, Placed, Series, concatenation_in, decide, joined, reference_of
from heliograph.core.ids import CarrierId
from heliograph.gsm import segments, udh
from heliograph.gsm.segments import Encoding, Segment
from heliograph.smpp.constants import Tag
from heliograph.smpp.pdus import DataSm, DeliverSm
from heliograph.store.hops.incoming import IncomingSegment
from heliograph.testing.stores import FreshStore, fresh_store, furnished_store
from tests.conformance.handsets import Handsets

SENDERS = ("27831111111", "27832222222")
RECIPIENTS = ("27820000000", "27600")


class Written(NamedTuple):
    """A text and the reference that its handset gave it."""

    text: str
    encoding: Encoding
    cut: tuple[Segment, ...]

    @property
    def place(self) -> tuple[int, int]:
        """What it must not share with another message that is on its way at the same time."""
        found = concatenation_in(self.cut[0].udh)
        return reference_of(found), len(self.cut)


def _carelessly(text: str, encoding: Encoding, size: int, reference: int, wide: bool) -> tuple[Segment, ...]:
    """Cut at any octet, as some senders do."""
    octets = "".join(text).encode("utf-16-be") if encoding is Encoding.UCS2 else segments.split(text, reference=0)[1]
    body = octets if isinstance(octets, bytes) else b"".join(each.body for each in octets)
    bodies = [body[start : start + size] for start in range(0, len(body), size)]
    return tuple(
        Segment(
            udh.concatenation_header(
                udh.Concatenation(reference=reference, total=len(bodies), number=number, wide=wide)
            ),
            each,
        )
        for number, each in enumerate(bodies, start=1)
    )


@st.composite
def _written(draw: st.DrawFn) -> Written:
    stem = draw(st.text(st.sampled_from("abcdefgh @€{я😀"), min_size=2, max_size=6))
    text = (stem + str(draw(st.integers(0, 10**9)))) * draw(st.integers(12, 30))
    reference, wide = draw(st.integers(0, 2)), draw(st.booleans())
    if draw(st.booleans()):
        encoding, cut = segments.split(text, reference=reference, wide_reference=wide)
        if len(cut) > 1:
            return Written(text, encoding, cut)
    encoding = segments.encoding_of(text)
    return Written(text, encoding, _carelessly(text, encoding, draw(st.integers(35, 140)), reference, wide))


@st.composite
def _stream(draw: st.DrawFn) -> tuple[list[tuple[str, str, Encoding, Segment]], Counter[tuple[str, str, str]]]:
    """What arrives, and what was written.

    A handset uses a reference again only when all segments of the message before have come; but those may come again
    at any time. No two messages with one reference and one total have a segment in common.
    """
    streams: list[list[tuple[str, str, Encoding, Segment]]] = []
    sent: Counter[tuple[str, str, str]] = Counter()
    for sender in SENDERS:
        for recipient in RECIPIENTS:
            line: list[tuple[str, str, Encoding, Segment]] = []
            used: set[tuple[tuple[int, int], int, bytes]] = set()
            for written in draw(st.lists(_written(), max_size=3)):
                keys = {(written.place, number, each.body) for number, each in enumerate(written.cut)}
                if keys & used:
                    continue
                used |= keys
                came = [(sender, recipient, written.encoding, each) for each in written.cut]
                again = draw(st.lists(st.sampled_from([*came, *line]), max_size=4))
                line += draw(st.permutations([*came, *again]))
                sent[sender, recipient, written.text] += 1
            streams.append(line)
    order = draw(st.permutations([place for place, line in enumerate(streams) for _ in line]))
    following = [iter(line) for line in streams]
    return [next(following[place]) for place in order], sent


@pytest.fixture(scope="module")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnished_store(tmp_path_factory.mktemp("pattern"))


@contextmanager
def _handsets(pattern: Path) -> Iterator[Handsets]:
    with tempfile.TemporaryDirectory() as folder:
        store: FreshStore = fresh_store(Path(folder), pattern=pattern)
        try:
            yield Handsets(store)
        finally:
            store.close()


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(stream=_stream(), data=st.data())
def test_long_messages_come_in_as_they_were_written(
    pattern: Path,
    stream: tuple[list[tuple[str, str, Encoding, Segment]], Counter[tuple[str, str, str]]],
    data: st.DataObject,
) -> None:
    arrivals, sent = stream
    with _handsets(pattern) as handsets:
        batch: list[IncomingSegment] = []
        for sender, recipient, encoding, segment in arrivals:
            batch.append(handsets.segment(segment, encoding, sender=sender, recipient=recipient))
            if data.draw(st.integers(0, 3)) == 0:
                handsets.take_in(*batch)
                handsets.now_ms += 7
                batch = []
        if batch:
            handsets.take_in(*batch)
        assert handsets.waiting() == []
        assert Counter(handsets.engine.rows("select sender, recipient, text from incoming")) == sent


HEADERS = st.binary(max_size=12) | st.tuples(
    st.sampled_from([b"\x05\x00\x03", b"\x06\x08\x04", b"\x05\x00\x04", b"\x0b\x05\x04"]), st.binary(max_size=10)
).map(b"".join)
SAR = st.lists(
    st.tuples(
        st.sampled_from([Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM]), st.binary(max_size=3)
    ),
    max_size=4,
).map(tuple)


@given(
    header=HEADERS,
    body=st.binary(max_size=160),
    esm_class=st.integers(0, 255),
    coding=st.integers(0, 255),
    sar=SAR,
    in_data=st.booleans(),
)
def test_no_header_can_make_it_raise_or_lose_the_text(
    header: bytes, body: bytes, esm_class: int, coding: int, sar: tuple[tuple[int, bytes], ...], in_data: bool
) -> None:
    octets = header + body
    pdu: DeliverSm | DataSm = DeliverSm(esm_class=esm_class, data_coding=coding, short_message=octets, tlvs=sar)
    if in_data:
        pdu = DataSm(esm_class=esm_class, data_coding=coding, tlvs=(*sar, (Tag.MESSAGE_PAYLOAD, octets)))
    incoming = incoming_from(pdu)
    found = concatenation_in(incoming.udh)
    number, total = (found.number, found.total) if found else (1, 1)
    place = Place(CarrierId(1), incoming.sender, incoming.recipient, reference_of(found))
    arrival = Arrival(number, total, incoming.encoding, incoming.body, 0, 1)
    decision = decide(place, arrival, [])
    assert isinstance(decision, Placed)
    assert decision.series.is_whole == (total == 1)
    text = joined(decision.series).text
    assert text.replace(GAP, "") == (incoming.text.replace(GAP, ""))
    if not esm_class & 0x40:
        assert incoming.encoding is Encoding.UCS2 or incoming.body == octets


@given(st.lists(st.tuples(HEADERS, st.binary(max_size=6), st.sampled_from(Encoding)), max_size=30))
def test_no_segment_is_ever_forgotten(came: list[tuple[bytes, bytes, Encoding]]) -> None:
    known: dict[Place, list[Series]] = {}
    for at_ms, (header, body, encoding) in enumerate(came):
        found = concatenation_in(header)
        number, total = (found.number, found.total) if found else (1, 1)
        place = Place(CarrierId(1), "1", "2", reference_of(found))
        here = known.setdefault(place, [])
        new = Arrival(number, total, encoding, body, at_ms, 1)
        series = decide(place, new, here, live={1}).series
        known[place] = [each for each in here if each.first_at_ms != series.first_at_ms]
        known[place].append(series._replace(incoming_id=int(series.is_whole)))
        assert any(each.arrivals[number].is_same(new) for each in known[place] if number in each.arrivals), (
            "what came is somewhere"
        )
        for each in known[place]:
            joined(each)
