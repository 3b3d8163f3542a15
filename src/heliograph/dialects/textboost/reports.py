"""What became of messages, the credits, and the account."""

from functools import partial

from heliograph.core.ids import MessageId, id_from_uid, uid_from
from heliograph.core.messages import Report
from heliograph.core.money import CREDIT, credits_from_amount
from heliograph.core.states import MessageState
from heliograph.dialects.dialect import Answer, Call
from heliograph.dialects.pages import page_asked
from heliograph.dialects.textboost import wire
from heliograph.dialects.textboost.answers import done
from heliograph.dialects.textboost.auth import shown_key
from heliograph.dialects.textboost.errors import MESSAGE_UNKNOWN, Fault

_S = MessageState
WORDS = {state: state.word.capitalize() for state in MessageState} | {
    **dict.fromkeys((_S.QUEUED, _S.SUBMITTING, _S.HELD), "Accepted"),
    _S.SUBMITTED: "Enroute",
    _S.CANCELLED: "Failed",
    _S.UNKNOWN: "Skipped",
    _S.RECEIVED: "Delivered",
}
"""States in the product's words. There, `Delivered` is said once a carrier has taken a message; here it is true."""


def report_of(report: Report, mark: str, *, segments: int = 0) -> wire.Report:
    """A message as the product lists it. segments: 0 where it does not say how many there are."""
    uid, word, cost = uid_from(report.message_id, mark), WORDS[report.state], credits_from_amount(report.price)
    return wire.Report(uid, report.recipient, report.sender, report.text, word, cost, word, segments)


async def show_report(call: Call) -> Answer:
    """A message in either direction, and where it stands."""
    account, found = call.account, id_from_uid(call.places["uid"], call.account.mark)
    report = found and await call.services.reports.report(account.account_id, MessageId(found))
    if not report:
        raise Fault(MESSAGE_UNKNOWN)
    return done(report_of(report, account.mark))


async def list_reports(call: Call) -> Answer:
    """All messages in both directions, newest first."""
    ask = partial(call.services.reports.reports, call.account.account_id)
    row = partial(report_of, mark=call.account.mark)
    return done(await page_asked(call, ask, row, per_page=wire.PER_PAGE))


async def show_balance(call: Call) -> Answer:
    """The account's credits."""
    balance = await call.services.accounts.balance(call.account.account_id)
    # Programs read whole units here, so a rest of a credit is not counted.
    left, used = balance.available // CREDIT, (balance.held + balance.captured) // CREDIT
    return done(wire.Balance(credits_from_amount(balance.available), str(left), str(used)))


async def show_profile(call: Call) -> Answer:
    """The account itself, with the key that it was asked with."""
    account, uid = call.account, uid_from(call.account.account_id, call.account.mark)
    key, zone = shown_key(call), account.time_zone
    return done(wire.Profile(uid=uid, api_token=key, first_name=account.name, timezone=zone))
