"""The messages of MM7, each as one value with the standard's field names in small letters; absent text is "".

A value says nothing about namespace or version: peers differ, so both stand in the envelope and in `mm7_version`.
Source: 3GPP TS 23.140 V6.16.0 §8.7 and the schema REL-6-MM7-1-4.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class AddressKind(Enum):
    """What an address is, by the element it stands in."""

    NUMBER = "Number"
    SHORT_CODE = "ShortCode"
    RFC2822 = "RFC2822Address"


class MMStatus:
    """What became of a message, as reports say it. Forwarded and Indeterminate are not the end.

    Deferred, Unrecognised and Unreachable are MM1's, Delivered nobody's; peers write them.
    """

    EXPIRED = "Expired"
    RETRIEVED = "Retrieved"
    REJECTED = "Rejected"
    INDETERMINATE = "Indeterminate"
    FORWARDED = "Forwarded"
    DELIVERED = "Delivered"
    DEFERRED = "Deferred"
    UNRECOGNISED = "Unrecognised"
    UNREACHABLE = "Unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A number, a short code or a mail address, as written."""

    value: str
    kind: AddressKind = AddressKind.NUMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """Who a message is for."""

    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderIdentification:
    """Who sends: the company, its service, and the address that the handset shows."""

    vasp_id: str = ""
    vas_id: str = ""
    sender_address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """Where the content is: `cid:` and the Content-ID of a part of the same HTTP message."""

    href: str = ""
    allow_adaptations: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What became of a request. details: the text inside, whatever elements it stands in."""

    status_code: int
    status_text: str = ""
    details: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitReq:
    """A message to handsets. expiry_date: a time or a duration, as XML Schema writes them."""

    mm7_version: str = ""
    sender_identification: SenderIdentification = SenderIdentification()
    recipients: Recipients
    service_code: str = ""
    linked_id: str = ""
    message_class: str = ""
    time_stamp: str = ""
    expiry_date: str = ""
    delivery_report: bool | None = None
    read_reply: bool | None = None
    priority: str = ""
    subject: str = ""
    charged_party: str = ""
    distribution_indicator: bool | None = None
    content_class: str = ""
    content: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitRsp:
    """The answer to a SubmitReq. message_id: what reports will call the message."""

    mm7_version: str = ""
    status: Status
    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverReq:
    """A message from a handset."""

    mm7_version: str = ""
    mms_relay_server_id: str = ""
    vasp_id: str = ""
    vas_id: str = ""
    linked_id: str = ""
    sender: Address
    recipients: Recipients = Recipients()
    time_stamp: str = ""
    priority: str = ""
    subject: str = ""
    content: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverRsp:
    """The answer to a DeliverReq."""

    mm7_version: str = ""
    status: Status
    service_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReportReq:
    """What became of a message that was submitted. recipient: of the message; sender: who submitted it."""

    mm7_version: str = ""
    mms_relay_server_id: str = ""
    message_id: str
    recipient: Address | None = None
    sender: Address | None = None
    date: str = ""
    mm_status: str
    status_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReportRsp:
    """The answer to a DeliveryReportReq."""

    mm7_version: str = ""
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReplyReq:
    """The recipient has read a message, or deleted it unread."""

    mm7_version: str = ""
    mms_relay_server_id: str = ""
    message_id: str
    recipient: Address | None = None
    sender: Address | None = None
    time_stamp: str = ""
    mm_status: str
    status_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReplyRsp:
    """The answer to a ReadReplyReq."""

    mm7_version: str = ""
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class RSErrorRsp:
    """The relay or server could not read what it was asked; stands in the detail of a SOAP fault."""

    mm7_version: str = ""
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class VASPErrorRsp:
    """The same from the other side."""

    mm7_version: str = ""
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A SOAP fault that says nothing of MM7."""

    fault_code: str = ""
    fault_string: str = ""


Request: TypeAlias = SubmitReq | DeliverReq | DeliveryReportReq | ReadReplyReq
Response: TypeAlias = SubmitRsp | DeliverRsp | DeliveryReportRsp | ReadReplyRsp | RSErrorRsp | VASPErrorRsp
Message: TypeAlias = Request | Response | Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message with what stands in the SOAP header. namespace: of the message; transaction_id: pairs two messages."""

    message: Message
    transaction_id: str = ""
    namespace: str = ""
