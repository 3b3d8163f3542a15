"""How commands read what is written: credits, channels, switches, numbered things."""

from typing import Literal

from heliograph.core.messages import Channel
from heliograph.core.money import amount_from_credits
from heliograph.services.refused import Refused

OnOff = Literal["on", "off"]
YesNo = Literal["yes", "no"]
ChannelWord = Literal["sms", "mms", "voice"]


def amount_of(credits: str) -> int:
    """Micro-credits from credits as written; refused when they are no amount."""
    try:
        return amount_from_credits(credits)
    except ValueError as error:
        raise Refused(f"{error}.") from None


def switch_of(word: str | None) -> bool | None:
    """True, False, or None when nothing was written."""
    return None if word is None else word in ("on", "yes")


def channel_of(word: str) -> Channel:
    """The channel a word names."""
    return Channel[word.upper()]
