"""Appends the files of a month to the ledger as a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat

from ledger.delivery.cell_values import CellReader
from ledger.delivery.csv_reader import Block, read_blocks
from ledger.delivery.discovery import Delivery, OpenDelivery
from ledger.errors import InputRefused, Problem, Problems
from ledger.model.dataset import DataSet, Kind, Table
from ledger.model.digest import MARK_BYTES, FileContents, leaves
from ledger.model.local_time import clock_rows
from ledger.model.merkle import MerkleTree
from ledger.model.periods import Month
from ledger.model.progress import Advance, unheard
from ledger.model.records import Records
from ledger.recording.batches import BatchEvents, Flags, RecordedBatch, next_batch, next_file
from ledger.store.event_store import MARKS_AT_ONCE, Store
from ledger.store.sql import part

VALUES_AT_ONCE = 10_000


class EventMarks:
    """Keeps the marks of the events of a file: the first bytes of their hashes."""

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
        """Write what was not written yet; the caller must do so at the end of each file."""
        if self._marks:
            self._write(len(self._marks) // MARK_BYTES)

    def _write(self, count: int) -> None:
        self._store.add_marks(self._first, bytes(self._marks[: count * MARK_BYTES]))
        del self._marks[: count * MARK_BYTES]
        self._first += count


class Recorder:
    """Records the files of one month as a batch; the caller must be within a transaction.

    Attributes:
        problems: what is wrong with the files so far.
    """

    def __init__(
        self,
        store: Store,
        dataset: DataSet,
        month: Month,
        first_event: int,
        advance: Advance = unheard,
    ) -> None:
        """Start with an event.

        Args:
            store: to append to.
            dataset: the tables.
            month: of the files.
            first_event: the number of the first event.
            advance: receives how many bytes are read.
        """
        self._store = store
        self._dataset = dataset
        self._month = month
        self.problems = Problems()
        self._tree = MerkleTree()
        self._next_event = first_event
        self._values: list[tuple[int, str, str | float | None, str]] = []
        self._marks = EventMarks(store)
        self._advance = advance

    def record(
        self,
        records: Records,
        deliveries: Sequence[Delivery],
        flags: Flags,
        supersedes: Mapping[str, int],
    ) -> RecordedBatch:
        """Record files, and the batch that they make.

        Args:
            records: all that is recorded before.
            deliveries: the files, in the order of the tables.
            flags: what the batch records of itself.
            supersedes: by table, the number of the file in whose place one comes.

        Raises:
            InputRefused: with the problems of all of them.
        """
        read = [
            self.append(delivery, file, supersedes.get(delivery.table.name))
            for file, delivery in enumerate(deliveries, start=next_file(records))
        ]
        if self.problems:
            raise InputRefused(self.problems)
        contents, actions = zip(*read, strict=True)
        names = [delivery.name for delivery in deliveries]
        events = BatchEvents(self._tree.count, self._tree.root().hex())
        batch, files = next_batch(records, self._month, flags, contents, names, events)
        self._store.append_batch(batch, files)
        return RecordedBatch(batch, files, actions)

    def append(
        self, delivery: Delivery, number: int, supersedes: int | None
    ) -> tuple[FileContents, Counter[str]]:
        """Append the events of one file, and give what the head binds of it and its actions.

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
        self._keep_values()
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
        for row, value in reader.irregular(block.columns):
            self._values.append((first + row, *value))
        if len(self._values) > VALUES_AT_ONCE:
            self._keep_values()

    def _keep_values(self) -> None:
        self._store.add_readings(self._values)
        self._values.clear()

    def _keep_clock(self, days: set[str]) -> None:
        for day in sorted(days):
            if not self._store.has_clock(day):
                self._store.add_clock(clock_rows(day, self._dataset.zone))

    def _check_keys(self, delivery: Delivery, first_event: int) -> None:
        """Report keys that occur twice in an initial extract."""
        span = (first_event, self._next_event - 1)
        names = {"events": delivery.table.events, "key": delivery.table.key}
        sql = part("recording/recorder.sql", "repeated keys", **names)
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
        table: whose rows it contains.
        kind: of the file.
        problems: what is wrong is added here, also if the file cannot be read.
        advance: receives how many bytes are read.
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
    """The problem of a key that occurs twice in an initial extract."""
    message = f"this key is on line {first_line} already"
    return Problem(str(delivery.path), "duplicate-key", message, line, delivery.table.key, key)
