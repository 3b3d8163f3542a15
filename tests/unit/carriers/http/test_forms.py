"""The calls that the shipped recipes make, to the octet."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest

from heliograph.core.messages import Channel, Parcel
from heliograph.net.http import Asked
from tests.unit.carriers.http.stories import CALLBACK, caller, mms, parcel

WIDE = "Снег, a long text. " * 10
KEY = "1|s/cret"


def asked_for(recipe: str, each: Parcel) -> Asked:
    it = caller(recipe)
    return it.asked_about(it.profile.recipe.sending[each.message.content.channel].form, each)


def test_touchbasepro() -> None:
    asked = asked_for("touchbasepro", parcel(WIDE))
    assert (asked.method, asked.url) == ("POST", "https://up.example:8443/sms/messages")
    assert asked.headers == {
        "Authorization": f"Bearer {KEY}", "Idempotency-Key": "7", "Content-Type": "application/json"
    }  # fmt: skip
    assert json.loads(asked.body or b"") == {"text": WIDE, "to": ["+27831234567"]}


def test_bulkvs() -> None:
    asked = asked_for("bulkvs", mms(files=2))
    assert (asked.method, asked.url) == ("POST", "https://up.example:8443/api/v1.0/messageSend")
    assert asked.headers["Authorization"] == "Basic " + base64.b64encode(f"shop:{KEY}".encode()).decode()
    assert json.loads(asked.body or b"") == {
        "From": "27820000001", "To": ["27831234567"], "Message": "Look",
        "MediaURLs": ["https://us.example/media/0000.png", "https://us.example/media/0001.png"],
    }  # fmt: skip
    assert "MediaURLs" not in json.loads(asked_for("bulkvs", parcel()).body or b"")


@pytest.mark.parametrize(("text", "kind"), [("Hello", "plain"), (WIDE, "unicode"), ("[€]", "plain")])
def test_textboost(text: str, kind: str) -> None:
    asked = asked_for("textboost", parcel(text))
    assert json.loads(asked.body or b"") == {
        "recipient": "27831234567", "sender_id": "27820000001", "message": text, "type": kind
    }  # fmt: skip
    body = json.loads(asked_for("textboost", parcel(text, template_id="1107")).body or b"")
    assert body["dlt_template_id"] == "1107"


def test_textboost_mms() -> None:
    asked = asked_for("textboost", mms(""))
    assert json.loads(asked.body or b"") == {
        "recipient": "27831234567", "sender_id": "27820000001", "type": "mms",
        "media_url": "https://us.example/media/0000.png",
    }  # fmt: skip


@pytest.mark.parametrize(("text", "coding"), [("a b&c=d+e%f", "0"), (WIDE, "2")])
def test_kannel(text: str, coding: str) -> None:
    asked = asked_for("kannel", parcel(text))
    url = urlsplit(asked.url)
    assert (asked.method, asked.body, url.path) == ("GET", None, "/cgi-bin/sendsms")
    assert {name: values[0] for name, values in parse_qs(url.query).items()} == {
        "username": "shop", "password": KEY, "from": "+27820000001", "to": "+27831234567", "text": text,
        "charset": "UTF-8", "coding": coding, "dlr-mask": "19",
        "dlr-url": f"{CALLBACK}/receipt?id=7&state=%d&error=%A&to=27831234567",
    }  # fmt: skip


def test_jasmin() -> None:
    fields = parse_qs((asked_for("jasmin", parcel("Снег")).body or b"").decode())
    assert {name: values[0] for name, values in fields.items()} == {
        "username": "shop", "password": KEY, "from": "27820000001", "to": "27831234567", "coding": "8",
        "hex-content": "Снег".encode("utf-16-be").hex(), "dlr": "yes", "dlr-level": "3", "dlr-method": "POST",
        "dlr-url": f"{CALLBACK}/receipt",
    }  # fmt: skip
    assert b"coding=0&content=Hello" in (asked_for("jasmin", parcel()).body or b"")


@pytest.mark.parametrize(
    ("sender", "written"), [("27820000001", "+27820000001"), ("32100", "32100"), ("Heliograph", "Heliograph")]
)
def test_only_a_long_number_gets_a_plus(sender: str, written: str) -> None:
    query = parse_qs(urlsplit(asked_for("kannel", parcel(sender=sender)).url).query)
    assert query["from"] == [written]


def test_what_stands_in_a_path_stays_in_its_place() -> None:
    it = caller("textboost")
    polling = it.profile.recipe.polling
    assert polling is not None
    assert polling.list is not None
    assert it.asked(polling.single, id="a/../b?c").url == "https://up.example:8443/api/v3/sms/a%2F..%2Fb%3Fc"
    assert it.asked(polling.list, page="2").url == "https://up.example:8443/api/v3/sms?page=2"


def test_a_key_cannot_end_its_header() -> None:
    from heliograph.carriers.http.forms import asked_from  # noqa: PLC0415

    it = caller("touchbasepro")
    form = it.profile.recipe.sending[Channel.SMS].form
    values = {**it.access, "key": "a\r\nX: b", "text": "", "recipient_plus": ""}
    asked = asked_from(form, values, base="https://a", authentication=it.profile.recipe.authentication)
    assert asked.headers["Authorization"] == "Bearer aX: b"
