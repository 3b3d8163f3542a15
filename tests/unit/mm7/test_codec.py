import pytest

from heliograph.mm7.codec import NAMESPACE, decode, encode
from heliograph.mm7.errors import NotReadable
from heliograph.mm7.messages import (
    Address,
    AddressKind,
    Content,
    DeliverReq,
    DeliverRsp,
    DeliveryReportReq,
    DeliveryReportRsp,
    Envelope,
    Fault,
    Message,
    ReadReplyReq,
    ReadReplyRsp,
    Recipients,
    RSErrorRsp,
    SenderIdentification,
    Status,
    SubmitReq,
    SubmitRsp,
    VASPErrorRsp,
)
from tests.conformance.mmsc import REL_5, checked

NUMBER = Address(value="+27831234567")
CODE = Address(value="27600", kind=AddressKind.SHORT_CODE)
MAIL = Address(value="shop@mms.example", kind=AddressKind.RFC2822)
OK = Status(status_code=1000, status_text="Success")
BAD = Status(status_code=2007, status_text="Message format corrupt", details="no <Body> & more")

MESSAGES: list[Message] = [
    SubmitReq(mm7_version="6.8.0", recipients=Recipients(to=(NUMBER,))),
    SubmitReq(
        mm7_version="6.8.0",
        sender_identification=SenderIdentification(vasp_id="shop", vas_id="news", sender_address=CODE),
        recipients=Recipients(to=(NUMBER, CODE), cc=(MAIL,), bcc=(NUMBER,)),
        service_code="free & easy",
        linked_id="L1",
        message_class="Informational",
        time_stamp="2026-11-28T10:00:00Z",
        expiry_date="PT3600S",
        delivery_report=True,
        read_reply=False,
        priority="High",
        subject="a < b 🦉",
        charged_party="Sender",
        distribution_indicator=False,
        content_class="image-basic",
        content=Content(href="cid:content", allow_adaptations=True),
    ),
    SubmitRsp(mm7_version="6.8.0", status=OK, message_id="MM-1"),
    DeliverReq(
        mm7_version="6.8.0",
        mms_relay_server_id="relay",
        vasp_id="shop",
        vas_id="news",
        linked_id="L1",
        sender=NUMBER,
        recipients=Recipients(to=(CODE,)),
        time_stamp="2026-11-28T10:00:00Z",
        priority="Low",
        subject="Re: x",
        content=Content(href="cid:a"),
    ),
    DeliverRsp(mm7_version="6.8.0", status=OK, service_code="free"),
    DeliveryReportReq(
        mm7_version="6.8.0",
        mms_relay_server_id="relay",
        message_id="MM-1",
        recipient=NUMBER,
        sender=CODE,
        date="2026-11-28T10:00:00Z",
        mm_status="Expired",
        status_text="too late",
    ),
    DeliveryReportRsp(mm7_version="6.8.0", status=OK),
    ReadReplyReq(
        mm7_version="6.8.0",
        message_id="MM-1",
        recipient=NUMBER,
        sender=MAIL,
        time_stamp="2026-11-28T10:00:00Z",
        mm_status="Read",
    ),
    ReadReplyRsp(mm7_version="6.8.0", status=OK),
    RSErrorRsp(mm7_version="6.8.0", status=BAD),
    VASPErrorRsp(mm7_version="6.8.0", status=Status(status_code=3000, status_text="Server error")),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("namespace", [NAMESPACE, REL_5])
def test_what_is_written_is_valid_by_the_schema_and_read_as_it_was(message: Message, namespace: str) -> None:
    written = encode(message, transaction_id="T<1>", namespace=namespace)
    found = checked(written, namespace)
    assert (found.name, found.transaction_id) == (type(message).__name__, "T<1>")
    assert decode(written) == Envelope(message=message, transaction_id="T<1>", namespace=namespace)


def test_an_error_without_transaction_stands_in_a_fault() -> None:
    written = encode(RSErrorRsp(mm7_version="6.8.0", status=BAD), transaction_id="")
    assert b"<env:Fault><faultcode>env:Client</faultcode>" in written
    assert checked(written).transaction_id == ""


def test_a_fault_of_soap_is_read_in_both_versions() -> None:
    fault = Fault(fault_code="env:Server", fault_string="down")
    assert decode(encode(fault, transaction_id="")).message == fault
    later = (
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><e:Fault><e:Code><e:Value>e:Receiver'
        b"</e:Value></e:Code><e:Reason><e:Text>down</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>"
    )
    assert decode(later).message == Fault(fault_code="e:Receiver", fault_string="down")


# The examples of the standard and of carriers, with their namespaces, prefixes and liberties.
SKETCH = """<?xml version="1.0" encoding="UTF-8"?>
<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header>
<TransactionID xmlns="{0}" S:mustUnderstand="1">vas00001</TransactionID></S:Header><S:Body>
{1}
</S:Body></S:Envelope>"""


def test_a_namespace_of_which_nobody_has_heard_is_read_and_told() -> None:
    body = (
        '<x:DeliveryReportReq xmlns:x="urn:own"><x:MessageID> 7 </x:MessageID>'
        "<MMStatus>Retrieved</MMStatus></x:DeliveryReportReq>"
    )
    found = decode(SKETCH.format("urn:other", body).encode())
    assert found == Envelope(
        message=DeliveryReportReq(message_id="7", mm_status="Retrieved"), transaction_id="vas00001", namespace="urn:own"
    )


def test_an_address_without_its_kind_is_a_number() -> None:
    recipients = "<Recipients><To><ShortCode>27600</ShortCode></To></Recipients>"
    body = f"<DeliverReq><Sender>27831234567</Sender>{recipients}</DeliverReq>"
    message = decode(SKETCH.format("", body).encode()).message
    assert isinstance(message, DeliverReq)
    assert message.sender == Address(value="27831234567")
    assert message.recipients.to == (CODE,)


def test_a_request_without_its_version_is_read() -> None:
    body = "<SubmitReq><Recipients><To><ShortCode>27600</ShortCode></To></Recipients></SubmitReq>"
    assert decode(SKETCH.format("", body).encode()).message == SubmitReq(recipients=Recipients(to=(CODE,)))


def test_fields_that_nobody_knows_are_passed_over() -> None:
    body = (
        '<SubmitRsp><MM7Version>5.3.0</MM7Version><New a="1"><Deep/></New>'
        "<Status><StatusCode>1000</StatusCode></Status></SubmitRsp>"
    )
    assert decode(SKETCH.format("", body).encode()).message == SubmitRsp(
        mm7_version="5.3.0", status=Status(status_code=1000)
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<Unknown/>",
        "<SubmitRsp/>",
        "<SubmitRsp><Status/></SubmitRsp>",
        "<SubmitRsp><Status><StatusCode>soon</StatusCode></Status></SubmitRsp>",
        "<SubmitRsp><Status><StatusCode>١٠٠٠</StatusCode></Status></SubmitRsp>",
        "<SubmitRsp><Status><StatusCode>99999999999</StatusCode></Status></SubmitRsp>",
        "<DeliverReq/>",
        "<DeliverReq><Sender/></DeliverReq>",
        "<DeliveryReportReq><MessageID>1</MessageID></DeliveryReportReq>",
        "<SubmitReq><MM7Version>6.8.0</MM7Version></SubmitReq>",
        "<SubmitReq/>",
    ],
)
def test_a_message_without_what_it_is_about_is_refused(body: str) -> None:
    with pytest.raises(NotReadable):
        decode(SKETCH.format("", body).encode())


@pytest.mark.parametrize("document", [b"<Envelope/>", b"<Letter><Body><SubmitRsp/></Body></Letter>"])
def test_what_is_no_envelope_is_refused(document: bytes) -> None:
    with pytest.raises(NotReadable):
        decode(document)
