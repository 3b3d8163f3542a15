"""The vectors are written out by hand from the field tables of the standard."""

import pytest

from heliograph.smpp.codec import (
    Header,
    decode,
    decode_header,
    decode_message_id,
    encode,
    encode_bare,
    encode_deliver_sm_resps,
    encode_submit_sm_resp,
)
from heliograph.smpp.constants import BindKind, CommandId, CommandStatus
from heliograph.smpp.errors import LocalProtocolError, PduError
from heliograph.smpp.pdus import (
    AlertNotification,
    Bind,
    BindResp,
    CancelSm,
    DataSm,
    DeliverSm,
    DeliverSmResp,
    DistributionList,
    EnquireLink,
    GenericNack,
    Outbind,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    UnsuccessfulSme,
)

VECTORS: list[tuple[Pdu, int, int, str]] = [
    (
        Bind(kind=BindKind.TRANSMITTER, system_id="me", password="pw", system_type="t", addr_ton=1, address_range="27"),
        1,
        0,
        "0000001e 00000002 00000000 00000001 6d6500 707700 7400 34 01 00 323700",
    ),
    (
        BindResp(kind=BindKind.TRANSCEIVER, system_id="mc", tlvs=((0x0210, b"\x34"),)),
        1,
        0,
        "00000018 80000009 00000000 00000001 6d6300 0210 0001 34",
    ),
    (Outbind(system_id="mc", password="x"), 9, 0, "00000015 0000000b 00000000 00000009 6d6300 7800"),
    (EnquireLink(), 0x7FFFFFFF, 0, "00000010 00000015 00000000 7fffffff"),
    (GenericNack(), 0, 3, "00000010 80000000 00000003 00000000"),
    (
        SubmitSm(
            source_addr_ton=5,
            source_addr="Me",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="27821",
            registered_delivery=1,
            short_message=b"Hi",
        ),
        2,
        0,
        "0000002a 00000004 00000000 00000002 00 05 00 4d6500 01 01 323738323100 00 00 00 00 00 01 00 00 00 02 4869",
    ),
    (
        DeliverSm(
            service_type="WAP",
            source_addr="1",
            destination_addr="2",
            esm_class=0x44,
            protocol_id=1,
            priority_flag=2,
            schedule_delivery_time="000001000000000R",
            validity_period="",
            registered_delivery=3,
            replace_if_present_flag=4,
            data_coding=8,
            sm_default_msg_id=6,
            short_message=b"\x01",
            tlvs=((0x0427, b"\x02"),),
        ),
        3,
        0,
        (
            "0000003c 00000005 00000000 00000003 57415000 00 00 3100 00 00 3200 44 01 02"
            "30303030303130303030303030303052 00 00 03 04 08 06 01 01 0427 0001 02"
        ),
    ),
    (SubmitSmResp(message_id="ab1"), 4, 0, "00000014 80000004 00000000 00000004 61623100"),
    (DeliverSmResp(), 4, 0, "00000011 80000005 00000000 00000004 00"),
    (
        SubmitMulti(
            source_addr="7",
            dest_address=(SmeAddress(1, 1, "27"), DistributionList("all")),
            short_message=b"x",
        ),
        5,
        0,
        (
            "0000002c 00000021 00000000 00000005 00 00 00 3700 02 01 01 01 323700 02 616c6c00"
            "00 00 00 00 00 00 00 00 00 01 78"
        ),
    ),
    (
        SubmitMultiResp(message_id="9", unsuccess_sme=(UnsuccessfulSme(1, 1, "27", 0x0B),)),
        5,
        0,
        "0000001c 80000021 00000000 00000005 3900 01 01 01 323700 0000000b",
    ),
    (
        DataSm(source_addr="1", destination_addr="2", esm_class=4, tlvs=((0x001E, b"5\0"),)),
        6,
        0,
        "00000022 00000103 00000000 00000006 00 00 00 3100 00 00 3200 04 00 00 001e 0002 3500",
    ),
    (QuerySm(message_id="5", source_addr="1"), 7, 0, "00000016 00000003 00000000 00000007 3500 00 00 3100"),
    (
        QuerySmResp(message_id="5", message_state=2, error_code=7),
        7,
        0,
        "00000015 80000003 00000000 00000007 3500 00 02 07",
    ),
    (
        CancelSm(message_id="5", source_addr="1", destination_addr="2"),
        8,
        0,
        "0000001b 00000008 00000000 00000008 00 3500 00 00 3100 00 00 3200",
    ),
    (
        ReplaceSm(message_id="5", source_addr="1", registered_delivery=1, short_message=b"yz"),
        8,
        0,
        "0000001d 00000007 00000000 00000008 3500 00 00 3100 00 00 01 00 02 797a",
    ),
    (
        AlertNotification(source_addr="1", esme_addr="2", tlvs=((0x0422, b"\0"),)),
        8,
        0,
        "0000001d 00000102 00000000 00000008 00 00 3100 00 00 3200 0422 0001 00",
    ),
]


