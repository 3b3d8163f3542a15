"""Webhooks about messages: making, listing, showing, changing and removing them (first generation)."""

import msgspec

from heliograph.core.directory import Webhook
from heliograph.core.ids import WebhookId
from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.dialects.bodies import UNREADABLE, read_any_case
from heliograph.dialects.dialect import Answer, Call
from heliograph.dialects.touchbasepro import NAME, wire
from heliograph.dialects.touchbasepro.errors import (
    NO_SUCH_WEBHOOK,
    TYPE_INVALID,
    URL_INVALID,
    URL_MISSING,
    URL_TOO_LONG,
    older,
)
from heliograph.dialects.touchbasepro.translate import KINDS, webhook_record
from heliograph.services.webhooks import is_good_url

PATH = "/sms/message/webhooks"
_LONGEST_NUMBER = 15


async def add(call: Call) -> Answer:
    """Make a webhook. Its address is not called: the vendor's own example is a name of documentation."""
    try:
        request = read_any_case(call.body, wire.WebhookRequest)
    except UNREADABLE:
        return older(Refusal(Reason.MALFORMED))
    if not request.url:
        return URL_MISSING
    bad = _fault_of(request.url)
    if bad is not None:
        return bad
    kind = KINDS.get(request.webhook_type or "")
    if kind is None:
        return TYPE_INVALID
    webhook = await call.services.webhooks.add(call.account.account_id, dialect=NAME, kind=kind, url=request.url)
    location = f"{call.public_url}{PATH}/{webhook.webhook_id}"
    return _record(201, webhook)._replace(headers=((b"location", location.encode()),))


async def list_all(call: Call) -> Answer:
    """All of the account's webhooks in this dialect."""
    webhooks = await call.services.webhooks.list(call.account.account_id, NAME)
    return Answer(200, msgspec.json.encode([webhook_record(webhook) for webhook in webhooks]))


async def show(call: Call) -> Answer:
    """One webhook, and why it was switched off."""
    webhook = await _own(call)
    if webhook is None:
        return NO_SUCH_WEBHOOK
    record = webhook_record(webhook)
    record.note = webhook.note
    return Answer(200, msgspec.json.encode(record))


async def change(call: Call) -> Answer:
    """Change a webhook's address, or switch it on or off."""
    try:
        request = read_any_case(call.body, wire.WebhookChange)
    except UNREADABLE:
        return older(Refusal(Reason.MALFORMED))
    bad = None if request.url is None else _fault_of(request.url)
    if bad is not None:
        return bad
    webhook = await _own(call)
    if webhook is not None:
        webhook = await call.services.webhooks.change(
            call.account.account_id, webhook.webhook_id, url=request.url, is_active=request.is_active
        )
    return NO_SUCH_WEBHOOK if webhook is None else _record(200, webhook)


async def remove(call: Call) -> Answer:
    """Remove a webhook."""
    webhook = await _own(call)
    if webhook is None or not await call.services.webhooks.remove(call.account.account_id, webhook.webhook_id):
        return NO_SUCH_WEBHOOK
    return Answer(204)


async def _own(call: Call) -> Webhook | None:
    """The webhook that the path names, if it is one of this account and dialect."""
    written = call.places["id"]
    if len(written) > _LONGEST_NUMBER or not (written.isascii() and written.isdecimal()):
        return None
    webhook = await call.services.webhooks.show(call.account.account_id, WebhookId(int(written)))
    return webhook if webhook is not None and webhook.dialect == NAME else None


def _record(status: int, webhook: Webhook) -> Answer:
    return Answer(status, msgspec.json.encode(webhook_record(webhook)))


def _fault_of(url: str) -> Answer | None:
    """What is wrong with a webhook's address, or None."""
    if len(url) > wire.LONGEST_URL:
        return URL_TOO_LONG
    return None if is_good_url(url) else URL_INVALID
