import pytest

from heliograph.smpp.codec import encode, encode_bare
from heliograph.smpp.constants import BindKind, CommandId, CommandStatus
from heliograph.smpp.dialogue import MAX_OCTETS_BOUND
from heliograph.smpp.errors import LocalProtocolError
from heliograph.smpp.events import (
    BindRefused,
    BindRequested,
    Bound,
    Closed,
    DeliverAnswered,
    DeliverRequested,
    PeerBroke,
    SubmitAnswered,
    SubmitRequested,
    UnbindRequested,
    Unbound,
)
from heliograph.smpp.pdus import (
    Bind,
    BindResp,
    DeliverSm,
    EnquireLink,
    QuerySmResp,
    Request,
    SubmitSm,
    Unbind,
    UnbindResp,
)
from heliograph.smpp.session import Session
from heliograph.smpp.states import Role, SessionState
from heliograph.smpp.template import SubmitTemplate
from heliograph.smpp.timers import Timers
from tests.unit.smpp.pairs import Pair, bound

PATTERN = SubmitSm(source_addr="Me", source_addr_ton=5, registered_delivery=1)
TEMPLATE = SubmitTemplate(PATTERN)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (BindKind.TRANSMITTER, SessionState.BOUND_TX),
        (BindKind.RECEIVER, SessionState.BOUND_RX),
        (BindKind.TRANSCEIVER, SessionState.BOUND_TRX),
    ],
)
def test_both_ends_agree_on_the_bind(kind: BindKind, state: SessionState) -> None:
    pair = Pair()
    assert pair.bind(kind) == Bound(kind, "centre", 0x34)
    assert pair.esme.state is pair.mc.state is state


def test_a_refused_bind_may_be_tried_again() -> None:
    pair = Pair()
    sequence = pair.esme.request(Bind(), now=pair.now)
    pair.to_mc()
    pair.mc.answer_bind(sequence, status=CommandStatus.ESME_RINVPASWD)
    assert pair.mc.data_to_send() == bytes.fromhex("00000010 80000009 0000000e 00000001")
    pair.esme.receive(bytes.fromhex("00000010 80000009 0000000e 00000001"), now=pair.now)
    assert pair.esme.state is pair.mc.state is SessionState.OPEN
    assert isinstance(pair.bind(), Bound)


def test_a_refusal_names_the_status() -> None:
    pair = Pair()
    pair.esme.request(Bind(), now=pair.now)
    wire = bytes.fromhex("00000010 80000009 00000405 00000001")
    assert pair.esme.receive(wire, now=pair.now) == [BindRefused(0x405)]


def test_a_message_there_and_a_receipt_back() -> None:
    pair = bound()
    sequence = pair.esme.submit(TEMPLATE, b"27821", b"Hi", now=pair.now)
    expected = PATTERN._replace(destination_addr="27821", short_message=b"Hi")
    assert pair.to_mc() == [SubmitRequested(sequence, expected)]
    assert pair.mc.data_to_send() == b""
    pair.mc.answer_submit(sequence, "a1")
    deliver = DeliverSm(source_addr="27821", esm_class=4, short_message=b"id:a1 stat:DELIVRD")
    receipt = pair.mc.request(deliver, now=pair.now)
    assert pair.to_esme() == [SubmitAnswered(sequence, 0, "a1"), DeliverRequested(receipt, deliver)]
    assert pair.esme.data_to_send() == b""
    pair.esme.acknowledge_delivers([receipt], status=CommandStatus.ESME_RSYSERR)
    assert pair.to_mc() == [DeliverAnswered(receipt, CommandStatus.ESME_RSYSERR)]


def test_a_refused_message_is_answered_too() -> None:
    pair = bound()
    sequence = pair.esme.submit(TEMPLATE, b"27821", b"Hi", now=pair.now)
    pair.to_mc()
    pair.mc.answer_submit(sequence, "ignored", status=0x58)
    assert pair.to_esme() == [SubmitAnswered(sequence, 0x58, "")]
    assert pair.esme.outstanding.free_slots == pair.window


def test_the_window_holds() -> None:
    pair = bound(window=2)
    first = pair.esme.submit(TEMPLATE, b"1", b"", now=pair.now)
    pair.esme.request(SubmitSm(), now=pair.now)
    with pytest.raises(LocalProtocolError, match="window"):
        pair.esme.submit(TEMPLATE, b"1", b"", now=pair.now)
    with pytest.raises(LocalProtocolError, match="window"):
        pair.esme.request(SubmitSm(), now=pair.now)
    pair.esme.request(EnquireLink(), now=pair.now)
    pair.to_mc()
    pair.mc.answer_submit(first, "1")
    pair.to_esme()
    assert pair.esme.submit(TEMPLATE, b"1", b"", now=pair.now) > first