@pytest.mark.parametrize(("pdu", "sequence", "status", "octets"), VECTORS, ids=lambda value: type(value).__name__)
def test_vectors(pdu: Pdu, sequence: int, status: int, octets: str) -> None:
    wire = bytes.fromhex(octets)
    assert encode(pdu, sequence=sequence, status=status) == wire
    assert decode_header(wire).command_length == len(wire)
    assert decode_header(wire).sequence_number == sequence
    back = decode(wire)
    assert back == pdu
    assert type(back) is type(pdu)


def test_a_header() -> None:
    wire = bytes.fromhex("00000010 80000004 00000058 0000002a")
    assert decode_header(b"xx" + wire, 2) == Header(16, CommandId.SUBMIT_SM_RESP, CommandStatus.ESME_RTHROTTLED, 42)
    with pytest.raises(PduError):
        decode_header(wire, 1)


def test_a_pdu_is_read_within_its_borders() -> None:
    first = encode(DeliverSm(source_addr="1", short_message=b"abc"), sequence=1)
    second = encode(SubmitSmResp(message_id="7"), sequence=2)
    assert decode(first + second, end=len(first)) == DeliverSm(source_addr="1", short_message=b"abc")
    with pytest.raises(PduError) as caught:
        decode(first + second, end=len(first) - 1)
    assert caught.value.status == CommandStatus.ESME_RINVMSGLEN


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("58", CommandStatus.ESME_RINVSERTYP),
        ("00", CommandStatus.ESME_RINVCMDLEN),
        ("00 0000 31", CommandStatus.ESME_RINVSRCADR),
        ("00 0000 3100 0000 32", CommandStatus.ESME_RINVDSTADR),
        ("00 0000 3100 0000 3200 000000 31", CommandStatus.ESME_RINVSCHED),
        ("00 0000 3100 0000 3200 000000 00 31", CommandStatus.ESME_RINVEXPIRY),
        ("00 0000 3100 0000 3200 000000 00 00 010000", CommandStatus.ESME_RINVCMDLEN),
        ("00 0000 3100 0000 3200 000000 00 00 01000000 ff 4869", CommandStatus.ESME_RINVMSGLEN),
        ("00 0000 3100 0000 3200 000000 00 00 01000000 00 0424 0009 31", CommandStatus.ESME_RINVOPTPARSTREAM),
    ],
)
@pytest.mark.parametrize("kind", [SubmitSm, DeliverSm])
def test_a_broken_field_names_its_status(kind: type[SubmitSm | DeliverSm], body: str, status: CommandStatus) -> None:
    """sm_length 255 in a short PDU once ran over a server's buffer before any bind."""
    command_id = CommandId.SUBMIT_SM if kind is SubmitSm else CommandId.DELIVER_SM
    octets = bytes.fromhex(body)
    wire = encode_bare(command_id, sequence=1) + octets
    with pytest.raises(PduError) as caught:
        decode(wire + b"\0" * 300, end=len(wire))
    assert caught.value.status == status


def test_a_cut_parameter_costs_a_receipt_nothing_else() -> None:
    wire = encode(DeliverSm(short_message=b"id:1", tlvs=((0x0427, b"\x02"),)), sequence=1)
    assert decode(wire + bytes.fromhex("001e 0009 31")) == DeliverSm(short_message=b"id:1", tlvs=((0x0427, b"\x02"),))


