import asyncio
from collections.abc import Mapping, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.dialects.http import application
from heliograph.dialects.touchbasepro.endpoints import TOUCHBASEPRO
from heliograph.net.connection import Receive, Scope, Send
from heliograph.store.engine import StoreUnavailable
from tests.unit.dialects.world import KEY, Caller, Reply, account_of, services_of, world_with

SEND = b'{"text":"Hello","to":["+2783123456"]}'


def test_an_answer_has_type_and_length() -> None:
    reply = asyncio.run(Caller(world_with())("POST", "/sms/messages", SEND))
    assert reply.status == 202
    assert reply.headers == {"content-type": "application/json", "content-length": str(len(reply.body))}


def test_a_body_in_pieces_is_put_together() -> None:
    reply = asyncio.run(Caller(world_with())("POST", "/sms/messages", [SEND[:9], b"", SEND[9:]]))
    assert reply.status == 202


@pytest.mark.parametrize("headers", [{}, {"content-length": "41"}, {"content-length": "9" * 5000}])
def test_a_body_larger_than_we_read_is_refused(headers: Mapping[str, str]) -> None:
    world = world_with()
    reply = asyncio.run(Caller(world, most_body=40)("POST", "/sms/messages", [b"x" * 20, b"x" * 21], headers=headers))
    assert (reply.status, reply.body) == (
        413,
        b'{"status":413,"message":"The request is larger than the server reads."}',
    )
    assert not world.submissions


def test_a_body_of_exactly_the_limit_is_read() -> None:
    reply = asyncio.run(Caller(world_with(), most_body=len(SEND))("POST", "/sms/messages", [SEND[:9], SEND[9:]]))
    assert reply.status == 202


def test_nothing_is_answered_to_a_caller_who_hung_up() -> None:
    world = world_with()
    assert asyncio.run(Caller(world)("POST", "/sms/messages", [])).status == 0
    assert not world.submissions


def test_an_unknown_key_is_asked_of_the_store_and_refused() -> None:
    world = world_with()
    reply = asyncio.run(Caller(world)("POST", "/sms/messages", SEND, key="49|wrong"))
    assert (reply.status, world.asked) == (401, ["49|wrong"])


def test_an_account_over_its_limit_waits() -> None:
    world = world_with(account_of(rate_limit=2))
    caller = Caller(world)

    async def story() -> list[int]:
        return [(await caller("GET", "/sms/balance")).status for _ in range(3)]

    assert asyncio.run(story()) == [200, 200, 429]
    reply = asyncio.run(caller("POST", "/sms/messages", SEND))
    assert reply.headers["retry-after"] == "30"
    assert reply.body == b'{"status":429,"message":"Rate limit is exceeded.  Try again in 30 seconds."}'


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/sms/messages/a/b/c", b'{"status":404,"message":"Resource not found"}'),
        ("/sms/lists", b'{"Code":1105,"Message":"Resource not found"}'),
    ],
)
def test_an_unknown_path_is_refused_in_the_words_of_its_generation(path: str, body: bytes) -> None:
    reply = asyncio.run(Caller(world_with())("GET", path))
    assert (reply.status, reply.body) == (404, body)


@pytest.mark.parametrize(
    ("path", "member", "allowed"),
    [("/sms/messages", b'"status":405', "OPTIONS, POST"), ("/sms/balance", b'"Code":1106', "GET, HEAD, OPTIONS")],
)
def test_a_wrong_method_says_which_are_right(path: str, member: bytes, allowed: str) -> None:
    reply = asyncio.run(Caller(world_with())("PATCH", path))
    assert (reply.status, reply.headers["allow"]) == (405, allowed)
    assert member in reply.body


def test_head_is_get_without_the_body() -> None:
    got = asyncio.run(Caller(world_with())("GET", "/sms/balance"))
    head = asyncio.run(Caller(world_with())("HEAD", "/sms/balance"))
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(got.body))


def test_a_browser_may_ask_before_it_calls() -> None:
    headers = {"origin": "https://shop.example", "access-control-request-method": "POST"}
    reply = asyncio.run(Caller(world_with())("OPTIONS", "/sms/messages", headers=headers, key=None))
    assert reply.status == 204
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-methods"] == "OPTIONS, POST"
    assert "Authorization" in reply.headers["access-control-allow-headers"]
    assert "content-length" not in reply.headers


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://a.example", "https://a.example"), ("https://b.example", None)]
)
def test_a_setting_narrows_who_may_call_from_a_browser(origin: str, allowed: str | None) -> None:
    caller = Caller(world_with(), origins=("https://a.example",))
    reply = asyncio.run(caller("GET", "/sms/balance", headers={"origin": origin}))
    assert reply.headers.get("access-control-allow-origin") == allowed
    assert reply.headers["vary"] == "origin"


