"""The account's numbers, as far as messages are concerned, and its campaigns."""

from collections.abc import Callable

import msgspec

from heliograph.core.directory import Number
from heliograph.core.messages import Refusal
from heliograph.core.numbers import number_from
from heliograph.core.reasons import Reason
from heliograph.dialects.bodies import UNREADABLE
from heliograph.dialects.bulkvs import NAME, errors, wire
from heliograph.dialects.bulkvs.translate import campaign_record, number_record, with_country_code
from heliograph.dialects.dialect import Answer, Call

_read = msgspec.json.Decoder(wire.TnChange).decode
_FILTERS: tuple[tuple[str, Callable[[Number], str]], ...] = (
    ("Webhook", lambda number: number.webhook or ""),
    ("Tcr", lambda number: number.campaign or ""),
)


async def list_campaigns(call: Call) -> Answer:
    """All of the account's campaigns, or those that the query names."""
    campaigns = await call.services.campaigns.of_account(call.account.account_id)
    wanted = {tcr.casefold() for tcr in call.asked("Tcr")}
    if wanted:
        campaigns = [campaign for campaign in campaigns if campaign.tcr.casefold() in wanted]
        if not campaigns:
            return errors.NO_SUCH_CAMPAIGN
    return Answer(200, msgspec.json.encode([campaign_record(campaign) for campaign in campaigns]))


async def list_numbers(call: Call) -> Answer:
    """The account's numbers, or those that fit the query. An unknown number is an error, an empty choice is none."""
    numbers = await call.services.numbers.of_account(call.account.account_id)
    asked = call.asked("Number")
    if asked:
        wanted = {_own(each) for each in asked}
        numbers = [number for number in numbers if number.msisdn in wanted]
        if not numbers:
            return errors.NO_SUCH_NUMBER
    for name, kept in _FILTERS:
        names = {each.casefold() for each in call.asked(name)}
        numbers = [number for number in numbers if not names or kept(number).casefold() in names]
    return Answer(200, msgspec.json.encode([number_record(number) for number in numbers]))


def _own(written: wire.Written | None) -> str | None:
    """The number of an account that this may be, or None."""
    return None if written is None else number_from(str(with_country_code(written)))


async def change_number(call: Call) -> Answer:
    """Switch a number's channels, and give or take its webhook and campaign. Members about calls are not ours."""
    try:
        given = _read(call.body)
    except UNREADABLE as error:
        return errors.unreadable(error)
    msisdn = _own(given.number)
    if msisdn is None:
        return errors.NUMBER_MISSING
    account_id, services = call.account.account_id, call.services
    if given.webhook and await services.webhooks.named(account_id, dialect=NAME, name=given.webhook) is None:
        return errors.NO_SUCH_WEBHOOK
    known = {each.tcr.casefold() for each in await services.campaigns.of_account(account_id)} if given.tcr else ()
    if given.tcr and given.tcr.casefold() not in known:
        return errors.NO_SUCH_CAMPAIGN
    outcome = await services.numbers.assign(
        account_id,
        msisdn,
        sms=None if given.sms is None else bool(given.sms),
        mms=None if given.mms is None else bool(given.mms),
        webhook=given.webhook,
        campaign=given.tcr,
    )
    if isinstance(outcome, Refusal):
        return errors.NO_SUCH_NUMBER if outcome.reason is Reason.NOT_FOUND else errors.worded(outcome)
    return Answer(200, msgspec.json.encode(number_record(outcome)))


async def remove_number(call: Call) -> Answer:
    """Give a number back to the operator."""
    asked = call.asked("Number")
    if not asked:
        return errors.NUMBER_UNSAID
    msisdn = _own(asked[-1])
    if msisdn is None or not await call.services.numbers.release(call.account.account_id, msisdn):
        return errors.NO_SUCH_NUMBER
    return Answer(200, msgspec.json.encode(wire.Removed("Success", number=msisdn.removeprefix("+"))))
