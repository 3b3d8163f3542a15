"""Amounts: whole micro-credits, so that no sum is ever rounded."""

from decimal import Decimal, InvalidOperation

CREDIT = 1_000_000
"""Micro-credits in one credit."""


def amount_from_credits(text: str | int) -> int:
    """Read an amount of credits with at most six decimals; raises ValueError for anything else.

    >>> amount_from_credits("1.5")
    1500000
    """
    try:
        exact = Decimal(text) * CREDIT
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount of credits") from None
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise ValueError(f"{text!r} is not an amount of credits with at most six decimals")
    return int(exact)


def credits_from_amount(amount: int) -> str:
    """Write an amount in credits without trailing zeros.

    >>> credits_from_amount(1_500_000), credits_from_amount(-2_000_000)
    ('1.5', '-2')
    """
    whole, rest = divmod(abs(amount), CREDIT)
    text = f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if amount < 0 else text
