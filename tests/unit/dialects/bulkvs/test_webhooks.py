import asyncio
from typing import Any

import pytest

from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId
from heliograph.core.reasons import Reason
from heliograph.dialects.bulkvs.events import Events
from tests.unit.dialects.bulkvs.calls import call, failure, read
from tests.unit.dialects.world import FakeWebhooks, Reply, World, account_of, world_with

SEED: dict[str, Any] = {
    "Webhook": "Webhook1",
    "Description": "Customer A inbound messages",
    "Url": "https://10.11.12.13/webHook",
    "Dlr": True,
    "Method": "POST|3CX",
}
AT = "2026-11-18 11:06:40"


def put(world: World, **members: object) -> Reply:
    given = {"Webhook": "Webhook1", "Url": "https://example.com/in", **members}
    return call(world, "PUT", "/webHooks", {name: value for name, value in given.items() if value is not ...})


def test_the_printed_request_gets_an_answer_in_the_printed_form() -> None:
    world = world_with()
    reply = call(world, "PUT", "/webHooks", SEED)
    assert reply.status == 200
    assert reply.body == (
        b'{"Webhook":"Webhook1","Description":"Customer A inbound messages","Url":"https://10.11.12.13/webHook",'
        b'"Last Modification":"' + AT.encode() + b'"}'
    )
    listed = [{**SEED, "Method": "POST", "Last Modification": AT}]
    for query in ("", "?Webhook=", "?Webhook=Webhook1", "?Webhook=WEBHOOK1", "?Webhook=nobody&Webhook=webhook1"):
        assert read(call(world, "GET", f"/webHooks{query}")) == listed
    removed = call(world, "DELETE", "/webHooks?Webhook=webhook1")
    assert (removed.status, removed.body) == (200, b'{"Status":"Success","Webhook":"Webhook1"}')
    assert read(call(world, "GET", "/webHooks")) == []


def test_only_name_and_address_are_needed() -> None:
    world = world_with()
    assert put(world).status == 200
    (record,) = read(call(world, "GET", "/webHooks"))
    assert list(record) == ["Webhook", "Description", "Url", "Dlr", "Method", "Last Modification"]
    assert (record["Description"], record["Dlr"], record["Method"]) == ("", False, "POST")


def test_a_name_makes_once_and_then_changes() -> None:
    world = world_with()
    for given in ({"Dlr": 1, "Method": "3cx", "Description": "x"}, {"Dlr": 0, "Url": "http://a.example/"}):
        assert put(world, **given).status == 200
    (record,) = read(call(world, "GET", "/webHooks"))
    assert (record["Url"], record["Dlr"], record["Method"]) == ("http://a.example/", False, "POST")
    (webhook,) = world.kept.values()
    assert (webhook.dialect, webhook.kind) == ("bulkvs", EventKind.REPLY)
    assert Events().told(webhook)


def test_a_second_name_may_not_differ_in_its_case_alone() -> None:
    world = world_with()
    put(world)
    reply = put(world, Webhook="WEBHOOK1")
    assert (reply.status, read(reply)) == (400, failure(400, Reason.NAME_TAKEN.sentence))
    assert put(world, Webhook="Webhook2").status == 200


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({"Webhook": ...}, "Webhook"),
        ({"Webhook": ""}, "Webhook"),
        ({"Webhook": " "}, "Webhook"),
        ({"Webhook": "a "}, "Webhook"),
        ({"Webhook": "a\nb"}, "Webhook"),
        ({"Webhook": "w" * 65}, "Webhook"),
        ({"Webhook": 7}, "Webhook"),
        ({"Url": ...}, "Url"),
        ({"Url": "ftp://example.com/"}, "Url"),
        ({"Url": "https://me:pw@example.com/"}, "Url"),
        ({"Url": "https://example.com/" + "x" * 500}, "Url"),
        ({"Url": 7}, "Url"),
        ({"Dlr": "maybe"}, "Dlr"),
        ({"Description": "d" * 256}, "Description"),
        ({"Description": "a\0b"}, "Description"),
        ({"Method": "GET"}, "POST, 3CX"),
        ({"Method": 3}, "Method"),
    ],
    ids=range(17),
)
def test_what_is_wrong_is_said_and_nothing_kept(members: dict[str, object], word: str) -> None:
    world = world_with()
    reply = put(world, **members)
    assert reply.status == 400
    said = read(reply)
    assert said == failure(400, said["Message"])
    assert word in said["Message"]
    assert world.kept == {}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"Webhook":"\xff","Url":"https://example.com/"}'])
def test_what_is_no_object_is_malformed(body: bytes) -> None:
    assert call(world_with(), "PUT", "/webHooks", body).status == 400


def test_the_account_must_have_agreed_and_not_be_suspended() -> None:
    lacking = put(world_with(account_of(has_agreed=False)))
    assert (lacking.status, read(lacking)) == (412, failure(412, Reason.NOT_AGREED.sentence))
    assert put(world_with(account_of(is_suspended=True))).status == 403


def test_names_with_blanks_are_removed_in_the_path_or_the_query() -> None:
    world = world_with()
    for name, target in (("My Hook", "/api/v1.0/webHooks/My Hook"), ("My Hook", "/webHooks?Webhook=My%20Hook")):
        put(world, Webhook=name)
        assert read(call(world, "DELETE", target)) == {"Status": "Success", "Webhook": name}
    assert world.kept == {}


def test_unknown_names_are_not_found_and_none_is_400() -> None:
    world = world_with()
    for method, target in (("GET", "?Webhook=x"), ("DELETE", "?Webhook=x"), ("DELETE", "/x")):
        reply = call(world, method, f"/webHooks{target}")
        assert (reply.status, read(reply)) == (404, failure(404, "Webhook not found."))
    for query in ("", "?Webhook=", "?Webhook=%20"):
        reply = call(world, "DELETE", f"/webHooks{query}")
        assert (reply.status, read(reply)) == (400, failure(400, "Webhook is missing."))


async def _add_elsewhere(world: World) -> None:
    await FakeWebhooks(world).add(AccountId(7), dialect="touchbasepro", kind=EventKind.REPLY, url="https://a.example/")


def test_webhooks_of_other_dialects_are_not_listed() -> None:
    world = world_with()
    asyncio.run(_add_elsewhere(world))
    assert read(call(world, "GET", "/webHooks")) == []
