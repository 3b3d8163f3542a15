"""What is answered to calls that are no MM7, or more than that; the good ones are in the conformance tests."""

import asyncio
import time
import tracemalloc
from collections.abc import Callable

import pytest

from heliograph.carriers.mm7 import callback as callback_module
from heliograph.carriers.mm7.callback import Mm7Callback
from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel
from heliograph.mm7.codec import encode
from heliograph.mm7.messages import Address, Content, DeliverReq, DeliveryReportReq, Recipients, SubmitReq
from heliograph.mm7.multipart import Part
from heliograph.mm7.packing import pack
from heliograph.pipeline.ports import CallAnswer, CarrierCall
from heliograph.testing.feeds import NotingFeed
from tests.conformance.mmsc import checked

CARRIER = Carrier(
    carrier_id=CarrierId(1),
    name="picture",
    url="mm7+http://shop:secret@mms.example/",
    channels=frozenset({Channel.MMS}),
)
DELIVER = DeliverReq(sender=Address(value="1234567"), content=Content(href="cid:content"))
REPORT = DeliveryReportReq(message_id="1", mm_status="Retrieved", mm7_version="5.6.0")
WHOLE = pack(encode(DELIVER, transaction_id="T"), [Part(b"x" * 300_000, "image/png", "p", "p")], boundary="mark")
LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "%s"><!ENTITY b "%s">]><a>%s</a>""" % (
    b"ha" * 1000, b"&a;" * 1000, b"&b;" * 1000
)  # fmt: skip


def answered(body: bytes, content_type: str = "text/xml", *, feed: NotingFeed | None = None) -> CallAnswer:
    async def story() -> CallAnswer:
        callback = Mm7Callback(CARRIER, (feed or NotingFeed()).open_session())
        return await callback.called(CarrierCall("POST", "", "", {"content-type": content_type}, body))

    return asyncio.run(story())


def test_a_whole_body_beside_the_loop() -> None:
    assert answered(WHOLE.octets, WHOLE.content_type).status == 200


BOMBS: dict[str, Callable[[], tuple[bytes, str]]] = {
    "entities": lambda: (LAUGHS, "text/xml"),
    "external": lambda: (b'<!DOCTYPE a SYSTEM "http://evil.example/a"><a/>', "text/xml"),
    "depth": lambda: (b"<a>" * 3_000_000, "text/xml"),
    "octets": lambda: (b"<a>" + b"x" * 100_000_000, "text/xml"),
    "octets in parts": lambda: (b"--b\r\n\r\n" + b"x" * 100_000_000 + b"\r\n--b--", "multipart/related; boundary=b"),
    "parts": lambda: (b"--b\r\n\r\nx\r\n" * 500_000 + b"--b--", "multipart/related; boundary=b"),
    "boundaries": lambda: (b"\r\n--bx" * 2_000_000, "multipart/related; boundary=b"),
    "base64": lambda: (b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"=" * 9_000_000 + b"\r\n--b--",
                       "multipart/related; boundary=b"),
    "truncated": lambda: (WHOLE.octets[:-20], WHOLE.content_type),
    "half": lambda: (WHOLE.octets[: len(WHOLE.octets) // 2], WHOLE.content_type),
    "wrong boundary": lambda: (WHOLE.octets, "multipart/related; boundary=other"),
    "missing part": lambda: (encode(DELIVER, transaction_id="T"), "text/xml"),
    "external content": lambda: (
        encode(DeliverReq(sender=Address(value="1"), content=Content(href="http://evil.example/")),
               transaction_id="T"), "text/xml"),
    "nothing": lambda: (b"", ""),
    "json": lambda: (b'{"a": 1}', "application/json"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_quickly_in_bounded_memory_and_disturbs_nothing(name: str) -> None:
    body, content_type = BOMBS[name]()
    feed = NotingFeed()
    tracemalloc.start()
    started = time.process_time()
    try:
        answer = answered(body, content_type, feed=feed)
        took_s, most = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status == 400
    assert checked(answer.body).text("Status/StatusCode") == "2007"
    assert took_s < 1
    assert most < 40_000_000
    assert feed.told == []


def test_what_is_refused_is_told_why_without_its_content() -> None:
    answer = answered(b'<!DOCTYPE secret SYSTEM "x"><secret/>')
    found = checked(answer.body)
    assert found.name == "VASPErrorRsp"
    assert found.text("Status/Details") == "the XML has a document type"


def test_a_request_for_the_other_side_is_not_supported() -> None:
    request = SubmitReq(mm7_version="6.8.0", recipients=Recipients(to=(Address(value="1"),)))
    answer = answered(encode(request, transaction_id="T", namespace="urn:own"))
    found = checked(answer.body, "urn:own")
    assert (answer.status, found.transaction_id, found.text("Status/StatusCode")) == (400, "T", "4003")


def test_answers_have_the_callers_version() -> None:
    assert checked(answered(encode(REPORT, transaction_id="T")).body).text("MM7Version") == "5.6.0"
    without = DeliveryReportReq(message_id="1", mm_status="Retrieved")
    assert checked(answered(encode(without, transaction_id="T")).body).text("MM7Version") == "6.8.0"


def test_other_methods_and_compressed_bodies_are_not_taken() -> None:
    async def story() -> list[int]:
        callback = Mm7Callback(CARRIER, NotingFeed().open_session())
        calls = [CarrierCall("GET", "", "", {}, b""), CarrierCall("POST", "", "", {"content-encoding": "gzip"}, b"x")]
        return [(await callback.called(call)).status for call in calls]

    assert asyncio.run(story()) == [405, 415]


def test_a_store_that_never_says_is_like_one_that_could_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback_module, "STORE_S", 0.01)
    feed = NotingFeed(storing="by hand")
    answer = answered(encode(REPORT, transaction_id="T"), feed=feed)
    assert (answer.status, checked(answer.body).text("Status/StatusCode")) == (503, "3000")
    feed.unsettled.pop()(True)
