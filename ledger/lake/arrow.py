"""Events on their way into a lake: as Arrow, and how their cells are read."""

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
    """The events of one file, some at a time.

    Attributes:
        readings: how the irregular cells of those so far are read.
        schema: the types of the events.
    """

    def __init__(self, table: Table, file: int) -> None:
        """Start without any.

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
        """Some more events, as Arrow.

        Args:
            events: the `event_id` of each.
            lines: of each the line on which it starts.
            actions: of each.
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
    """A typed value as a text: of a number the shortest that reads as the same double."""
    return value if value is None or isinstance(value, str) else repr(value)


def readings_table(rows: Iterable[ReadingRow]) -> pa.Table:
    """Readings as the relation of a lake, in order of event and column."""
    return arrow_table(READINGS, sorted(rows, key=lambda row: row[:2]))


def clock_table(days: Collection[str], zone: str) -> pa.Table:
    """The local time of days of UTC as the relation of a lake, in order."""
    return arrow_table(CLOCK, (row for day in sorted(days) for row in clock_rows(day, zone)))


def days_of(clock: pa.Table) -> set[str]:
    """The days of UTC of which the local time is known."""
    return {hour[:10] for hour in clock.column("utc_hour").to_pylist()}


def merged(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of a size, the last one smaller."""
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
