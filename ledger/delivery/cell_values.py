"""How a delivered cell is read as a value.

A *regular* cell is read by a plain CAST in SQL, alike on every engine, and needs nothing more. An
irregular one gets a `TypedValue`: its value, or None where it has none, and a code that says why.
Nothing is guessed: what is neither a date nor a number has no typed value, and the delivered text
stays in the event.

Cells are read column by column, each text that occurs once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from ledger.model.dataset import Table, Type
from ledger.model.local_time import to_utc

CONVERTED = "converted"
"""The code of a value that is sound, only written in another way: no finding."""

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_REGULAR_TIMESTAMP = re.compile(r"(\d{4}-\d{2}-\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ", re.ASCII)
_TIMESTAMP = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?"
    r"(?:(Z)|([+-])([01]\d|2[0-3]):([0-5]\d))?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
# At most 15 digits, of which at most four are decimals: a quotient of two such whole numbers that
# a double holds, and too far from the middle between two doubles for an engine to round it wrong.
# SQLite reads one in some thousand of longer ones as the double beside the nearest one.
_REGULAR_NUMBER = re.compile(r"-?(?:\d{1,15}|\d{1,11}\.\d{1,4})", re.ASCII)
# With all digits as noughts: what a regular timestamp looks like, and a line of those.
_TO_NOUGHTS = str.maketrans("123456789", "000000000")
_TIMESTAMP_SHAPE = "0000-00-00T00:00:00Z\n"
_TENS_OF_SIXTY = "012345"
_HOUR_LENGTH = len("2025-02-05T13")
_FIRST_DAY = "1970-01-01"
_NUMBER_LIMIT = 2**63


class TypedValue(NamedTuple):
    """The value of an irregular cell.

    Attributes:
        column: the column's name.
        value: a number as the nearest double, a timestamp as canonical text; None where the cell
            has no value of its type.
        code: `converted`, or the finding: `bad-date`, `bad-timestamp`, `no-offset`,
            `bad-number`, `out-of-range`.
    """

    column: str
    value: str | float | None
    code: str


class CellReader:
    """Reads the typed cells of one table.

    Attributes:
        utc_days: the days (`2025-02-05`) of UTC on which the timestamps read so far fall.
    """

    def __init__(self, table: Table) -> None:
        """Read columns in the order of the table's description."""
        self._checks: dict[Type, Callable[[str], tuple[str | float | None, str] | None]] = {
            Type.DATE: self._date,
            Type.NUMBER: self._number,
            Type.TIMESTAMP: self._timestamp,
        }
        self._columns = [
            (place, column.name, column.type)
            for place, column in enumerate(table.columns)
            if column.type in self._checks
        ]
        self._hours: set[str] = set()
        self.utc_days: set[str] = set()

    def irregular(
        self, columns: Sequence[Sequence[str | None]]
    ) -> Iterator[tuple[int, TypedValue]]:
        """Yield the value of each irregular cell, with the place of its row, from 0.

        Args:
            columns: the cells of some rows, column by column; blank ones are regular.
        """
        for place, column, type in self._columns:
            cells = columns[place]
            if type is Type.TIMESTAMP and self._are_regular_timestamps(cells):
                continue
            check = self._checks[type]
            irregular = {
                cell: TypedValue(column, *read)
                for cell in set(cells)
                if cell is not None and (read := check(cell))
            }
            if irregular:
                for row, cell in enumerate(cells):
                    if cell in irregular:
                        yield row, irregular[cell]

    def _are_regular_timestamps(self, cells: Sequence[str | None]) -> bool:
        """Whether all cells are regular timestamps or blank; if not, some days may be new."""
        lines = "\n".join([*(cell for cell in cells if cell is not None), ""])
        width = len(_TIMESTAMP_SHAPE)
        if lines.translate(_TO_NOUGHTS) != _TIMESTAMP_SHAPE * (len(lines) // width):
            return False
        # As all are of the same width, every so many characters make a column of digits.
        tens_of_minutes, tens_of_seconds = lines[14::width], lines[17::width]
        if tens_of_minutes.strip(_TENS_OF_SIXTY) or tens_of_seconds.strip(_TENS_OF_SIXTY):
            return False
        hours = {cell[:_HOUR_LENGTH] for cell in cells if cell}
        return all(map(self._is_hour, hours - self._hours))

    def _is_hour(self, hour: str) -> bool:
        day, _, number = hour.partition("T")
        if number > "23" or not (day in self.utc_days or self._is_new_day(day)):
            return False
        self._hours.add(hour)
        return True

    def _date(self, cell: str) -> tuple[str | None, str] | None:
        return None if _is_day(cell) else (None, "bad-date")

    def _number(self, cell: str) -> tuple[float | None, str] | None:
        if _REGULAR_NUMBER.fullmatch(cell):
            return None
        if not _NUMBER.fullmatch(cell):
            return None, "bad-number"
        value = float(cell)
        # 2^63 - 1 is within the limit, and as a double is the limit.
        if abs(value) > _NUMBER_LIMIT or (
            abs(value) == _NUMBER_LIMIT and abs(Decimal(cell)) >= _NUMBER_LIMIT
        ):
            return None, "out-of-range"
        return value, CONVERTED

    def _timestamp(self, cell: str) -> tuple[str | None, str] | None:
        match = _REGULAR_TIMESTAMP.fullmatch(cell)
        if match and (match[1] in self.utc_days or self._is_new_day(match[1])):
            return None
        return self._irregular_timestamp(cell)

    def _is_new_day(self, day: str) -> bool:
        if day < _FIRST_DAY or not _is_day(day):
            return False
        self.utc_days.add(day)
        return True

    def _irregular_timestamp(self, cell: str) -> tuple[str | None, str]:
        match = _TIMESTAMP.fullmatch(cell)
        if not match:
            return None, "bad-timestamp"
        year, month, day, hour, minute, second = map(int, match.groups()[:6])
        fraction, zulu, sign, hours, minutes = match.groups()[6:]
        if not zulu and not sign:
            return None, "no-offset"
        offset = 0 if zulu else int(f"{sign}1") * (int(hours) * 60 + int(minutes))
        parts = (year, month, day, hour, minute, second)
        value = to_utc(parts, fraction or "", offset)
        if value is None:
            return None, "bad-timestamp"
        if value < _FIRST_DAY:
            return None, "out-of-range"
        self.utc_days.add(value[:10])
        return value, CONVERTED


def _is_day(text: str) -> bool:
    # The pattern first: fromisoformat takes week dates and dates without hyphens too.
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
