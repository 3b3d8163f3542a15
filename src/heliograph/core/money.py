"""Amounts: whole micro-credits, so that no sum is ever rounded."""

import re

CREDIT = 1_000_000
"""Micro-credits in one credit."""

_CREDITS = re.compile(r"(-)?([0-9]{1,12})(?:\.([0-9]{1,6})0*)?")


def amount_from_credits(text: str | int) -> int:
    """Read an amount of credits with at most six decimals; raises ValueError for anything else.

    >>> amount_from_credits("1.5")
    1500000
    """
    read = _CREDITS.fullmatch(str(text))
    if read is None:
        raise ValueError(f"{text!r} is not an amount of credits: write up to twelve digits and at most six decimals")
    sign, whole, decimals = read.groups(default="")
    amount = int(whole) * CREDIT + int(decimals.ljust(6, "0"))
    return -amount if sign else amount


def credits_from_amount(amount: int) -> str:
    """Write an amount in credits without trailing zeros.

    >>> credits_from_amount(1_500_000), credits_from_amount(-2_000_000)
    ('1.5', '-2')
    """
    whole, rest = divmod(abs(amount), CREDIT)
    text = f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if amount < 0 else text
