"""Trying a carrier and a webhook from the line, against a message centre and a receiver on loopback."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import pytest

from heliograph.net.clock import SystemClock
from heliograph.sandbox.habits import Habits
from heliograph.sandbox.message_centre import MessageCentre
from heliograph.testing.receiver import Answer, Receiver
from tests.unit.cli.conftest import Heliograph


@contextmanager
def beside(run: Callable[["Future[Any]", asyncio.Event], Awaitable[None]]) -> Iterator[Any]:
    """Something that runs on a loop of its own, as commands have theirs; what it announced, until the block ends."""
    up: Future[Any] = Future()
    ending: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def live() -> None:
        over = asyncio.Event()
        ending.set_result((asyncio.get_running_loop(), over))
        try:
            await run(up, over)
        except BaseException as error:
            if up.done():
                raise
            up.set_exception(error)

    thread = threading.Thread(target=asyncio.run, args=(live(),))
    thread.start()
    try:
        yield up.result(10)
    finally:
        loop, over = ending.result(10)
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        assert not thread.is_alive()


@contextmanager
def message_centre(habits: Habits) -> Iterator[tuple[MessageCentre, int]]:
    async def run(up: "Future[Any]", over: asyncio.Event) -> None:
        centre = MessageCentre(SystemClock(), habits)
        up.set_result((centre, await centre.start("127.0.0.1", 0)))
        await over.wait()
        await centre.stop()

    with beside(run) as started:
        yield started


@contextmanager
def receiver(answer: Answer) -> Iterator[Receiver]:
    async def run(up: "Future[Any]", over: asyncio.Event) -> None:
        async with Receiver(answer) as listening:
            up.set_result(listening)
            await over.wait()

    with beside(run) as started:
        yield started


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """One that is taken, so that nobody else can begin to listen there."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        yield mute.getsockname()[1]


# Carriers ----------------------------------------------------------------------------------------------------------


def test_a_carrier_that_lets_us_in(heliograph: Heliograph) -> None:
    with message_centre(Habits(system_id="crane", password="secret")) as (centre, port):
        heliograph("carrier", "add", "sim", "--url", f"smpp://crane:secret@127.0.0.1:{port}")
        tried = heliograph("carrier", "probe", "sim", "--json").document
        assert (tried["carrier"], tried["peer"]) == ("sim", f"127.0.0.1:{port}")
        assert tried["ms"] >= 0
        assert f"at 127.0.0.1:{port} was reached in" in heliograph("carrier", "probe", "sim").out
        assert centre.counts["submits"] == 0


def test_a_trunk_is_reached_without_a_call(heliograph: Heliograph, deaf_port: int) -> None:
    heliograph("carrier", "add", "trunk", "--url", "sip://crane@127.0.0.1:5080")
    tried = heliograph("carrier", "probe", "trunk", "--json").document
    assert tried["peer"] == "127.0.0.1:5080"
    heliograph("carrier", "set", "trunk", "transport=tcp", "--url", f"sip://crane@127.0.0.1:{deaf_port}")
    said = heliograph("carrier", "probe", "trunk")
    assert said.status == 1
    assert "Carrier trunk cannot be reached" in said.err


def test_a_carrier_that_does_not(heliograph: Heliograph) -> None:
    with message_centre(Habits(system_id="crane", password="secret")) as (_, port):
        heliograph("carrier", "add", "sim", "--url", f"smpp://crane:other@127.0.0.1:{port}")
        said = heliograph("carrier", "probe", "sim", "--json")
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("heliograph: Carrier sim did not let us in: bind refused: ")
    assert said.err.endswith("ESME_RINVPASWD; check system_id, password and whom it allows.\n")
    assert said.err.count("\n") == 1
    assert "other" not in said.err


def test_a_carrier_where_nobody_listens(heliograph: Heliograph, deaf_port: int) -> None:
    heliograph("carrier", "add", "sim", "--url", f"smpp://crane:secret@127.0.0.1:{deaf_port}")
    said = heliograph("carrier", "probe", "sim")
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("heliograph: Carrier sim cannot be reached: Connect call failed")
    assert said.err.count("\n") == 1


def test_a_carrier_that_does_not_answer(heliograph: Heliograph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heliograph.carriers.smpp.driver.CONNECT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        heliograph("carrier", "add", "sim", "--url", f"smpp://crane:secret@127.0.0.1:{silent.getsockname()[1]}")
        said = heliograph("carrier", "probe", "sim")
    assert (said.status, said.out) == (1, "")
    assert "did not answer in time" in said.err


def test_a_carrier_without_a_network(heliograph: Heliograph) -> None:
    heliograph("carrier", "add", "loop", "--url", "loopback:")
    assert heliograph("carrier", "probe", "loop", "--json").document == {"carrier": "loop", "peer": None, "ms": None}
    assert heliograph("carrier", "probe", "loop").out == "Carrier loop has nothing to connect to.\n"
    assert "There is no carrier named 'sim'" in heliograph("carrier", "probe", "sim").err


# Webhooks ----------------------------------------------------------------------------------------------------------


def add_webhook(heliograph: Heliograph, url: str, *, kind: str = "MessageStatusUpdate") -> str:
    """The secret of a new webhook."""
    heliograph("account", "add", "Crane")
    made = heliograph("webhook", "add", "Crane", url, "--dialect", "touchbasepro", "--type", kind, "--json")
    secret: str = made.document["secret"]
    return secret


@pytest.fixture
def _loopback_allowed(heliograph: Heliograph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_WEBHOOK_ALLOW", "127.0.0.0/8")


@pytest.mark.usefixtures("_loopback_allowed")
def test_a_webhook_is_called_once_and_signed(heliograph: Heliograph) -> None:
    with receiver(Answer(204)) as listening:
        secret = add_webhook(heliograph, f"{listening.url}/in")
        assert heliograph("webhook", "test", "1", "--json").document == {
            "id": 1,
            "status": 204,
            "note": "answered 204",
        }
        (call,) = listening.calls
    assert call.path == "/in"
    told = json.loads(call.body)
    assert (told["Type"], [event["Status"] for event in told["Events"]]) == ("MessageStatusUpdate", ["Delivered"])
    signed = b".".join((call.headers["webhook-id"].encode(), call.headers["webhook-timestamp"].encode(), call.body))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert call.headers["webhook-signature"] == f"v1,{signature}"
    assert heliograph("webhook", "deliveries", "--json").document == {"deliveries": []}


@pytest.mark.usefixtures("_loopback_allowed")
def test_a_webhook_that_does_not_take_it(heliograph: Heliograph) -> None:
    with receiver(Answer(500, body=b"out of\norder \x1b[2J")) as listening:
        add_webhook(heliograph, listening.url)
        said = heliograph("webhook", "test", "1")
    assert (said.status, said.out) == (1, "")
    assert said.err == "heliograph: Webhook 1 did not take the call: answered 500: out of order [2J.\n"


def test_a_webhook_that_may_not_be_called(heliograph: Heliograph, deaf_port: int) -> None:
    add_webhook(heliograph, f"http://127.0.0.1:{deaf_port}/")
    said = heliograph("webhook", "test", "1")
    assert (said.status, said.out) == (1, "")
    assert "is a loopback address; the operator can allow it with HELIOGRAPH_WEBHOOK_ALLOW" in said.err


def test_webhooks_that_cannot_be_tried(heliograph: Heliograph) -> None:
    add_webhook(heliograph, "http://127.0.0.1:9/", kind="MessageReply")
    assert "Webhook 1 hears of replies" in heliograph("webhook", "test", "1").err
    assert "There is no webhook 2" in heliograph("webhook", "test", "2").err
