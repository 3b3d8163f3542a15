"""The PDUs of SMPP 3.4 as values, one class for each, with the standard's own field names.

Rules
- C-octet strings are `str`, each character one octet (Latin-1 both ways, so nothing is lost or fails); text of messages
  is `bytes`. Integers are plain `int`, since peers send values that no table lists.
- Optional parameters are pairs of tag and value in the order of the wire; one tag may stand twice.
- A text of more than 254 octets travels in message_payload. Here it stands in `short_message` all the same: the codec
  folds it in and out.
- sequence_number and command_status belong to the header and are no part of a PDU here.
- The two that carry the traffic are named tuples, which are cheaper to make; so compare their types too.

The three binds differ in nothing but their command_id and are one class with a `kind`.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from heliograph.smpp.constants import VERSION_3_4, BindKind, MessageState

Tlvs: TypeAlias = tuple[tuple[int, bytes], ...]


def tlv(tlvs: Tlvs, tag: int) -> bytes | None:
    """The value of the first optional parameter with this tag.

    >>> tlv(((0x1E, b"42"), (0x427, b"\\x02")), 0x427)
    b'\\x02'
    """
    for candidate, value in tlvs:
        if candidate == tag:
            return value
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """bind_transmitter, bind_receiver and bind_transceiver, clauses 4.1.1, 4.1.3 and 4.1.5."""

    kind: BindKind = BindKind.TRANSCEIVER
    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = VERSION_3_4
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindResp:
    """Clauses 4.1.2, 4.1.4 and 4.1.6."""

    kind: BindKind = BindKind.TRANSCEIVER
    system_id: str = ""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbind:
    """The message centre asks an ESME to bind as receiver; it has no response. Clause 4.1.7."""

    system_id: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbind:
    """Clause 4.2.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbindResp:
    """Clause 4.2.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericNack:
    """Clause 4.3.1. It is never answered."""


class SubmitSm(NamedTuple):
    """Clause 4.4.1."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitSmResp:
    """Clause 4.4.2. With a command_status other than ESME_ROK it has no body."""

    message_id: str = ""
    tlvs: Tlvs = ()


class SmeAddress(NamedTuple):
    """One address among the destinations of submit_multi, clause 4.5.1.1."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str


class DistributionList(NamedTuple):
    """A list of addresses that the message centre keeps, clause 4.5.1.2."""

    dl_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitMulti:
    """Clause 4.5.1. dest_address: at most 254."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_address: tuple[SmeAddress | DistributionList, ...] = ()
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


class UnsuccessfulSme(NamedTuple):
    """An address that submit_multi did not reach and its command_status, clause 4.5.2.1."""

    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str
    error_status_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitMultiResp:
    """Clause 4.5.2. unsuccess_sme: the partial failures; empty when every destination was taken."""

    message_id: str = ""
    unsuccess_sme: tuple[UnsuccessfulSme, ...] = ()
    tlvs: Tlvs = ()


class DeliverSm(NamedTuple):
    """A message from a handset or a receipt. Clause 4.6.1."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverSmResp:
    """Clause 4.6.2. message_id is unused and empty."""

    message_id: str = ""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSm:
    """A message either way; its text is the message_payload among the tlvs. Clause 4.7.1."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSmResp:
    """Clause 4.7.2."""

    message_id: str = ""
    tlvs: Tlvs = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySm:
    """Clause 4.8.1."""

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySmResp:
    """Clause 4.8.2. final_date is empty until the message has reached its end."""

    message_id: str = ""
    final_date: str = ""
    message_state: int = MessageState.UNKNOWN
    error_code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSm:
    """Clause 4.9.1. Without message_id it means all messages of these addresses and service_type."""

    service_type: str = ""
    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSmResp:
    """Clause 4.9.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSm:
    """Clause 4.10.1. It has no message_payload, so its text ends at 254 octets."""

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceSmResp:
    """Clause 4.10.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquireLink:
    """Clause 4.11.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquireLinkResp:
    """Clause 4.11.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertNotification:
    """A handset has become reachable; it has no response. Clause 4.12.1."""

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: str = ""
    tlvs: Tlvs = ()


Request: TypeAlias = (
    Bind
    | Outbind
    | Unbind
    | SubmitSm
    | SubmitMulti
    | DeliverSm
    | DataSm
    | QuerySm
    | CancelSm
    | ReplaceSm
    | EnquireLink
    | AlertNotification
)

Response: TypeAlias = (
    BindResp
    | UnbindResp
    | GenericNack
    | SubmitSmResp
    | SubmitMultiResp
    | DeliverSmResp
    | DataSmResp
    | QuerySmResp
    | CancelSmResp
    | ReplaceSmResp
    | EnquireLinkResp
)

Pdu: TypeAlias = Request | Response
