"""Months, quarters and local time; the only user of pendulum.

Months are of the Gregorian calendar and written `YYYYMM` in file names and options, `YYYY-MM`
in reports. Local time is computed once per hour of the days that occur, never per value: the
rows of `clock` are joined in SQL (see `replay.sql`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ledger.errors import WrongUsage

_MONTH = re.compile(r"(\d{4})-?(\d{2})", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-?Q([1-4])", re.ASCII | re.IGNORECASE)
_FIRST_YEAR = 1900


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month, ordered in time.

    Attributes:
        number: year × 100 + month, as in `202503`.
    """

    number: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `202503` or `2025-03`.

        Raises:
            WrongUsage: the text is no month of the years 1900 to 9999.
        """
        match = _MONTH.fullmatch(text)
        if not match or int(match[1]) < _FIRST_YEAR or not 1 <= int(match[2]) <= 12:
            raise WrongUsage(f"{text!r} is not a month: write it as YYYYMM, such as 202503")
        return cls(int(match[1]) * 100 + int(match[2]))

    @property
    def year(self) -> int:
        """The calendar year."""
        return self.number // 100

    @property
    def next(self) -> Month:
        """The month after this one."""
        return Month(self.number + (89 if self.number % 100 == 12 else 1))

    @property
    def previous(self) -> Month:
        """The month before this one.

        Raises:
            WrongUsage: this is the first month that there can be.
        """
        if self.number <= _FIRST_YEAR * 100 + 1:
            raise WrongUsage(f"there can be no month before {self}")
        return Month(self.number - (89 if self.number % 100 == 1 else 1))

    @property
    def label(self) -> str:
        """The month as reports write it: `2025-03`."""
        return f"{self.year:04}-{self.number % 100:02}"

    @property
    def quarter(self) -> Quarter:
        """The quarter that this month is part of."""
        return Quarter(self.year, (self.number % 100 + 2) // 3)

    def until(self, last: Month) -> Iterator[Month]:
        """Yield this month and the ones after it, up to and including `last`."""
        month = self
        while month <= last:
            yield month
            month = month.next

    def __str__(self) -> str:
        return f"{self.number:06}"


def as_month(month: Month | str) -> Month:
    """A month that is given as such or as text.

    Raises:
        WrongUsage: the text is no month.
    """
    return Month.parse(month) if isinstance(month, str) else month


def as_month_or_none(month: Month | str | None) -> Month | None:
    """The same of one that need not be given."""
    return None if month is None else as_month(month)


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A quarter of a calendar year, ordered in time."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Read `2025Q1` or `2025-Q1`.

        Raises:
            WrongUsage: the text is no quarter.
        """
        match = _QUARTER.fullmatch(text)
        if not match or int(match[1]) < _FIRST_YEAR:
            raise WrongUsage(f"{text!r} is not a quarter: write it as YYYYQn, such as 2025Q1")
        return cls(int(match[1]), int(match[2]))

    @property
    def months(self) -> tuple[Month, Month, Month]:
        """Its three months, in order."""
        first = Month(self.year * 100 + self.number * 3 - 2)
        return first, first.next, first.next.next

    def __str__(self) -> str:
        return f"{self.year}Q{self.number}"


def spans(months: Iterable[Month]) -> str:
    """Write ordered months shortly: `202503, 202505 to 202507`."""
    runs: list[list[Month]] = []
    for month in months:
        if runs and runs[-1][-1].next == month:
            runs[-1] = [runs[-1][0], month]
        else:
            runs.append([month])
    return ", ".join(" to ".join(map(str, run)) for run in runs)