def test_a_message_that_does_not_fit_leaves_nothing_behind() -> None:
    pair = bound()
    with pytest.raises(LocalProtocolError):
        pair.esme.submit(TEMPLATE, b"1" * 21, b"", now=pair.now)
    assert len(pair.esme.outstanding) == 0
    assert pair.esme.data_to_send() == b""


@pytest.mark.parametrize("kind", [None, BindKind.RECEIVER])
def test_who_is_not_bound_to_transmit_cannot_submit(kind: BindKind | None) -> None:
    pair = bound(kind) if kind else Pair()
    with pytest.raises(LocalProtocolError):
        pair.esme.submit(TEMPLATE, b"1", b"", now=pair.now)
    with pytest.raises(LocalProtocolError):
        pair.esme.request(SubmitSm(), now=pair.now)


@pytest.mark.parametrize("pdu", [Bind(), DeliverSm(), Unbind()])
def test_requests_that_do_not_fit_are_our_error(pdu: Request) -> None:
    pair = bound()
    with pytest.raises(LocalProtocolError):
        pair.esme.request(pdu, now=pair.now)


def test_old_peers_get_no_parameters() -> None:
    pair = Pair()
    assert pair.bind(interface_version=0x33) == Bound(BindKind.TRANSCEIVER, "centre", None)
    pair.mc.request(DeliverSm(tlvs=((0x0427, b"\x02"),)), now=pair.now)
    assert pair.to_esme() == [DeliverRequested(1, DeliverSm())]


def test_a_template_leaves_its_parameters_out_for_an_old_message_centre() -> None:
    pair = Pair()
    pair.esme.request(Bind(), now=pair.now)
    pair.esme.receive(bytes.fromhex("00000018 80000009 00000000 00000001 6d6300 0210 0001 33"), now=pair.now)
    pair.esme.data_to_send()
    tagged = SubmitTemplate(PATTERN._replace(tlvs=((0x0204, b"\0\1"),)))
    sequence = pair.esme.submit(tagged, b"27", b"x", now=pair.now)
    assert pair.esme.data_to_send() == TEMPLATE.encode(sequence, b"27", b"x")


def test_we_ask_to_end_and_answers_still_come() -> None:
    pair = bound()
    sequence = pair.esme.submit(TEMPLATE, b"1", b"", now=pair.now)
    assert pair.esme.unbind(now=pair.now) == []
    assert pair.esme.unbind(now=pair.now) == []
    with pytest.raises(LocalProtocolError):
        pair.esme.submit(TEMPLATE, b"1", b"", now=pair.now)
    asked = pair.to_mc()
    assert isinstance(asked[0], SubmitRequested)
    assert asked[1:] == [UnbindRequested(3)]
    pair.mc.answer_submit(sequence, "1")
    assert pair.mc.unbind(now=pair.now) == [Unbound(), Closed("unbound", ())]
    assert pair.to_esme() == [SubmitAnswered(sequence, 0, "1"), Unbound(), Closed("unbound", ())]


def test_after_asking_to_end_a_peer_may_ask_nothing_more() -> None:
    pair = bound()
    pair.esme.unbind(now=pair.now)
    pair.to_mc()
    (event,) = pair.mc.receive(encode(SubmitSm(), sequence=9), now=pair.now)
    assert isinstance(event, PeerBroke)
    assert pair.mc.data_to_send() == encode_bare(CommandId.SUBMIT_SM_RESP, sequence=9, status=4)


def test_both_ends_ask_to_end_at_once() -> None:
    pair = bound()
    pair.esme.unbind(now=pair.now)
    pair.mc.unbind(now=pair.now)
    assert pair.to_esme() == [UnbindRequested(1)]
    assert pair.esme.unbind(now=pair.now) == [Unbound(), Closed("unbound", (2,))]
    assert pair.to_mc() == [UnbindRequested(2), Unbound(), Closed("unbound", ())]


def test_there_is_nothing_to_unbind_before_the_bind() -> None:
    with pytest.raises(LocalProtocolError):
        Pair().esme.unbind(now=0.0)


def test_a_lost_connection_names_what_is_unknown() -> None:
    pair = bound()
    sequences = [pair.esme.submit(TEMPLATE, b"1", b"", now=pair.now) for _ in range(3)]
    pair.to_mc()
    pair.mc.answer_submit(sequences[1], "1")
    pair.to_esme()
    assert pair.esme.receive(b"", now=pair.now) == [
        Closed("the peer ended the connection", (sequences[0], sequences[2]))
    ]
    assert pair.esme.receive(b"", now=pair.now) == []


