"""Sending messages and asking where they stand, in both generations; and the balance."""

import msgspec

from heliograph.core.messages import Channel, Refusal, Submission
from heliograph.core.reasons import Reason
from heliograph.dialects.bodies import UNREADABLE, read_any_case
from heliograph.dialects.dialect import REPLAYED, Answer, Call
from heliograph.dialects.touchbasepro import NAME, wire
from heliograph.dialects.touchbasepro.errors import NO_SUCH_MESSAGE, UNKNOWN_MESSAGE, newer, older
from heliograph.dialects.touchbasepro.translate import (
    NEWER_WORDS,
    accepted_body,
    credits_from,
    message_id_from_api_id,
    message_id_from_number,
    own_id,
    record_body,
    sent_body,
)

_read = msgspec.json.Decoder(wire.SendRequest).decode


async def send_messages(call: Call) -> Answer:
    """One text to many numbers (second generation)."""
    try:
        request = _read(call.body)
    except UNREADABLE:
        return newer(Refusal(Reason.MALFORMED))
    if len(request.to) > wire.MOST_RECIPIENTS:
        return newer(Refusal(Reason.TOO_MANY_RECIPIENTS))
    outcome = await call.services.accept.submit(
        Submission(
            account_id=call.account.account_id,
            dialect=NAME,
            channel=Channel.SMS,
            text=request.text,
            recipients=request.to,
            reference=own_id(request.id) or None,
            idempotency=call.idempotency,
        )
    )
    if isinstance(outcome, Refusal):
        return newer(outcome)
    body = sent_body(request.to, outcome.verdicts, mark=call.account.mark)
    return Answer(202, body, REPLAYED if outcome.replayed else ())


async def show_status(call: Call) -> Answer:
    """Where a message stands (second generation)."""
    account = call.account
    message_id = message_id_from_api_id(call.places["apiMessageId"], account.mark)
    message = None if message_id is None else await call.services.messages.show(account.account_id, message_id)
    if message is None:
        return UNKNOWN_MESSAGE
    return Answer(200, msgspec.json.encode(wire.StatusAnswer(NEWER_WORDS[message.state])))


async def send_message(call: Call) -> Answer:
    """One text to one number (first generation)."""
    try:
        request = read_any_case(call.body, wire.MessageRequest)
    except UNREADABLE:
        return older(Refusal(Reason.MALFORMED))
    outcome = await call.services.accept.submit(
        Submission(
            account_id=call.account.account_id,
            dialect=NAME,
            channel=Channel.SMS,
            text=request.text,
            recipients=(request.number,),
            reference=own_id(request.id),
            idempotency=call.idempotency,
        )
    )
    if isinstance(outcome, Refusal):
        return older(outcome)
    verdict = outcome.verdicts[0]
    if verdict.reason is not None:
        return older(Refusal(verdict.reason))
    return Answer(200, accepted_body(request, outcome), REPLAYED if outcome.replayed else ())


async def show_message(call: Call) -> Answer:
    """Where a message stands (first generation)."""
    message_id = message_id_from_number(call.places["messageId"])
    if message_id is None:
        return NO_SUCH_MESSAGE
    message = await call.services.messages.show(call.account.account_id, message_id)
    return NO_SUCH_MESSAGE if message is None else Answer(200, record_body(message))


async def show_balance(call: Call) -> Answer:
    """The account's credits."""
    balance = await call.services.accounts.balance(call.account.account_id)
    answer = wire.BalanceAnswer(credits_from(balance.available), credits_from(balance.held))
    return Answer(200, msgspec.json.encode(answer))
