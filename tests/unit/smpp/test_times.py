from datetime import UTC, datetime, timedelta, timezone

import pytest

from heliograph.smpp.times import absolute_time, parse_receipt_time, parse_time, receipt_time, relative_time

MOMENT = datetime(2026, 11, 23, 14, 5, 9, 300_000, tzinfo=UTC)


def test_an_absolute_time_is_written_in_utc() -> None:
    assert absolute_time(MOMENT) == "261123140509300+"
    assert absolute_time(MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))) == "261123140509300+"


@pytest.mark.parametrize("moment", [datetime(1999, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)])
def test_other_centuries_do_not_fit(moment: datetime) -> None:
    with pytest.raises(ValueError, match="2000 to 2099"):
        absolute_time(moment)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        absolute_time(MOMENT.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("261123140509300+", MOMENT),
        ("261123160509308+", MOMENT),
        ("261123090509320-", MOMENT),
        ("", None),
        ("000002030405000R", timedelta(days=2, hours=3, minutes=4, seconds=5)),
        ("010100000000000R", timedelta(days=395)),
    ],
)
def test_reading(text: str, expected: datetime | timedelta | None) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    "text", ["26112314050930", "261123140509300*", "261323140509300+", "261123140509349+", "٢61123140509300+", "x" * 16]
)
def test_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


@pytest.mark.parametrize("days", [0, 1, 29, 30, 31, 364, 365, 400, 99 * 365])
def test_a_duration_comes_back(days: int) -> None:
    duration = timedelta(days=days, hours=23, minutes=59, seconds=58) if days < 99 * 365 else timedelta(days=days)
    assert parse_time(relative_time(duration)) == duration


@pytest.mark.parametrize("duration", [timedelta(seconds=-1), timedelta(days=99 * 365 + 1)])
def test_a_duration_out_of_range(duration: timedelta) -> None:
    with pytest.raises(ValueError, match="99 years"):
        relative_time(duration)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2611231405", datetime(2026, 11, 23, 14, 5, tzinfo=UTC)),
        ("261123140509", datetime(2026, 11, 23, 14, 5, 9, tzinfo=UTC)),
        ("180711070003912+", datetime(2018, 7, 11, 4, 0, 3, 900_000, tzinfo=UTC)),
        ("0000000000", None),
        ("000000010000000R", None),
        ("", None),
        ("26112314", None),
        ("yesterday", None),
    ],
)
def test_dates_of_receipts(text: str, expected: datetime | None) -> None:
    assert parse_receipt_time(text) == expected


def test_a_date_for_a_receipt() -> None:
    assert receipt_time(MOMENT) == "2611231405"