def test_after_the_end_answers_are_dropped_and_requests_refused() -> None:
    pair = bound()
    for session in (pair.esme, pair.mc):
        session.receive(b"", now=pair.now)
        session.acknowledge_delivers([1])
        session.answer_submit(1, "1")
        session.answer_bind(1)
        session.answer(1, QuerySmResp())
        assert session.unbind(now=pair.now) == []
        assert session.data_to_send() == b""
    with pytest.raises(LocalProtocolError):
        pair.esme.submit(TEMPLATE, b"1", b"", now=pair.now)
    with pytest.raises(LocalProtocolError):
        pair.mc.request(DeliverSm(), now=pair.now)


def test_only_a_bind_that_waits_can_be_answered() -> None:
    pair = Pair()
    with pytest.raises(LocalProtocolError):
        pair.mc.answer_bind(1)
    pair.mc.receive(encode(Bind(), sequence=1), now=pair.now)
    with pytest.raises(LocalProtocolError):
        pair.mc.answer_bind(2)
    with pytest.raises(LocalProtocolError):
        pair.mc.answer(1, BindResp())
    with pytest.raises(LocalProtocolError):
        pair.mc.answer(1, UnbindResp())
    pair.mc.answer_bind(1)
    assert pair.mc.state is SessionState.BOUND_TRX


NACK = bytes.fromhex("00000010 80000000 00000002 00000000")


@pytest.mark.parametrize(
    "octets",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"AMQP\0\0\x09\x01", b"\x16\x03\x01\x02", bytes.fromhex("0000000f")],
    ids=["HTTP", "AMQP", "TLS", "15"],
)
@pytest.mark.parametrize("step", [1, 100])
@pytest.mark.parametrize("is_bound", [True, False])
def test_strangers_are_shown_out_at_the_fourth_octet(octets: bytes, step: int, is_bound: bool) -> None:
    pair = bound() if is_bound else Pair()
    events = []
    for start in range(0, len(octets), step):
        events += pair.mc.receive(octets[start : start + step], now=pair.now)
    assert [type(event) for event in events] == [PeerBroke, Closed]
    assert pair.mc.data_to_send() == NACK


def test_before_the_bind_a_pdu_has_at_most_512_octets() -> None:
    pair = Pair()
    assert pair.mc.receive(bytes.fromhex("00000200 00000009"), now=pair.now) == []
    other = Pair()
    assert isinstance(other.mc.receive(bytes.fromhex("00000201"), now=pair.now)[-1], Closed)


def test_after_the_bind_a_payload_fits() -> None:
    pair = bound()
    sequence = pair.esme.submit(TEMPLATE, b"27", b"x" * 65_535, now=pair.now)
    assert pair.to_mc() == [
        SubmitRequested(sequence, PATTERN._replace(destination_addr="27", short_message=b"x" * 65_535))
    ]
    too_long = (MAX_OCTETS_BOUND + 1).to_bytes(4, "big")
    assert isinstance(pair.mc.receive(too_long, now=pair.now)[-1], Closed)


def test_all_replies_leave_in_one_piece() -> None:
    pair = bound()
    pair.mc.receive(encode(EnquireLink(), sequence=1) + encode(EnquireLink(), sequence=2), now=pair.now)
    assert len(pair.mc.data_to_send()) == 32
    assert pair.mc.data_to_send() == b""


def test_a_bind_and_what_follows_it_in_one_chunk() -> None:
    pair = Pair()
    data = encode(Bind(), sequence=1) + encode(SubmitSm(), sequence=2)
    asked, broke = pair.mc.receive(data, now=pair.now)
    assert isinstance(asked, BindRequested)
    assert isinstance(broke, PeerBroke)


def test_nothing_is_read_behind_the_end() -> None:
    session = Session(Role.ESME, timers=Timers(), window=1, now=0.0)
    events = session.receive(bytes.fromhex("00000001") + bytes(12) + encode(EnquireLink(), sequence=1), now=0.0)
    assert [type(event) for event in events] == [PeerBroke, Closed]
    assert session.data_to_send() == NACK


def test_a_pdu_cut_in_its_body_is_read_when_it_is_whole() -> None:
    pair = bound()
    sequence = pair.esme.submit(TEMPLATE, b"27", b"Hi", now=pair.now)
    data = pair.esme.data_to_send() + encode(EnquireLink(), sequence=99)
    assert pair.mc.receive(data[:20], now=pair.now) == []
    assert pair.mc.receive(data[20:30], now=pair.now) == []
    expected = PATTERN._replace(destination_addr="27", short_message=b"Hi")
    assert pair.mc.receive(data[30:], now=pair.now) == [SubmitRequested(sequence, expected)]
    assert len(pair.mc.data_to_send()) == 16
