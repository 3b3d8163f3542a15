"""One call of a webhook: what is sent, and what the answer means. Retrying and switching off are decided elsewhere."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version

from heliograph.net.clock import Clock
from heliograph.net.http import CallFailed, GuardedClient, HttpAnswer
from heliograph.pipeline.ports import Delivery, DeliveryResult
from heliograph.webhooks.signing import sign

TIMEOUT_S = 15.0
LONGEST_RETRY_AFTER_S = 24 * 3600
NOTE_CHARS = 200
_PRODUCT = f"Heliograph/{version('heliograph')}"


class HttpDeliverer:
    """Calls webhooks over HTTP; the pipeline's `Deliverer`. timeout_s: for a whole call."""

    def __init__(self, client: GuardedClient, clock: Clock, *, timeout_s: float = TIMEOUT_S) -> None:
        self._client = client
        self._clock = clock
        self._timeout_s = timeout_s

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """One signed POST. Its id is the same at every try, so that receivers can tell repetitions."""
        identifier = f"dlv_{delivery.delivery_id}"
        timestamp_s = self._clock.now_ms() // 1000
        webhook, body = delivery.webhook, delivery.body
        headers = {
            "Content-Type": "application/json",
            "User-Agent": _PRODUCT,
            "webhook-id": identifier,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": sign(webhook.secret, body, identifier=identifier, timestamp_s=timestamp_s),
        }
        try:
            answer = await self._client.post(webhook.url, body, headers=headers, timeout_s=self._timeout_s)
        except CallFailed as failure:
            return DeliveryResult(None, str(failure))
        return result_of(answer, self._clock.now_ms())


def result_of(answer: HttpAnswer, now_ms: int) -> DeliveryResult:
    """What an answer means to us."""
    retry_after_s = retry_after(answer.headers.get("Retry-After", ""), now_ms)
    return DeliveryResult(answer.status, _note(answer), retry_after_s)


def retry_after(value: str, now_ms: int) -> int:
    """Seconds that a Retry-After header asks us to wait, 0 to a day; 0 for none or nonsense (RFC 9110, 10.2.3).

    >>> retry_after("120", 0), retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 30_000), retry_after("soon", 0)
    (120, 30, 0)
    """
    text = value.strip()
    try:
        if text.isascii() and text.isdigit():
            seconds = int(text[:9])
        else:
            moment = parsedate_to_datetime(text)
            now = datetime.fromtimestamp(now_ms / 1000, UTC)
            seconds = int((moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
    except (ValueError, OverflowError):
        return 0
    return min(max(seconds, 0), LONGEST_RETRY_AFTER_S)


def _note(answer: HttpAnswer) -> str:
    """A line for the list of deliveries."""
    status = answer.status
    if 200 <= status < 300:
        return f"answered {status}"
    if status == 410:
        return "answered 410: the receiver is gone for good"
    if 300 <= status < 400:
        to = _one_line(answer.headers.get("Location", ""))
        return f"answered {status}, a redirect{' to ' + to if to else ''}; redirects are not followed"
    said = _one_line(answer.text)
    return f"answered {status}: {said}" if said else f"answered {status}"


def _one_line(text: str) -> str:
    """What people can read of a text from outside: no line breaks, no control characters, no more than fits a line."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(shown.split())[:NOTE_CHARS]
