from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from heliograph.smpp.codec import encode, encode_bare
from heliograph.smpp.constants import CommandId
from heliograph.smpp.events import Closed, Event
from heliograph.smpp.pdus import (
    Bind,
    BindResp,
    DataSm,
    DeliverSm,
    EnquireLink,
    GenericNack,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from heliograph.smpp.session import Session
from heliograph.smpp.states import Role
from heliograph.smpp.template import SubmitTemplate
from heliograph.smpp.timers import Timers

TEMPLATE: Final = SubmitTemplate(SubmitSm(source_addr="Me"))
PDUS: Final[list[Pdu]] = [
    Bind(),
    BindResp(),
    EnquireLink(),
    Unbind(),
    UnbindResp(),
    GenericNack(),
    SubmitSm(short_message=b"x"),
    SubmitSmResp(message_id="1"),
    DeliverSm(esm_class=4, short_message=b"id:1 stat:DELIVRD"),
    DataSm(tlvs=((0x001E, b"1"),)),
]


def written(pdu: Pdu, sequence: int, status: int) -> bytes:
    return encode(pdu, sequence=sequence, status=status)


def framed(command_id: int, body: bytes) -> bytes:
    wire = encode_bare(command_id, sequence=3) + body
    return len(wire).to_bytes(4, "big") + wire[4:]


PDU_OCTETS = st.builds(written, st.sampled_from(PDUS), st.integers(1, 5), st.sampled_from([0, 8])) | st.builds(
    framed, st.sampled_from(list(CommandId)) | st.integers(0, 0xFFFFFFFF), st.binary(max_size=40)
)
STREAM = st.lists(PDU_OCTETS | st.binary(max_size=6), max_size=8).map(b"".join)


def fresh(role: Role) -> Session:
    return Session(role, timers=Timers(), window=5, now=0.0)


def talking(role: Role) -> Session:
    """A bound session; that of an ESME waits for the answers to sequences 2, 3 and 4."""
    session = fresh(role)
    if role is Role.MC:
        session.receive(encode(Bind(), sequence=1), now=0.0)
        session.answer_bind(1)
        for _ in range(2):
            session.request(DeliverSm(), now=0.0)
    else:
        session.request(Bind(), now=0.0)
        session.receive(encode(BindResp(), sequence=1), now=0.0)
        for _ in range(3):
            session.submit(TEMPLATE, b"1", b"", now=0.0)
    session.data_to_send()
    return session


def start(role: Role, is_bound: bool) -> Session:
    return talking(role) if is_bound else fresh(role)


@given(data=st.binary(min_size=1, max_size=200) | STREAM, role=st.sampled_from(Role), is_bound=st.booleans())
def test_no_octets_can_make_it_raise(data: bytes, role: Role, is_bound: bool) -> None:
    session = start(role, is_bound)
    events = session.receive(data, now=1.0)
    assert sum(isinstance(event, Closed) for event in events) <= 1
    assert len(session.data_to_send()) <= len(data) + 16
    session.tick(1e6)
    assert session.data_to_send() == b"" or not any(isinstance(event, Closed) for event in events)


@given(data=STREAM, cuts=st.lists(st.integers(1, 40), max_size=30), role=st.sampled_from(Role), is_bound=st.booleans())
def test_cutting_changes_nothing(data: bytes, cuts: list[int], role: Role, is_bound: bool) -> None:
    whole, octets, chunks = (start(role, is_bound) for _ in range(3))
    expected = whole.receive(data, now=1.0) if data else []
    by_octet: list[Event] = []
    for octet in data:
        by_octet += octets.receive(bytes((octet,)), now=1.0)
    by_chunk: list[Event] = []
    position = 0
    for cut in [*cuts, len(data)]:
        chunk = data[position : position + cut]
        position += cut
        by_chunk += chunks.receive(chunk, now=1.0) if chunk else []
    assert by_octet == expected
    assert by_chunk == expected
    assert octets.data_to_send() == chunks.data_to_send() == whole.data_to_send()
    assert octets.state is chunks.state is whole.state


@given(data=STREAM, times=st.lists(st.floats(0, 400), max_size=10), role=st.sampled_from(Role))
def test_after_each_tick_the_next_deadline_lies_ahead(data: bytes, times: list[float], role: Role) -> None:
    session = talking(role)
    for now in sorted(times):
        session.tick(now)
        deadline = session.next_deadline()
        assert deadline is None or deadline > now
        if data:
            session.receive(data, now=now)


@given(answers=st.permutations(range(2, 5)), statuses=st.lists(st.sampled_from([0, 8, 0x58]), min_size=3, max_size=3))
def test_each_request_ends_exactly_once(answers: list[int], statuses: list[int]) -> None:
    session = talking(Role.ESME)
    for sequence, status in zip(answers, statuses, strict=True):
        wire = encode(SubmitSmResp(message_id="7"), sequence=sequence, status=status)
        first, second = session.receive(wire + wire, now=1.0)
        assert type(first).__name__ == "SubmitAnswered"
        assert type(second).__name__ == "UnexpectedResponse"
    assert len(session.outstanding) == 0
    assert session.outstanding.free_slots == 5
