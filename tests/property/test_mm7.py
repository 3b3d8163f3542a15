"""MM7's readers take any octets, and what is written is read as it was."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from heliograph.carriers.mm7.mapping import incoming_from
from heliograph.mm7.codec import decode, encode
from heliograph.mm7.errors import NotReadable
from heliograph.mm7.headers import content_id_from, content_type_from, headers_from, parameter_of
from heliograph.mm7.layouts import LAYOUTS
from heliograph.mm7.messages import (
    Address,
    AddressKind,
    Content,
    DeliverReq,
    Message,
    Recipients,
    SenderIdentification,
    Status,
)
from heliograph.mm7.multipart import Part, fitting, in_base64, read, written
from heliograph.mm7.packing import Packed, pack, unpack
from heliograph.mm7.tree import parse

# What survives: XML trims nothing inside, but we trim blanks around; a carriage return is read as a line's end.
WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\ufffe\uffff", min_codepoint=32), max_size=12).map(
    str.strip
)
NAMED = WORDS.filter(bool)
ADDRESSES = st.builds(Address, value=NAMED, kind=st.sampled_from(AddressKind))
LISTS = st.lists(ADDRESSES, max_size=3).map(tuple)
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    bool | None: st.sampled_from([True, False, None]),
    Address: ADDRESSES,
    Address | None: st.none() | ADDRESSES,
    Recipients: st.builds(Recipients, to=st.lists(ADDRESSES, min_size=1, max_size=3).map(tuple), cc=LISTS, bcc=LISTS),
    SenderIdentification: st.builds(
        SenderIdentification, vasp_id=WORDS, vas_id=WORDS, sender_address=st.none() | ADDRESSES
    ),
    Content | None: st.none() | st.builds(Content, href=WORDS, allow_adaptations=st.sampled_from([True, False, None])),
    Status: st.builds(Status, status_code=st.integers(0, 9999), status_text=NAMED, details=WORDS),
}
NEEDED = {"message_id", "mm_status"}


def any_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    values = {each.name: NAMED if each.name in NEEDED else BY_TYPE[each.type] for each in fields(kind)}
    return st.builds(kind, **values)


MESSAGES = st.sampled_from(list(LAYOUTS)).flatmap(any_of)
FILES = st.lists(
    st.builds(
        Part,
        st.binary(max_size=200),
        st.sampled_from(["image/png", "text/plain; charset=utf-8", "audio/amr"]),
        st.from_regex(r"[a-z0-9.@]{1,8}", fullmatch=True),
        st.from_regex(r"[a-z0-9.-]{1,8}", fullmatch=True),
        parts=st.just(()),
    ),
    max_size=4,
)


@given(MESSAGES, WORDS)
def test_messages_survive_the_wire(message: Message, transaction_id: str) -> None:
    found = decode(encode(message, transaction_id=transaction_id, namespace="urn:x"))
    assert found.message == message
    assert found.transaction_id == transaction_id


@given(MESSAGES, FILES, st.booleans())
def test_content_survives_the_wire(message: Message, files: list[Part], is_binary: bool) -> None:
    if isinstance(message, DeliverReq):
        message = replace(message, content=Content(href="cid:content"))
    else:
        message = DeliverReq(sender=Address(value="1"), content=Content(href="cid:content"))
    made = pack(encode(message, transaction_id="T"), files, boundary="m", is_binary=is_binary)
    assert unpack(made.content_type, made.octets).files == tuple(files)


def _reads_or_refuses(read: Callable[[], object]) -> object:
    try:
        return read()
    except NotReadable:
        return None


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    _reads_or_refuses(lambda: parse(octets))
    _reads_or_refuses(lambda: decode(octets))
    _reads_or_refuses(lambda: headers_from(octets))
    for content_type in ("text/xml", "multipart/related; boundary=a", octets.decode("latin-1")):
        _reads_or_refuses(lambda content_type=content_type: unpack(content_type, octets))  # type: ignore[misc]


XML_BITS = st.sampled_from(
    [b"<", b">", b"/", b"a", b" b='c'", b"&amp;", b"&x;", b"<!DOCTYPE ", b"<![CDATA[", b"]]>", b"<?x?>", b"<!--",
     b"-->", b"Envelope", b"Body", b"Fault", b"detail", b"SubmitRsp", b"Status", b"xmlns='y'", b"\xff", b"\0"]
)  # fmt: skip


@given(st.lists(XML_BITS, max_size=30).map(b"".join))
def test_what_nearly_is_xml_is_read_or_refused(octets: bytes) -> None:
    _reads_or_refuses(lambda: decode(octets))


MIME_BITS = st.sampled_from(
    [b"--a", b"--a--", b"\r\n", b"\n", b"\r\n\r\n", b"--", b"x", b"Content-Type: multipart/mixed; boundary=a", b": ",
     b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable", b"=",
     b"Content-ID: <a>", b"\xff"]
)  # fmt: skip


@given(st.lists(MIME_BITS, max_size=40).map(b"".join))
def test_what_nearly_is_mime_is_read_or_refused(octets: bytes) -> None:
    _reads_or_refuses(lambda: read("multipart/related; boundary=a", octets))


@given(st.text(max_size=60))
def test_any_header_is_read(written: str) -> None:
    content_type_from(written)
    content_id_from(written)
    parameter_of(written, "name")


@given(MESSAGES, FILES, st.data())
def test_a_message_with_a_mistake_is_read_or_refused(message: Message, files: list[Part], data: st.DataObject) -> None:
    made = pack(encode(message, transaction_id="T"), files, boundary="m")
    octets = bytearray(made.octets)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(octets) - 1))
        octets[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    found = _reads_or_refuses(lambda: unpack(made.content_type, bytes(octets)))
    if isinstance(found, Packed) and isinstance(found.envelope.message, DeliverReq):
        for incoming in incoming_from(found.envelope.message, found.files, transaction_id="T"):
            incoming.text.encode()
            assert "\0" not in incoming.text


@given(FILES, st.text("-mx", min_size=1, max_size=5))
def test_no_boundary_stands_in_what_it_parts(files: list[Part], boundary: str) -> None:
    made = written(files, kind="mixed", boundary=boundary, is_binary=True)
    if files:
        assert read(made.content_type, made.octets) == tuple(files)


@given(st.integers(0, 5_000))
def test_what_fits_fills_its_room(octets: int) -> None:
    inside = fitting(octets, is_binary=False)
    assert len(in_base64(bytes(inside))) <= octets < len(in_base64(bytes(inside + 3))) + 4
