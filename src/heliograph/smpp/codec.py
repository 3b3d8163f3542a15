"""PDUs from octets and octets from PDUs.

Rules: `decode` and `encode` know every PDU through the tables of `fields`. The PDUs that carry the traffic have a
hand-written twin each, which gives up at the first oddity and leaves it to the tables, so that there is one set of
rules. A PDU's borders come from command_length alone (clause 3.2): the caller has checked that they lie in the buffer.
"""

from collections.abc import Iterable
from struct import Struct
from typing import Any, Final, NamedTuple, TypeVar, cast

from heliograph.smpp.constants import (
    HEADER_OCTETS,
    MAX_SEQUENCE,
    MAX_SHORT_MESSAGE,
    RESPONSE_BIT,
    BindKind,
    CommandId,
    CommandStatus,
    Tag,
)
from heliograph.smpp.errors import LocalProtocolError, PduError
from heliograph.smpp.fields import (
    LAYOUTS,
    Cursor,
    Layout,
    counted_from,
    folded,
    read_tlvs,
    text_from,
    tlvs_from,
    unfolded,
)
from heliograph.smpp.pdus import Bind, BindResp, DeliverSm, Pdu, SubmitSm, Tlvs

HEADER: Final = Struct(">IIII")
_EMPTY_ID_RESPONSE: Final = Struct(">IIIIB")
_DELIVER_SM_RESP: Final = int(CommandId.DELIVER_SM_RESP)
_SUBMIT_SM: Final = int(CommandId.SUBMIT_SM)
_DELIVER_SM: Final = int(CommandId.DELIVER_SM)
_COMMAND_IDS: Final = {layout.pdu: command_id for command_id, layout in LAYOUTS.items()}
# A broken tail costs a receipt its message when we refuse it, and we gain nothing: the peer gives up or repeats it.
_LENIENT: Final = frozenset({CommandId.DELIVER_SM, CommandId.ALERT_NOTIFICATION})

_Message = TypeVar("_Message", SubmitSm, DeliverSm)


class Header(NamedTuple):
    """Clause 3.2; command_length counts these 16 octets too."""

    command_length: int
    command_id: int
    command_status: int
    sequence_number: int


def decode_header(buffer: bytes, offset: int = 0) -> Header:
    """The header that starts here; PduError when fewer than 16 octets are left."""
    if len(buffer) - offset < HEADER_OCTETS:
        raise PduError("a header has 16 octets")
    return Header._make(HEADER.unpack_from(buffer, offset))


def decode(buffer: bytes, offset: int = 0, *, end: int | None = None) -> Pdu:
    """The PDU between offset and end, header included; sequence and status are in `decode_header`.

    A response may lack its body or a part of it; then the fields keep their defaults. PduError, with the
    command_status to answer, for a request that cannot be read and for a command_id that no table lists.
    """
    end = len(buffer) if end is None else end
    return decode_body(decode_header(buffer, offset).command_id, buffer, start=offset + HEADER_OCTETS, end=end)


def decode_body(command_id: int, buffer: bytes, *, start: int, end: int) -> Pdu:
    """The same for a caller that has read the header; start: the first octet after it."""
    if command_id == _DELIVER_SM:
        return decode_message(DeliverSm, buffer, start=start, end=end)
    if command_id == _SUBMIT_SM:
        return decode_message(SubmitSm, buffer, start=start, end=end)
    return _decode_by_table(command_id, buffer, start=start, end=end)


def decode_message(kind: type[_Message], buffer: bytes, *, start: int, end: int) -> _Message:
    """submit_sm or deliver_sm, which share their layout; the hot path of every receipt and of a message centre."""
    try:
        nul = buffer.index(0, start, end)
        service_type = buffer[start:nul].decode("latin-1")
        source = nul + 3
        source_end = buffer.index(0, source, end)
        dest = source_end + 3
        dest_end = buffer.index(0, dest, end)
        schedule = dest_end + 4
        schedule_end = buffer.index(0, schedule, end)
        validity_end = buffer.index(0, schedule_end + 1, end)
        registered_delivery, replace, data_coding, default_msg_id, length = buffer[validity_end + 1 : validity_end + 6]
    except ValueError:
        return cast(_Message, _decode_by_table(_COMMAND_IDS[kind], buffer, start=start, end=end))
    text = validity_end + 6
    tail = text + length
    if tail > end:
        return cast(_Message, _decode_by_table(_COMMAND_IDS[kind], buffer, start=start, end=end))
    short_message = buffer[text:tail]
    tlvs: Tlvs = ()
    if tail != end:
        tlvs = read_tlvs(buffer, tail, end=end, lenient=kind is DeliverSm)
        short_message, tlvs = folded(short_message, tlvs)
    return kind(
        service_type,
        buffer[nul + 1],
        buffer[nul + 2],
        buffer[source:source_end].decode("latin-1"),
        buffer[source_end + 1],
        buffer[source_end + 2],
        buffer[dest:dest_end].decode("latin-1"),
        buffer[dest_end + 1],
        buffer[dest_end + 2],
        buffer[dest_end + 3],
        buffer[schedule:schedule_end].decode("latin-1"),
        buffer[schedule_end + 1 : validity_end].decode("latin-1"),
        registered_delivery,
        replace,
        data_coding,
        default_msg_id,
        short_message,
        tlvs,
    )


def decode_message_id(buffer: bytes, *, start: int, end: int) -> str:
    """The message_id of a submit_sm_resp or deliver_sm_resp; the empty string when it has no body.

    A missing NUL is forgiven: the id ends with its PDU.
    """
    if start == end:
        return ""
    nul = buffer.find(0, start, end)
    return buffer[start : end if nul < 0 else nul].decode("latin-1")


