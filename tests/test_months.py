"""Months, quarters, and local time, held to what the time zone's own rules say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from zoneinfo import ZoneInfo

import pendulum
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import WrongUsage
from ledger.model.local_time import ClockRow, clock_rows, parse_moment, to_utc, utc_now, utc_text
from ledger.model.periods import Month, Quarter

ZONES = (
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    # Between 1987 and 2011 the clock changed there at one past midnight.
    "America/St_Johns",
    "UTC",
)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

months = st.builds(lambda year, month: Month(year * 100 + month),
                   st.integers(1901, 9998), st.integers(1, 12))  # fmt: skip


# Months and quarters -----------------------------------------------------------------------------


@given(months)
def test_a_month_is_read_as_it_is_written(month: Month) -> None:
    assert Month.parse(str(month)) == month
    assert Month.parse(month.label) == month


@pytest.mark.parametrize(
    "text",
    ["", "202500", "202513", "2025-3", "20253", "2025_03", "2025-03-01", " 202503", "202503\n",
     "189912", "000001", "٢٠٢٥٠٣", "March", "-202503", "2025.03"],
)  # fmt: skip
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(WrongUsage, match="is not a month: write it as YYYYMM"):
        Month.parse(text)


@given(months)
def test_the_months_follow_on_each_other_as_in_the_calendar(month: Month) -> None:
    after = date(month.year, month.number % 100, 28) + timedelta(days=4)
    assert month.next == Month(after.year * 100 + after.month)
    assert month.next.previous == month
    assert month.previous.next == month
    assert month.previous < month < month.next


def test_there_is_no_month_before_the_first() -> None:
    assert Month(190002).previous == Month(190001)
    with pytest.raises(WrongUsage, match="no month before 190001"):
        _ = Month(190001).previous


def test_months_are_counted_up_to_and_including_the_last() -> None:
    numbers = [month.number for month in Month(202411).until(Month(202502))]
    assert numbers == [202411, 202412, 202501, 202502]
    assert list(Month(202411).until(Month(202411))) == [Month(202411)]
    assert list(Month(202411).until(Month(202410))) == []


@given(months)
def test_a_month_is_one_of_the_three_of_its_quarter(month: Month) -> None:
    quarter = month.quarter
    assert quarter.months.count(month) == 1
    assert {other.quarter for other in quarter.months} == {quarter}
    assert Quarter.parse(str(quarter)) == quarter
    assert quarter.months[2].next.quarter > quarter


@pytest.mark.parametrize("text", ["2025Q1", "2025-Q1", "2025q1"])
def test_a_quarter_is_read(text: str) -> None:
    assert Quarter.parse(text).months == (Month(202501), Month(202502), Month(202503))


@pytest.mark.parametrize("text", ["", "2025Q0", "2025Q5", "2025", "Q1", "2025Q11", "1899Q4"])
def test_what_is_no_quarter_is_refused(text: str) -> None:
    with pytest.raises(WrongUsage, match="is not a quarter: write it as YYYYQn"):
        Quarter.parse(text)


# UTC ---------------------------------------------------------------------------------------------


@given(st.datetimes(datetime(1, 1, 2), datetime(9998, 1, 1), timezones=st.timezones()))
@settings(deadline=None)
def test_a_moment_is_written_in_utc_to_the_microsecond(moment: datetime) -> None:
    text = utc_text(moment)
    assert datetime.fromisoformat(text) == moment.astimezone(UTC)
    assert len(text) == len("2025-04-01T09:30:00.123456Z")


@given(
    st.datetimes(datetime(1, 1, 2), datetime(9998, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(("minutes", "seconds", "milliseconds", "microseconds")),
)
def test_a_moment_with_its_offset_is_read(moment: datetime, offset: int, precision: str) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    text = local.isoformat(timespec=precision)
    read = datetime.fromisoformat(text)
    if "." in text:
        assert parse_moment(text.replace(".", ",")) == parse_moment(text)
    else:
        # Without a fraction it is the end of that second.
        read = read.replace(microsecond=999_999)
    assert parse_moment(text) == utc_text(read)
    if offset == 0:
        assert parse_moment(text.replace("+00:00", "Z")) == parse_moment(text)


def test_a_day_is_read_as_its_end_in_utc() -> None:
    assert parse_moment("2024-02-29") == "2024-02-29T23:59:59.999999Z"


@pytest.mark.parametrize(
    "text",
    ["", "2025", "2025-04", "2025-02-29", "20250401", "2025-W14-2", "2025-04-01T", "2025-04-01T10Z",
     "2025-04-01T10:00", "2025-04-01T10:00:00", "2025-04-01 10:00:00Z", "2025-04-01T24:01:00Z",
     "2025-04-01T10:00:00Z ", "2025-04-01T10:00:00+25:00", "9999-12-31T23:00:00-05:00", "now",
     "٢٠٢٥-٠٤-٠١"],
)  # fmt: skip
def test_what_is_no_moment_and_no_day_is_wrong_usage(text: str) -> None:
    with pytest.raises(WrongUsage, match="is not a moment"):
        parse_moment(text)


def test_now_is_now() -> None:
    before = datetime.now(UTC)
    assert before <= utc_now() <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("parts", "offset"),
    [
        ((2025, 2, 30, 0, 0, 0), 0),
        ((2025, 2, 1, 24, 0, 0), 0),
        ((2025, 2, 1, 0, 0, 60), 0),
        ((0, 1, 1, 0, 0, 0), 0),
        ((1, 1, 1, 0, 0, 0), 1),
        ((9999, 12, 31, 23, 59, 59), -1),
        ((2025, 2, 1, 0, 0, 0), 24 * 60),
    ],
)
def test_there_are_moments_that_there_are_not(
    parts: tuple[int, int, int, int, int, int], offset: int
) -> None:
    assert to_utc(parts, "", offset) is None


# Local time --------------------------------------------------------------------------------------


@cache
def rows_of(day: str, zone: str) -> dict[str, list[ClockRow]]:
    rows: dict[str, list[ClockRow]] = {}
    for row in clock_rows(day, zone):
        rows.setdefault(row.utc_hour, []).append(row)
    return rows


def local_text(moment: datetime, zone: str) -> str:
    """A moment in local time, found in the rows of `clock` in the way of `replay.sql`."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    minute = text[14:16]
    (row,) = [
        row
        for row in rows_of(text[:10], zone)[text[:13]]
        if row.from_minute <= minute < row.until_minute
    ]
    shifted = int(minute) + row.minute_shift
    return f"{row.local_hour}:{shifted:02}{text[16:]}{row.utc_offset}"


