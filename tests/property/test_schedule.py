"""Written times against the standard library's time zones."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.schedule import send_at_ms

ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/St_Johns", "Africa/Johannesburg",
            "Africa/Casablanca", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia",
            "Pacific/Chatham", "America/Sao_Paulo",
        )
    ]
)  # fmt: skip
TIMES = st.datetimes(datetime(1970, 1, 3), datetime(2200, 1, 1))  # noqa: DTZ001 (local times are what is tried)
HOURS = timedelta(hours=30)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


@given(ZONES, TIMES)
def test_a_local_time_is_that_of_its_zone(zone: ZoneInfo, local: datetime) -> None:
    read = send_at_ms(local.strftime("%Y-%m-%d %H:%M"), zone)
    assert read is not None
    shown = (EPOCH + timedelta(milliseconds=read)).astimezone(zone).replace(tzinfo=None)
    wanted = local.replace(second=0, microsecond=0)
    # Shown as it was written, unless the clocks skipped it: then later, by what they skipped.
    assert shown == wanted or timedelta(0) < shown - wanted <= HOURS
    if shown != wanted:
        assert wanted.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wanted
    # There is no earlier point in time that is shown so.
    again = datetime.fromtimestamp(read / 1000 - 3_600, UTC).astimezone(zone).replace(tzinfo=None)
    assert again != wanted


@given(ZONES, ZONES, TIMES, st.integers(-23 * 60, 23 * 60))
def test_an_offset_wins(zone: ZoneInfo, other: ZoneInfo, local: datetime, minutes: int) -> None:
    offset = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    written = local.isoformat(timespec="milliseconds") + offset
    read = send_at_ms(written, zone)
    assert read == send_at_ms(written, other) == milliseconds(datetime.fromisoformat(written))


@given(ZONES, TIMES)
def test_what_was_written_of_a_point_in_time_is_read_back(zone: ZoneInfo, local: datetime) -> None:
    at = local.replace(tzinfo=UTC).astimezone(zone)
    assert send_at_ms(at.isoformat(timespec="seconds"), UTC) in (milliseconds(at.replace(microsecond=0)), None)


@given(ZONES, st.text(max_size=40))
def test_nothing_breaks_it(zone: ZoneInfo, written: str) -> None:
    assert send_at_ms(written, zone) is None or written.strip()[:4].isdigit()