def encode(pdu: Pdu, *, sequence: int, status: int = 0, tlvs: bool = True) -> bytes:
    """A whole PDU. A response with a status other than ESME_ROK is its header alone.

    sequence: 1 to 0x7FFFFFFF, in responses whatever the peer sent. tlvs: false leaves the optional parameters out, as
    a peer of version 3.3 demands. LocalProtocolError when a field does not fit the wire.
    """
    command_id = command_id_of(pdu)
    if not 0 <= sequence <= (0xFFFFFFFF if command_id & RESPONSE_BIT else MAX_SEQUENCE):
        raise LocalProtocolError(f"{sequence} is no sequence_number")
    if isinstance(pdu, DeliverSm | SubmitSm):
        body = _encode_message(pdu, with_tlvs=tlvs)
    elif status and command_id & RESPONSE_BIT:
        body = b""
    else:
        body = _encode_by_table(LAYOUTS[command_id], pdu, with_tlvs=tlvs)
    return HEADER.pack(HEADER_OCTETS + len(body), command_id, status, sequence) + body


def encode_bare(command_id: int, *, sequence: int, status: int = 0) -> bytes:
    """A PDU that is its header alone."""
    return HEADER.pack(HEADER_OCTETS, command_id, status, sequence)


def encode_submit_sm_resp(sequence: int, message_id: str, *, status: int = 0) -> bytes:
    """A submit_sm_resp; of a refusal nothing but the header. message_id: at most 64 octets."""
    if status:
        return HEADER.pack(HEADER_OCTETS, CommandId.SUBMIT_SM_RESP, status, sequence)
    body = text_from(message_id, 64)
    return HEADER.pack(HEADER_OCTETS + len(body), CommandId.SUBMIT_SM_RESP, 0, sequence) + body


def encode_deliver_sm_resps(sequences: Iterable[int], *, status: int = 0) -> bytes:
    """One deliver_sm_resp for each sequence, joined; the unused message_id is one NUL (clause 4.6.2)."""
    pack = _EMPTY_ID_RESPONSE.pack
    return b"".join([pack(17, _DELIVER_SM_RESP, status, sequence, 0) for sequence in sequences])


def command_id_of(pdu: Pdu) -> int:
    if isinstance(pdu, Bind):
        return int(pdu.kind)
    if isinstance(pdu, BindResp):
        return pdu.kind | RESPONSE_BIT
    return _COMMAND_IDS[type(pdu)]


def _decode_by_table(command_id: int, buffer: bytes, *, start: int, end: int) -> Pdu:
    layout = LAYOUTS.get(command_id)
    if layout is None:
        raise PduError(f"command_id {command_id:#010x} is unknown", CommandStatus.ESME_RINVCMDID)
    values: dict[str, Any] = {}
    if layout.pdu in (Bind, BindResp):
        values["kind"] = BindKind(command_id & ~RESPONSE_BIT)
    cursor = Cursor(buffer, position=start, end=end)
    forgiving = bool(command_id & RESPONSE_BIT)
    try:
        for name, read, _ in layout.fields:
            values[name] = read(cursor)
        if layout.has_tlvs:
            lenient = forgiving or command_id in _LENIENT
            values["tlvs"] = read_tlvs(buffer, cursor.position, end=end, lenient=lenient)
    except PduError:
        if not forgiving:
            raise
    if layout.folds_payload:
        values["short_message"], values["tlvs"] = folded(values["short_message"], values["tlvs"])
    return cast(Pdu, layout.pdu(**values))


def _encode_by_table(layout: Layout, pdu: Pdu, *, with_tlvs: bool) -> bytes:
    values = {name: getattr(pdu, name) for name, _, _ in layout.fields}
    tlvs: Tlvs = getattr(pdu, "tlvs", ())
    if layout.folds_payload:
        values["short_message"], tlvs = unfolded(values["short_message"], tlvs)
    parts = [write(values[name]) for name, _, write in layout.fields]
    return b"".join(parts) + _tail(tlvs, with_tlvs=with_tlvs)


def _encode_message(pdu: SubmitSm | DeliverSm, *, with_tlvs: bool) -> bytes:
    """The hand-written twin for the two PDUs that carry the traffic."""
    short_message, tlvs = pdu.short_message, pdu.tlvs
    if len(short_message) > MAX_SHORT_MESSAGE:
        short_message, tlvs = unfolded(short_message, tlvs)
    try:
        pieces = (
            text_from(pdu.service_type, 5),
            bytes((pdu.source_addr_ton, pdu.source_addr_npi)),
            text_from(pdu.source_addr, 20),
            bytes((pdu.dest_addr_ton, pdu.dest_addr_npi)),
            text_from(pdu.destination_addr, 20),
            bytes((pdu.esm_class, pdu.protocol_id, pdu.priority_flag)),
            text_from(pdu.schedule_delivery_time, 16),
            text_from(pdu.validity_period, 16),
            bytes((pdu.registered_delivery, pdu.replace_if_present_flag, pdu.data_coding, pdu.sm_default_msg_id)),
            counted_from(short_message),
            _tail(tlvs, with_tlvs=with_tlvs),
        )
    except ValueError:
        raise LocalProtocolError("a number does not fit an octet") from None
    return b"".join(pieces)


def _tail(tlvs: Tlvs, *, with_tlvs: bool) -> bytes:
    if not tlvs:
        return b""
    if with_tlvs:
        return tlvs_from(tlvs)
    if any(tag == Tag.MESSAGE_PAYLOAD for tag, _ in tlvs):
        raise LocalProtocolError("a peer without optional parameters cannot take this text in one PDU")
    return b""
