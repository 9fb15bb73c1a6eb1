"""What was computed from the events: readings, local time, the stored projection.

Each is computed anew, from the cells alone, and held to what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.delivery.cell_values import CellReader, Reading
from ledger.errors import WrongUsage
from ledger.integrity.fault import Fault, FaultKind, Subject
from ledger.model.dataset import Summary, Table
from ledger.model.editions import EditionName
from ledger.model.local_time import clock_rows
from ledger.model.periods import Month
from ledger.model.records import File
from ledger.replay.editions import last_event
from ledger.replay.projection import make_aside
from ledger.replay.replay import Replay
from ledger.replay.statements import fill_sql, projected_columns
from ledger.store.database import Record
from ledger.store.event_store import Store


def _place(found: tuple[int, Reading]) -> tuple[int, str]:
    row, reading = found
    return row, reading.column


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

    def see(self, events: Sequence[Record]) -> None:
        """Read the cells of the next events of the file; see `contents.event_chunks`."""
        if not events:
            return
        event_ids, _, _, _, *columns = zip(*events, strict=True)
        for row, reading in sorted(self._reader.irregular(columns), key=_place):
            self._count += 1
            self._compare((event_ids[row], *reading))

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


_CLOCK = "utc_hour, from_minute, until_minute, local_hour, minute_shift, utc_offset, epoch_hour"


def check_projection(subject: Subject) -> Iterator[Fault]:
    """Replay the events, and hold the stored projection to what comes out."""
    store, dataset = subject.store, subject.dataset
    records, edition = store.records(), None
    for place, as_of, batch in store.rows(_PROJECTION_OF):
        try:
            edition = records.edition(EditionName(Month(as_of), batch))
        except WrongUsage as error:
            yield Fault(FaultKind.DERIVED, "projection_of", str(error))
            return
        if place != 1:
            yield Fault(FaultKind.DERIVED, "projection_of", f"row {place} does not belong there")
            return
    if edition is None:
        names = [table.name for table in dataset.tables]
        summaries = [summary.name for summary in dataset.summaries]
        for name in (*names, *summaries, "projection_rows"):
            if any(store.rows(f"SELECT 1 FROM {store.schema}.{name} LIMIT 1")):
                yield Fault(FaultKind.DERIVED, name, "it has rows, and no projection is stored")
        return
    replay = Replay(store, dataset, records, edition)
    rows, differing = {}, False
    with store.ticking(subject.tell if subject.progress else None):
        for table in dataset.tables:
            rows[table.name], faults = _compare_keyed(replay, table)
            yield from faults
            differing = differing or bool(faults)
            of_table = [file.rows for file in subject.files if file.table_name == table.name]
            subject.advance(sum(of_table))
    if differing:
        return
    if dict(store.rows("SELECT table_name, rows FROM projection_rows")) != rows:
        yield Fault(FaultKind.DERIVED, "projection_rows", "not how many rows there are")
    for summary in dataset.summaries:
        yield from _compare_all(store, summary)


def _compare_keyed(replay: Replay, table: Table) -> tuple[int, list[Fault]]:
    """Compare a table of the stored projection with a replay, row by row as it gives them.

    Returns:
        how many rows are stored, and the first fault.
    """
    stored, key = f"{replay.store.schema}.{table.name}", table.key
    differs = " OR ".join(f"stored.{c} IS NOT replayed.{c}" for c in projected_columns(table))
    names = {
        "replay": replay.replayed(table),
        "stored": stored,
        "key": key,
        "differs": f"stored.{key} IS NULL OR {differs}",
    }
    ((replayed, different),) = replay.rows(_COMPARED.format(**names))
    ((count,),) = replay.rows(f"SELECT count(*) FROM {stored}")
    if different:
        ((found,),) = replay.rows(_DIFFERENT.format(**names))
        return count, [Fault(FaultKind.DERIVED, f"{table.name} {found}", _NOT_REPLAYED)]
    if count > replayed:
        last = last_event(table, f"stored.{key}", "event")
        ((found,),) = replay.rows(_ADDED.format(events=table.events, last=last, **names))
        return count, [
            Fault(FaultKind.DERIVED, f"{table.name} {found}", "no replay gives this row")
        ]
    return count, []


def _compare_all(store: Store, summary: Summary) -> Iterator[Fault]:
    """Compare a summary, of which no column tells the rows apart, with that of the stored rows."""
    columns = store.columns(summary.select)
    make_aside(store, [summary.name])
    store.execute(fill_sql(f"main.{summary.name}", columns, summary.select))
    stored = f"{store.schema}.{summary.name}"
    sql = _DIFFERENT_ROWS.format(stored=stored, name=summary.name, columns=", ".join(columns))
    if any(store.rows(sql)):
        yield Fault(FaultKind.DERIVED, summary.name, _NOT_REPLAYED)


_PROJECTION_OF = "SELECT one, CAST(as_of AS INTEGER), batch FROM projection_of"

_NOT_REPLAYED = "not what a replay of the events gives"
_NOT_THERE = "no replay gives this row"

_COMPARED = """
SELECT count(*), coalesce(sum({differs}), 0)
FROM ({replay}) AS replayed LEFT JOIN {stored} AS stored ON stored.{key} = replayed.{key}
"""

_DIFFERENT = """
SELECT replayed.{key}
FROM ({replay}) AS replayed LEFT JOIN {stored} AS stored ON stored.{key} = replayed.{key}
WHERE {differs}
ORDER BY replayed.{key} LIMIT 1
"""

_ADDED = """
SELECT stored.{key} FROM {stored} AS stored
WHERE coalesce((SELECT action FROM {events} WHERE event_id = ({last})), 'delete') = 'delete'
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
