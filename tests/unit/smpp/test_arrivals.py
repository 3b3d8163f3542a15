"""What follows from single PDUs, seen through a session."""

import pytest

from heliograph.smpp.codec import encode, encode_bare
from heliograph.smpp.constants import RESPONSE_BIT, BindKind, CommandId, CommandStatus
from heliograph.smpp.events import (
    AlertReceived,
    BindRefused,
    BindRequested,
    Bound,
    CancelRequested,
    Closed,
    DataRequested,
    DeliverAnswered,
    OutbindRequested,
    PeerBroke,
    QueryRequested,
    ReplaceRequested,
    RequestAnswered,
    SubmitAnswered,
    SubmitMultiRequested,
    Unbound,
    UnexpectedResponse,
)
from heliograph.smpp.pdus import (
    AlertNotification,
    Bind,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    EnquireLink,
    GenericNack,
    Outbind,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    Request,
    Response,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    UnsuccessfulSme,
)
from heliograph.smpp.states import SessionState
from tests.unit.smpp.pairs import Pair, bound


def nack(sequence: int, status: int = CommandStatus.ESME_RINVCMDID) -> bytes:
    return encode(GenericNack(), sequence=sequence, status=status)


EXCHANGES: list[tuple[Request, type[tuple[object, ...]], Response]] = [
    (
        SubmitMulti(source_addr="1", short_message=b"x"),
        SubmitMultiRequested,
        SubmitMultiResp(message_id="1", unsuccess_sme=(UnsuccessfulSme(1, 1, "27", 11),)),
    ),
    (DataSm(source_addr="1", tlvs=((0x0424, b"x"),)), DataRequested, DataSmResp(message_id="1")),
    (QuerySm(message_id="1"), QueryRequested, QuerySmResp(message_id="1", message_state=2)),
    (CancelSm(message_id="1"), CancelRequested, CancelSmResp()),
    (ReplaceSm(message_id="1", short_message=b"x"), ReplaceRequested, ReplaceSmResp()),
]


@pytest.mark.parametrize(("request_pdu", "kind", "response"), EXCHANGES)
def test_the_rarer_requests(request_pdu: Request, kind: type[tuple[object, ...]], response: Response) -> None:
    pair = bound()
    sequence = pair.esme.request(request_pdu, now=pair.now)
    (asked,) = pair.to_mc()
    assert type(asked) is kind
    assert asked == (sequence, request_pdu)
    pair.mc.answer(sequence, response)
    assert pair.to_esme() == [RequestAnswered(sequence, 0, response)]
    assert len(pair.esme.outstanding) == 0


def test_a_message_centre_sends_data_and_alerts() -> None:
    pair = bound(BindKind.RECEIVER)
    data = pair.mc.request(DataSm(esm_class=4), now=pair.now)
    alert = pair.mc.request(AlertNotification(source_addr="27"), now=pair.now)
    assert pair.to_esme() == [
        DataRequested(data, DataSm(esm_class=4)),
        AlertReceived(alert, AlertNotification(source_addr="27")),
    ]
    assert pair.esme.data_to_send() == b""


def test_outbind_is_answered_by_a_bind() -> None:
    pair = Pair()
    sequence = pair.mc.request(Outbind(system_id="mc"), now=pair.now)
    assert pair.to_esme() == [OutbindRequested(sequence, Outbind(system_id="mc"))]
    assert pair.esme.state is SessionState.OUTBOUND
    assert isinstance(pair.bind(BindKind.RECEIVER), Bound)


def test_enquire_link_is_answered_in_every_state() -> None:
    question = encode(EnquireLink(), sequence=9)
    answer = bytes.fromhex("00000010 80000015 00000000 00000009")
    fresh, talking = Pair(), bound()
    for session in (fresh.esme, fresh.mc, talking.esme, talking.mc):
        assert session.receive(question, now=1000.0) == []
        assert session.data_to_send() == answer


@pytest.mark.parametrize("command_id", [CommandId.SUBMIT_SM, CommandId.DATA_SM, CommandId.UNBIND, CommandId.QUERY_SM])
def test_before_the_bind_nothing_is_taken(command_id: CommandId) -> None:
    """A server once looked into submit_sm before any bind, and overran a buffer there."""
    pair = Pair()
    (event,) = pair.mc.receive(encode_bare(command_id, sequence=5), now=pair.now)
    assert isinstance(event, PeerBroke)
    assert not event.fatal
    assert pair.mc.data_to_send() == encode_bare(
        command_id | RESPONSE_BIT, sequence=5, status=CommandStatus.ESME_RINVBNDSTS
    )


def test_a_receiver_may_not_submit_nor_an_esme_deliver() -> None:
    pair = bound(BindKind.RECEIVER)
    forbidden: list[tuple[Request, int]] = [(SubmitSm(), CommandId.SUBMIT_SM), (DeliverSm(), CommandId.DELIVER_SM)]
    for pdu, command_id in forbidden:
        (event,) = pair.mc.receive(encode(pdu, sequence=5), now=pair.now)
        assert isinstance(event, PeerBroke)
        assert pair.mc.data_to_send() == encode_bare(command_id | RESPONSE_BIT, sequence=5, status=4)


