from typing import Any, NamedTuple, Protocol

from hypothesis import given
from hypothesis import strategies as st

from heliograph.smpp.codec import _decode_by_table, decode, decode_body, decode_header, encode, encode_bare
from heliograph.smpp.constants import RESPONSE_BIT, BindKind, CommandId
from heliograph.smpp.errors import PduError
from heliograph.smpp.fields import LAYOUTS, Layout
from heliograph.smpp.pdus import Bind, BindResp, DistributionList, Pdu, SmeAddress, SubmitSm, UnsuccessfulSme
from heliograph.smpp.template import SubmitTemplate

OCTET = st.integers(0, 255)


def text(room: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=room)


TLVS = st.lists(
    st.tuples(st.integers(0, 0xFFFF).filter(lambda tag: tag != 0x0424), st.binary(max_size=40)), max_size=4
).map(tuple)
ROOM = {"service_type": 5, "system_type": 12, "address_range": 40, "message_id": 64, "system_id": 64, "password": 64}
SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "short_message": st.binary(max_size=254),
    "dest_address": st.lists(
        st.builds(SmeAddress, OCTET, OCTET, text(20)) | st.builds(DistributionList, text(20)), max_size=5
    ).map(tuple),
    "unsuccess_sme": st.lists(
        st.builds(UnsuccessfulSme, OCTET, OCTET, text(20), st.integers(0, 0xFFFFFFFF)), max_size=5
    ).map(tuple),
}


def field_values(layout: Layout) -> dict[str, st.SearchStrategy[Any]]:
    """A strategy for each field, chosen by the type of its default."""
    values: dict[str, st.SearchStrategy[Any]] = {}
    blank = layout.pdu()
    for name, _, _ in layout.fields:
        if name in SPECIAL:
            values[name] = SPECIAL[name]
        elif isinstance(getattr(blank, name), str):
            values[name] = text(ROOM.get(name, 16))
        else:
            values[name] = OCTET
    if layout.has_tlvs:
        values["tlvs"] = TLVS
    if layout.folds_payload:
        values["short_message"] = st.binary(max_size=600)
    return values


def pdus_of(command_id: int) -> st.SearchStrategy[Any]:
    layout = LAYOUTS[command_id]
    values = field_values(layout)
    if layout.pdu in (Bind, BindResp):
        values["kind"] = st.just(BindKind(command_id & 0xFF))
    return st.builds(layout.pdu, **values)


class Refused(NamedTuple):
    """What a PduError said."""

    status: int
    reason: str


class Reader(Protocol):
    """decode_body and its twin."""

    def __call__(self, command_id: int, buffer: bytes, *, start: int, end: int) -> Pdu: ...


def read_by(reader: Reader, wire: bytes, *, end: int) -> Pdu | Refused:
    try:
        return reader(decode_header(wire).command_id, wire, start=16, end=end)
    except PduError as error:
        return Refused(error.status, str(error))


ANY_PDU = st.sampled_from(sorted(LAYOUTS)).flatmap(pdus_of)


@given(pdu=ANY_PDU, sequence=st.integers(1, 0x7FFFFFFF), around=st.binary(max_size=5))
def test_what_is_written_is_read(pdu: Any, sequence: int, around: bytes) -> None:
    wire = encode(pdu, sequence=sequence)
    header = decode_header(wire)
    assert (header.command_length, header.sequence_number) == (len(wire), sequence)
    back = decode(around + wire + around, len(around), end=len(around) + len(wire))
    assert type(back) is type(pdu)
    assert back == pdu


@given(command_id=st.sampled_from(sorted(LAYOUTS)), body=st.binary(max_size=120), behind=st.binary(max_size=20))
def test_any_body_is_read_or_refused_with_a_status(command_id: int, body: bytes, behind: bytes) -> None:
    wire = encode_bare(command_id, sequence=1) + body
    outcome = read_by(decode_body, wire + behind, end=len(wire))
    assert outcome == read_by(decode_body, wire, end=len(wire))
    if isinstance(outcome, Refused):
        assert outcome.status
        assert not command_id & RESPONSE_BIT


@given(pdu=pdus_of(CommandId.DELIVER_SM) | pdus_of(CommandId.SUBMIT_SM), cut=st.integers(0, 800))
def test_the_quick_twin_keeps_the_rules_of_the_tables(pdu: Any, cut: int) -> None:
    wire = encode(pdu, sequence=1)
    end = max(16, len(wire) - cut)
    assert read_by(decode_body, wire, end=end) == read_by(_decode_by_table, wire, end=end)


@given(pattern=pdus_of(CommandId.SUBMIT_SM), sequence=st.integers(1, 0x7FFFFFFF))
def test_a_template_writes_what_the_codec_writes(pattern: SubmitSm, sequence: int) -> None:
    wire = SubmitTemplate(pattern).encode(sequence, pattern.destination_addr.encode("latin-1"), pattern.short_message)
    assert wire == encode(pattern, sequence=sequence)
