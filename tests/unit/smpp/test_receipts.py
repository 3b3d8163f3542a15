import pytest

from heliograph.smpp.constants import MessageState
from heliograph.smpp.pdus import DataSm, DeliverSm, Tlvs
from heliograph.smpp.receipts import (
    UNSTATED,
    IdBase,
    Receipt,
    format_receipt,
    normalise_message_id,
    parse_receipt,
    receipt_tlvs,
    state_from_word,
)

USUAL = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2611231405 done date:2611231406 stat:DELIVRD err:000 text:Hello world"
)


def read(text: bytes, *, esm_class: int = 4, tlvs: Tlvs = (), data_coding: int = 0) -> Receipt | None:
    return parse_receipt(DeliverSm(esm_class=esm_class, short_message=text, tlvs=tlvs, data_coding=data_coding))


def test_the_usual_layout() -> None:
    assert read(USUAL) == Receipt("0123456789", MessageState.DELIVERED, "000", "2611231406", True, 4)


ODD: list[tuple[bytes, tuple[str, int, str, str]]] = [
    (
        b"id:7 sub:001 dlvrd:000 submitdate:2611231405 donedate:0000000000 stat:EXPIRED err:012 text:",
        ("7", 3, "012", "0000000000"),
    ),
    (b"ID:7 SUB:001 STAT:DELIVRD ERR:000 TEXT:", ("7", 2, "000", "")),
    (b"id:7 submit date:261123140509 done date:261123140510 stat:UNDELIV err:1", ("7", 5, "1", "261123140510")),
    (b"id:7 done date:180711070003912+ stat:REJECTD", ("7", 8, "", "180711070003912+")),
    (b"id:7 submit date:2611231405 done date:2611231406 stat:DELIVRD err:000", ("7", 2, "000", "2611231406")),
    (b"id:550e8400-e29b-41d4-a716-446655440000 stat:ACCEPTD", ("550e8400-e29b-41d4-a716-446655440000", 6, "", "")),
    (b"id:Ab_9.z stat:ENROUTE err:0A7", ("Ab_9.z", 1, "0A7", "")),
    (b"id: 7 stat: DELIVRD err: 000", ("7", 2, "000", "")),
    (b"id:7\r\nstat:DELIVRD\r\nerr:000\r\n", ("7", 2, "000", "")),
    (b"id:7, stat:delivrd, err:000", ("7", 2, "000", "")),
    (b"id:7\0", ("7", UNSTATED, "", "")),
    (b"stat:FAILED id:7", ("7", 5, "", "")),
    (b"id:7 stat:NACK", ("7", 8, "", "")),
    (b"id:7 stat:ACKED", ("7", 6, "", "")),
    (b"id:7 stat:BUFFRED", ("7", 1, "", "")),
    (b"id:7 stat:BUFFERD", ("7", 1, "", "")),
    (b"id:7 stat:DELETED", ("7", 4, "", "")),
    (b"id:7 stat:UNKNOWN", ("7", 7, "", "")),
    (b"id:7 stat:DELIV", ("7", 2, "", "")),
    (b"id:7 stat:DELIVERED err:0", ("7", 2, "0", "")),
    (b"id:7 stat:WAT", ("7", UNSTATED, "", "")),
    (b"id:7 stat:", ("7", UNSTATED, "", "")),
    (b"id:7 text:id:8 stat:DELIVRD", ("7", UNSTATED, "", "")),
    (b"id:7 id:8 stat:EXPIRED stat:DELIVRD", ("7", 3, "", "")),
    (USUAL.replace(b"Hello world", b"id:8 stat:REJECTD err:9"), ("0123456789", 2, "000", "2611231406")),
    (USUAL.replace(b" text:Hello world", b""), ("0123456789", 2, "000", "2611231406")),
    (USUAL.replace(b"DELIVRD", b"GARBAGE"), ("0123456789", UNSTATED, "000", "2611231406")),
    (b"\xff\xfe id:7 stat:DELIVRD", ("7", 2, "", "")),
]


@pytest.mark.parametrize(("text", "expected"), ODD)
def test_odd_texts(text: bytes, expected: tuple[str, int, str, str]) -> None:
    receipt = read(text)
    assert receipt is not None
    assert receipt[:4] == expected


@pytest.mark.parametrize("text", [b"", b"hello", b"stat:DELIVRD", b"id: stat:DELIVRD", b"text:id:7 stat:DELIVRD"])
def test_without_an_id_there_is_no_receipt(text: bytes) -> None:
    assert read(text) is None


def test_a_handset_cannot_forge_a_receipt() -> None:
    assert read(USUAL, esm_class=0) is None
    assert read(USUAL, esm_class=0x40) is None
    assert read(USUAL, esm_class=0x03) is None


@pytest.mark.parametrize("esm_class", [0x08, 0x10, 0x18])
def test_the_text_of_an_acknowledgement_is_a_persons(esm_class: int) -> None:
    assert read(USUAL, esm_class=esm_class) is None
    receipt = read(USUAL, esm_class=esm_class, tlvs=((0x001E, b"9\0"), (0x0427, b"\x02")))
    assert receipt == Receipt("9", 2, kind=esm_class)
    assert not receipt.final


