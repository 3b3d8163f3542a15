"""When a webhook is called again, and when it is given up."""

_MINUTE = 60
_HOUR = 60 * _MINUTE
WAITS_S = (5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
"""Seconds between the tries of one delivery: ten tries in a little over three days (Standard Webhooks 1.0)."""

PATIENCE_MS = 5 * 24 * _HOUR * 1000
"""A webhook that has failed every call for this long is switched off."""

GONE = 410
"""HTTP status by which a receiver says that it wants no more calls (RFC 9110 §15.5.11)."""


def wait_ms(attempts: int, *, retry_after_s: int, spread: float) -> int | None:
    """Milliseconds until the next try after `attempts` failed ones; None when that was the last.

    spread: 0 to 1, drawn by the caller; up to a fifth is added so that tries do not come in herds.

    >>> wait_ms(1, retry_after_s=0, spread=0.0), wait_ms(10, retry_after_s=0, spread=0.0)
    (5000, None)
    """
    if attempts > len(WAITS_S):
        return None
    wait_s = max(WAITS_S[attempts - 1], min(retry_after_s, 24 * _HOUR))
    return int(wait_s * (1 + 0.2 * spread) * 1000)
