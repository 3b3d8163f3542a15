"""Whose a message from a handset is.

A number has one owner, and what comes to it is the owner's. A sender of the operator's that accounts share is nobody's
own: there a handset answers the account that wrote to it last.
"""

from collections.abc import Container, Mapping
from typing import NamedTuple

from heliograph.core.directory import Number
from heliograph.core.ids import AccountId

TALK_MS = 7 * 24 * 3_600_000
"""How long a handset is taken to answer the account that last wrote to it from a shared sender."""

NOBODY = AccountId(0)
"""The account of messages that are nobody's: the operator sees them, customers do not."""


class Conversation(NamedTuple):
    """Who wrote last to a handset from a shared sender, and when."""

    account_id: AccountId
    at_ms: int


def may_be_answered(sender: str, owned: Container[str]) -> bool:
    """Whether answers to a sender must be told apart: it is a number or short code, and no account's own.

    owned: the numbers of accounts, by their digits.

    >>> may_be_answered("27600", {}), may_be_answered("Heliograph", {}), may_be_answered("27600", {"27600"})
    (True, False, False)
    """
    return sender.isdigit() and sender not in owned


def owner_of(
    recipient: str, numbers: Mapping[str, Number], conversation: Conversation | None, *, at_ms: int
) -> AccountId:
    """The account that a message to one of our numbers or senders belongs to; `NOBODY` when there is none.

    A number's owner is its owner, whatever the number is enabled for. conversation: of this sender and this handset.
    """
    number = numbers.get(recipient)
    if number is not None:
        return number.account_id
    if conversation is not None and at_ms - conversation.at_ms <= TALK_MS:
        return conversation.account_id
    return NOBODY
