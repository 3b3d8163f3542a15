"""How each field is read from and written to the wire, and which fields each PDU has, as tables.

Rules: reading is bounded by the PDU's own end, never by the buffer's; lengths are checked when we write and forgiven
when we read, since peers hand out longer names and numbers than the standard allows. A field that cannot be read ends a
request with the command_status that names it; in a response it and what follows keep their defaults, because an
answer that we refuse cannot be asked for again.
Source: clauses 4 (layouts), 5.2 (sizes) and 5.3.1 (optional parameters).
"""

from collections.abc import Callable
from struct import Struct
from typing import Any, Final, NamedTuple

from heliograph.smpp.constants import MAX_SHORT_MESSAGE, BindKind, CommandId, CommandStatus, DestFlag, Tag
from heliograph.smpp.errors import LocalProtocolError, PduError
from heliograph.smpp.pdus import (
    AlertNotification,
    Bind,
    BindResp,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    DistributionList,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Tlvs,
    Unbind,
    UnbindResp,
    UnsuccessfulSme,
)

_TLV_HEADER: Final = Struct(">HH")
_LONG: Final = Struct(">I")
_MAX_TLV_OCTETS: Final = 0xFFFF
_PAYLOAD: Final = int(Tag.MESSAGE_PAYLOAD)


class Cursor:
    """A place in one PDU's body that moves forward as fields are read."""

    __slots__ = ("buffer", "end", "position")

    def __init__(self, buffer: bytes, *, position: int, end: int) -> None:
        """end: the PDU's end, which no read passes."""
        self.buffer = buffer
        self.position = position
        self.end = end

    def octets(self, count: int, fault: int = CommandStatus.ESME_RINVCMDLEN) -> bytes:
        """The next octets; PduError with status `fault` when there are fewer."""
        start = self.position
        if count > self.end - start:
            raise PduError("a field runs past the end of its PDU", fault)
        self.position = start + count
        return self.buffer[start : start + count]

    def octet(self) -> int:
        """The next octet as a number."""
        return self.octets(1)[0]

    def text(self, fault: int) -> str:
        """The next C-octet string; PduError with status `fault` when no NUL ends it."""
        start = self.position
        nul = self.buffer.find(0, start, self.end)
        if nul < 0:
            raise PduError("a string is not ended by NUL", fault)
        self.position = nul + 1
        return self.buffer[start:nul].decode("latin-1")


Reader = Callable[[Cursor], Any]
Writer = Callable[[Any], bytes]


class Field(NamedTuple):
    """A mandatory parameter: its name in the standard and its two converters."""

    name: str
    read: Reader
    write: Writer


class Layout(NamedTuple):
    """A PDU's mandatory parameters in the order of the wire."""

    pdu: type[Any]
    fields: tuple[Field, ...]
    has_tlvs: bool
    folds_payload: bool


def octet_from(value: int) -> bytes:
    """One octet; LocalProtocolError outside 0 to 255."""
    try:
        return value.to_bytes(1, "big")
    except OverflowError:
        raise LocalProtocolError(f"{value} does not fit an octet") from None


def text_from(value: str, room: int) -> bytes:
    """A C-octet string with its NUL; room: most characters before it."""
    try:
        octets = value.encode("latin-1")
    except UnicodeEncodeError:
        raise LocalProtocolError("a string has characters that are no octets") from None
    if len(octets) > room or 0 in octets:
        raise LocalProtocolError(f"a string has NUL inside or more than {room} octets")
    return octets + b"\0"


def tlvs_from(tlvs: Tlvs) -> bytes:
    """Optional parameters as they follow the mandatory ones; clause 5.3.1."""
    parts = []
    for tag, value in tlvs:
        if len(value) > _MAX_TLV_OCTETS or not 0 <= tag <= 0xFFFF:
            raise LocalProtocolError(f"optional parameter {tag:#06x} is out of range")
        parts += [_TLV_HEADER.pack(tag, len(value)), value]
    return b"".join(parts)


def read_tlvs(buffer: bytes, position: int, *, end: int, lenient: bool) -> Tlvs:
    """The optional parameters from here to the end; up to three spare octets are ignored.

    One that runs past the end raises PduError with ESME_RINVOPTPARSTREAM. When lenient it is dropped, unless it is
    message_payload: to lose a text unnoticed is worse than to refuse it.
    """
    tlvs = []
    while position + 4 <= end:
        tag, length = _TLV_HEADER.unpack_from(buffer, position)
        position += 4
        if length > end - position:
            if lenient and tag != _PAYLOAD:
                break
            raise PduError("an optional parameter runs past its PDU", CommandStatus.ESME_RINVOPTPARSTREAM)
        tlvs.append((tag, buffer[position : position + length]))
        position += length
    return tuple(tlvs)


