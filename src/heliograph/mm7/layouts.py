"""What each message looks like: its elements in the schema's order, each with how it is written and read.

One table for both ways. What a peer leaves out or adds is borne, but for the few fields without which a message says
nothing. Source: the schema REL-6-MM7-1-4; what only later releases have is not written.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

from heliograph.mm7 import messages as m
from heliograph.mm7.errors import NotReadable
from heliograph.mm7.tree import Element, escaped


class Kind(NamedTuple):
    """How a value is written inside a parent and read from its element. write: the whole element, or "" for absent."""

    write: Callable[[str, Any], str]
    read: Callable[[Element], Any]


class Field(NamedTuple):
    """One element of a message. name: of the value's field."""

    element: str
    name: str
    kind: Kind
    is_needed: bool = False


Layout: TypeAlias = tuple[Field, ...]


def written_as(layout: Layout, value: object) -> str:
    """The elements of a value, in the layout's order."""
    return "".join(field.kind.write(field.element, getattr(value, field.name)) for field in layout)


def read_as(layout: Layout, element: Element) -> dict[str, Any]:
    """The fields that are there; raises NotReadable when one is not that must be."""
    found: dict[str, Any] = {}
    for field in layout:
        child = element.child(field.element)
        if child is not None:
            found[field.name] = field.kind.read(child)
        elif field.is_needed:
            raise NotReadable(f"{element.name} has no {field.element}")
    return found


def _write_text(name: str, value: str) -> str:
    return f"<{name}>{escaped(value)}</{name}>" if value else ""


def _write_flag(name: str, value: bool | None) -> str:
    return "" if value is None else f"<{name}>{'true' if value else 'false'}</{name}>"


def _read_flag(element: Element) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(element.text.lower())


def _write_address(name: str, value: m.Address | None) -> str:
    return "" if value is None else f"<{name}>{_bare(value)}</{name}>"


def _bare(address: m.Address) -> str:
    kind = address.kind.value
    return f"<{kind}>{escaped(address.value)}</{kind}>"


def _read_addresses(element: Element) -> tuple[m.Address, ...]:
    kinds = {kind.value: kind for kind in m.AddressKind}
    return tuple(
        m.Address(value=each.text, kind=kinds[each.name])
        for each in element.children
        if each.name in kinds and each.text
    )


def _read_address(element: Element) -> m.Address | None:
    """The address inside; some peers write it without saying what it is."""
    found = _read_addresses(element)
    if found:
        return found[0]
    return m.Address(value=element.text) if element.text else None


def _read_needed_address(element: Element) -> m.Address:
    found = _read_address(element)
    if found is None:
        raise NotReadable(f"{element.name} has no address")
    return found


def _write_recipients(name: str, value: m.Recipients) -> str:
    lists = (("To", value.to), ("Cc", value.cc), ("Bcc", value.bcc))
    inside = "".join(
        f"<{each}>{''.join(_bare(address) for address in addresses)}</{each}>" for each, addresses in lists if addresses
    )
    return f"<{name}>{inside}</{name}>" if inside else ""


def _read_recipients(element: Element) -> m.Recipients:
    def those_in(name: str) -> tuple[m.Address, ...]:
        return tuple(address for each in element.children if each.name == name for address in _read_addresses(each))

    return m.Recipients(to=those_in("To"), cc=those_in("Cc"), bcc=those_in("Bcc"))


def _write_sender(name: str, value: m.SenderIdentification) -> str:
    return f"<{name}>{written_as(_SENDER, value)}</{name}>"


def _read_sender(element: Element) -> m.SenderIdentification:
    return m.SenderIdentification(**read_as(_SENDER, element))


def _write_content(name: str, value: m.Content | None) -> str:
    if value is None:
        return ""
    allows = value.allow_adaptations
    adaptations = "" if allows is None else f' allowAdaptations="{"true" if allows else "false"}"'
    return f'<{name} href="{escaped(value.href)}"{adaptations}/>'


def _read_content(element: Element) -> m.Content:
    allows = {"true": True, "1": True, "false": False, "0": False}.get(element.attributes.get("allowAdaptations", ""))
    return m.Content(href=element.attributes.get("href", "").strip(), allow_adaptations=allows)


def _write_status(name: str, value: m.Status) -> str:
    text = value.status_text or " "
    details = f"<Details>{escaped(value.details)}</Details>" if value.details else ""
    inside = f"<StatusCode>{value.status_code}</StatusCode><StatusText>{escaped(text)}</StatusText>{details}"
    return f"<{name}>{inside}</{name}>"


