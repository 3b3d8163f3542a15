"""Sending messages."""

import msgspec

from heliograph.core.messages import Channel, Refusal, Submission
from heliograph.core.reasons import Reason
from heliograph.dialects.bodies import UNREADABLE
from heliograph.dialects.bulkvs import NAME, wire
from heliograph.dialects.bulkvs.errors import unreadable, worded
from heliograph.dialects.bulkvs.translate import digits_from, is_3cx, sent_body, with_country_code
from heliograph.dialects.dialect import REPLAYED, Answer, Call

_read = msgspec.json.Decoder(wire.MessageSend).decode
_read_3cx = msgspec.json.Decoder(wire.ThreeCxSend).decode


async def send(call: Call) -> Answer:
    """Send a text, media or both, to one number or many. With `?pbx=3cx` members are spelled as 3CX does."""
    try:
        given = _read_spelled_by_3cx(call.body) if is_3cx(call.query_string) else _read(call.body)
    except UNREADABLE as error:
        return unreadable(error)
    sender = digits_from(given.sender)
    if not sender.strip():
        return worded(Refusal(Reason.INVALID_SENDER))
    recipients = given.to if isinstance(given.to, list) else [given.to]
    media_urls = _urls(given.media_urls or given.media_urls_too or given.media_url)
    if len(recipients) > wire.MOST_RECIPIENTS:
        return worded(Refusal(Reason.TOO_MANY_RECIPIENTS))
    channel = Channel.MMS if media_urls else Channel.SMS
    outcome = await call.services.accept.submit(
        Submission(
            account_id=call.account.account_id,
            dialect=NAME,
            channel=channel,
            text=given.message or "",
            recipients=[with_country_code(written) for written in recipients],
            sender=sender,
            owns_sender=True,
            media_urls=media_urls,
            idempotency=call.idempotency,
        )
    )
    if isinstance(outcome, Refusal):
        return worded(outcome)
    reasons = [verdict.reason for verdict in outcome.verdicts]
    if None not in reasons:
        # Many programs look at the HTTP status alone, so what is good for nobody must not look good.
        return worded(Refusal(reasons[0] or Reason.NO_RECIPIENT))
    body = sent_body(sender, recipients, outcome, channel=channel, mark=call.account.mark)
    return Answer(200, body, REPLAYED if outcome.replayed else ())


def _read_spelled_by_3cx(body: bytes) -> wire.MessageSend:
    given = _read_3cx(body)
    return wire.MessageSend(given.sender, given.to, given.text, given.media_urls)


def _urls(given: list[str] | str | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) and given else tuple(given or ())
