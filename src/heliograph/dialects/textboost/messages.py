"""Sending: to one number or to a list of them."""

from zoneinfo import ZoneInfo

from heliograph.core.messages import (
    MOST_TEMPLATE_CHARS,
    Accepted,
    Channel,
    Refusal,
    Report,
    Submission,
    Traits,
    is_template_id,
)
from heliograph.core.money import credits_from_amount
from heliograph.core.reasons import Reason
from heliograph.core.schedule import send_at_ms
from heliograph.core.states import MessageState
from heliograph.core.voice import GENDERS, LANGUAGES
from heliograph.dialects.dialect import Answer, Call
from heliograph.dialects.fields import FieldFault, Written, bag_of, line_of, read, text_of
from heliograph.dialects.textboost import NAME, errors, wire
from heliograph.dialects.textboost.answers import done
from heliograph.dialects.textboost.errors import WORDS, Fault, Words, of_recipient
from heliograph.dialects.textboost.reports import report_of

CHANNELS = {"plain": Channel.SMS, "unicode": Channel.SMS, "voice": Channel.VOICE, "mms": Channel.MMS}
SCHEDULED = "Message is scheduled successfully."
_SEPARATORS = str.maketrans("", "", "+() -")


async def send(call: Call) -> Answer:
    """Send a text, a voice message or a picture to one number or, with commas, to several."""
    given = read(bag_of(call), wire.SmsSend)
    # At the other root the product leaves noughts in front, and then knows no such number.
    numbers, is_list = recipients_from(given.recipient, drops_noughts=call.mount == wire.ROOT)
    if not numbers:
        raise Fault(WORDS[Reason.NO_RECIPIENT])
    submission = submission_from(call, given)._replace(recipients=numbers)
    if len(numbers) > wire.MOST_RECIPIENTS:
        raise Fault(WORDS[Reason.TOO_MANY_RECIPIENTS])
    outcome = await call.services.accept.submit(submission)
    if isinstance(outcome, Refusal):
        return await refused(call, outcome, given)
    return _sent(call, submission, outcome, is_list=is_list)


def recipients_from(written: Written | list[Written], *, drops_noughts: bool) -> tuple[tuple[str, ...], bool]:
    """The numbers that a caller wrote, each once, and whether they were a list. drops_noughts: of those in front.

    >>> recipients_from("0031 6123-45678,, +8801721970168", drops_noughts=True)
    (('31612345678', '8801721970168'), True)
    """
    plain = (number.translate(_SEPARATORS) for number in items_of(written))
    numbers = (number.lstrip("0") or number if drops_noughts else number for number in plain)
    is_list = isinstance(written, list) or "," in text_of(written)
    return tuple(dict.fromkeys(filter(None, numbers))), is_list


def items_of(written: Written | list[Written]) -> list[str]:
    """The items of a list, or of a text with commas; blank ones too."""
    values = written if isinstance(written, list) else [written]
    return [item.strip() for value in values for item in text_of(value).split(",")]


def submission_from(call: Call, given: wire.SmsSend) -> Submission:
    """What is to be sent, to nobody yet; checked in the product's order. Raises Fault."""
    kind, text = kind_of(given), "" if given.message is None else str(given.message)
    if not text.strip() and kind != "mms":
        raise Fault(WORDS[Reason.NO_TEXT])
    if kind not in CHANNELS:
        raise Fault(errors.TYPE_INVALID)
    if kind == "mms" and not text_of(given.media_url):
        raise Fault(errors.MEDIA_MISSING)
    template_id = line_of("dlt_template_id", given.dlt_template_id, most=MOST_TEMPLATE_CHARS)
    if not is_template_id(template_id):
        raise FieldFault("dlt_template_id", "format is invalid")
    voice = _voice(given) if kind == "voice" else ("", "")
    written = text_of(given.schedule_time)
    at_ms = send_at_ms(written, ZoneInfo(call.account.time_zone)) if written else 0
    if at_ms is None:
        raise Fault(WORDS[Reason.BAD_TIME])
    sender = text_of(given.sender_id)
    if not sender and call.account.sender is None:
        raise Fault(_of_sender(sender))
    return Submission(
        account_id=call.account.account_id,
        dialect=NAME,
        channel=CHANNELS[kind],
        text=text,
        recipients=(),
        sender=sender or None,
        media_urls=(text_of(given.media_url),) if kind == "mms" else (),
        idempotency=call.idempotency,
        send_at_ms=at_ms,
        traits=Traits(template_id, *voice),
    )


def kind_of(given: wire.SmsSend) -> str:
    """What is sent, in the product's word."""
    return text_of(given.type).lower() or "plain"


def _voice(given: wire.SmsSend) -> tuple[str, str]:
    """Language and gender; raises Fault."""
    language, gender = text_of(given.language).lower(), text_of(given.gender).lower()
    if not language or not gender:
        raise Fault(errors.VOICE_MISSING)
    if language not in LANGUAGES:
        raise Fault(errors.LANGUAGE_INVALID)
    if gender not in GENDERS:
        raise Fault(errors.GENDER_INVALID)
    return language, gender


def _sent(call: Call, submission: Submission, accepted: Accepted, *, is_list: bool) -> Answer:
    """Reports of the messages, one alone or a list; the message names the numbers that none was sent to."""
    reasons = [verdict.reason for verdict in accepted.verdicts]
    if submission.channel is not Channel.SMS and set(reasons) == {Reason.NO_ROUTE}:
        raise Fault(errors.NO_SERVER)
    named = zip(reasons, submission.recipients, strict=True)
    faults = [of_recipient(reason, str(number)) for reason, number in named if reason is not None]
    if faults and not is_list:
        raise Fault(Words(faults[0], errors.FORBIDDEN if reasons[0] is Reason.NO_ROUTE else errors.REFUSED))
    state = MessageState.SCHEDULED if accepted.send_at_ms else MessageState.QUEUED
    reports = [
        report_of(
            Report(message_id, accepted.sender, (recipient or "")[1:], submission.text, state, price),
            call.account.mark,
            segments=segments if is_list else 0,
        )
        for recipient, message_id, _, segments, price in accepted.verdicts
        if message_id is not None
    ]
    if is_list:
        return done(reports, " ".join(faults) or SCHEDULED, is_replay=accepted.replayed)
    message = SCHEDULED if accepted.send_at_ms else "Your message was successfully delivered"
    return done(reports[0], message, is_replay=accepted.replayed)


async def refused(call: Call, refusal: Refusal, given: wire.SmsSend) -> Answer:
    """A refusal, in words that may name the sender or the credits."""
    sender = text_of(given.sender_id) or call.account.sender or ""
    if refusal.reason in errors.OF_SENDER:
        raise Fault(_of_sender(sender))
    if refusal.reason is Reason.NUMBER_NOT_ENABLED:
        raise Fault(Words(f"Originator {sender} is not capable to send {kind_of(given)} sms", errors.FORBIDDEN))
    if refusal.reason is Reason.NO_FUNDS:
        available = (await call.services.accounts.balance(call.account.account_id)).available
        if available <= 0:
            raise Fault(errors.FUNDS_EXHAUSTED)
        credits = f"You have {credits_from_amount(available)} of the {credits_from_amount(refusal.price)}"
        raise Fault(Words(WORDS[Reason.NO_FUNDS].text + credits, errors.FORBIDDEN))
    return errors.worded(refusal, call.account)


def _of_sender(sender: str) -> Words:
    return Words(f"Originator {sender[:40]} is not authorized to send this message", errors.FORBIDDEN)
