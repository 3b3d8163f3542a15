import pytest

from heliograph.smpp.codec import decode, encode
from heliograph.smpp.errors import LocalProtocolError
from heliograph.smpp.pdus import SubmitSm
from heliograph.smpp.template import SubmitTemplate

PATTERN = SubmitSm(
    service_type="OMV4",
    source_addr_ton=5,
    source_addr_npi=1,
    source_addr="Heliograph",
    dest_addr_ton=1,
    dest_addr_npi=1,
    esm_class=0x40,
    protocol_id=2,
    priority_flag=3,
    schedule_delivery_time="000001000000000R",
    validity_period="000002000000000R",
    registered_delivery=1,
    replace_if_present_flag=1,
    data_coding=8,
    sm_default_msg_id=4,
    tlvs=((0x1401, b"1007"), (0x0204, b"\0\x07")),
)


@pytest.mark.parametrize("size", [0, 1, 140, 254])
def test_a_template_writes_what_the_codec_writes(size: int) -> None:
    text = b"\xff" * size
    expected = encode(PATTERN._replace(destination_addr="27821234567", short_message=text), sequence=77)
    assert SubmitTemplate(PATTERN).encode(77, b"27821234567", text) == expected


@pytest.mark.parametrize("size", [255, 65_535])
def test_a_long_text_travels_as_payload(size: int) -> None:
    wire = SubmitTemplate(PATTERN).encode(77, b"27821234567", b"y" * size)
    expected = PATTERN._replace(destination_addr="27821234567", short_message=b"y" * size)
    assert wire == encode(expected, sequence=77)
    assert decode(wire) == expected


def test_the_plain_twin_has_no_parameters() -> None:
    plain = SubmitTemplate(PATTERN).plain
    assert plain.encode(1, b"2", b"x") == encode(
        PATTERN._replace(destination_addr="2", short_message=b"x"), sequence=1, tlvs=False
    )
    assert plain.plain is plain


@pytest.mark.parametrize(
    ("address", "text"), [(b"1" * 21, b""), (b"27\x0082", b""), (b"27", b"x" * 65_536)], ids=["long", "NUL", "text"]
)
def test_what_does_not_fit_is_our_error(address: bytes, text: bytes) -> None:
    with pytest.raises(LocalProtocolError):
        SubmitTemplate(PATTERN).encode(1, address, text)


def test_a_pattern_brings_no_text_of_its_own() -> None:
    with pytest.raises(LocalProtocolError):
        SubmitTemplate(SubmitSm(tlvs=((0x0424, b"text"),)))
