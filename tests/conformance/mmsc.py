"""An MMS centre that shares no code with ours: lxml and a schema for the envelopes, the `email` package for the bodies.

It takes what is schema-valid and complains about all else; `complaints` stays empty in a good test. What it tells us in
turn are octets made by lxml and `email`, for a test to hand over or to post.
"""

import base64
import http.client
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.mime.application import MIMEApplication
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

from lxml import etree
from lxml.builder import ElementMaker

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
REL_6 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-6-MM7-1-4"
REL_5 = "http://www.3gpp.org/ftp/Specs/archive/23_series/23.140/schema/REL-5-MM7-1-5"


def schema_for(namespace: str) -> etree.XMLSchema:
    """The schema of MM7 in a namespace."""
    text = Path(__file__).with_name("mm7.xsd").read_text(encoding="utf-8").replace("NAMESPACE", namespace)
    return etree.XMLSchema(etree.fromstring(text.encode()))


# Made while there is one thread: libxml2 makes the built-in types with the first schema and holds no lock. Two threads
# of the centre that made their first ones together left the process without types, for good.
SCHEMAS = {namespace: schema_for(namespace) for namespace in (REL_6, REL_5)}


class Checked(NamedTuple):
    """A valid envelope: the message's element, and the transaction it names, or ""."""

    element: Any
    transaction_id: str

    @property
    def name(self) -> str:
        return str(etree.QName(self.element).localname)

    def text(self, path: str) -> str:
        """The text of an element inside, by the names on the way; "" without it."""
        names = "/".join(f"{{*}}{each}" for each in path.split("/"))
        return cast(str, self.element.findtext(names, ""))


def checked(document: bytes, namespace: str = REL_6) -> Checked:
    """A document that is a SOAP envelope with a message that the schema has; AssertionError with the reason else."""
    envelope = etree.fromstring(document)
    assert envelope.tag == f"{{{SOAP}}}Envelope", envelope.tag
    schema = SCHEMAS.get(namespace) or schema_for(namespace)
    transaction = envelope.find(f"{{{SOAP}}}Header/{{{namespace}}}TransactionID")
    if transaction is not None:
        assert transaction.get(f"{{{SOAP}}}mustUnderstand") == "1"
        schema.assertValid(transaction)
    (element,) = envelope.find(f"{{{SOAP}}}Body")
    if element.tag == f"{{{SOAP}}}Fault":
        assert element.findtext("faultcode", "").startswith("env:")
        (element,) = element.find("detail")
    schema.assertValid(element)
    return Checked(element, "" if transaction is None else transaction.text)


class File(NamedTuple):
    """A file of a message."""

    content_type: str
    content: bytes
    name: str


@dataclass
class Submitted:
    """A SubmitReq that was taken, or refused."""

    request: Checked
    files: list[File]
    headers: Mapping[str, str]
    message_id: str = ""

    @property
    def recipient(self) -> str:
        return self.request.text("Recipients/To/Number")

    @property
    def text(self) -> str:
        return "".join(each.content.decode() for each in self.files if each.content_type == "text/plain")

    @property
    def presentation(self) -> Any:
        (found,) = (each.content for each in self.files if each.content_type == "application/smil")
        return etree.fromstring(found)


class Posted(NamedTuple):
    """What the centre tells us, as it stands on the wire."""

    content_type: str
    body: bytes


class Said(NamedTuple):
    """What we answered."""

    status: int
    answer: Checked


@dataclass
class Answering:
    """How the centre answers. body: in place of an answer of its own. hangs: not at all. cuts: it hangs up."""

    code: int = 1000
    http: int = 200
    text: str = ""
    body: bytes | None = None
    content_type: str = 'text/xml; charset="utf-8"'
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    cuts: bool = False
    names_it: bool = True
    as_error: bool = False


