"""One call of a webhook: what the receiver sees, and what we make of its answer."""

import asyncio
from importlib.metadata import version
from ipaddress import ip_network

import pytest

from heliograph.core.directory import Webhook
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId, WebhookId
from heliograph.net.guard import Guard
from heliograph.net.http import GuardedClient, HttpAnswer
from heliograph.pipeline.ports import Deliverer, Delivery, DeliveryResult
from heliograph.testing.receiver import Answer, Receiver
from heliograph.webhooks.deliver import HttpDeliverer, result_of, retry_after
from heliograph.webhooks.signing import sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOON_MS = 1_795_435_200_000  # 2026-11-23 12:00:00 UTC


class Hands:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.at_ms = NOON_MS

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic(self) -> float:
        return self.at_ms / 1000

    async def sleep(self, seconds: float) -> None:
        self.at_ms += int(seconds * 1000)


def delivery(url: str, body: bytes = b'[{"a": 1}]', attempts: int = 0) -> Delivery:
    webhook = Webhook(
        webhook_id=WebhookId(1),
        account_id=AccountId(1),
        dialect="any",
        kind=EventKind.STATUS,
        url=url,
        secret=SECRET,
    )
    return Delivery(4711, webhook, body, attempts)


async def deliver(url: str, *, guard: Guard | None = None) -> DeliveryResult:
    async with GuardedClient(guard or Guard([ip_network("127.0.0.0/8")])) as client:
        deliverer: Deliverer = HttpDeliverer(client, Hands(), timeout_s=0.5)
        return await deliverer.deliver(delivery(url))


def test_receiver_can_verify_each_try_and_tell_that_it_is_the_same_delivery() -> None:
    async def story() -> None:
        clock = Hands()
        async with Receiver() as receiver, GuardedClient(Guard([ip_network("127.0.0.0/8")])) as client:
            deliverer = HttpDeliverer(client, clock)
            for attempts in range(2):
                result = await deliverer.deliver(delivery(receiver.url + "/hook", attempts=attempts))
                assert result == DeliveryResult(200, "answered 200")
                assert result.is_success
                await clock.sleep(5)
            first, second = receiver.calls
            assert first.body == second.body == b'[{"a": 1}]'
            assert first.headers["content-type"] == "application/json"
            assert first.headers["content-length"] == "10"
            assert first.headers["user-agent"] == f"Heliograph/{version('heliograph')}"
            for call, at_s in ((first, NOON_MS // 1000), (second, NOON_MS // 1000 + 5)):
                assert call.headers["webhook-id"] == "dlv_4711"
                assert call.headers["webhook-timestamp"] == str(at_s)
                assert call.headers["webhook-signature"] == sign(
                    SECRET, call.body, identifier="dlv_4711", timestamp_s=at_s
                )

    asyncio.run(story())


@pytest.mark.parametrize(
    ("url", "note"),
    [
        (
            "http://10.11.12.13/hook",
            "10.11.12.13 is a private address; the operator can allow it with HELIOGRAPH_WEBHOOK_ALLOW",
        ),
        ("http://me:secret@hook.example/", "the URL has a user name or password in it"),
        ("nonsense", "the URL is not of the form https://host/path"),
    ],
)
def test_forbidden_webhook_shows_its_reason(url: str, note: str) -> None:
    assert asyncio.run(deliver(url, guard=Guard())) == DeliveryResult(None, note)


def test_hanging_receiver_is_no_answer() -> None:
    async def story() -> None:
        async with Receiver(Answer(hangs=True)) as receiver:
            assert await deliver(receiver.url) == DeliveryResult(None, "no answer within 0.5 s")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (Answer(204), DeliveryResult(204, "answered 204")),
        (Answer(200, body=b"ok"), DeliveryResult(200, "answered 200")),
        (Answer(410, body=b"bye"), DeliveryResult(410, "answered 410: the receiver is gone for good")),
        (
            Answer(308, (("Location", "https://hook.example/new"),)),
            DeliveryResult(308, "answered 308, a redirect to https://hook.example/new; redirects are not followed"),
        ),
        (Answer(304), DeliveryResult(304, "answered 304, a redirect; redirects are not followed")),
        (
            Answer(500, body=b"<b>\r\nNo\x00\x1b[31m room</b>"),
            DeliveryResult(500, "answered 500: <b> No [31m room</b>"),
        ),
        (Answer(429, (("Retry-After", "30"),)), DeliveryResult(429, "answered 429", 30)),
        (
            Answer(503, (("Retry-After", "Mon, 23 Nov 2026 12:05:00 GMT"),)),
            DeliveryResult(503, "answered 503", 300),
        ),
    ],
)
def test_answer_becomes_a_result_with_a_note(answer: Answer, result: DeliveryResult) -> None:
    async def story() -> None:
        async with Receiver(answer) as receiver:
            assert await deliver(receiver.url) == result
            assert result.is_success == (200 <= answer.status < 300)

    asyncio.run(story())


def test_note_fits_a_line() -> None:
    assert result_of(HttpAnswer(500, {}, "x" * 1024), NOON_MS).note == "answered 500: " + "x" * 200


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", 0),
        ("0", 0),
        (" 120 ", 120),
        ("-5", 0),
        ("1.5", 0),
        ("١٢", 0),
        ("soon", 0),
        ("86401", 86_400),
        ("9" * 5000, 86_400),
        ("Mon, 23 Nov 2026 12:00:10 GMT", 10),
        ("Monday, 23-Nov-26 12:00:10 GMT", 10),
        ("Mon Nov 23 12:00:10 2026", 10),
        ("Mon, 23 Nov 2026 11:59:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Mon, 23 Nov 99999 12:00:10 GMT", 0),
        ("Mon, 23 Nov 2026 12:00:10 +99999999999999999999", 0),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_day(value: str, seconds: int) -> None:
    assert retry_after(value, NOON_MS) == seconds
