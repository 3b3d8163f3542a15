from hypothesis import example, given
from hypothesis import strategies as st

from heliograph.smpp.pdus import DataSm, DeliverSm, Tlvs
from heliograph.smpp.receipts import (
    UNSTATED,
    format_receipt,
    normalise_message_id,
    parse_receipt,
    receipt_tlvs,
    state_from_word,
)

ESM_CLASS = st.integers(0, 255)
TLVS = st.lists(
    st.tuples(st.sampled_from([0x001E, 0x0427, 0x0423, 0x0424, 0x1403]), st.binary(max_size=70)), max_size=4
).map(tuple)
PIECES = [b"id:", b"ID :", b"7", b" ", b"stat:", b"DELIVRD", b"done date:", b"text:", b"err:", b"\0", b"submit\tdate:"]
PUZZLE = st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=12).map(b"".join)
IDS = st.text(st.sampled_from("0123456789abcdefABCDEFxyz-_."), min_size=1, max_size=64).filter(
    lambda value: value.strip("-")
)


@given(text=st.binary(max_size=300) | PUZZLE, esm_class=ESM_CLASS, coding=st.sampled_from([0, 8]), tlvs=TLVS)
@example(text=b"id:" + b"\xff" * 5000, esm_class=4, coding=0, tlvs=())
@example(text=b"id" + b" id" * 20000, esm_class=4, coding=0, tlvs=())
def test_no_octets_can_make_it_raise(text: bytes, esm_class: int, coding: int, tlvs: Tlvs) -> None:
    deliver = DeliverSm(esm_class=esm_class, data_coding=coding, short_message=text, tlvs=tlvs)
    data = DataSm(esm_class=esm_class, data_coding=coding, tlvs=(*tlvs, (0x0424, text)))
    for pdu in (deliver, data):
        for sniff_text in (True, False):
            receipt = parse_receipt(pdu, sniff_text=sniff_text)
            if receipt is not None:
                assert receipt.message_id
                assert receipt.state == UNSTATED or 0 <= receipt.state <= 9
                assert not (receipt.final and receipt.state == UNSTATED)
                normalise_message_id(receipt.message_id, base="hex_to_decimal")


@given(text=st.binary(max_size=300) | PUZZLE, reserved=st.sampled_from([0x00, 0x0C, 0x14, 0x1C, 0x24, 0x3C]))
def test_without_the_bits_no_text_is_a_receipt(text: bytes, reserved: int) -> None:
    assert parse_receipt(DeliverSm(esm_class=reserved, short_message=text)) is None


@given(message_id=IDS, state=st.integers(0, 9), error=st.from_regex(r"[0-9A-F]{1,3}", fullmatch=True), text=PUZZLE)
def test_what_is_written_is_read_whatever_the_message_says(
    message_id: str, state: int, error: str, text: bytes
) -> None:
    written = format_receipt(
        message_id, state, submit_date="2611231405", done_date="2611231406", error=error, text=text
    )
    receipt = parse_receipt(DeliverSm(esm_class=4, short_message=written))
    assert receipt is not None
    assert receipt[:4] == (message_id, state, error, "2611231406")
    both = parse_receipt(
        DeliverSm(esm_class=4, short_message=written, tlvs=receipt_tlvs(message_id, state)),
    )
    assert both == receipt


@given(word=st.binary(max_size=12))
def test_case_does_not_change_a_state(word: bytes) -> None:
    assert state_from_word(word) == state_from_word(word.lower())


@given(number=st.integers(0, 10**64 - 1), width=st.integers(0, 20))
def test_hex_and_decimal_meet(number: int, width: int) -> None:
    key = normalise_message_id(str(number))
    assert normalise_message_id(f"{number:0{width}X}"[:64], base="hex_to_decimal") == key
    assert normalise_message_id(f"{number:0{width}x}") == normalise_message_id(str(number), base="decimal_to_hex")


@given(message_id=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=70))
def test_a_key_is_its_own_key(message_id: str) -> None:
    key = normalise_message_id(message_id)
    assert normalise_message_id(key) == key