def test_a_second_bind_is_refused_as_such() -> None:
    pair = Pair()
    bind = encode(Bind(), sequence=1)
    assert isinstance(pair.mc.receive(bind, now=pair.now)[0], BindRequested)
    for _ in range(2):
        (event,) = pair.mc.receive(encode(Bind(), sequence=2), now=pair.now)
        assert isinstance(event, PeerBroke)
        assert pair.mc.data_to_send() == encode_bare(CommandId.BIND_TRANSCEIVER_RESP, sequence=2, status=5)
        if pair.mc.state is SessionState.BINDING:
            pair.mc.answer_bind(1)
            pair.mc.data_to_send()


def test_an_unknown_command_gets_a_nack_with_its_sequence() -> None:
    pair = bound()
    (event,) = pair.mc.receive(encode_bare(0x999, sequence=77), now=pair.now)
    assert event == PeerBroke("command_id 0x00000999 is unknown", False)
    assert pair.mc.data_to_send() == nack(77)


def test_a_broken_deliver_is_refused_once_and_the_next_is_read() -> None:
    """A client that said nothing to such a PDU got it again for days."""
    pair = bound()
    broken = bytes.fromhex("00000014 00000005 00000000 00000001 58585858")
    whole = encode(DeliverSm(short_message=b"x"), sequence=2)
    broke, delivered = pair.esme.receive(broken + whole, now=pair.now)
    assert broke == PeerBroke("a string is not ended by NUL", False)
    assert delivered == (2, DeliverSm(short_message=b"x"))
    assert pair.esme.data_to_send() == encode_bare(
        CommandId.DELIVER_SM_RESP, sequence=1, status=CommandStatus.ESME_RINVSERTYP
    )


def test_a_broken_alert_has_no_answer() -> None:
    pair = bound()
    (event,) = pair.esme.receive(encode_bare(CommandId.ALERT_NOTIFICATION, sequence=1), now=pair.now)
    assert isinstance(event, PeerBroke)
    assert pair.esme.data_to_send() == b""


def test_receipts_over_a_transmitter_are_taken() -> None:
    pair = bound(BindKind.TRANSMITTER)
    (event,) = pair.esme.receive(encode(DeliverSm(esm_class=4), sequence=3), now=pair.now)
    assert event == (3, DeliverSm(esm_class=4))


def test_a_nack_answers_the_request_it_names() -> None:
    pair = bound()
    submit = pair.esme.request(SubmitSm(), now=pair.now)
    query = pair.esme.request(QuerySm(), now=pair.now)
    deliver = pair.mc.request(DeliverSm(), now=pair.now)
    assert pair.esme.receive(nack(submit) + nack(query, 0), now=pair.now) == [
        SubmitAnswered(submit, CommandStatus.ESME_RINVCMDID, ""),
        RequestAnswered(query, CommandStatus.ESME_RUNKNOWNERR, GenericNack()),
    ]
    assert pair.mc.receive(nack(deliver), now=pair.now) == [DeliverAnswered(deliver, CommandStatus.ESME_RINVCMDID)]
    assert len(pair.esme.outstanding) == len(pair.mc.outstanding) == 0


def test_a_nack_of_nothing_is_reported_and_never_answered() -> None:
    pair = bound()
    assert pair.esme.receive(nack(0), now=pair.now) == [UnexpectedResponse(0, CommandId.GENERIC_NACK, 3, "")]
    assert pair.esme.data_to_send() == b""


def test_a_nack_of_a_bind_refuses_it() -> None:
    pair = Pair()
    sequence = pair.esme.request(Bind(), now=pair.now)
    assert pair.esme.receive(nack(sequence), now=pair.now) == [BindRefused(CommandStatus.ESME_RINVCMDID)]
    assert pair.esme.state is SessionState.OPEN


def test_a_nack_of_an_unbind_ends_the_session() -> None:
    pair = bound()
    assert pair.esme.unbind(now=pair.now) == []
    (sequence,) = pair.esme.outstanding.sequences()
    assert pair.esme.receive(nack(sequence), now=pair.now) == [Unbound(), Closed("unbound", ())]


@pytest.mark.parametrize(
    ("wire", "event"),
    [
        (
            "00000012 80000004 00000000 00000063 3700",
            UnexpectedResponse(0x63, CommandId.SUBMIT_SM_RESP, 0, "7"),
        ),
        ("00000010 80000005 00000000 00000063", UnexpectedResponse(0x63, CommandId.DELIVER_SM_RESP, 0, "")),
        ("00000010 80000999 00000000 00000063", UnexpectedResponse(0x63, 0x80000999, 0, "")),
        ("00000010 80000103 00000000 00000002", UnexpectedResponse(2, CommandId.DATA_SM_RESP, 0, "")),
    ],
)
def test_answers_to_nothing_are_reported_alone(wire: str, event: UnexpectedResponse) -> None:
    pair = bound()
    assert pair.esme.request(SubmitSm(), now=pair.now) == 2
    pair.esme.data_to_send()
    assert pair.esme.receive(bytes.fromhex(wire), now=pair.now) == [event]
    assert pair.esme.data_to_send() == b""
    assert len(pair.esme.outstanding) == 1


def test_a_bind_response_without_version_counts_as_3_4() -> None:
    pair = Pair()
    pair.esme.request(Bind(), now=pair.now)
    wire = bytes.fromhex("00000013 80000009 00000000 00000001 6d6300")
    assert pair.esme.receive(wire, now=pair.now) == [Bound(BindKind.TRANSCEIVER, "mc", None)]
