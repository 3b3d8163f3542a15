"""A carrier's report on a segment it took, in our words, and how its id becomes a match key."""

import re
from enum import Enum
from typing import NamedTuple

from heliograph.core.states import MessageState

_FILLING = dict.fromkeys([ord("-"), *(code for code in range(256) if chr(code).isspace())])
_HEX = re.compile("(?:0x)?[0-9a-f]{1,1000}")


class IdForm(Enum):
    """How a carrier writes one id in its answer and in its receipts, when they differ."""

    AS_IS = "as-is"
    HEX_IN_ANSWER = "hex-in-answer"
    HEX_IN_RECEIPT = "hex-in-receipt"


class Receipt(NamedTuple):
    """What a driver understood of one delivery receipt.

    key: the match key of the carrier's message id (see `match_key`).
    state: the end it tells of, or None for a report on the way (enroute, accepted).
    addresses: both ends as the carrier wrote them, digits only: carriers disagree which comes first.
    error: the carrier's error text, at most a few characters.
    """

    key: str
    state: MessageState | None
    addresses: tuple[str, str]
    error: str = ""


def match_key(written: str, *, is_hex: bool) -> str:
    """One spelling for all the ways a carrier writes one id.

    Case, hyphens and leading zeros are dropped; a hexadecimal number becomes decimal when the carrier mixes both.
    Ids have no size limit here.

    >>> match_key("00B8-BE19", is_hex=False), match_key("1F", is_hex=True), match_key("31", is_hex=False)
    ('b8be19', '31', '31')
    """
    plain = written.translate(_FILLING).lower()
    if is_hex and _HEX.fullmatch(plain):
        return str(int(plain, 16))
    return plain.lstrip("0") or "0"


def fits(recipient: str, addresses: tuple[str, str]) -> bool:
    """Whether a receipt can be about a recipient: ids are reused, and two nodes may issue the same one.

    National and international spellings agree in their last digits.

    >>> fits("+27831234567", ("0831234567", "Heliograph"))
    True
    """
    tail = recipient[-7:]
    return addresses[0].endswith(tail) or addresses[1].endswith(tail) or not any(addresses)
