"""Between the vendor's wire and our words: numbers, times, verdicts, webhooks, campaigns."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import msgspec

from heliograph.core.directory import Number, Webhook
from heliograph.core.ids import uuid_from
from heliograph.core.messages import Accepted, Channel, Verdict
from heliograph.dialects.bulkvs import wire
from heliograph.dialects.dialect import CampaignView

POST, THREE_CX = "POST", "3CX"
METHODS = {POST: POST, THREE_CX: THREE_CX, f"{POST}|{THREE_CX}": POST}
"""How a webhook may be called, as callers write it. The bar is printed in the vendor's own example of a request."""

_SEPARATORS = str.maketrans("", "", " -.()")
_NATIONAL = re.compile("[2-9][0-9]{9}")
_NORTH_AMERICAN = re.compile(r"\+1[0-9]{10}")


def is_3cx(query_string: bytes) -> bool:
    """Whether a request says that 3CX makes it: `?pbx=3cx`."""
    return b"pbx=" in query_string and dict(parse_qsl(query_string.decode("latin-1"))).get("pbx", "").lower() == "3cx"


def with_country_code(written: wire.Written) -> wire.Written:
    """A number with the country code that ten digits alone lack in North America; what is no number stays as it is.

    >>> with_country_code("310-906-0901"), with_country_code(13109060901), with_country_code("+4712345678")
    ('13109060901', 13109060901, '+4712345678')
    """
    plain = _plain(written)
    return f"1{plain}" if _NATIONAL.fullmatch(plain) else written


def digits_from(written: wire.Written) -> str:
    """A number as answers show it: digits without plus; what is no number stays as it is.

    >>> digits_from("+1 (310) 906-0901"), digits_from("Shop +1")
    ('13109060901', 'Shop +1')
    """
    plain = _plain(with_country_code(written)).removeprefix("+")
    return plain if plain.isascii() and plain.isdecimal() else str(written)


def _plain(written: wire.Written) -> str:
    return written.translate(_SEPARATORS) if isinstance(written, str) else str(written)


def date_from(at_ms: int) -> str:
    """A time to the second in UTC, which the vendor does not name.

    >>> date_from(1_613_492_615_123)
    '2021-02-16 16:23:35'
    """
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


_encode = msgspec.json.Encoder().encode


def sent_body(sender: str, given: Sequence[wire.Written], accepted: Accepted, *, channel: Channel, mark: str) -> bytes:
    """The answer to a sending call that was good for one number at least: one result for each requested one."""
    verdicts = accepted.verdicts
    return _encode(
        wire.MessageSent(
            ref_id=uuid_from(accepted.submission_id, mark),
            sender=sender,
            message_type=channel.name,
            fragments=max(verdict.segments for verdict in verdicts),
            results=[_result(written, verdict) for written, verdict in zip(given, verdicts, strict=True)],
        )
    )


def _result(written: wire.Written, verdict: Verdict) -> wire.Result:
    to = verdict.recipient[1:] if verdict.recipient else digits_from(written)
    if verdict.reason is None:
        return wire.Result(to, "SUCCESS")
    return wire.Result(to, "FAILED", verdict.reason.sentence)


def method_of(webhook: Webhook) -> str:
    """The form of what a webhook is told: `POST` or `3CX`."""
    return str(webhook.settings.get("method", POST))


def is_on(webhook: Webhook, setting: str) -> bool:
    """Whether a webhook has a setting switched on."""
    return bool(webhook.settings.get(setting, False))


def webhook_record(webhook: Webhook) -> wire.WebHook:
    """A webhook as the vendor lists it."""
    return wire.WebHook(
        webhook=webhook.name or "",
        description=str(webhook.settings.get("description", "")),
        url=webhook.url,
        dlr=is_on(webhook, "receipts"),
        method=method_of(webhook),
        last_modification=date_from(webhook.modified_at_ms),
    )


def campaign_record(campaign: CampaignView) -> wire.CampaignRecord:
    """A campaign as the vendor lists it."""
    return wire.CampaignRecord(
        tcr=campaign.tcr,
        brand=campaign.brand,
        count=str(campaign.numbers),
        approval="Y" if campaign.is_approved else "N",
        activation_date=date_from(campaign.created_at_ms),
    )


def number_record(number: Number) -> wire.TnRecord:
    """A number as the vendor lists it. `A2PLC` is an application's long code in North America."""
    return wire.TnRecord(
        number=number.msisdn.removeprefix("+"),
        status="Active",
        messaging=wire.TnMessaging(
            kind="A2PLC" if _NORTH_AMERICAN.fullmatch(number.msisdn) else "",
            sms=Channel.SMS in number.channels,
            mms=Channel.MMS in number.channels,
            webhook=number.webhook or "",
            tcr=number.campaign or "",
        ),
    )
