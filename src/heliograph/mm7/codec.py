"""SOAP envelopes, both ways.

Reading asks for names and not for namespaces, as every peer has its own; writing takes the namespace as an argument.
Errors that are no response to a request travel in the detail of a SOAP fault. Source: SOAP 1.1 §4; TS 23.140 §8.7.2.
"""

from typing import Any, Final

from heliograph.mm7 import messages as m
from heliograph.mm7.errors import NotReadable
from heliograph.mm7.layouts import LAYOUTS, all_text, read_as, written_as
from heliograph.mm7.tree import Element, escaped, parse

SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
NAMESPACE: Final = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"

_BY_NAME: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in LAYOUTS}


def encode(message: m.Message, *, transaction_id: str, namespace: str = NAMESPACE) -> bytes:
    """A message as an XML document in UTF-8. transaction_id: "" where nobody knows it, as in a fault."""
    place = escaped(namespace)
    header = (
        f'<env:Header><mm7:TransactionID xmlns:mm7="{place}" env:mustUnderstand="1">'
        f"{escaped(transaction_id)}</mm7:TransactionID></env:Header>"
        if transaction_id
        else ""
    )
    if isinstance(message, m.RSErrorRsp | m.VASPErrorRsp):
        side = "Client" if message.status.status_code // 1000 == 2 else "Server"
        body = _fault(f"env:{side}", f"{side} error", _element(message, place))
    elif isinstance(message, m.Fault):
        body = _fault(message.fault_code, message.fault_string)
    else:
        body = _element(message, place)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="{SOAP}">'
        f"{header}<env:Body>{body}</env:Body></env:Envelope>"
    ).encode()


def _element(message: m.Message, place: str) -> str:
    kind = type(message)
    return f'<{kind.__name__} xmlns="{place}">{written_as(LAYOUTS[kind], message)}</{kind.__name__}>'


def _fault(code: str, text: str, detail: str = "") -> str:
    inside = f"<detail>{detail}</detail>" if detail else ""
    return (
        f"<env:Fault><faultcode>{escaped(code)}</faultcode><faultstring>{escaped(text)}</faultstring>"
        f"{inside}</env:Fault>"
    )


def decode(document: bytes) -> m.Envelope:
    """Read an envelope; raises NotReadable, also for a message that MM7 does not have or we do not know."""
    root = parse(document)
    if root.name != "Envelope":
        raise NotReadable("the XML is no SOAP envelope")
    header, body = root.child("Header"), root.child("Body")
    if body is None or not body.children:
        raise NotReadable("the SOAP envelope has no body")
    element = body.children[0]
    if element.name == "Fault":
        element = _inside(element)
    return m.Envelope(
        message=_message_from(element),
        transaction_id="" if header is None else header.text_of("TransactionID"),
        namespace=element.namespace,
    )


def _inside(fault: Element) -> Element:
    """The error that a fault is about, if it has one of MM7's; else the fault itself."""
    detail = fault.child("detail") or fault.child("Detail")
    known = [each for each in detail.children if each.name in _BY_NAME] if detail is not None else []
    return known[0] if known else fault


def _message_from(element: Element) -> m.Message:
    if element.name == "Fault":
        code = element.text_of("faultcode") or _first_text(element, "Code")
        return m.Fault(fault_code=code, fault_string=element.text_of("faultstring") or _first_text(element, "Reason"))
    kind = _BY_NAME.get(element.name)
    if kind is None:
        raise NotReadable("the envelope holds no message that is known here")
    message: m.Message = kind(**read_as(LAYOUTS[kind], element))
    return message


def _first_text(fault: Element, name: str) -> str:
    """SOAP 1.2's fault has its texts one element deeper."""
    found = fault.child(name)
    return "" if found is None else all_text(found)
