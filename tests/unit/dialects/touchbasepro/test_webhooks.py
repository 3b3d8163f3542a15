import asyncio
import json
from dataclasses import replace

import pytest

from heliograph.core.ids import AccountId, WebhookId
from tests.unit.dialects.world import Caller, Reply, World, world_with

PATH = "/sms/message/webhooks"
URL = "https://mywebhook.com/drkfgjhcfkjghikedurhgid"
RECORD = {
    "Id": 31,
    "IsActive": True,
    "Url": URL,
    "WebhookType": "MessageStatusUpdate",
    "DateCreated": "2026-11-18T11:06:40Z",
}


def call(world: World, method: str, path: str = PATH, body: object = b"") -> Reply:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    return asyncio.run(Caller(world)(method, path, written))


def world_with_webhook() -> World:
    world = world_with()
    assert call(world, "POST", body={"Url": URL, "WebhookType": "MessageStatusUpdate"}).status == 201
    return world


def test_the_printed_request_makes_a_webhook() -> None:
    reply = call(world_with(), "POST", body={"Url": URL, "WebhookType": "MessageStatusUpdate"})
    assert (reply.status, reply.headers["location"]) == (201, f"https://sms.example{PATH}/31")
    assert json.loads(reply.body) == RECORD
    assert list(json.loads(reply.body)) == list(RECORD)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"WebhookType": "MessageStatusUpdate"}, 145),
        ({"Url": "", "WebhookType": "MessageStatusUpdate"}, 145),
        ({"Url": "https://m.example/" + "x" * 495, "WebhookType": "MessageStatusUpdate"}, 146),
        ({"Url": "mywebhook.com/x", "WebhookType": "MessageStatusUpdate"}, 147),
        ({"Url": "ftp://mywebhook.com/x", "WebhookType": "MessageStatusUpdate"}, 147),
        ({"Url": "https:///x", "WebhookType": "MessageStatusUpdate"}, 147),
        ({"Url": "https://m.example:99999/", "WebhookType": "MessageStatusUpdate"}, 147),
        ({"Url": "https://m.example/a b", "WebhookType": "MessageStatusUpdate"}, 147),
        ({"Url": "https://m.example/\r\nx: y", "WebhookType": "MessageStatusUpdate"}, 147),
        ({"Url": "https://[::1/", "WebhookType": "MessageStatusUpdate"}, 147),
        ({"Url": "https://me:pw@m.example/", "WebhookType": "MessageStatusUpdate"}, 147),
        ({"Url": "https://m.example/#x", "WebhookType": "MessageStatusUpdate"}, 147),
        ({"Url": URL}, 148),
        ({"Url": URL, "WebhookType": "ListSubscribe"}, 148),
        ({"Url": URL, "WebhookType": 1}, 1100),
        (b"{body}", 1100),
    ],
)
def test_a_bad_webhook_is_refused_with_its_code(body: object, code: int) -> None:
    world = world_with()
    reply = call(world, "POST", body=body)
    assert (reply.status, json.loads(reply.body)["Code"], world.kept) == (400, code, {})


def test_exactly_512_characters_are_allowed_and_the_printed_sentence_says_so() -> None:
    url = "https://m.example/" + "x" * 494
    assert call(world_with(), "POST", body={"url": url, "webhookType": "MessageReply"}).status == 201
    reply = call(world_with(), "POST", body={"url": url + "x", "webhookType": "MessageReply"})
    message = "Webhook URL is too long. It must not be longer then 512 characters"
    assert json.loads(reply.body) == {"Code": 146, "Message": message}


def test_listing_has_no_note_and_showing_has() -> None:
    world = world_with_webhook()
    assert json.loads(call(world, "GET").body) == [RECORD]
    assert json.loads(call(world, "GET", f"{PATH}/31").body) == {**RECORD, "Note": None}
    world.kept[WebhookId(31)] = replace(world.kept[WebhookId(31)], note="Switched off.")
    assert json.loads(call(world, "GET", f"{PATH}/31").body)["Note"] == "Switched off."


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({"IsActive": False, "Url": "http://n.example/"}, {"IsActive": False, "Url": "http://n.example/"}),
        ({"isActive": False}, {"IsActive": False}),
        ({"Url": "http://n.example/", "WebhookType": "MessageReply"}, {"Url": "http://n.example/"}),
        ({}, {}),
    ],
)
def test_only_address_and_activity_change(body: object, changed: dict[str, object]) -> None:
    reply = call(world_with_webhook(), "PUT", f"{PATH}/31", body)
    assert (reply.status, json.loads(reply.body)) == (200, {**RECORD, **changed})


@pytest.mark.parametrize(
    ("body", "code"), [(b"{body}", 1100), ({"IsActive": "no"}, 1100), ({"Url": "x"}, 147), ({"Url": "x" * 513}, 146)]
)
def test_a_bad_change_changes_nothing(body: object, code: int) -> None:
    world = world_with_webhook()
    reply = call(world, "PUT", f"{PATH}/31", body)
    assert (reply.status, json.loads(reply.body)["Code"]) == (400, code)
    assert world.kept[WebhookId(31)].url == URL


def test_a_removed_webhook_is_gone() -> None:
    world = world_with_webhook()
    reply = call(world, "DELETE", f"{PATH}/31")
    assert (reply.status, reply.body, "content-type" in reply.headers) == (204, b"", False)
    assert call(world, "DELETE", f"{PATH}/31").status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("written", ["32", "x", "-31", "9" * 30, "31.0"])
def test_a_webhook_that_is_not_there_is_not_found(method: str, written: str) -> None:
    reply = call(world_with_webhook(), method, f"{PATH}/{written}", b"{}")
    assert (reply.status, reply.body) == (404, b'{"Code":144,"Message":"Webhook record does not exist"}')


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("whose", ["another dialect", "another account"])
def test_somebody_else_s_webhook_is_not_found(method: str, whose: str) -> None:
    world = world_with_webhook()
    webhook = world.kept[WebhookId(31)]
    strange = (
        replace(webhook, dialect="other") if whose == "another dialect" else replace(webhook, account_id=AccountId(8))
    )
    world.kept[WebhookId(31)] = strange
    assert call(world, method, f"{PATH}/31", b"{}").status == 404
    assert world.kept == {WebhookId(31): strange}
