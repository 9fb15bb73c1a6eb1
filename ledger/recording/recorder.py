"""Appends the files of a month to the ledger as a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

from ledger.delivery.cell_values import CellReader
from ledger.delivery.csv_reader import Block, read_blocks
from ledger.delivery.discovery import Delivery, OpenDelivery
from ledger.errors import InputRefused, Problem, Problems
from ledger.model.dataset import DataSet, Kind, Table
from ledger.model.digest import MARK_BYTES, BatchContents, FileContents, leaves
from ledger.model.local_time import clock_rows
from ledger.model.merkle import MerkleTree
from ledger.model.periods import Month
from ledger.model.progress import Advance, unheard
from ledger.model.records import File
from ledger.store.event_store import MARKS_AT_ONCE, Store

READINGS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Flags:
    """What is said of a batch.

    Attributes:
        gap: a month before it is missing.
        late: it is of an earlier month than the latest recorded one.
        correction: it takes a recorded file out of force.
        reason: why, in the user's words.
    """

    gap: bool = False
    late: bool = False
    correction: bool = False
    reason: str | None = None


def batch_contents(store: Store, month: Month, flags: Flags) -> BatchContents:
    """What the head binds of the next batch."""
    return BatchContents(
        batch=len(store.batches()) + 1,
        month=month.number,
        reason=flags.reason,
        gap=flags.gap,
        late=flags.late,
        correction=flags.correction,
    )


class EventMarks:
    """Keeps the marks of the events of a file, which come one after another."""

    def __init__(self, store: Store) -> None:
        """Start without any."""
        self._store = store
        self._first = 0
        self._marks = bytearray()

    def add(self, first_event: int, hashes: Sequence[bytes]) -> None:
        """Add the hashes of events, from `first_event` on."""
        if not self._marks:
            self._first = first_event
        self._marks += b"".join([hashed[:MARK_BYTES] for hashed in hashes])
        while len(self._marks) >= MARKS_AT_ONCE * MARK_BYTES:
            self._write(MARKS_AT_ONCE)

    def flush(self) -> None:
        """Write what was not written yet; to be called at the end of each file."""
        if self._marks:
            self._write(len(self._marks) // MARK_BYTES)

    def _write(self, count: int) -> None:
        self._store.add_marks(self._first, bytes(self._marks[: count * MARK_BYTES]))
        del self._marks[: count * MARK_BYTES]
        self._first += count


class Recorder:
    """Records the files of one month as a batch; to be used within a transaction.

    Attributes:
        problems: what is wrong with the files so far.
    """

    def __init__(
        self,
        store: Store,
        dataset: DataSet,
        month: Month,
        first_event: int | None = None,
        advance: Advance = unheard,
    ) -> None:
        """Start with an event: by default behind what is recorded for the month.

        Args:
            store: to append to.
            dataset: the tables.
            month: of the files.
            first_event: the number of the first event.
            advance: is told how many bytes are read.
        """
        self._store = store
        self._dataset = dataset
        self._month = month
        self.problems = Problems()
        self._tree = MerkleTree()
        self._next_event = first_event or store.next_event(month)
        self._readings: list[tuple[int, str, str | float | None, str]] = []
        self._marks = EventMarks(store)
        self._advance = advance

    def record(
        self, deliveries: Sequence[Delivery], flags: Flags, supersedes: Mapping[str, int]
    ) -> list[tuple[File, Counter[str]]]:
        """Record files, and the batch that they make.

        Args:
            deliveries: the files, in the order of the tables.
            flags: what is said of the batch.
            supersedes: by table, the number of the file in whose place one comes.

        Returns:
            for each file its record, and how many events of each action it gave.

        Raises:
            InputRefused: with the problems of all of them.
        """
        number = self._store.next_file()
        read = [
            self.append(delivery, file, supersedes.get(delivery.table.name))
            for file, delivery in enumerate(deliveries, start=number)
        ]
        if self.problems:
            raise InputRefused(self.problems)
        files, actions = zip(*read, strict=True)
        contents = batch_contents(self._store, self._month, flags)
        names = [delivery.name for delivery in deliveries]
        root = self._tree.root().hex()
        self._store.append_batch(contents, files, names, self._tree.count, root)
        return list(zip(self._store.files()[-len(files) :], actions, strict=True))

    def append(
        self, delivery: Delivery, number: int, supersedes: int | None
    ) -> tuple[FileContents, Counter[str]]:
        """Append the events of one file, and give what it is and its events of each action.

        Args:
            delivery: the file.
            number: its number in the ledger.
            supersedes: that of the file in whose place it comes, or None.
        """
        source, table = OpenDelivery(delivery.path), delivery.table
        reader = CellReader(table)
        counts: Counter[str] = Counter()
        first = self._next_event
        with self._store.appending(table):
            blocks = delivered_blocks(source, table, delivery.kind, self.problems, self._advance)
            for block in blocks:
                self._append_block(block, table, number, reader)
                counts.update(block.actions)
        self._marks.flush()
        self._keep_readings()
        self._keep_clock(reader.utc_days)
        if delivery.kind is Kind.INITIAL:
            self._check_keys(delivery, first)
        count = self._next_event - first
        contents = FileContents(
            file=number,
            table=delivery.table.name,
            month=self._month.number,
            kind=delivery.kind.value,
            sha256=source.sha256,
            bytes=source.size,
            rows=count,
            first_event=first if count else None,
            last_event=self._next_event - 1 if count else None,
            supersedes=supersedes,
        )
        return contents, counts

    def _append_block(self, block: Block, table: Table, file: int, reader: CellReader) -> None:
        first = self._next_event
        self._next_event += len(block.lines)
        events = range(first, self._next_event)
        columns = (block.lines, block.actions, *block.columns)
        hashes = leaves(zip(events, repeat(table.name), repeat(file), *columns))
        self._tree.add(hashes)
        self._marks.add(first, hashes)
        self._store.append_events(table, zip(events, repeat(file), *columns))
        for row, reading in reader.irregular(block.columns):
            self._readings.append((first + row, *reading))
        if len(self._readings) > READINGS_AT_ONCE:
            self._keep_readings()

    def _keep_readings(self) -> None:
        self._store.add_readings(self._readings)
        self._readings.clear()

    def _keep_clock(self, days: set[str]) -> None:
        for day in sorted(days):
            if not self._store.has_clock(day):
                self._store.add_clock(clock_rows(day, self._dataset.zone))

    def _check_keys(self, delivery: Delivery, first_event: int) -> None:
        """Tell keys that stand twice in an initial extract."""
        span = (first_event, self._next_event - 1)
        sql = _REPEATED_KEYS.format(events=delivery.table.events, key=delivery.table.key)
        for line, key, first_line in self._store.rows(sql, span * 2):
            self.problems.add(repeated_key(delivery, line, key, first_line))


def delivered_blocks(
    source: OpenDelivery,
    table: Table,
    kind: Kind,
    problems: Problems,
    advance: Advance = unheard,
) -> Iterator[Block]:
    """Yield the sound rows of a file, and add all that is wrong with it to `problems`.

    Args:
        source: the file.
        table: whose rows it holds.
        kind: of the file.
        problems: what is wrong is added here, also that it cannot be read.
        advance: is told how many bytes are read.
    """

    def counted() -> Iterator[bytes]:
        for chunk in source.chunks():
            yield chunk
            advance(len(chunk))

    try:
        yield from read_blocks(counted(), table, kind, str(source.path), problems)
    except InputRefused as refused:
        for problem in refused.problems:
            problems.add(problem)


def repeated_key(delivery: Delivery, line: int, key: str, first_line: int) -> Problem:
    """What is told of a key that stands twice in an initial extract."""
    message = f"this key stands on line {first_line} already"
    return Problem(str(delivery.path), "duplicate-key", message, line, delivery.table.key, key)


_REPEATED_KEYS = """
SELECT again.line, again.{key}, first.line
FROM (SELECT {key}, min(event_id) AS event_id FROM {events}
      WHERE event_id BETWEEN ? AND ? GROUP BY {key} HAVING count(*) > 1) AS repeated
JOIN {events} AS first ON first.event_id = repeated.event_id
JOIN {events} AS again ON again.{key} = repeated.{key} AND again.event_id > repeated.event_id
WHERE again.event_id BETWEEN ? AND ?
ORDER BY again.event_id
"""
