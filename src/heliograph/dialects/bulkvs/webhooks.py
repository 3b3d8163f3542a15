"""Webhooks: made, changed, listed and removed by their names."""

from collections.abc import Sequence

import msgspec

from heliograph.core.directory import Webhook
from heliograph.core.messages import Refusal
from heliograph.dialects.bodies import UNREADABLE
from heliograph.dialects.bulkvs import NAME, errors, wire
from heliograph.dialects.bulkvs.translate import METHODS, POST, webhook_record
from heliograph.dialects.dialect import Answer, Call
from heliograph.services.webhooks import is_good_url

_read = msgspec.json.Decoder(wire.WebHookPut).decode


async def list_all(call: Call) -> Answer:
    """All of the account's webhooks in this dialect, or those that the query names."""
    webhooks: Sequence[Webhook] = await call.services.webhooks.list(call.account.account_id, NAME)
    wanted = {name.casefold() for name in call.asked("Webhook")}
    if wanted:
        webhooks = [webhook for webhook in webhooks if (webhook.name or "").casefold() in wanted]
        if not webhooks:
            return errors.NO_SUCH_WEBHOOK
    return Answer(200, msgspec.json.encode([webhook_record(webhook) for webhook in webhooks]))


async def put(call: Call) -> Answer:
    """Make or change the webhook of a name. Its address is not called: the vendor's own example is a private one."""
    try:
        given = _read(call.body)
    except UNREADABLE as error:
        return errors.unreadable(error)
    method = METHODS.get((given.method or POST).upper())
    if method is None:
        return errors.METHOD_INVALID
    bad = _fault_of(given)
    if bad is not None:
        return bad
    outcome = await call.services.webhooks.put(
        call.account.account_id,
        dialect=NAME,
        name=given.webhook or "",
        url=given.url or "",
        settings={"description": given.description or "", "receipts": bool(given.dlr), "method": method},
    )
    if isinstance(outcome, Refusal):
        return errors.worded(outcome)
    record = webhook_record(outcome)
    saved = wire.WebHookSaved(record.webhook, record.description, record.url, record.last_modification)
    return Answer(200, msgspec.json.encode(saved))


async def remove(call: Call) -> Answer:
    """Remove the webhook that the path or the query names."""
    asked = call.asked("Webhook")
    name = call.places.get("name") or (asked[-1] if asked else "")
    if not name:
        return errors.NAME_MISSING
    webhook = await call.services.webhooks.remove_named(call.account.account_id, dialect=NAME, name=name)
    if webhook is None:
        return errors.NO_SUCH_WEBHOOK
    return Answer(200, msgspec.json.encode(wire.Removed("Success", webhook=webhook.name or "")))


def _fault_of(given: wire.WebHookPut) -> Answer | None:
    """What is wrong with a webhook, or None."""
    name, description = given.webhook or "", given.description or ""
    if not name or len(name) > wire.LONGEST_NAME or not name.isprintable() or name != name.strip():
        return errors.NAME_INVALID if name else errors.NAME_MISSING
    if len(description) > wire.LONGEST_DESCRIPTION or not description.isprintable():
        return errors.DESCRIPTION_INVALID
    return None if is_good_url(given.url or "") else errors.URL_INVALID
