import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.carriers.smpp.mapping import Submits, UnusableSender, incoming_from, is_receipt, key_of, receipt_from
from heliograph.carriers.smpp.profile import Profile
from heliograph.core.messages import Content, Message, Parcel, Traits
from heliograph.core.receipts import IdForm, match_key
from heliograph.core.states import MessageState
from heliograph.gsm.segments import Encoding, Segment, join
from heliograph.smpp.codec import decode
from heliograph.smpp.constants import MessageState as WireState
from heliograph.smpp.constants import Tag
from heliograph.smpp.pdus import DataSm, DeliverSm, SubmitSm
from heliograph.smpp.receipts import format_receipt, receipt_tlvs
from heliograph.testing.feeds import parcels_for

PROFILE = Profile(host="h", port=1, system_id="me", password="secret")


def wire(parcel: Parcel, profile: Profile = PROFILE) -> SubmitSm:
    template, destination_addr, short_message = Submits(profile).submit_from(parcel)
    octets = template.encode(1, destination_addr, short_message)
    pdu = decode(octets)
    assert isinstance(pdu, SubmitSm)
    return pdu


def receipt_pdu(state: WireState, *, message_id: str = "7", esm_class: int = 4, tlvs: bool = False) -> DeliverSm:
    text = format_receipt(message_id, state, submit_date="2611231405", done_date="2611231406", error="045")
    return DeliverSm(
        source_addr="27831234567",
        destination_addr="12345",
        esm_class=esm_class,
        short_message=text,
        tlvs=receipt_tlvs(message_id, state) if tlvs else (),
    )


def test_a_short_text() -> None:
    (parcel,) = parcels_for(["+27831234567"], text="it€", sender="Heliograph")
    pdu = wire(parcel)
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, "27831234567")
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (5, 0, "Heliograph")
    assert (pdu.esm_class, pdu.data_coding, pdu.short_message) == (0, 0, b"it\x1be")
    assert (pdu.registered_delivery, pdu.validity_period, pdu.service_type) == (1, "", "")


@pytest.mark.parametrize(
    ("sender", "ton_npi_address"),
    [("+27820000000", (1, 1, "27820000000")), ("12345", (3, 0, "12345")), ("Café", (5, 0, "Café"))],
)
def test_each_kind_of_sender(sender: str, ton_npi_address: tuple[int, int, str]) -> None:
    (parcel,) = parcels_for(["+27831234567"], sender=sender)
    pdu = wire(parcel)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == ton_npi_address


@pytest.mark.parametrize("sender", ["ΔΦΓ", "", "much too long a sender"])
def test_a_sender_that_smpp_cannot_carry(sender: str) -> None:
    (parcel,) = parcels_for(["+27831234567"], sender=sender)
    with pytest.raises(UnusableSender):
        wire(parcel)


def test_segments_of_a_long_text_carry_their_header() -> None:
    first, second = parcels_for(["+27831234567"], text="я" * 80)
    assert wire(first).esm_class == 0x40
    assert wire(first).data_coding == 8
    assert wire(first).short_message == first.message.content.segments[0].payload
    assert wire(second).short_message.startswith(bytes.fromhex("050003070202"))


def test_octets_that_are_no_text() -> None:
    (parcel,) = parcels_for(["+27831234567"])
    content: Content = parcel.message.content._replace(encoding=Encoding.BINARY, segments=(Segment(b"", b"\0\xff"),))
    message: Message = parcel.message._replace(content=content)
    assert wire(Parcel(message, 0)).data_coding == 4


def test_one_carrier_does_not_mix_up_senders_or_encodings() -> None:
    submits = Submits(PROFILE)
    parcels = [
        *parcels_for(["+27831234567"], sender="one"),
        *parcels_for(["+27831234567"], sender="two"),
        *parcels_for(["+27831234567"], sender="one", text="я"),
        *parcels_for(["+27831234567"], sender="one", text="я" * 71),
    ]
    assert len({id(submits.submit_from(parcel).template) for parcel in parcels}) == 4
    assert submits.submit_from(parcels[0]).template is submits.submit_from(parcels[0]).template


