"""Timestamps and local time; the only user of pendulum."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ledger.errors import WrongUsage

if TYPE_CHECKING:
    import pendulum


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}", re.ASCII)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockRow(NamedTuple):
    """What to write in local time for a stretch of one UTC hour.

    A stretch ends with the hour, or where the local hour or the offset changes within it, as in
    zones of half hours.

    Attributes:
        utc_hour: the hour, `2025-02-05T13`.
        from_minute: its first minute, two digits, `00` to `59`.
        until_minute: the minute after its last, `01` to `60`.
        local_hour: the local hour, `2025-02-05T08`.
        minute_shift: minutes to add to the UTC minute, -59 to 59.
        utc_offset: the offset, `-05:00`.
        epoch_hour: hours since 1970-01-01T00Z.
    """

    utc_hour: str
    from_minute: str
    until_minute: str
    local_hour: str
    minute_shift: int
    utc_offset: str
    epoch_hour: int


def utc_now() -> datetime:
    """The present moment in UTC, to the microsecond."""
    return datetime.now(UTC)


def parse_moment(text: str) -> str:
    """Read a moment with its offset, `2025-04-01T09:30:00Z`, or a day of UTC, `2025-04-01`.

    A day is read as its end, and a moment without a fraction as the end of its second, so that what
    is shown to the second is found by that.

    Returns:
        the moment as `utc_text` writes it, so that both compare as texts.

    Raises:
        WrongUsage: the text is neither.
    """
    try:
        if _DAY.fullmatch(text):
            return f"{date.fromisoformat(text)}T23:59:59.999999Z"
        moment = datetime.fromisoformat(text) if _MOMENT.match(text) else None
        if moment and moment.tzinfo:
            is_exact = "." in text or "," in text
            return utc_text(moment if is_exact else moment.replace(microsecond=999_999))
    except (ValueError, OverflowError):
        pass
    raise WrongUsage(
        f"{text!r} is not a moment: write it with its offset, such as 2025-04-01T09:30:00Z, "
        "or a day, such as 2025-04-01"
    )


def utc_text(moment: datetime) -> str:
    """Write a moment as `2025-04-01T09:30:00.123456Z`."""
    # Not strftime, which writes years before 1000 with fewer digits: texts are to be compared.
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def clock_rows(day: str, zone: str) -> Iterator[ClockRow]:
    """Yield the rows of `clock` for one day of UTC, in order.

    Args:
        day: the UTC day, `2025-02-05`, of 1970 or later: before that, offsets are not
            everywhere whole minutes.
        zone: a name of the IANA time zone database, `America/New_York`.
    """
    start = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    hours = [start + timedelta(hours=hour) for hour in range(24)]
    offsets = {_to_local(hour, zone).utcoffset() for hour in hours}
    offset, *others = {*offsets, _to_local(hours[-1] + timedelta(minutes=59), zone).utcoffset()}
    if others or offset is None or offset % timedelta(hours=1):
        for hour in hours:
            yield from _stretches(hour, zone)
        return
    # A day like most: the offset is one of whole hours, and the same at every hour.
    written, before = _offset_text(offset), (start - _EPOCH) // timedelta(hours=1)
    for place, hour in enumerate(hours):
        utc_hour, local_hour = hour.isoformat()[:13], (hour + offset).isoformat()[:13]
        yield ClockRow(utc_hour, "00", "60", local_hour, 0, written, before + place)


def _stretches(hour: datetime, zone: str) -> Iterator[ClockRow]:
    first, last = _stretch(hour, 0, zone), _stretch(hour, 59, zone)
    if first.utc_offset == last.utc_offset:
        # Only the local hour can end within this one, where the offset is of half hours or such.
        looks: Sequence[int] = [60 - first.minute_shift] if first.minute_shift else []
    else:
        # Clocks change at any minute: St. John's long did at one past midnight.
        looks = range(1, 60)
    for minute in looks:
        then = _stretch(hour, minute, zone)
        if then[3:] != first[3:]:
            yield first._replace(until_minute=f"{minute:02}")
            first = then
    yield first


def _stretch(hour: datetime, minute: int, zone: str) -> ClockRow:
    local = _to_local(hour + timedelta(minutes=minute), zone)
    offset = local.utcoffset() or timedelta()
    return ClockRow(
        utc_hour=hour.isoformat()[:13],
        from_minute=f"{minute:02}",
        until_minute="60",
        local_hour=local.isoformat()[:13],
        minute_shift=local.minute - minute,
        utc_offset=_offset_text(offset),
        epoch_hour=(hour - _EPOCH) // timedelta(hours=1),
    )


def _to_local(moment: datetime, zone: str) -> datetime:
    try:
        return moment.astimezone(_zone(zone))
    except OverflowError:
        # The last hours of the year 9999, east of Greenwich: there is no local date to write.
        return moment


def _offset_text(offset: timedelta) -> str:
    minutes = round(offset / timedelta(minutes=1))
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


@lru_cache
def _zone(name: str) -> pendulum.Timezone:
    # Only whoever records new days needs it.
    import pendulum

    return pendulum.timezone(name)


def to_utc(
    parts: tuple[int, int, int, int, int, int], fraction: str, offset_minutes: int
) -> str | None:
    """Write a moment given with its offset as canonical UTC text.

    Args:
        parts: year, month, day, hour, minute, second, as written.
        fraction: the digits after the second's point, or the empty text.
        offset_minutes: minutes east of UTC.

    Returns:
        `2025-02-05T13:00:00Z` or `2025-02-05T13:00:00.25Z`; None where there is no such moment.
    """
    try:
        zone = timezone(timedelta(minutes=offset_minutes))
        moment = datetime(*parts, tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    digits = fraction.rstrip("0")
    return moment.isoformat()[:19] + (f".{digits}" if digits else "") + "Z"