def test_an_unknown_command() -> None:
    with pytest.raises(PduError) as caught:
        decode(bytes.fromhex("00000010 00000999 00000000 00000001"))
    assert caught.value.status == CommandStatus.ESME_RINVCMDID


@pytest.mark.parametrize("body", ["", "61", "6162"])
def test_a_response_may_lack_its_body_or_end(body: str) -> None:
    wire = bytes.fromhex("00000010 80000004 00000008 00000001" + body)
    expected = bytes.fromhex(body).decode()
    assert decode_message_id(wire, start=16, end=len(wire)) == expected
    assert decode(wire) == SubmitSmResp()
    assert decode(bytes.fromhex("00000010 80000003 00000067 00000001")) == QuerySmResp()


def test_an_id_ends_before_the_parameters_behind_it() -> None:
    wire = encode(SubmitSmResp(message_id="77", tlvs=((0x0428, b"\x63"),)), sequence=1)
    assert decode_message_id(wire, start=16, end=len(wire)) == "77"


@pytest.mark.parametrize("kind", [SubmitSm, DeliverSm])
def test_a_long_text_travels_as_payload(kind: type[SubmitSm | DeliverSm]) -> None:
    pdu = kind(short_message=b"x" * 300, tlvs=((0x0204, b"\0\1"),))
    wire = encode(pdu, sequence=1)
    assert wire.endswith(bytes.fromhex("0424 012c") + b"x" * 300)
    assert decode(wire) == pdu


def test_a_peer_without_parameters_gets_none() -> None:
    pdu = SubmitSm(short_message=b"x", tlvs=((0x0204, b"\0\1"),))
    assert decode(encode(pdu, sequence=1, tlvs=False)) == pdu._replace(tlvs=())
    with pytest.raises(LocalProtocolError):
        encode(SubmitSm(short_message=b"x" * 300), sequence=1, tlvs=False)


def test_a_refusal_has_no_body() -> None:
    assert encode(SubmitSmResp(message_id="7"), sequence=1, status=0x58) == bytes.fromhex(
        "00000010 80000004 00000058 00000001"
    )
    assert encode_submit_sm_resp(1, "7", status=0x58) == bytes.fromhex("00000010 80000004 00000058 00000001")
    assert encode_submit_sm_resp(1, "7") == bytes.fromhex("00000012 80000004 00000000 00000001 3700")


def test_many_acknowledgements_are_joined() -> None:
    assert encode_deliver_sm_resps([1, 0xFFFFFFFF], status=8) == bytes.fromhex(
        "00000011 80000005 00000008 00000001 00 00000011 80000005 00000008 ffffffff 00"
    )


@pytest.mark.parametrize(
    "pdu", [SubmitSm(esm_class=256), SubmitSm(source_addr="x" * 21), ReplaceSm(short_message=b"x" * 255)]
)
def test_what_does_not_fit_is_our_error(pdu: Pdu) -> None:
    with pytest.raises(LocalProtocolError):
        encode(pdu, sequence=1)


def test_a_sequence_out_of_range_is_our_error() -> None:
    with pytest.raises(LocalProtocolError):
        encode(EnquireLink(), sequence=0x80000000)
    with pytest.raises(LocalProtocolError):
        encode(GenericNack(), sequence=-1)


def test_a_destination_of_an_unknown_sort() -> None:
    wire = bytearray(encode(SubmitMulti(dest_address=(SmeAddress(1, 1, "27"),)), sequence=1))
    assert wire[21] == 1
    wire[21] = 3
    with pytest.raises(PduError) as caught:
        decode(bytes(wire))
    assert caught.value.status == CommandStatus.ESME_RINVDESTFLAG


def test_a_failure_out_of_range_is_our_error() -> None:
    with pytest.raises(LocalProtocolError):
        encode(SubmitMultiResp(unsuccess_sme=(UnsuccessfulSme(1, 1, "27", -1),)), sequence=1)