def test_settings_of_the_carrier_reach_the_wire() -> None:
    (parcel,) = parcels_for(["+27831234567"])
    profile = Profile(host="h", port=1, system_id="me", password="", service_type="OMV4", validity_s=3600)
    assert wire(parcel, profile).service_type == "OMV4"
    assert wire(parcel, profile).validity_period == "000000010000000R"


def _with_template(parcel: Parcel, template_id: str) -> Parcel:
    content = parcel.message.content._replace(traits=Traits(template_id=template_id))
    return parcel._replace(message=parcel.message._replace(content=content))


def test_the_ids_that_carriers_of_india_want() -> None:
    first, second = parcels_for(["+919831234567"], text="я" * 71)
    for parcel in (first, second):
        pdu = wire(_with_template(parcel, "1107161234567890123"))
        assert pdu.tlvs == ((0x1401, b"1107161234567890123"),)
    assert wire(first).tlvs == ()
    profile = Profile(host="h", port=1, system_id="me", password="", entity_id="110100001341")
    assert wire(first, profile).tlvs == ((0x1400, b"110100001341"),)
    both = wire(_with_template(first, "1107"), profile).tlvs
    assert both == ((0x1400, b"110100001341"), (0x1401, b"1107"))


def test_templates_are_not_mixed_up() -> None:
    submits = Submits(PROFILE)
    (parcel,) = parcels_for(["+919831234567"])
    parcels = [_with_template(parcel, each) for each in ("1", "2", "", "1")]
    first, second, none, again = (submits.submit_from(each).template for each in parcels)
    assert first is again
    assert len({id(each) for each in (first, second, none)}) == 3


@pytest.mark.parametrize("tlvs", [False, True])
@pytest.mark.parametrize(
    ("state", "end"),
    [
        (WireState.DELIVERED, MessageState.DELIVERED),
        (WireState.EXPIRED, MessageState.EXPIRED),
        (WireState.DELETED, MessageState.UNDELIVERED),
        (WireState.UNDELIVERABLE, MessageState.UNDELIVERED),
        (WireState.UNKNOWN, MessageState.UNKNOWN),
        (WireState.REJECTED, MessageState.REJECTED),
        (WireState.SKIPPED, MessageState.UNDELIVERED),
        (WireState.ENROUTE, None),
        (WireState.ACCEPTED, None),
        (WireState.SCHEDULED, None),
    ],
)
def test_states_of_receipts(state: WireState, end: MessageState | None, tlvs: bool) -> None:
    receipt = receipt_from(receipt_pdu(state, tlvs=tlvs), PROFILE)
    assert receipt is not None
    assert receipt.state is end
    assert (receipt.key, receipt.error, receipt.addresses) == ("7", "045", ("27831234567", "12345"))


@pytest.mark.parametrize("esm_class", [0x44, 0x84])
def test_a_receipt_with_other_bits_is_one_too(esm_class: int) -> None:
    pdu = receipt_pdu(WireState.DELIVERED, esm_class=esm_class)
    header = b"\x03\x70\x01\x00" if esm_class & 0x40 else b""
    receipt = receipt_from(pdu._replace(short_message=header + pdu.short_message), PROFILE)
    assert receipt is not None
    assert receipt.state is MessageState.DELIVERED


def test_an_intermediate_notification_ends_nothing() -> None:
    receipt = receipt_from(receipt_pdu(WireState.DELIVERED, esm_class=0x20), PROFILE)
    assert receipt is not None
    assert receipt.state is None