def folded(short_message: bytes, tlvs: Tlvs) -> tuple[bytes, Tlvs]:
    """Put message_payload in the place of an empty short_message; clause 5.3.2.32 forbids both at once."""
    if not short_message:
        for index, (tag, value) in enumerate(tlvs):
            if tag == _PAYLOAD:
                return value, tlvs[:index] + tlvs[index + 1 :]
    return short_message, tlvs


def unfolded(short_message: bytes, tlvs: Tlvs) -> tuple[bytes, Tlvs]:
    """Move a text too long for short_message to message_payload."""
    if len(short_message) > MAX_SHORT_MESSAGE:
        return b"", (*tlvs, (_PAYLOAD, short_message))
    return short_message, tlvs


def counted_from(octets: bytes) -> bytes:
    """sm_length and short_message."""
    if len(octets) > MAX_SHORT_MESSAGE:
        raise LocalProtocolError(f"short_message has more than {MAX_SHORT_MESSAGE} octets")
    return bytes((len(octets),)) + octets


def _octet(name: str) -> Field:
    return Field(name, Cursor.octet, octet_from)


def _text(name: str, room: int, *, fault: int = CommandStatus.ESME_RINVCMDLEN) -> Field:
    return Field(name, lambda cursor: cursor.text(fault), lambda value: text_from(value, room))


def _read_counted(cursor: Cursor) -> bytes:
    return cursor.octets(cursor.octet(), CommandStatus.ESME_RINVMSGLEN)


def _read_destination(cursor: Cursor) -> SmeAddress | DistributionList:
    flag = cursor.octet()
    if flag == DestFlag.SME_ADDRESS:
        return SmeAddress(cursor.octet(), cursor.octet(), cursor.text(CommandStatus.ESME_RINVDSTADR))
    if flag == DestFlag.DISTRIBUTION_LIST:
        return DistributionList(cursor.text(CommandStatus.ESME_RINVDLNAME))
    raise PduError("dest_flag is neither 1 nor 2", CommandStatus.ESME_RINVDESTFLAG)


def _destination_from(destination: SmeAddress | DistributionList) -> bytes:
    if isinstance(destination, DistributionList):
        return octet_from(DestFlag.DISTRIBUTION_LIST) + text_from(destination.dl_name, _ADDRESS)
    ton, npi, address = destination
    flag = octet_from(DestFlag.SME_ADDRESS)
    return b"".join((flag, octet_from(ton), octet_from(npi), text_from(address, _ADDRESS)))


def _read_failure(cursor: Cursor) -> UnsuccessfulSme:
    ton, npi = cursor.octets(2)
    address = cursor.text(CommandStatus.ESME_RINVDSTADR)
    return UnsuccessfulSme(ton, npi, address, _LONG.unpack(cursor.octets(4))[0])


def _failure_from(failure: UnsuccessfulSme) -> bytes:
    ton, npi, address, status = failure
    if not 0 <= status <= 0xFFFFFFFF:
        raise LocalProtocolError(f"{status} is no error_status_code")
    return b"".join((octet_from(ton), octet_from(npi), text_from(address, _ADDRESS), _LONG.pack(status)))


def _list(name: str, *, read: Reader, write: Writer) -> Field:
    """A counted list: one octet with the number of entries, then the entries."""
    return Field(
        name,
        lambda cursor: tuple(read(cursor) for _ in range(cursor.octet())),
        lambda entries: octet_from(len(entries)) + b"".join(map(write, entries)),
    )


_ADDRESS: Final = 20
_LONG_ADDRESS: Final = 64
# The standard says 15 and 8; carriers hand out longer ones, and a cap here would lock their customers out.
_CREDENTIAL: Final = 64

