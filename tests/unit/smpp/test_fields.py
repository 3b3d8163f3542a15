from typing import Any

import pytest

from heliograph.smpp.constants import CommandId, CommandStatus
from heliograph.smpp.errors import LocalProtocolError, PduError
from heliograph.smpp.fields import (
    LAYOUTS,
    Cursor,
    counted_from,
    folded,
    octet_from,
    read_tlvs,
    text_from,
    tlvs_from,
    unfolded,
)


def test_every_command_has_a_layout() -> None:
    assert set(LAYOUTS) == set(CommandId)


def test_layouts_name_the_fields_of_their_classes() -> None:
    for layout in LAYOUTS.values():
        names = {field.name for field in layout.fields} | ({"tlvs"} if layout.has_tlvs else set())
        own: Any = getattr(layout.pdu, "_fields", None) or layout.pdu.__dataclass_fields__
        assert set(own) - {"kind"} == names


def test_a_cursor_never_reads_past_its_pdu() -> None:
    cursor = Cursor(b"ab\0cd\0", position=0, end=5)
    assert cursor.text(CommandStatus.ESME_RINVSRCADR) == "ab"
    with pytest.raises(PduError) as caught:
        cursor.text(CommandStatus.ESME_RINVDSTADR)
    assert caught.value.status == CommandStatus.ESME_RINVDSTADR
    assert cursor.octets(2) == b"cd"
    with pytest.raises(PduError):
        cursor.octet()


def test_parameters_are_written_as_tag_length_value() -> None:
    assert tlvs_from(((0x020C, b"\x12\x34"), (0x001E, b"7\0"))) == bytes.fromhex("020c 0002 1234 001e 0002 3700")


def test_spare_octets_behind_the_parameters_are_ignored() -> None:
    assert read_tlvs(bytes.fromhex("0204 0001 05 000000"), 0, end=8, lenient=False) == ((0x0204, b"\x05"),)


@pytest.mark.parametrize("tag", ["001e", "0424"])
def test_a_parameter_that_is_cut_off(tag: str) -> None:
    octets = bytes.fromhex(f"0204 0001 05 {tag} 0009 3132")
    with pytest.raises(PduError) as caught:
        read_tlvs(octets, 0, end=len(octets), lenient=False)
    assert caught.value.status == CommandStatus.ESME_RINVOPTPARSTREAM
    if tag == "0424":
        with pytest.raises(PduError):
            read_tlvs(octets, 0, end=len(octets), lenient=True)
    else:
        assert read_tlvs(octets, 0, end=len(octets), lenient=True) == ((0x0204, b"\x05"),)


def test_a_payload_takes_the_place_of_an_empty_text_only() -> None:
    tlvs = ((0x0204, b"\0\1"), (0x0424, b"long"))
    assert folded(b"", tlvs) == (b"long", ((0x0204, b"\0\1"),))
    assert folded(b"short", tlvs) == (b"short", tlvs)


def test_255_octets_travel_as_payload() -> None:
    assert unfolded(b"x" * 254, ()) == (b"x" * 254, ())
    assert unfolded(b"x" * 255, ()) == (b"", ((0x0424, b"x" * 255),))


def test_what_does_not_fit_is_our_error() -> None:
    with pytest.raises(LocalProtocolError):
        octet_from(256)
    with pytest.raises(LocalProtocolError):
        octet_from(-1)
    with pytest.raises(LocalProtocolError):
        text_from("x" * 21, 20)
    with pytest.raises(LocalProtocolError):
        text_from("a\0b", 20)
    with pytest.raises(LocalProtocolError):
        text_from("€", 20)
    with pytest.raises(LocalProtocolError):
        counted_from(b"x" * 255)
    with pytest.raises(LocalProtocolError):
        tlvs_from(((0x10000, b""),))
    with pytest.raises(LocalProtocolError):
        tlvs_from(((0x0424, b"x" * 0x10000),))