def changes_of_the_clock(zone: str, year: int) -> list[datetime]:
    """The first moments, to the minute, at which a zone has another offset."""
    rules, hour = ZoneInfo(zone), datetime(year, 1, 1, tzinfo=UTC)
    changes = []
    while hour.year == year:
        steps = [hour + minute * MINUTE for minute in range(60)]
        before, after = (m.astimezone(rules).utcoffset() for m in (hour - HOUR, steps[-1]))
        if before != after:
            changes += [
                m
                for m in steps
                if m.astimezone(rules).utcoffset() != (m - MINUTE).astimezone(rules).utcoffset()
            ]
        hour += HOUR
    return changes


def differences(moments: Iterable[datetime], zone: str) -> list[tuple[str, str]]:
    """Where the rows of `clock` differ from the zone's own conversion."""
    rules = ZoneInfo(zone)
    pairs = [(local_text(m, zone), m.astimezone(rules).isoformat()) for m in moments]
    return [pair for pair in pairs if pair[0] != pair[1]]


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 12, 31, 23, 59, 59)).map(
        lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
    ),
    st.sampled_from(ZONES),
)
@settings(deadline=None, max_examples=300)
def test_local_time_is_that_of_the_zone(moment: datetime, zone: str) -> None:
    expected = moment.astimezone(ZoneInfo(zone)).isoformat()
    assert local_text(moment, zone) == expected
    assert pendulum.instance(moment).in_timezone(zone).isoformat() == expected


@pytest.mark.parametrize(
    ("zone", "year", "expected"),
    [
        ("America/New_York", 2025, ["03-09T07:00", "11-02T06:00"]),
        ("America/New_York", 1974, ["01-06T07:00", "10-27T06:00"]),
        ("Australia/Lord_Howe", 2025, ["04-05T15:00", "10-04T15:30"]),
        ("Australia/Adelaide", 2025, ["04-05T16:30", "10-04T16:30"]),
        ("Asia/Kathmandu", 1985, ["12-31T18:30"]),
        ("Asia/Kolkata", 2025, []),
        ("America/St_Johns", 2010, ["03-14T03:31", "11-07T02:31"]),
    ],
)
def test_local_time_is_right_on_both_sides_of_a_change(
    zone: str, year: int, expected: list[str]
) -> None:
    changes = changes_of_the_clock(zone, year)
    assert [f"{change:%m-%dT%H:%M}" for change in changes] == expected
    for change in changes or [datetime(year, 7, 1, tzinfo=UTC)]:
        around = [change + n * MINUTE for n in range(-130, 131)]
        assert differences(around + [m + timedelta(seconds=59) for m in around], zone) == []


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", ["1970-01-01", "2025-03-09", "2025-10-04", "9999-12-31"])
def test_the_rows_of_a_day_cover_each_minute_once(zone: str, day: str) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    covered = []
    for row in clock_rows(day, zone):
        hour = datetime.fromisoformat(row.utc_hour + ":00Z")
        assert epoch + row.epoch_hour * HOUR == hour
        assert len(row.from_minute) == len(row.until_minute) == 2
        covered += [hour + n * MINUTE for n in range(int(row.from_minute), int(row.until_minute))]
    assert covered == [start + n * MINUTE for n in range(24 * 60)]


def test_a_day_has_no_more_rows_than_it_needs() -> None:
    assert len(list(clock_rows("2025-02-05", "America/New_York"))) == 24
    assert len(list(clock_rows("2025-03-09", "America/New_York"))) == 24
    assert len(list(clock_rows("2025-02-05", "Asia/Kolkata"))) == 48
    # The clock goes forward by half an hour in the middle of an hour.
    assert len(list(clock_rows("2025-10-04", "Australia/Lord_Howe"))) == 15 * 2 + 2 + 8


def test_the_last_hours_of_the_calendar_have_no_local_time_in_the_east() -> None:
    assert local_text(datetime(9999, 12, 31, 18, 29, tzinfo=UTC), "Asia/Kolkata") == (
        "9999-12-31T23:59:00+05:30"
    )
    for moment in (datetime(9999, 12, 31, 18, 30), datetime(9999, 12, 31, 23, 59, 59)):
        utc = moment.replace(tzinfo=UTC)
        assert local_text(utc, "Asia/Kolkata") == utc.isoformat()