_SYSTEM_ID = _text("system_id", _CREDENTIAL, fault=CommandStatus.ESME_RINVSYSID)
_PASSWORD = _text("password", _CREDENTIAL, fault=CommandStatus.ESME_RINVPASWD)
_SERVICE_TYPE = _text("service_type", 5, fault=CommandStatus.ESME_RINVSERTYP)
_MESSAGE_ID = _text("message_id", 64, fault=CommandStatus.ESME_RINVMSGID)
_SOURCE_TON_NPI = (_octet("source_addr_ton"), _octet("source_addr_npi"))
_SOURCE = (*_SOURCE_TON_NPI, _text("source_addr", _ADDRESS, fault=CommandStatus.ESME_RINVSRCADR))
_DEST_TON_NPI = (_octet("dest_addr_ton"), _octet("dest_addr_npi"))
_DEST = (*_DEST_TON_NPI, _text("destination_addr", _ADDRESS, fault=CommandStatus.ESME_RINVDSTADR))
_TIMES = (
    _text("schedule_delivery_time", 16, fault=CommandStatus.ESME_RINVSCHED),
    _text("validity_period", 16, fault=CommandStatus.ESME_RINVEXPIRY),
)
_SHORT_MESSAGE = Field("short_message", _read_counted, counted_from)
_CONTENT = (
    *(_octet(name) for name in ("esm_class", "protocol_id", "priority_flag")),
    *_TIMES,
    *(_octet(name) for name in ("registered_delivery", "replace_if_present_flag", "data_coding", "sm_default_msg_id")),
    _SHORT_MESSAGE,
)
_BIND = (
    _SYSTEM_ID,
    _PASSWORD,
    _text("system_type", 12, fault=CommandStatus.ESME_RINVSYSTYP),
    *(_octet(name) for name in ("interface_version", "addr_ton", "addr_npi")),
    _text("address_range", 40),
)
_MESSAGE = (_SERVICE_TYPE, *_SOURCE, *_DEST, *_CONTENT)
_LONG_SOURCE = (*_SOURCE_TON_NPI, _text("source_addr", _LONG_ADDRESS, fault=CommandStatus.ESME_RINVSRCADR))
_LONG_DEST = (*_DEST_TON_NPI, _text("destination_addr", _LONG_ADDRESS, fault=CommandStatus.ESME_RINVDSTADR))
_QUERY_ANSWER = (_text("final_date", 16), _octet("message_state"), _octet("error_code"))


def _layout(pdu: type[Any], *fields: Field, tlvs: bool = False) -> Layout:
    return Layout(pdu, fields, tlvs, tlvs and fields[-1:] == (_SHORT_MESSAGE,))


LAYOUTS: Final[dict[int, Layout]] = {
    **{kind: _layout(Bind, *_BIND) for kind in BindKind},
    **{kind | 0x80000000: _layout(BindResp, _SYSTEM_ID, tlvs=True) for kind in BindKind},
    CommandId.OUTBIND: _layout(Outbind, _SYSTEM_ID, _PASSWORD),
    CommandId.UNBIND: _layout(Unbind),
    CommandId.UNBIND_RESP: _layout(UnbindResp),
    CommandId.GENERIC_NACK: _layout(GenericNack),
    CommandId.SUBMIT_SM: _layout(SubmitSm, *_MESSAGE, tlvs=True),
    CommandId.SUBMIT_SM_RESP: _layout(SubmitSmResp, _MESSAGE_ID, tlvs=True),
    CommandId.SUBMIT_MULTI: _layout(
        SubmitMulti,
        _SERVICE_TYPE,
        *_SOURCE,
        _list("dest_address", read=_read_destination, write=_destination_from),
        *_CONTENT,
        tlvs=True,
    ),
    CommandId.SUBMIT_MULTI_RESP: _layout(
        SubmitMultiResp, _MESSAGE_ID, _list("unsuccess_sme", read=_read_failure, write=_failure_from), tlvs=True
    ),
    CommandId.DELIVER_SM: _layout(DeliverSm, *_MESSAGE, tlvs=True),
    CommandId.DELIVER_SM_RESP: _layout(DeliverSmResp, _MESSAGE_ID, tlvs=True),
    CommandId.DATA_SM: _layout(
        DataSm,
        _SERVICE_TYPE,
        *_LONG_SOURCE,
        *_LONG_DEST,
        *(_octet(name) for name in ("esm_class", "registered_delivery", "data_coding")),
        tlvs=True,
    ),
    CommandId.DATA_SM_RESP: _layout(DataSmResp, _MESSAGE_ID, tlvs=True),
    CommandId.QUERY_SM: _layout(QuerySm, _MESSAGE_ID, *_SOURCE),
    CommandId.QUERY_SM_RESP: _layout(QuerySmResp, _MESSAGE_ID, *_QUERY_ANSWER),
    CommandId.CANCEL_SM: _layout(CancelSm, _SERVICE_TYPE, _MESSAGE_ID, *_SOURCE, *_DEST),
    CommandId.CANCEL_SM_RESP: _layout(CancelSmResp),
    CommandId.REPLACE_SM: _layout(
        ReplaceSm,
        _MESSAGE_ID,
        *_SOURCE,
        *_TIMES,
        *(_octet(name) for name in ("registered_delivery", "sm_default_msg_id")),
        _SHORT_MESSAGE,
    ),
    CommandId.REPLACE_SM_RESP: _layout(ReplaceSmResp),
    CommandId.ENQUIRE_LINK: _layout(EnquireLink),
    CommandId.ENQUIRE_LINK_RESP: _layout(EnquireLinkResp),
    CommandId.ALERT_NOTIFICATION: _layout(
        AlertNotification,
        *_LONG_SOURCE,
        *(_octet(name) for name in ("esme_addr_ton", "esme_addr_npi")),
        _text("esme_addr", _LONG_ADDRESS),
        tlvs=True,
    ),
}
