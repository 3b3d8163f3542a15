"""What the sandbox does with a message: the last five digits of the recipient choose it.

Any number that does not end in one of them is simply delivered. The sandbox message centre and the `loopback:` carrier
follow this table; the documentation and `heliograph sandbox fates` print it.
"""

from enum import Enum
from typing import NamedTuple

from heliograph.core.states import MessageState

SUFFIX_DIGITS = 5
"""How many digits at the end of a recipient are looked at."""

LATE_MS = 5_000
"""How much later than usual a late receipt comes."""

REPLY_DELAY_MS = 200
"""How long after its receipt a reply comes."""

THROTTLED_TIMES = 3
"""How often a throttled recipient's message is put off before it is taken."""

_S = MessageState


class Fate(Enum):
    """(last digits, the end its receipt tells or None for no receipt, what happens)."""

    _value_: tuple[str, MessageState | None, str]

    DELIVERED = ("", _S.DELIVERED, "Delivered; every number that is not listed.")
    DELIVERED_LATE = ("99901", _S.DELIVERED, "Delivered, five seconds later than usual.")
    UNDELIVERABLE = ("99902", _S.UNDELIVERED, "Taken, and later reported as undeliverable.")
    EXPIRED = ("99903", _S.EXPIRED, "Taken, and later reported as expired.")
    REJECTED = ("99904", None, "Refused by the carrier at once.")
    THROTTLED = ("99905", _S.DELIVERED, "Put off three times as too much traffic, then delivered.")
    NO_RECEIPT = ("99906", None, "Taken, and never reported.")
    DUPLICATE_RECEIPT = ("99907", _S.DELIVERED, "Delivered, with the same receipt twice.")
    RECEIPT_FIRST = ("99908", _S.DELIVERED, "Delivered, with the receipt before the answer to the submit.")
    REPLIES = ("99909", _S.DELIVERED, "Delivered, and the recipient replies.")
    OPTS_OUT = ("99910", _S.DELIVERED, "Delivered, and the recipient replies STOP.")
    REPLIES_LONG = (
        "99911",
        _S.DELIVERED,
        "Delivered, and the recipient replies with a text of several segments, the last one first.",
    )

    @property
    def digits(self) -> str:
        """The end of the numbers that have this fate; empty for the usual one."""
        return self._value_[0]

    @property
    def end(self) -> MessageState | None:
        """What the receipt says, or None when none comes."""
        return self._value_[1]

    @property
    def sentence(self) -> str:
        """What happens, for people."""
        return self._value_[2]

    @property
    def reply(self) -> str | None:
        """What the recipient writes back after delivery."""
        return _REPLIES.get(self)


_REPLIES = {
    Fate.REPLIES: "Thank you, received.",
    Fate.OPTS_OUT: "STOP",
    Fate.REPLIES_LONG: "Thank you very much for your message. 🙏 "
    + "There is a great deal that I would like to say. " * 4,
}
_BY_DIGITS = {fate.digits: fate for fate in Fate}


class FateRow(NamedTuple):
    """One line of the table that people see. example: a number with this fate."""

    fate: str
    digits: str
    example: str
    sentence: str


def fate_of(recipient: str) -> Fate:
    """The fate of a message to a recipient, written with or without `+`.

    >>> fate_of("+27831299902").name, fate_of("27831234567").name
    ('UNDELIVERABLE', 'DELIVERED')
    """
    return _BY_DIGITS.get(recipient[-SUFFIX_DIGITS:], Fate.DELIVERED)


def table() -> tuple[FateRow, ...]:
    """Every fate in the order of its digits, for printing."""
    return tuple(
        FateRow(fate.name.lower().replace("_", " "), fate.digits, f"+278312{fate.digits or '34567'}", fate.sentence)
        for fate in Fate
    )
