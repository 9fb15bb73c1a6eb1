"""A ledger as a target of verification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import inf

from ledger.errors import StorageFailed
from ledger.integrity.chain import Records
from ledger.integrity.checks.schema import has_sound_tables
from ledger.integrity.fault import Fault, event_fault
from ledger.integrity.target import EventChunk, LocalTimePart, VerificationTarget
from ledger.model.dataset import DataSet
from ledger.model.local_time import ClockRow
from ledger.model.progress import Progress
from ledger.model.records import File
from ledger.store.database import Record
from ledger.store.event_store import MARKS_AT_ONCE, Store


class LedgerTarget(VerificationTarget):
    """The file of a ledger.

    Attributes:
        store: open, in a snapshot or a transaction.
    """

    name = "ledger"

    def __init__(
        self,
        store: Store,
        dataset: DataSet,
        passes: int = 1,
        progress: Progress | None = None,
    ) -> None:
        """Name the ledger to be verified; nothing is read yet. See `VerificationTarget`."""
        super().__init__(dataset, passes, progress)
        self.store = store
        self.place = str(store.path)

    def records(self) -> Records:
        """The records, as they are stored.

        Raises:
            StorageFailed: they cannot be read, or the tables are not those of the schema.
        """
        if not has_sound_tables(self.store):
            raise StorageFailed("its tables are not those of the schema; nothing else was verified")
        return stored_records(self.store)

    def events(self, file: File) -> Iterator[EventChunk]:
        """The events of a file in order, as many at once as leaf prefixes are kept for."""
        return event_chunks(self.store, self.dataset, file)

    def unreadable(self, file: File, expected: int, error: StorageFailed) -> Fault:
        """The fault that the events of a file cannot be read, from one of them on."""
        query = _events_query(self.dataset, file)
        try:
            # Of several events that are read at once, the unreadable one cannot be determined.
            for event_id, *_ in self.store.rows(query, (expected, file.last_event)):
                expected = event_id + 1
        except StorageFailed:
            pass
        return event_fault(file, expected, None, f"it cannot be read: {error}")

    def leaf_prefixes(self, file: File, first_event: int) -> bytes:
        """The first bytes of the leaves of events of a file, from one on."""
        return b"".join(self.store.marks(first_event))

    def location(self, file: File) -> None:
        """None: the events of all files are in the ledger's file."""

    def typed_values(self, file: File) -> Iterator[Record]:
        """The stored typed values of a file: `event_id`, column, value, code, in order."""
        sql = """
            SELECT event_id, column_name, value, code FROM readings
            WHERE event_id BETWEEN ? AND ? ORDER BY event_id, column_name
        """
        return self.store.rows(sql, (file.first_event, file.last_event))

    def stored_value(self, value: str | float | None) -> str | float | None:
        """A typed value as it is stored."""
        return value

    def typed_values_place(self, file: File) -> str:
        """Where the typed values of a file are stored."""
        return "readings"

    def stray_typed_values(self) -> Iterator[tuple[str, int]]:
        """Typed values of no event: where they are stored, and the `event_id` that they name."""
        gaps = event_gaps(file for file in self.files if self.has_events(file))
        sql = "SELECT min(event_id) FROM readings WHERE event_id > ? AND event_id < ?"
        for gap in gaps:
            for (event_id,) in self.store.rows(sql, gap):
                if event_id is not None:
                    yield "readings", event_id

    def local_time(self) -> Iterator[LocalTimePart]:
        """The stored local time."""
        sql = f"SELECT {', '.join(ClockRow._fields)} FROM clock ORDER BY utc_hour, from_minute"
        batches = {batch.batch for batch in self.batches}
        yield LocalTimePart("clock", batches, self.store.rows(sql))


def stored_records(store: Store) -> Records:
    """The records of an open ledger."""
    return Records(store.batches(), store.files(), store.tags())


def event_chunks(store: Store, dataset: DataSet, file: File) -> Iterator[EventChunk]:
    """The events of a file in order, as many at once as leaf prefixes are kept for."""
    span = (file.first_event, file.last_event)
    for rows in store.chunks(_events_query(dataset, file), span, MARKS_AT_ONCE):
        events, files, lines, actions, *cells = zip(*rows, strict=True)
        yield EventChunk(events, files, lines, actions, cells)


def _events_query(dataset: DataSet, file: File) -> str:
    table = dataset.table(file.table_name)
    return f"""
        SELECT event_id, file, line, action, {", ".join(table.column_names)} FROM {table.events}
        WHERE event_id BETWEEN ? AND ? ORDER BY event_id
    """


def event_gaps(files: Iterable[File]) -> Iterator[tuple[float, float]]:
    """The ranges of `event_id` between, before and after those of files, without bounds."""
    ranges = sorted((f.first_event, f.last_event) for f in files if f.first_event and f.last_event)
    for (_, end), (start, _) in pairwise([(-inf, -inf), *ranges, (inf, inf)]):
        yield end, start
