"""What a message costs: a rate card looked up by channel and prefix, times segments."""

from dataclasses import dataclass
from typing import NamedTuple

from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel
from heliograph.core.money import CREDIT

STANDARD = {Channel.SMS: CREDIT, Channel.MMS: 3 * CREDIT, Channel.VOICE: 2 * CREDIT}
"""Prices without a rate card: per SMS segment, per MMS, per started 30 s of voice."""


class Rate(NamedTuple):
    """The price (micro-credits a segment) for numbers with a prefix, for one account or for all (None)."""

    account_id: AccountId | None
    channel: Channel
    prefix: str
    price: int


@dataclass(frozen=True, slots=True)
class RateCard:
    """All rates, arranged for looking up. An account's own rate beats a general one of any length."""

    rates: dict[tuple[AccountId | None, Channel, str], int]
    longest: int

    def price(self, account_id: AccountId, channel: Channel, recipient: str) -> int:
        """Micro-credits for one segment to a recipient (`+` and digits)."""
        if self.rates:
            for owner in (account_id, None):
                for length in range(self.longest, -1, -1):
                    found = self.rates.get((owner, channel, recipient[1 : 1 + length]))
                    if found is not None:
                        return found
        return STANDARD[channel]


def card_of(rates: list[Rate]) -> RateCard:
    """Arrange rates for looking up."""
    return RateCard(
        {(rate.account_id, rate.channel, rate.prefix): rate.price for rate in rates},
        max((len(rate.prefix) for rate in rates), default=0),
    )
