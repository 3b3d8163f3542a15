import pytest

from heliograph.mm7.codec import encode
from heliograph.mm7.errors import NotReadable
from heliograph.mm7.messages import Address, Content, DeliverReq, DeliveryReportReq, Message
from heliograph.mm7.multipart import Part, written
from heliograph.mm7.packing import ENVELOPE_TYPE, pack, unpack

PICTURE = Part(b"\x89PNG", "image/png", "p", "p.png")
TEXT = Part(b"hi", 'text/plain; charset="utf-8"', "t", "t.txt")
SMIL = Part(b"<smil/>", "application/smil", "s", "s.smil")


def message(href: str | None) -> Message:
    return DeliverReq(sender=Address(value="1234567"), content=None if href is None else Content(href=href))


def envelope(href: str | None = "cid:content") -> bytes:
    return encode(message(href), transaction_id="T")


def test_what_is_packed_is_unpacked_without_its_presentation() -> None:
    made = pack(envelope(), [TEXT, PICTURE], boundary="mark")
    assert made.content_type == 'multipart/related; type="text/xml"; start="<envelope>"; boundary="mark"'
    found = unpack(made.content_type, made.octets)
    assert found.envelope.message == message("cid:content")
    assert found.files == (TEXT, PICTURE)


def test_an_envelope_alone_whatever_it_is_called() -> None:
    report = DeliveryReportReq(message_id="1", mm_status="Retrieved")
    for content_type in ("text/xml", "application/xml; charset=utf-8", "application/soap+xml", ""):
        assert unpack(content_type, encode(report, transaction_id="T")).envelope.message == report


def around(root: bytes, *others: Part, start: str = "", first: Part | None = None) -> tuple[str, bytes]:
    parts = [Part(root, ENVELOPE_TYPE, "root"), *others]
    made = written([first, *parts] if first else parts, kind="related", boundary="b", extra=start)
    return made.content_type, made.octets


def test_the_envelope_need_not_come_first_when_its_name_is_given() -> None:
    found = unpack(*around(envelope("cid:p"), start='; start="<root>"', first=PICTURE))
    assert found.files == (PICTURE,)


def test_files_beside_each_other_of_which_the_first_is_named() -> None:
    assert unpack(*around(envelope("cid:s"), SMIL, TEXT, PICTURE)).files == (TEXT, PICTURE)


def test_content_that_is_not_named_is_all_there_is() -> None:
    assert unpack(*around(envelope(None), TEXT, PICTURE)).files == (TEXT, PICTURE)


def test_of_several_contents_the_named_one_counts() -> None:
    contents = [
        Part(each.octets, each.content_type, name)
        for name, each in (
            ("one", written([TEXT], kind="mixed", boundary="1")),
            ("two", written([PICTURE], kind="mixed", boundary="2")),
        )
    ]
    assert unpack(*around(envelope("cid:two"), *contents)).files == (PICTURE,)


@pytest.mark.parametrize("href", ["cid:p%70", "CID:pp", "pp", " cid:<pp> "])
def test_a_name_is_the_same_however_it_is_written(href: str) -> None:
    assert unpack(*around(envelope(href), PICTURE._replace(content_id="pp"))).files[0].content == PICTURE.content


@pytest.mark.parametrize(
    "href", ["http://evil.example/a.png", "file:///etc/passwd", "https:x", "cid:other", "data:text/plain,x", "cid:"]
)
def test_content_elsewhere_or_nowhere_is_refused(href: str) -> None:
    with pytest.raises(NotReadable):
        unpack(*around(envelope(href), PICTURE))


def test_content_that_did_not_come_is_missed() -> None:
    with pytest.raises(NotReadable, match="not there"):
        unpack("text/xml", envelope("cid:p"))


def test_a_multipart_in_place_of_the_envelope_is_refused() -> None:
    inner = written([PICTURE], kind="mixed", boundary="c")
    made = written([Part(inner.octets, inner.content_type)], kind="related", boundary="b")
    with pytest.raises(NotReadable):
        unpack(made.content_type, made.octets)