def test_sniffing_believes_text_that_names_id_and_state() -> None:
    def sniff(text: bytes, esm_class: int = 0) -> Receipt | None:
        return parse_receipt(DeliverSm(esm_class=esm_class, short_message=text), sniff_text=True)

    assert sniff(USUAL) == read(USUAL)
    assert sniff(b"my id:7 is lost") is None
    assert sniff(b"stat:DELIVRD") is None
    assert sniff(USUAL, 0x0C) is None


def test_a_receipt_may_have_a_header() -> None:
    assert read(b"\x05\x00\x03\x01\x02\x01" + USUAL, esm_class=0x44) == read(USUAL)
    assert read(b"\xff" + USUAL, esm_class=0x44) is None


def test_an_intermediate_notification_is_never_final() -> None:
    receipt = read(USUAL, esm_class=0x20)
    assert receipt is not None
    assert (receipt.state, receipt.final, receipt.kind) == (2, False, 0x20)


def test_the_bits_around_the_type_do_not_matter() -> None:
    assert read(USUAL, esm_class=0x87) == read(USUAL)


def test_parameters_win_over_text() -> None:
    tlvs = ((0x001E, b"99\0junk"), (0x0427, b"\x05"), (0x0423, b"\x03\x00\x0b"))
    assert read(USUAL, tlvs=tlvs) == Receipt("99", 5, "011", "2611231406", True)


def test_each_parameter_stands_alone() -> None:
    assert read(USUAL, tlvs=((0x001E, b"99"),)) == Receipt("99", 2, "000", "2611231406", True)
    assert read(b"id: stat:EXPIRED", tlvs=((0x001E, b"99\0"),)) == Receipt("99", 3, final=True)
    assert read(b"", tlvs=((0x001E, b"99\0"),)) == Receipt("99", UNSTATED)


def test_broken_parameters_leave_the_word_to_the_text() -> None:
    tlvs = ((0x001E, b"\0"), (0x0427, b"\xc8"), (0x0423, b"\x03"))
    assert read(USUAL, tlvs=tlvs) == read(USUAL)
    assert read(USUAL, tlvs=((0x0427, b""),)) == read(USUAL)


def test_receipts_come_as_data_sm_too() -> None:
    assert parse_receipt(DataSm(esm_class=4, tlvs=receipt_tlvs("42", 3))) == Receipt("42", 3, final=True)
    assert parse_receipt(DataSm(esm_class=4, tlvs=((0x0424, USUAL),))) == read(USUAL)
    assert parse_receipt(DataSm(esm_class=4)) is None


def test_a_text_in_ucs2() -> None:
    assert read(USUAL.decode().encode("utf-16-be"), data_coding=8) == read(USUAL)


@pytest.mark.parametrize(
    ("state", "final"),
    [(0, False), (1, False), (2, True), (3, True), (4, True), (5, True), (6, False), (7, True), (8, True), (9, True)],
)
def test_what_we_write_we_read(state: int, final: bool) -> None:
    text = format_receipt("a7", state, submit_date="2611231405", done_date="2611231406", error="00b", text=b"x" * 99)
    assert text.endswith(b" text:" + b"x" * 20)
    assert read(text) == Receipt("a7", state, "00b", "2611231406", final)


@pytest.mark.parametrize("word", [b"", b"DEL", b"D", b"UN", b"OK", b"\xff"])
def test_an_unsure_word_says_nothing(word: bytes) -> None:
    assert state_from_word(word) == UNSTATED


@pytest.mark.parametrize(
    ("response", "response_base", "receipt", "receipt_base"),
    [
        ("1F", "hex_to_decimal", "31", "as_is"),
        ("31", "decimal_to_hex", "1F", "as_is"),
        ("31", "as_is", "0x1f", "hex_to_decimal"),
        ("abCD", "as_is", "ABcd", "as_is"),
        ("00B8BE19", "as_is", "B8BE19", "as_is"),
        ("12345", "as_is", "0000012345", "as_is"),
        ("550e8400-e29b-41d4", "as_is", "550e8400e29b41d4", "as_is"),
        (" 7 ", "as_is", "7", "as_is"),
        ("ffffffffffffffffff", "hex_to_decimal", "4722366482869645213695", "as_is"),
    ],
)
def test_ids_that_mean_the_same(response: str, response_base: IdBase, receipt: str, receipt_base: IdBase) -> None:
    assert normalise_message_id(response, base=response_base) == normalise_message_id(receipt, base=receipt_base)


def test_ids_that_are_no_numbers_stay() -> None:
    assert normalise_message_id("xyz", base="hex_to_decimal") == "xyz"
    assert normalise_message_id("1f", base="decimal_to_hex") == "1f"
    assert normalise_message_id("1" * 5000, base="decimal_to_hex") == "1" * 5000
    assert normalise_message_id("000") == "0"
    assert normalise_message_id("") == ""
    assert normalise_message_id("²", base="decimal_to_hex") == "²"
