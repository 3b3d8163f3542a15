"""Try a carrier or a webhook once, from the command line."""

import asyncio
from typing import NamedTuple

from heliograph.carriers.sip.driver import SipDriver
from heliograph.carriers.smpp.driver import BindFailed, SmppDriver
from heliograph.core.directory import Account, Carrier, Webhook
from heliograph.core.events import Event, EventKind
from heliograph.core.ids import MessageId, first_at
from heliograph.core.states import MessageState
from heliograph.net.clock import SystemClock
from heliograph.net.guard import Guard, Network
from heliograph.net.http import GuardedClient
from heliograph.pipeline.ports import Delivery, DeliveryResult, EventWriter, SessionFeed, Speech
from heliograph.services.refused import Refused
from heliograph.webhooks.deliver import HttpDeliverer

EXAMPLE = "+27831234567"


class _NoFeed:
    """A probe never submits."""

    def open_session(self) -> SessionFeed:
        raise AssertionError("a probe opens no session")


class _NoSpeaker:
    """Nor does it speak."""

    async def speak(self, text: str, *, language: str, gender: str) -> Speech:  # noqa: ARG002
        raise AssertionError("a probe says nothing")


class Probed(NamedTuple):
    """Who accepted the bind, and how long that took; nobody, for a carrier without a network."""

    peer: str | None
    ms: int | None


def probe(carrier: Carrier) -> Probed:
    """Bind to a carrier once, or reach it where there is nothing to bind. Raises Refused with the reason."""
    clock = SystemClock()
    started = clock.monotonic()
    try:
        if carrier.url.startswith("smpp"):
            peer = asyncio.run(SmppDriver(carrier, _NoFeed(), clock).probe())
        elif carrier.url.startswith("sip"):
            peer = asyncio.run(_reached(carrier, clock))
        else:
            return Probed(None, None)
    except (BindFailed, OSError, UnicodeError) as error:
        raise Refused(_sentence(carrier.name, error)) from error
    return Probed(peer, round((clock.monotonic() - started) * 1000))


async def _reached(carrier: Carrier, clock: SystemClock) -> str:
    return await SipDriver(carrier, _NoFeed(), clock, speaker=_NoSpeaker()).probe()


def _sentence(name: str, error: Exception) -> str:
    if isinstance(error, BindFailed):
        return f"Carrier {name} did not let us in: {error}; check system_id, password and whom it allows."
    if isinstance(error, TimeoutError):
        return f"Carrier {name} did not answer in time; check its address, and any firewall between."
    why = error.strerror if isinstance(error, OSError) and error.strerror else error
    return f"Carrier {name} cannot be reached: {why}; check its address."


def try_webhook(
    webhook: Webhook, account: Account, *, writer: EventWriter, allowed: tuple[Network, ...], https_only: bool
) -> DeliveryResult:
    """Call a webhook once with an example event, signed and guarded like every other call. Raises Refused."""
    if webhook.kind is not EventKind.STATUS:
        raise Refused(f"Webhook {webhook.webhook_id} hears of replies; only one that hears of states can be tried.")
    clock = SystemClock()
    now_ms = clock.now_ms()
    message_id = MessageId(first_at(now_ms))
    event = Event(account.account_id, message_id, MessageState.DELIVERED, now_ms, EXAMPLE, "example")
    body = writer.write([event], webhook=webhook, account=account, at_ms=now_ms)

    async def call() -> DeliveryResult:
        async with GuardedClient(Guard(allowed, https_only=https_only)) as client:
            return await HttpDeliverer(client, clock).deliver(Delivery(first_at(now_ms), webhook, body, 0))

    return asyncio.run(call())