def test_a_handset_cannot_forge_a_receipt() -> None:
    pdu = receipt_pdu(WireState.DELIVERED, esm_class=0)
    assert not is_receipt(pdu)
    assert receipt_from(pdu, PROFILE) is None
    trusting = Profile(host="h", port=1, system_id="me", password="", sniffs_text=True)
    assert receipt_from(pdu, trusting) is not None


def test_a_receipt_without_id_is_a_receipt_and_useless() -> None:
    pdu = DeliverSm(esm_class=4, short_message=b"stat:DELIVRD")
    assert is_receipt(pdu)
    assert receipt_from(pdu, PROFILE) is None


def test_a_receipt_in_data_sm() -> None:
    pdu = DataSm(esm_class=4, source_addr="1", destination_addr="2", tlvs=receipt_tlvs("00AB", 2))
    receipt = receipt_from(pdu, PROFILE)
    assert receipt is not None
    assert (receipt.key, receipt.state) == ("ab", MessageState.DELIVERED)


@given(st.integers(min_value=1, max_value=2**80))
def test_ids_agree_under_every_form(number: int) -> None:
    for form, answered, receipted in (
        (IdForm.AS_IS, f"{number:X}", f"0000{number:x}"),
        (IdForm.HEX_IN_ANSWER, f"{number:X}", f"{number:012d}"),
        (IdForm.HEX_IN_RECEIPT, f"{number}", f"{number:012X}"),
    ):
        assert key_of(receipted, form) == match_key(answered, is_hex=False)


@pytest.mark.parametrize(
    ("data_coding", "octets", "encoding", "text"),
    [
        (0, b"\x00hi\x1be", Encoding.GSM7, "@hi€"),
        (1, b"hi", Encoding.UCS2, "hi"),
        (3, b"caf\xe9", Encoding.UCS2, "café"),
        (6, b"\xdf", Encoding.UCS2, "п"),
        (8, "я😀".encode("utf-16-be"), Encoding.UCS2, "я😀"),
        (0x10, b"\x00", Encoding.GSM7, "@"),
        (0x18, "я".encode("utf-16-be"), Encoding.UCS2, "я"),
        (0xF0, b"\x00", Encoding.GSM7, "@"),
        (0xF5, b"\x00", Encoding.BINARY, ""),
        (0xE0, "я".encode("utf-16-be"), Encoding.UCS2, "я"),
        (0xC8, b"\x00", Encoding.GSM7, "@"),
        (2, b"\x00\xff", Encoding.BINARY, ""),
        (4, b"\x00\xff", Encoding.BINARY, ""),
        (5, b"\x00\xff", Encoding.BINARY, ""),
        (0x0E, b"\x00\xff", Encoding.BINARY, ""),
    ],
)
def test_alphabets_of_incoming_messages(data_coding: int, octets: bytes, encoding: Encoding, text: str) -> None:
    incoming = incoming_from(DeliverSm(data_coding=data_coding, short_message=octets))
    assert (incoming.encoding, incoming.text) == (encoding, text)
    assert incoming.body == (octets if data_coding not in (1, 3, 6) else text.encode("utf-16-be"))


SAR = ((Tag.SAR_MSG_REF_NUM, b"\x12\x34"), (Tag.SAR_TOTAL_SEGMENTS, b"\x03"), (Tag.SAR_SEGMENT_SEQNUM, b"\x02"))


@pytest.mark.parametrize(
    ("payload", "header", "text"),
    [
        (bytes.fromhex("0605040b8423f0") + b"hi", "06080412340302", "hi"),
        (bytes.fromhex("050003070201") + b"hi", "050003070201", "hi"),
        (b"hi", "06080412340302", "hi"),
    ],
    ids=["ports only", "its own place", "no header at all"],
)
def test_a_header_that_joins_nothing_gives_way_to_the_parameters(payload: bytes, header: str, text: str) -> None:
    incoming = incoming_from(DeliverSm(esm_class=0x40, short_message=payload, tlvs=SAR))
    assert (incoming.udh.hex(), incoming.text) == (header, text)


