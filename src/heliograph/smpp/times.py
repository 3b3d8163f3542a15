"""Times as SMPP writes them (clause 7.1.1) and as receipts write them (Appendix B).

Rules: no clock here. Absolute times are read as aware datetimes and written in UTC; relative ones are durations, in
which a month counts 30 days and a year 365, since the standard leaves it open. Years are of this century.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_SMPP_TIME: Final = re.compile(r"(\d{12})(\d)(\d\d)([+\-R])", re.ASCII)
_RECEIPT_TIME: Final = re.compile(r"(\d{10}|\d{12})", re.ASCII)
_MONTH: Final = 30
_YEAR: Final = 365
_MAX_DAYS: Final = 99 * _YEAR


def absolute_time(moment: datetime) -> str:
    """YYMMDDhhmmsstnnp in UTC. ValueError for a naive datetime or a year outside 2000 to 2099.

    >>> absolute_time(datetime(2026, 11, 23, 14, 5, 9, tzinfo=UTC))
    '261123140509000+'
    """
    if moment.tzinfo is None:
        raise ValueError("a time has a zone")
    utc = moment.astimezone(UTC)
    if not 2000 <= utc.year <= 2099:
        raise ValueError("two digits of a year mean 2000 to 2099")
    return f"{utc:%y%m%d%H%M%S}{utc.microsecond // 100_000}00+"


def relative_time(duration: timedelta) -> str:
    """The duration in whole seconds, rounded down. ValueError when negative or over 99 years.

    >>> relative_time(timedelta(days=2, hours=3))
    '000002030000000R'
    """
    days = duration.days
    if days < 0 or days > _MAX_DAYS:
        raise ValueError("a relative time lies between 0 and 99 years")
    years, days = divmod(days, _YEAR)
    months, days = divmod(days, _MONTH)
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{years:02d}{months:02d}{days:02d}{hours:02d}{minutes:02d}{seconds:02d}000R"


def parse_time(text: str) -> datetime | timedelta | None:
    """An absolute or a relative time; None for the empty string, which means now or the peer's default.

    ValueError for anything else: answer ESME_RINVSCHED or ESME_RINVEXPIRY, as the field demands.

    >>> parse_time("000000010000000R")
    datetime.timedelta(seconds=3600)
    """
    if not text:
        return None
    match = _SMPP_TIME.fullmatch(text)
    if match is None:
        raise ValueError("a time has the form YYMMDDhhmmsstnnp")
    digits, tenths, quarters, sign = match.groups()
    year, month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(0, 12, 2))
    if sign == "R":
        return timedelta(days=year * _YEAR + month * _MONTH + day, hours=hour, minutes=minute, seconds=second)
    if int(quarters) > 48:
        raise ValueError("a zone lies at most 48 quarters of an hour from UTC")
    offset = timedelta(minutes=15 * int(quarters))
    zone = timezone(offset if sign == "+" else -offset)
    local = datetime(2000 + year, month, day, hour, minute, second, int(tenths) * 100_000, tzinfo=zone)
    return local.astimezone(UTC)


def receipt_time(moment: datetime) -> str:
    """The date of a receipt's text, YYMMDDhhmm in UTC.

    >>> receipt_time(datetime(2026, 11, 23, 14, 5, 9, tzinfo=UTC))
    '2611231405'
    """
    return absolute_time(moment)[:10]


def parse_receipt_time(text: str) -> datetime | None:
    """A receipt's date of 10 or 12 digits, read as UTC, or an absolute time; None for anything else.

    The standard names no zone and carriers write their own; take it as evidence of order, not as a moment.

    >>> parse_receipt_time("2611231405").isoformat(), parse_receipt_time("0000000000")
    ('2026-11-23T14:05:00+00:00', None)
    """
    if _RECEIPT_TIME.fullmatch(text):
        text = f"{text:0<12}000+"
    try:
        moment = parse_time(text)
    except ValueError:
        return None
    return moment if isinstance(moment, datetime) else None