def test_what_nobody_foresaw_is_answered_and_logged_without_the_text() -> None:
    world = world_with()
    world.failing = KeyError("Hello +2783123456")
    with capture_logs() as logged:
        reply = asyncio.run(Caller(world)("POST", "/sms/messages", SEND))
    assert reply.status == 500
    assert reply.body.startswith(b'{"status":500,"message":"An internal error has occurred. We have been notified')
    assert [(line["kind"], line["error_id"]) for line in logged] == [("KeyError", reply.headers["error-id"])]
    assert "2783123456" not in str(logged)
    assert "Hello" not in str(logged)


def test_an_unavailable_store_is_the_dialect_s_500() -> None:
    world = world_with()
    world.failing = StoreUnavailable("disk full")
    with capture_logs() as logged:
        reply = asyncio.run(Caller(world)("POST", "/sms/messages", SEND))
    assert (reply.status, logged) == (500, [])
    assert b"disk" not in reply.body


def test_a_full_exchange_asks_to_wait() -> None:
    world = world_with()
    world.refusing = Refusal(Reason.OVERLOADED, 3)
    reply = asyncio.run(Caller(world)("POST", "/sms/messages", SEND))
    assert (reply.status, reply.headers["retry-after"]) == (429, "3")


def test_paths_of_no_dialect_are_handed_on() -> None:
    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    assert asyncio.run(Caller(world_with(), otherwise=other)("GET", "/readyz")).status == 299
    assert asyncio.run(Caller(world_with())("GET", "/readyz")).status == 404


def test_the_life_of_the_server_is_handed_on() -> None:
    seen: list[str] = []

    async def other(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("nothing is read")

    async def send(event: MutableMapping[str, Any]) -> None:
        raise AssertionError("nothing is sent")

    async def story() -> None:
        await application([TOUCHBASEPRO], services_of(world_with()), otherwise=other)(
            {"type": "lifespan"}, receive, send
        )
        await application([TOUCHBASEPRO], services_of(world_with()))({"type": "lifespan"}, receive, send)

    asyncio.run(story())
    assert seen == ["lifespan"]


def test_a_link_names_the_host_that_was_asked_unless_we_know_ours() -> None:
    world = world_with()
    body = b'{"Url":"https://mywebhook.com/x","WebhookType":"MessageReply"}'
    caller = Caller(world)
    assert (
        asyncio.run(caller("POST", "/sms/message/webhooks", body))
        .headers["location"]
        .startswith("https://sms.example/")
    )
    caller.app = application([TOUCHBASEPRO], services_of(world))
    reply = asyncio.run(caller("POST", "/sms/message/webhooks", body, headers={"host": "10.0.0.1:8080"}))
    assert reply.headers["location"] == "https://10.0.0.1:8080/sms/message/webhooks/32"


BEARER = {"authorization": f"Bearer {KEY}"}
CROSS = {"origin": "https://a.example"}


@pytest.mark.parametrize("most_body", [60, 10])
@pytest.mark.parametrize("failing", [None, StoreUnavailable("disk full"), KeyError("a bug")])
@pytest.mark.parametrize("headers", [BEARER, {}, {"authorization": "Bearer 1|wrong"}, BEARER | CROSS])
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/sms/messages", SEND),
        ("POST", "/sms/messages", b"{"),
        ("POST", f"/sms/messages?subscription-key={KEY.replace('|', '%7C')}", SEND),
        ("GET", "/sms/balance", b""),
        ("GET", "/sms/balance", SEND),
    ],
)
def test_both_ways_to_an_endpoint_give_the_same_answer(
    method: str, target: str, body: bytes, headers: Mapping[str, str], failing: Exception | None, most_body: int
) -> None:
    one, other = world_with(), world_with()
    one.failing = other.failing = failing
    reply = asyncio.run(Caller(one, most_body=most_body)(method, target, body, headers=headers, key=None))
    assert asyncio.run(directly(Caller(other, most_body=most_body), method, target, body=body, given=headers)) == reply
    assert other.submissions == one.submissions


async def directly(caller: Caller, method: str, target: str, *, body: bytes, given: Mapping[str, str]) -> Reply:
    path, _, query = target.encode().partition(b"?")
    handler = caller.app.direct(method.encode(), path)
    assert handler is not None
    headers = {name.encode(): value.encode() for name, value in {"host": "sms.example", **given}.items()}
    status, said, lines = await handler(headers, body, query)
    lines = (*lines, (b"content-length", b"%d" % len(said)))
    return Reply(status, {name.decode(): value.decode() for name, value in lines}, said)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        (b"HEAD", b"/sms/balance"),
        (b"OPTIONS", b"/sms/messages"),
        (b"GET", b"/sms/messages/" + b"0" * 32),
        (b"GET", b"/sms/balance/"),
        (b"GET", b"/sms/b%61lance"),
        (b"GET", b"/livez"),
    ],
)
def test_only_what_stands_in_the_table_letter_for_letter_is_answered_directly(method: bytes, path: bytes) -> None:
    assert application([TOUCHBASEPRO], services_of(world_with())).direct(method, path) is None
