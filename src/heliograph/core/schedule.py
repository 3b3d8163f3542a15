"""When to send: a written time becomes a point in time.

A time with an offset (RFC 3339) is that of its offset; one without is local, in the time zone that the caller gives.
A local time that the clocks skip is moved on by as much as they skip; of one that comes twice the first is meant.
"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

LAST_YEAR: Final = 9998
"""A year less than calendars know, so that what follows from a time can still be written."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WRITTEN: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)? ?(?:([Zz])|([+-])(\d\d):?(\d\d))?", re.ASCII
)


def send_at_ms(written: str, zone: tzinfo) -> int | None:
    """The milliseconds since 1970 UTC that a time names; None when it cannot be read, or names no time there is.

    Read are `2026-12-31 18:30`, the same with a `T`, with seconds and fractions of them, and with `Z` or an offset.
    zone: of a time without offset. 1970 is the first year; a leap second is the one after it.

    >>> from zoneinfo import ZoneInfo
    >>> [send_at_ms(each, ZoneInfo("Europe/Berlin")) for each in ("1970-01-02 01:00", "1970-01-02T01:00:00-01:00")]
    [86400000, 93600000]
    """
    found = _WRITTEN.fullmatch(written.strip())
    if found is None:
        return None
    *numbers, second, fraction, zulu, sign, offset_hours, offset_minutes = found.groups()
    year, month, day, hour, minute = map(int, numbers)
    leap = second == "60"
    try:
        local = datetime(year, month, day, hour, minute, 59 if leap else int(second or 0))  # noqa: DTZ001 (see below)
    except ValueError:
        return None
    if not 1970 <= year <= LAST_YEAR:
        return None
    if zulu:
        at = local.replace(tzinfo=UTC)
    elif sign:
        offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
        if offset >= timedelta(days=1) or int(offset_minutes) > 59:
            return None
        at = local.replace(tzinfo=timezone(-offset if sign == "-" else offset))
    else:
        at = _local(local, zone)
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1) + 1000 * leap + int((fraction or "0").ljust(3, "0")[:3])
    return milliseconds if milliseconds >= 0 else None


def _local(local: datetime, zone: tzinfo) -> datetime:
    """A local time in its zone. With `fold=0` a skipped time is reckoned by the offset before: moved on by the gap."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)
