"""What was computed from the events: readings, local time, the stored projection.

Each is computed anew, from the cells alone, and held to what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

from ledger.audit.faults import Fault, FaultKind, Subject
from ledger.dataset import Table
from ledger.editions import choose_edition
from ledger.errors import WrongUsage
from ledger.months import Month, clock_rows
from ledger.projection import build_aside
from ledger.readings import CellReader
from ledger.store import File, Record, Store


class ReadingsCheck:
    """Reads every cell again, and holds the stored readings to it.

    Attributes:
        faults: what differs; the first thing of each file.
    """

    def __init__(self, subject: Subject) -> None:
        """Begin with no event read."""
        self._subject = subject
        self._days: set[str] = set()
        self._count = 0
        self._fault: Fault | None = None
        self.faults: list[Fault] = []

    def begin(self, file: File) -> None:
        """Begin with the events of a file."""
        self._file = file
        self._reader = CellReader(self._subject.dataset.table(file.table_name))
        sql = """
            SELECT event_id, column_name, value, code FROM readings
            WHERE event_id BETWEEN ? AND ? ORDER BY event_id, column_name
        """
        self._stored = self._subject.store.rows(sql, (file.first_event, file.last_event))
        self._fault = None

    def see(self, event_id: int, cells: Sequence[str | None]) -> None:
        """Read the cells of the next event of the file."""
        readings = list(self._reader.irregular(cells))
        if readings:
            self._count += len(readings)
            for reading in sorted(readings, key=_column):
                self._compare((event_id, *reading))

    def end(self) -> None:
        """End with the events of the file."""
        for event_id, *_ in self._stored:
            self._note(event_id)
        self._days |= self._reader.utc_days
        if self._fault:
            self.faults.append(self._fault)

    def _compare(self, expected: Record) -> None:
        # Told apart as they are written: 5 is no 5.0.
        if self._fault is None and repr(next(self._stored, None)) != repr(expected):
            self._note(expected[0])

    def _note(self, event_id: int) -> None:
        where = f"readings of event {event_id} of {self._file.name}"
        message = "not how its cells are read"
        self._fault = self._fault or Fault(FaultKind.DERIVED, where, message)

    def check(self) -> Iterator[Fault]:
        """Tell what differs, when all events were seen: in local time too."""
        yield from self.faults
        store = self._subject.store
        if next(store.rows("SELECT count(*) FROM readings")) != (self._count,) and not self.faults:
            yield Fault(FaultKind.DERIVED, "readings", "there are some of no event")
        zone = self._subject.dataset.zone
        expected = (row for day in sorted(self._days) for row in clock_rows(day, zone))
        stored = store.rows(f"SELECT {_CLOCK} FROM clock ORDER BY utc_hour, from_minute")
        for row in expected:
            if next(stored, None) != tuple(row):
                yield Fault(FaultKind.DERIVED, f"clock {row.utc_hour}", "not the local time then")
                return
        for hour, *_ in stored:
            yield Fault(FaultKind.DERIVED, f"clock {hour}", "no event is of that day")
            return


_column = attrgetter("column")

_CLOCK = "utc_hour, from_minute, until_minute, local_hour, minute_shift, utc_offset, epoch_hour"


def check_projection(subject: Subject) -> Iterator[Fault]:
    """Replay the events, and hold the stored projection to what comes out."""
    store, dataset = subject.store, subject.dataset
    edition = None
    for place, as_of, batch in store.rows(_PROJECTION_OF):
        try:
            edition = choose_edition(store, Month(as_of), batch)
        except WrongUsage as error:
            yield Fault(FaultKind.DERIVED, "projection_of", str(error))
            return
        if place != 1:
            yield Fault(FaultKind.DERIVED, "projection_of", f"row {place} does not belong there")
            return
    if edition is None:
        names = [table.name for table in dataset.tables]
        for name in (*names, *(summary.name for summary in dataset.summaries)):
            if any(store.rows(f"SELECT 1 FROM {store.schema}.{name} LIMIT 1")):
                yield Fault(FaultKind.DERIVED, name, "it has rows, and no projection is stored")
        return
    build_aside(store, dataset, edition)
    subject.advance(subject.events)
    for table in dataset.tables:
        columns = (*table.column_names, *(column.name for column in table.derived))
        yield from _compare_keyed(store, table, columns)
    for summary in dataset.summaries:
        yield from _compare_all(store, summary.name, store.columns(summary.select))


def _compare_keyed(store: Store, table: Table, columns: Sequence[str]) -> Iterator[Fault]:
    """Compare a table of the stored projection with that of the replay, row by row."""
    stored, key = f"{store.schema}.{table.name}", table.key
    differs = " OR ".join(f"stored.{name} IS NOT replayed.{name}" for name in columns)
    for row in store.rows(
        _DIFFERENT.format(stored=stored, name=table.name, key=key, differs=differs)
    ):
        yield Fault(FaultKind.DERIVED, f"{table.name} {row[0]}", _NOT_REPLAYED)
        return
    for row in store.rows(_ADDED.format(stored=stored, name=table.name, key=key)):
        yield Fault(FaultKind.DERIVED, f"{table.name} {row[0]}", "no replay gives this row")
        return


def _compare_all(store: Store, name: str, columns: Sequence[str]) -> Iterator[Fault]:
    """Compare a small table, of which no column tells the rows apart."""
    stored = f"{store.schema}.{name}"
    sql = _DIFFERENT_ROWS.format(stored=stored, name=name, columns=", ".join(columns))
    if any(store.rows(sql)):
        yield Fault(FaultKind.DERIVED, name, _NOT_REPLAYED)


_PROJECTION_OF = "SELECT one, CAST(as_of AS INTEGER), batch FROM projection_of"

_NOT_REPLAYED = "not what a replay of the events gives"

_DIFFERENT = """
SELECT replayed.{key}
FROM main.{name} AS replayed LEFT JOIN {stored} AS stored ON stored.{key} = replayed.{key}
WHERE stored.{key} IS NULL OR {differs}
ORDER BY replayed.{key} LIMIT 1
"""

_ADDED = """
SELECT stored.{key}
FROM {stored} AS stored LEFT JOIN main.{name} AS replayed ON replayed.{key} = stored.{key}
WHERE replayed.{key} IS NULL
ORDER BY stored.{key} LIMIT 1
"""

# With how often each row is there: EXCEPT alone does not see one twice.
_DIFFERENT_ROWS = """
WITH stored AS (SELECT {columns}, count(*) FROM {stored} GROUP BY {columns}),
     replayed AS (SELECT {columns}, count(*) FROM main.{name} GROUP BY {columns})
SELECT * FROM (SELECT * FROM stored EXCEPT SELECT * FROM replayed)
UNION ALL
SELECT * FROM (SELECT * FROM replayed EXCEPT SELECT * FROM stored)
LIMIT 1
"""
