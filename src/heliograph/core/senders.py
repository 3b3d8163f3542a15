"""Who may send from what.

An account may send from its own numbers, as far as they are enabled, and from what its list of senders names; without a
list from every well-formed sender that is nobody else's number.
"""

from typing import NamedTuple

from heliograph.core.directory import Account, Number, Snapshot
from heliograph.core.messages import Channel, Refusal, Submission
from heliograph.core.numbers import sender_from
from heliograph.core.reasons import Reason

_TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888"})
_REGISTERED = frozenset({Channel.SMS, Channel.MMS})
"""What campaigns are about: calls need none."""


class SenderPolicy(NamedTuple):
    """What the operator decides for everybody.

    sender: of accounts that have none of their own. needs_campaign: whether US long codes send only for an approved
    campaign.
    """

    sender: str
    needs_campaign: bool = False


def is_us_long_code(address: str) -> bool:
    """Whether a sender is a number of the plan of country code 1, and none of the toll-free ones.

    address: without plus. Canada and the Caribbean share the plan, and their numbers cannot be told apart without a
    list of area codes.

    >>> is_us_long_code("13105551212"), is_us_long_code("18885551212"), is_us_long_code("27831234567")
    (True, False, False)
    """
    return len(address) == 11 and address[0] == "1" and address[1:4] not in _TOLL_FREE and address.isdecimal()


def sender_of(submission: Submission, account: Account, *, snapshot: Snapshot, policy: SenderPolicy) -> str | Refusal:
    """The address of the sender to use (a number without plus), or why the account may not use it.

    A sender that was not named is the account's default, then the operator's: it need not be on the list of senders,
    and everything else holds for it too.
    """
    written = submission.sender
    sender = sender_from(written or account.sender or policy.sender)
    if sender is None:
        return Refusal(Reason.INVALID_SENDER)
    address = sender.address
    number = snapshot.numbers.get(address)
    if number is not None and number.account_id == account.account_id:
        reason = None if submission.channel in number.channels else Reason.NUMBER_NOT_ENABLED
    elif submission.owns_sender:
        reason = Reason.SENDER_NOT_OWNED
    elif number is not None or (written and account.senders and address not in account.senders):
        reason = Reason.SENDER_NOT_ALLOWED
    else:
        reason = None
    if reason is None and policy.needs_campaign and submission.channel in _REGISTERED and is_us_long_code(address):
        reason = None if _has_campaign(number, snapshot) else Reason.NO_CAMPAIGN
    return Refusal(reason) if reason else address


def _has_campaign(number: Number | None, snapshot: Snapshot) -> bool:
    return (
        number is not None
        and number.campaign is not None
        and (number.account_id, number.campaign) in snapshot.campaigns
    )
