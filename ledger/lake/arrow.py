"""Events to be put into a lake, as Arrow, and the readings of their cells."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import pyarrow as pa

from ledger.delivery.cell_values import CellReader
from ledger.lake.relations import CLOCK, READINGS, arrow_table, event_schema
from ledger.model.dataset import Table
from ledger.model.local_time import clock_rows

ReadingRow = tuple[int, str, str | None, str]
"""`event_id`, column, value as text, code."""


class EventFile:
    """The events of one file, converted in batches.

    Attributes:
        readings: of the irregular cells of the events so far.
        schema: the types of the events.
    """

    def __init__(self, table: Table, file: int) -> None:
        """Start without events.

        Args:
            table: whose events they are.
            file: the number of the file.
        """
        self.readings: list[ReadingRow] = []
        self.schema = event_schema(table)
        self._file = file
        self._reader = CellReader(table)

    @property
    def utc_days(self) -> set[str]:
        """The days of UTC on which the timestamps of the events so far fall."""
        return self._reader.utc_days

    def batch(
        self,
        events: Sequence[int],
        lines: Sequence[int],
        actions: Sequence[str],
        columns: Sequence[Sequence[str | None]],
    ) -> pa.RecordBatch:
        """Convert the next events to Arrow.

        Args:
            events: the `event_id` of each.
            lines: the line on which each starts.
            actions: the action of each.
            columns: the cells, column by column.
        """
        for row, reading in self._reader.irregular(columns):
            value = value_text(reading.value)
            self.readings.append((events[row], reading.column, value, reading.code))
        values = [events, lines, actions, *columns]
        values.insert(1, [self._file] * len(events))
        arrays = [pa.array(v, field.type) for v, field in zip(values, self.schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)


def value_text(value: str | float | None) -> str | None:
    """A typed value as a text: of a number, the shortest one that is the same double."""
    return value if value is None or isinstance(value, str) else repr(value)


def readings_table(rows: Iterable[ReadingRow]) -> pa.Table:
    """Readings as the relation of a lake, in order of event and column."""
    return arrow_table(READINGS, sorted(rows, key=lambda row: row[:2]))


def clock_table(days: Collection[str], zone: str) -> pa.Table:
    """The local time of days of UTC as the relation of a lake, in order."""
    return arrow_table(CLOCK, (row for day in sorted(days) for row in clock_rows(day, zone)))


def days_of(clock: pa.Table) -> set[str]:
    """The days of UTC whose local time is known."""
    return {hour[:10] for hour in clock.column("utc_hour").to_pylist()}


def merged(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows in batches of one size; the last batch may be smaller."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += len(batch)
        while count >= size:
            whole = pa.Table.from_batches(waiting).combine_chunks()
            (first,) = whole.slice(0, size).to_batches()
            rest = whole.slice(size)
            yield first
            waiting, count = rest.to_batches(), len(rest)
    if count:
        yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()