def test_an_incoming_segment_keeps_its_header() -> None:
    pdu = DeliverSm(source_addr="+27831234567", destination_addr="12345", esm_class=0x40)
    incoming = incoming_from(pdu._replace(short_message=bytes.fromhex("050003070201") + b"hi"))
    assert (incoming.udh.hex(), incoming.body, incoming.text) == ("050003070201", b"hi", "hi")
    assert (incoming.sender, incoming.recipient) == ("27831234567", "12345")


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ("03240101" + b"I\x1bs\x1bik".hex(), "Işık"),
        ("080003070201250101" + b"I\x1d\x07k".hex(), "Işık"),
        ("06240106250106" + "1b532f42", "Sनम"),
        ("0324010e" + b"I\x1bsik".hex(), "Isik"),
    ],
    ids=["single shift", "locking shift of a long one", "both", "an unknown language"],
)
def test_the_tables_that_a_header_names_are_used(payload: str, text: str) -> None:
    octets = bytes.fromhex(payload)
    incoming = incoming_from(DeliverSm(esm_class=0x40, short_message=octets))
    assert incoming.text == text
    assert incoming.udh == octets[: octets[0] + 1]
    assert join((incoming.body,), incoming.encoding) == text


def test_tables_are_used_beside_the_parameters_and_in_septets_only() -> None:
    pdu = DeliverSm(esm_class=0x40, short_message=bytes.fromhex("03250101") + b"I\x1d\x07k", tlvs=SAR)
    assert (incoming_from(pdu).text, incoming_from(pdu).udh.hex()) == ("Işık", "06080412340302")
    wide = pdu._replace(short_message=bytes.fromhex("03250101") + "şı".encode("utf-16-be"), data_coding=8)
    assert (incoming_from(wide).text, incoming_from(wide).encoding) == ("şı", Encoding.UCS2)


def test_a_header_that_cannot_be_is_taken_for_text() -> None:
    incoming = incoming_from(DeliverSm(esm_class=0x40, short_message=b"hello"))
    assert (incoming.udh, incoming.text) == (b"", "hello")


def test_sar_parameters_become_a_header() -> None:
    tlvs = (
        (int(Tag.SAR_MSG_REF_NUM), b"\x12\x34"),
        (int(Tag.SAR_TOTAL_SEGMENTS), b"\x03"),
        (int(Tag.SAR_SEGMENT_SEQNUM), b"\x02"),
    )
    assert incoming_from(DeliverSm(short_message=b"hi", tlvs=tlvs)).udh.hex() == "06080412340302"
    impossible = (*tlvs[:2], (int(Tag.SAR_SEGMENT_SEQNUM), b"\x09"))
    assert incoming_from(DeliverSm(short_message=b"hi", tlvs=impossible)).udh == b""


_TLVS = st.lists(st.tuples(st.sampled_from([int(tag) for tag in Tag]), st.binary(max_size=6)), max_size=4).map(tuple)


@given(st.binary(max_size=80), st.integers(0, 255), st.integers(0, 255), _TLVS, st.sampled_from(IdForm))
def test_nothing_a_carrier_delivers_makes_us_fail(
    octets: bytes, esm_class: int, data_coding: int, tlvs: tuple[tuple[int, bytes], ...], form: IdForm
) -> None:
    profile = Profile(host="h", port=1, system_id="me", password="", sniffs_text=True, id_form=form)
    for prefix in (b"", b"id:"):
        pdu = DeliverSm(esm_class=esm_class, data_coding=data_coding, short_message=prefix + octets, tlvs=tlvs)
        receipt_from(pdu, profile)
        incoming_from(pdu).text.encode("utf-8")
    data = DataSm(esm_class=esm_class, data_coding=data_coding, tlvs=tlvs)
    receipt_from(data, profile)
    incoming_from(data).text.encode("utf-8")