class Centre:
    """The MMS centre; a context. answer: chosen for each request, which is noted before."""

    def __init__(
        self, *, namespace: str = REL_6, version: str = "6.8.0", user: str = "shop", password: str = "se@cret"
    ) -> None:
        self.namespace = namespace
        self.version = version
        self.answer: Callable[[Submitted], Answering] = lambda _: Answering()
        self.submitted: list[Submitted] = []
        self.complaints: list[str] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._numbers = count(1)
        self._basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> "Centre":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def recipients(self) -> list[str]:
        return [each.recipient for each in self.submitted]

    def let_go(self) -> None:
        """Those that hang are hung up on."""
        self._done.set()

    # What comes in ---------------------------------------------------------------------------------------------------

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        centre = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with centre._lock:
                    centre._at_once += 1
                    centre.most_at_once = max(centre.most_at_once, centre._at_once)
                try:
                    centre._serve(self, body)
                finally:
                    with centre._lock:
                        centre._at_once -= 1

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        try:
            submitted = self._read(headers, body)
        except (AssertionError, etree.LxmlError, ValueError) as error:
            self.complaints.append(f"{type(error).__name__}: {error}")
            self._reply(handler, Answering(code=2007, http=400, as_error=True), None)
            return
        submitted.message_id = f"MM-{next(self._numbers):04d}"
        answering = self.answer(submitted)
        with self._lock:
            self.submitted.append(submitted)
        if answering.hangs:
            self._done.wait(20)
        if answering.hangs or answering.cuts:
            handler.close_connection = True
            return
        self._reply(handler, answering, submitted)

    def _read(self, headers: Mapping[str, str], body: bytes) -> Submitted:
        assert headers.get("authorization") == self._basic, "who is this?"
        assert headers.get("soapaction") == '""', "no SOAPAction"
        whole = message_from_bytes(f"Content-Type: {headers['content-type']}\r\n\r\n".encode() + body, policy=HTTP)
        assert whole.get_content_type() == "multipart/related"
        assert whole.get_param("type") == "text/xml"
        assert not whole.defects
        root, content = cast(list[EmailMessage], whole.get_payload())
        assert root["Content-ID"] == whole.get_param("start")
        assert root.get_content_type() == "text/xml"
        request = checked(cast(bytes, root.get_payload(decode=True)), self.namespace)
        assert request.name == "SubmitReq"
        assert request.transaction_id
        href = request.element.find("{*}Content").get("href")
        assert f"<{href.removeprefix('cid:')}>" == content["Content-ID"], href
        files = [_file_from(each) for each in cast(list[EmailMessage], content.get_payload())]
        assert len({each.name for each in files}) == len(files), "two files have one name"
        return Submitted(request, files, headers)

    def _reply(self, handler: BaseHTTPRequestHandler, answering: Answering, submitted: Submitted | None) -> None:
        body = answering.body if answering.body is not None else self._answer(answering, submitted)
        handler.send_response(answering.http)
        handler.send_header("Content-Type", answering.content_type)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in answering.headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def _answer(self, answering: Answering, submitted: Submitted | None) -> bytes:
        m = self._maker()
        status = m.Status(m.StatusCode(str(answering.code)), m.StatusText(answering.text or "as said"))
        if answering.as_error or submitted is None:
            error = m.RSErrorRsp(m.MM7Version(self.version), status)
            fault = etree.Element(f"{{{SOAP}}}Fault")
            etree.SubElement(fault, "faultcode").text = "env:Client"
            etree.SubElement(fault, "faultstring").text = "Client error"
            etree.SubElement(fault, "detail").append(error)
            return self._envelope(fault, "")
        answer = m.SubmitRsp(m.MM7Version(self.version), status)
        if answering.code < 2000 and answering.names_it:
            answer.append(m.MessageID(submitted.message_id))
        return self._envelope(answer, submitted.request.transaction_id)

    # What goes out ---------------------------------------------------------------------------------------------------

    def _maker(self) -> ElementMaker:
        return ElementMaker(namespace=self.namespace, nsmap={"mm7": self.namespace})

    def _envelope(self, element: Any, transaction_id: str) -> bytes:
        envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soapenv": SOAP})
        header = etree.SubElement(envelope, f"{{{SOAP}}}Header")
        if transaction_id:
            transaction = etree.SubElement(header, f"{{{self.namespace}}}TransactionID", nsmap={"t": self.namespace})
            transaction.set(f"{{{SOAP}}}mustUnderstand", "1")
            transaction.text = transaction_id
        etree.SubElement(envelope, f"{{{SOAP}}}Body").append(element)
        return cast(bytes, etree.tostring(envelope, xml_declaration=True, encoding="UTF-8"))

    def delivery_report(
        self, message_id: str, recipient: str, *, status: str = "Retrieved", text: str = "", sender: str = "27820000000"
    ) -> Posted:
        """What became of a message. A status that the schema has is checked against it."""
        m = self._maker()
        report = m.DeliveryReportReq(
            m.MM7Version(self.version),
            m.MMSRelayServerID("mms.example"),
            m.MessageID(message_id),
            m.Recipient(m.Number(recipient)),
            m.Sender(m.ShortCode(sender)),
            m.Date("2026-11-28T10:00:00Z"),
            m.MMStatus(status),
        )
        if text:
            report.append(m.StatusText(text))
        return Posted('text/xml; charset="utf-8"', self._envelope(report, f"R{next(self._numbers)}"))

    def read_reply(self, message_id: str, recipient: str, *, status: str = "Read") -> Posted:
        """The recipient has seen it."""
        m = self._maker()
        report = m.ReadReplyReq(
            m.MM7Version(self.version),
            m.MessageID(message_id),
            m.Recipient(m.Number(recipient)),
            m.Sender(m.ShortCode("27820000000")),
            m.TimeStamp("2026-11-28T10:00:00+02:00"),
            m.MMStatus(status),
        )
        return Posted("text/xml", self._envelope(report, f"R{next(self._numbers)}"))

    def from_handset(
        self,
        sender: str,
        recipient: str,
        *,
        text: str = "",
        picture: bytes = b"",
        subject: str = "",
        linked_id: str | None = None,
    ) -> Posted:
        """A message of a handset, as the `email` package writes it."""
        m = self._maker()
        number = next(self._numbers)
        request = m.DeliverReq(
            m.MM7Version(self.version),
            m.MMSRelayServerID("mms.example"),
            m.LinkedID(f"L{number}" if linked_id is None else linked_id),
            m.Sender(m.Number(sender)),
            m.Recipients(m.To(m.Number(recipient))),
            m.TimeStamp("2026-11-28T10:00:00Z"),
            m.Priority("Normal"),
            *([m.Subject(subject)] if subject else []),
            m.Content(href="cid:all@mms.example"),
        )
        SCHEMAS[self.namespace].assertValid(request)
        content = MIMEMultipart("related")
        content.add_header("Content-ID", "<all@mms.example>")
        smil = MIMEApplication(b"<smil><body/></smil>", "smil")
        _add(content, smil, "smil.xml")
        if text:
            _add(content, MIMEText(text, "plain", "utf-8"), "text_0.txt")
        if picture:
            _add(content, MIMEImage(picture, "png"), "picture.png")
        root = MIMEBase("text", "xml", charset="utf-8")
        root.set_payload(self._envelope(request, f"D{number}"))
        root.add_header("Content-Transfer-Encoding", "8bit")
        root.add_header("Content-ID", "<soap@mms.example>")
        whole = MIMEMultipart("related", type="text/xml", start="<soap@mms.example>")
        whole.attach(root)
        whole.attach(content)
        octets = whole.as_bytes(policy=HTTP)
        lines, _, body = octets.partition(b"\r\n\r\n")
        content_type = message_from_bytes(lines + b"\r\n\r\n", policy=HTTP)["Content-Type"]
        return Posted(str(content_type).replace("\r\n", ""), body)

    def post(self, url: str, posted: Posted) -> Said:
        """Call us, from a thread of its own."""
        place = urlsplit(url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
        try:
            connection.request("POST", place.path, posted.body, {"Content-Type": posted.content_type})
            answer = connection.getresponse()
            return Said(answer.status, checked(answer.read(), self.namespace))
        finally:
            connection.close()


def _add(whole: MIMEMultipart, each: Any, name: str) -> None:
    each.add_header("Content-ID", f"<{name}>")
    each.add_header("Content-Location", name)
    whole.attach(each)


def _file_from(found: Message) -> File:
    return File(found.get_content_type(), cast(bytes, found.get_payload(decode=True)), str(found["Content-Location"]))
