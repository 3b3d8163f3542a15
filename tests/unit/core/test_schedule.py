from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from heliograph.core.schedule import LAST_YEAR, send_at_ms

BERLIN = ZoneInfo("Europe/Berlin")
NOON = 1_798_714_800_000
"""2026-12-31 11:00 UTC, noon in Berlin."""


@pytest.mark.parametrize(
    "written",
    [
        "2026-12-31 12:00",
        "2026-12-31 12:00:00",
        " 2026-12-31T12:00 ",
        "2026-12-31T12:00:00",
        "2026-12-31T12:00:00.000",
        "2026-12-31T11:00:00Z",
        "2026-12-31T11:00z",
        "2026-12-31 11:00Z",
        "2026-12-31 11:00:00 +00:00",
        "2026-12-31T16:30:00+05:30",
        "2026-12-31T16:30+0530",
        "2026-12-30T23:00:00.0-12:00",
        "2026-12-31T11:00:00-00:00",
    ],
)
def test_times_that_are_read(written: str) -> None:
    assert send_at_ms(written, BERLIN) == NOON


def test_seconds_and_their_fractions() -> None:
    assert send_at_ms("2026-12-31 12:00:59", BERLIN) == NOON + 59_000
    assert send_at_ms("2026-12-31T11:00:00.123456789Z", BERLIN) == NOON + 123
    assert send_at_ms("2026-12-31T11:00:00,5Z", BERLIN) == NOON + 500
    # A leap second of UTC is the first one of the next minute here.
    assert send_at_ms("2026-12-31T11:00:60Z", BERLIN) == NOON + 60_000


@pytest.mark.parametrize(
    "written",
    [
        "",
        "tomorrow",
        "2026-12-31",
        "12:00",
        "2026-12-31 12",
        "31-12-2026 12:00",
        "12/31/2026 12:00",
        "2026-13-01 12:00",
        "2026-02-29 12:00",
        "2026-12-31 24:00",
        "2026-12-31 12:60",
        "2026-12-31 12:00:61",
        "2026-12-31 12:00:00.",
        "2026-12-31 12:00 PM",
        "2026-12-31T12:00:00+24:00",
        "2026-12-31T12:00:00+01:60",
        "2026-12-31T12:00:00+1",
        "2026-12-31T12:00:00 Europe/Berlin",
        "2026-12-31  12:00",
        "2026-12-31 12:00\n12:00",
        "٢٠٢٦-12-31 12:00",
        "1969-12-31 23:59Z",
        "1970-01-01 00:30",
        f"{LAST_YEAR + 1}-01-01 00:00",
        "10000-01-01 00:00",
        "0000-01-01 00:00",
        "1798714800",
    ],
)
def test_what_is_no_time(written: str) -> None:
    assert send_at_ms(written, BERLIN) is None


def test_the_last_year() -> None:
    assert send_at_ms(f"{LAST_YEAR}-12-31 23:59:59", UTC) == 253_370_764_799_000


def test_a_time_that_the_clocks_skip_is_moved_on_by_the_gap() -> None:
    # In the night to 2026-03-29 the clocks of Berlin went from 02:00 to 03:00.
    assert send_at_ms("2026-03-29 02:30", BERLIN) == send_at_ms("2026-03-29 03:30", BERLIN)
    assert send_at_ms("2026-03-29 02:00", BERLIN) == send_at_ms("2026-03-29T01:00:00Z", BERLIN)
    # Lord Howe Island moves its clocks by half an hour.
    howe = ZoneInfo("Australia/Lord_Howe")
    assert send_at_ms("2026-10-04 02:15", howe) == send_at_ms("2026-10-04 02:45", howe)
    # Samoa left out a whole day.
    apia = ZoneInfo("Pacific/Apia")
    assert send_at_ms("2011-12-30 10:00", apia) == send_at_ms("2011-12-31 10:00", apia)


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    # In the night to 2026-10-25 the hour from 02:00 came twice.
    assert send_at_ms("2026-10-25 02:30", BERLIN) == send_at_ms("2026-10-25T00:30:00Z", BERLIN)
    assert send_at_ms("2026-10-25 02:30+01:00", BERLIN) == send_at_ms("2026-10-25T01:30:00Z", BERLIN)
