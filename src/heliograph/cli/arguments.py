"""How commands read what is written: credits, channels, switches, settings."""

import json
from collections.abc import Sequence
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


def channels_of(written: str | None) -> frozenset[Channel] | None:
    """The channels of a list with commas, none in an empty one; None when nothing was written."""
    if written is None:
        return None
    words = [each.strip().upper() for each in written.split(",") if each.strip()]
    if unknown := [each for each in words if each not in Channel.__members__]:
        raise Refused(f"{unknown[0].lower()!r} is not a channel: write some of sms,mms,voice.")
    return frozenset(Channel[each] for each in words)


def word_of(channel: Channel) -> str:
    """How a channel is written."""
    return channel.name.lower()


def settings_of(words: Sequence[str]) -> dict[str, object] | None:
    """NAME=VALUE words, their values as JSON if they are; None for one to take away, and for no words at all."""
    settings: dict[str, object] = {}
    for word in words:
        name, equals, written = word.partition("=")
        if not name or not equals:
            raise Refused(f"{word!r} is no setting: write NAME=VALUE, and NAME= to take one away.")
        try:
            settings[name] = json.loads(written) if written else None
        except ValueError:
            settings[name] = written
    return settings or None