def _read_status(element: Element) -> m.Status:
    code = element.text_of("StatusCode")
    if not (code.isascii() and code.isdigit() and len(code) <= 6):
        raise NotReadable("StatusCode is not a number")
    details = element.child("Details")
    return m.Status(
        status_code=int(code),
        status_text=element.text_of("StatusText"),
        details="" if details is None else all_text(details),
    )


def all_text(element: Element) -> str:
    """The text of an element and of all inside it, with a blank between."""
    texts = [element.text, *(all_text(each) for each in element.children)]
    return " ".join(each for each in texts if each)


TEXT: Final = Kind(_write_text, lambda element: element.text)
FLAG: Final = Kind(_write_flag, _read_flag)
ADDRESS: Final = Kind(_write_address, _read_address)
NEEDED_ADDRESS: Final = Kind(_write_address, _read_needed_address)
RECIPIENTS: Final = Kind(_write_recipients, _read_recipients)
SENDER: Final = Kind(_write_sender, _read_sender)
CONTENT: Final = Kind(_write_content, _read_content)
STATUS: Final = Kind(_write_status, _read_status)

_SENDER: Final[Layout] = (
    Field("VASPID", "vasp_id", TEXT),
    Field("VASID", "vas_id", TEXT),
    Field("SenderAddress", "sender_address", ADDRESS),
)
_VERSION: Final = Field("MM7Version", "mm7_version", TEXT)
_FROM_RELAY: Final[Layout] = (_VERSION, Field("MMSRelayServerID", "mms_relay_server_id", TEXT))
_ANSWER: Final[Layout] = (_VERSION, Field("Status", "status", STATUS, True))
_CONTENT: Final = Field("Content", "content", CONTENT)

LAYOUTS: Final[dict[type[Any], Layout]] = {
    m.SubmitReq: (
        _VERSION,
        Field("SenderIdentification", "sender_identification", SENDER),
        Field("Recipients", "recipients", RECIPIENTS, True),
        Field("ServiceCode", "service_code", TEXT),
        Field("LinkedID", "linked_id", TEXT),
        Field("MessageClass", "message_class", TEXT),
        Field("TimeStamp", "time_stamp", TEXT),
        Field("ExpiryDate", "expiry_date", TEXT),
        Field("DeliveryReport", "delivery_report", FLAG),
        Field("ReadReply", "read_reply", FLAG),
        Field("Priority", "priority", TEXT),
        Field("Subject", "subject", TEXT),
        Field("ChargedParty", "charged_party", TEXT),
        Field("DistributionIndicator", "distribution_indicator", FLAG),
        Field("ContentClass", "content_class", TEXT),
        _CONTENT,
    ),
    m.SubmitRsp: (*_ANSWER, Field("MessageID", "message_id", TEXT)),
    m.DeliverReq: (
        *_FROM_RELAY,
        Field("VASPID", "vasp_id", TEXT),
        Field("VASID", "vas_id", TEXT),
        Field("LinkedID", "linked_id", TEXT),
        Field("Sender", "sender", NEEDED_ADDRESS, True),
        Field("Recipients", "recipients", RECIPIENTS),
        Field("TimeStamp", "time_stamp", TEXT),
        Field("Priority", "priority", TEXT),
        Field("Subject", "subject", TEXT),
        _CONTENT,
    ),
    m.DeliverRsp: (*_ANSWER, Field("ServiceCode", "service_code", TEXT)),
    m.DeliveryReportReq: (
        *_FROM_RELAY,
        Field("MessageID", "message_id", TEXT, True),
        Field("Recipient", "recipient", ADDRESS),
        Field("Sender", "sender", ADDRESS),
        Field("Date", "date", TEXT),
        Field("MMStatus", "mm_status", TEXT, True),
        Field("StatusText", "status_text", TEXT),
    ),
    m.DeliveryReportRsp: _ANSWER,
    m.ReadReplyReq: (
        *_FROM_RELAY,
        Field("MessageID", "message_id", TEXT, True),
        Field("Recipient", "recipient", ADDRESS),
        Field("Sender", "sender", ADDRESS),
        Field("TimeStamp", "time_stamp", TEXT),
        Field("MMStatus", "mm_status", TEXT, True),
        Field("StatusText", "status_text", TEXT),
    ),
    m.ReadReplyRsp: _ANSWER,
    m.RSErrorRsp: _ANSWER,
    m.VASPErrorRsp: _ANSWER,
}
"""Every message but the SOAP fault, by its class, which is named like its element."""
