"""What carriers with shipped recipes call us with, and what is understood of it."""

import json
from urllib.parse import quote_plus, urlencode

import pytest

from heliograph.carriers.http.calls import Read, read
from heliograph.carriers.http.lookups import Said
from heliograph.carriers.http.recipe_file import recipe_named
from heliograph.core.assembly import concatenation_in
from heliograph.core.receipts import Receipt
from heliograph.core.states import MessageState
from heliograph.gsm.segments import join

S = MessageState
VALUES = {"numbers": ("27820000001", "27820000002")}
RECEIPT = "id:77 sub:001 dlvrd:000 submit date:2611280211 done date:2611280212 stat:{} err:{} text:"


def heard(
    recipe: str, body: object = b"", *, path: str = "", query: str = "", headers: dict[str, str] | None = None
) -> Read:
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(Said(octets, path=path, query=query, headers=headers), recipe_named(recipe).readers, VALUES)


def test_touchbasepro_tells_several_receipts_at_once() -> None:
    events = [
        {"Number": "27831234567", "Status": "Enroute", "Id": "00AB"},
        {"Number": "27831234567", "Status": "Delivered", "Id": "00AB"},
        {"Number": "27831234568", "Status": "Expired", "Id": "00ac"},
        {"Number": "27831234568", "Status": "Delivered"},
        {"Number": "27831234568", "Status": "Sunk", "Id": "7"},
    ]
    found = heard("touchbasepro", {"Timestamp": "t", "Type": "MessageStatusUpdate", "Events": events})
    assert found.receipts == [
        Receipt("ab", None, ("27831234567", ""), "Enroute"),
        Receipt("ab", S.DELIVERED, ("27831234567", ""), "Delivered"),
        Receipt("ac", S.EXPIRED, ("27831234568", ""), "Expired"),
    ]
    assert (found.odd, found.arrived, found.status) == (2, [], 200)


def test_touchbasepro_replies_are_for_the_number_that_the_operator_names() -> None:
    events = [{"Number": "27831234567", "Message": "yes"}, {"Number": "27831234567", "Message": "yes"}]
    body = {"Type": "MessageReply", "Events": events}
    found = heard("touchbasepro", body, headers={"webhook-id": "d1"})
    assert [(each.incoming.sender, each.incoming.recipient, each.incoming.text) for each in found.arrived] == [
        ("27831234567", "27820000001", "yes")
    ] * 2
    # The same call again has the same marks, and the two messages in it have two.
    again = heard("touchbasepro", body, headers={"webhook-id": "d1"})
    other = heard("touchbasepro", body, headers={"webhook-id": "d2"})
    marks = [each.incoming.udh for each in found.arrived]
    assert marks == [each.incoming.udh for each in again.arrived]
    assert len({*marks, *(each.incoming.udh for each in other.arrived)}) == 4
    place = concatenation_in(marks[0])
    assert place is not None
    assert (place.number, place.total, place.wide) == (1, 1, True)


@pytest.mark.parametrize(("word", "state"), [("DELIVRD", S.DELIVERED), ("UNDELIV", S.UNDELIVERED), ("ACCEPTD", None)])
def test_bulkvs_receipts(word: str, state: S | None) -> None:
    body = {
        "RefId": "0006777B-b600", "From": "27831234567", "To": ["27820000001"],
        "Message": quote_plus(RECEIPT.format(word, "255")), "DeliveryReceipt": True,
    }  # fmt: skip
    addresses = ("27831234567", "27820000001")
    assert heard("bulkvs", body).receipts == [Receipt("6777bb600", state, addresses, "255")]
    del body["RefId"]
    assert heard("bulkvs", body).receipts == [Receipt("77", state, addresses, "255")]


def test_bulkvs_messages() -> None:
    text = "50% off + more, снег"
    body = {"From": "+27831234567", "To": ["27820000001"], "Message": quote_plus(text)}
    (found,) = heard("bulkvs", body).arrived
    assert (found.incoming.sender, found.incoming.recipient, found.incoming.text, found.incoming.udh) == (
        "27831234567", "27820000001", text, b""
    )  # fmt: skip
    assert join((found.incoming.body,), found.incoming.encoding) == text
    read = heard("bulkvs", body | {"MediaURLs": ["https://a/1.jpg", None, "https://a/2.jpg"]})
    assert [each.media for each in read.arrived] == [("https://a/1.jpg", "https://a/2.jpg")]
    assert read.text == "OK"


@pytest.mark.parametrize(("code", "state"), [("1", S.DELIVERED), ("2", S.UNDELIVERED), ("16", S.REJECTED), ("8", None)])
def test_kannel_receipts(code: str, state: S | None) -> None:
    query = urlencode({"id": "7", "state": code, "error": "NACK/0x0b", "to": "27831234567"})
    found = heard("kannel", path="/receipt", query=query)
    assert found.receipts == [Receipt("7", state, ("27831234567", ""), "NACK/0x0b")]


def test_kannel_messages() -> None:
    about = {"from": "+27831234567", "to": "27820000001", "id": "u1"}
    plain = heard("kannel", path="/incoming", query=urlencode({**about, "text": "grün & co", "coding": "0"}))
    wide = heard(
        "kannel", path="/incoming", query=urlencode({**about, "text": "Снег".encode("utf-16-be"), "coding": "2"})
    )
    assert [each.incoming.text for each in (*plain.arrived, *wide.arrived)] == ["grün & co", "Снег"]


@pytest.mark.parametrize(
    ("level", "word", "state"),
    [
        ("1", "ESME_ROK", None), ("1", "ESME_RINVDSTADR", S.REJECTED),
        ("2", "DELIVRD", S.DELIVERED), ("2", "UNDELIV", S.UNDELIVERED),
    ],
)  # fmt: skip
def test_jasmin_receipts(level: str, word: str, state: S | None) -> None:
    form = {"id": "07033084-5cfd", "level": level, "message_status": word}
    found = heard("jasmin", urlencode(form).encode(), path="/receipt")
    assert [(each.key, each.state) for each in found.receipts] == [("70330845cfd", state)]
    assert found.text == "ACK/Jasmin"


def test_jasmin_messages() -> None:
    about = {"from": "27831234567", "to": "27820000001", "id": "u1"}
    for coding, more in (
        ("0", {"content": "grün"}), ("3", {"content": "grün".encode("latin-1")}),
        ("8", {"content": "?", "binary": "grün".encode("utf-16-be").hex()}),
    ):  # fmt: skip
        found = heard("jasmin", urlencode({**about, "coding": coding, **more}).encode(), path="/incoming")
        assert [each.incoming.text for each in found.arrived] == ["grün"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"\xff\xfe", b"{}", b'{"Type": "ListSubscribe"}', b"[" * 9_999]
)
@pytest.mark.parametrize("recipe", ["touchbasepro", "bulkvs", "kannel", "jasmin"])
def test_what_is_nothing_we_know_is_answered_well(recipe: str, body: bytes) -> None:
    assert heard(recipe, body) == Read([], [], 200, "", 1)


def test_no_octet_that_an_engine_cannot_keep_gets_in() -> None:
    body = {"Type": "MessageReply", "Events": [{"Number": "2783", "Message": "a\0b"}]}
    (found,) = heard("touchbasepro", body).arrived
    assert found.incoming.text == "ab"
