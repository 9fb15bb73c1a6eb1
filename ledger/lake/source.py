"""Verifies a lake: its events, records and what is computed from them, and what it is held to.

A lake is held to its own chain, and that to the ledger that was published, where one has it, and to
receipts. Held to neither, it only agrees with itself: see `ledger.integrity.verify`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice, repeat, zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa

from ledger.errors import StorageFailed
from ledger.integrity.checks.contents import check_tags, event_fault, first_fault
from ledger.integrity.checks.records import check_records
from ledger.integrity.fault import Fault, FaultKind
from ledger.integrity.receipts import check_receipt
from ledger.integrity.verify import FAULTS_KEPT
from ledger.lake.arrow import EventFile, ReadingRow, merged
from ledger.lake.files import read_events, read_parquet
from ledger.lake.layout import Layout
from ledger.lake.relations import CLOCK, READINGS, columns_of, schema
from ledger.model.dataset import DataSet
from ledger.model.digest import GENESIS, batch_digest, file_digest, leaves, next_head, next_seal
from ledger.model.local_time import clock_rows
from ledger.model.merkle import MerkleTree
from ledger.model.progress import Progress, Tally
from ledger.model.receipt import Receipt
from ledger.model.records import Batch, File, Records, Tag
from ledger.store.database import Record
from ledger.store.event_store import MARKS_AT_ONCE, Store

_Check = Callable[[], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class LakeVerification:
    """What a verification of a lake found.

    Attributes:
        root: the lake's folder.
        layout: of the lake.
        batches: how many it holds.
        events: how many these have.
        head: the head after the last batch, or None.
        anchored: up to which batch a receipt agrees; 0 where there is none.
        held_to: the ledger's file to which it was held, or None.
        recorded: how many batches that ledger has; 0 where there is none.
        faults: what is not as it was published, the first hundred of it.
    """

    root: Path
    layout: str
    batches: int
    events: int
    head: str | None
    anchored: int
    held_to: Path | None
    recorded: int
    faults: tuple[Fault, ...]

    @property
    def verdict(self) -> str:
        """The outcome in a sentence, without its full stop."""
        if self.faults:
            return f"the lake is not as it was published: {self.faults[0]}"
        said = ["internally consistent"]
        if self.anchored:
            of = "" if self.anchored == self.batches else f" of {self.batches}"
            said.append(f"anchored by a receipt up to batch {self.anchored}{of}")
        if self.held_to:
            upto = f"up to batch {self.batches} of {self.recorded}"
            said.append(f"held to the ledger {self.held_to} {upto}")
        else:
            said.append("not held to any ledger")
        return "; ".join(said)


def verify_lake(
    lake: Layout,
    dataset: DataSet,
    store: Store | None = None,
    receipts: Sequence[tuple[Path, Receipt]] = (),
    progress: Progress | None = None,
) -> LakeVerification:
    """Verify a lake.

    What no record speaks of, as of a batch that was begun and not finished, is no fault: nobody
    reads it.

    Args:
        lake: the lake.
        dataset: its description.
        store: the ledger that was published there, within a snapshot; None where one has it not.
        receipts: to hold it to, each with where it was read.
        progress: is told how many of how many events are done.
    """
    faults: list[Fault] = []
    records = Records((), (), ())
    try:
        records = lake.records()
    except StorageFailed as error:
        faults.append(Fault(FaultKind.STORAGE, str(lake.root), str(error)))
    recorded = _Recorded(dataset, records.batches, records.files, records.tags)
    contents = _Contents(lake, records, store, progress)
    checks: list[_Check] = [
        lambda: _check_places(lake, records),
        contents.check,
        lambda: check_tags(recorded),
        lambda: check_records(recorded),
    ]
    if store:
        checks.append(lambda: _check_against(store, records))
    checks += [_receipt_check(recorded, path, receipt) for path, receipt in receipts]
    if not faults:
        found = (fault for check in checks for fault in _faults(check, lake.root))
        faults += islice(found, FAULTS_KEPT)
    agreeing = [receipt.batch for _, receipt in receipts] if not faults else []
    return LakeVerification(
        root=lake.root,
        layout=lake.name,
        batches=len(records.batches),
        events=sum(file.rows for file in records.files),
        head=records.batches[-1].head if records.batches else None,
        anchored=max(agreeing, default=0),
        held_to=store.path if store else None,
        recorded=len(store.batches()) if store else 0,
        faults=tuple(faults),
    )


@dataclass(frozen=True, slots=True)
class _Recorded:
    """What a lake says that is recorded; see `ledger.integrity.fault.Recorded`."""

    dataset: DataSet
    batches: Sequence[Batch]
    files: Sequence[File]
    tags: Sequence[Tag]


@dataclass(slots=True)
class _Seen:
    """What was seen of the events of a file.

    Attributes:
        read: how their cells are read.
        expected: the number of the event that comes next.
        broken: what keeps them from being those of the record, or None.
        changed: the first one that is not as the ledger marked it, or None.
    """

    read: EventFile
    expected: int
    broken: Fault | None = None
    changed: Fault | None = None


class _Contents:
    """Holds events, files, batches, readings and local time to the digests and to each other."""

    def __init__(
        self, lake: Layout, records: Records, store: Store | None, progress: Progress | None
    ) -> None:
        self._lake = lake
        self._records = records
        self._store = store
        self._marked = {_stretch(file) for file in store.files()} if store else set()
        self._tally = Tally(sum(file.rows for file in records.files), progress)
        self._tables = {table.name for table in lake.dataset.tables}
        self._days: set[str] = set()
        self._are_sound = True

    def check(self) -> Iterator[Fault]:
        """Tell what differs, batch by batch."""
        records = self._records
        before = (GENESIS, GENESIS)
        shares = zip(
            self._lake.shares(READINGS, records),
            self._lake.shares(CLOCK, records),
            strict=True,
        )
        for (batches, of_readings), (_, of_clock) in shares:
            seen: list[_Seen] = []
            for batch in batches:
                yield from self._check_batch(batch, before, seen)
                before = batch.head, batch.seal
            # What is computed from events that were changed tells nothing.
            if self._are_sound:
                readings = [row for some in seen for row in some.read.readings]
                yield from self._check_readings(readings, of_readings)
                days = set[str]().union(*(some.read.utc_days for some in seen))
                yield from self._check_clock(days - self._days, of_clock)
                self._days |= days

    def _check_batch(
        self, batch: Batch, before: tuple[str, str], seen: list[_Seen]
    ) -> Iterator[Fault]:
        """Hold a batch to the chain; what was seen of its files is added."""
        files = [file for file in self._records.files if file.batch == batch.batch]
        tree = MerkleTree()
        of_batch = [self._check_file(file, tree) for file in files if self._has_events(file)]
        seen += of_batch
        faults = [some.broken for some in of_batch if some.broken]
        if not faults and tree.root().hex() != batch.root:
            faults += [some.changed for some in of_batch if some.changed]
        self._are_sound = self._are_sound and not faults
        faults += [
            Fault(FaultKind.FILE, _place(file), "its record is not as it was recorded")
            for file in files
            if file_digest(file.contents, file.name) != file.digest
        ]
        if not faults:
            faults += self._check_record(batch, files, before, tree)
        yield from faults

    def _check_record(
        self, batch: Batch, files: list[File], before: tuple[str, str], tree: MerkleTree
    ) -> list[Fault]:
        """Hold the record of a batch to its events and the chain; all else seems sound."""
        contents, root = [file.contents for file in files], tree.root().hex()

        def leads_to_head(root: str) -> bool:
            digest = batch_digest(batch.contents, contents, batch.events, root)
            return next_head(before[0], digest) == batch.head

        message = None
        if root != batch.root and not leads_to_head(root):
            # Which event it is cannot be told without marks.
            self._are_sound = False
            paths = [self._lake.events_path(file) for file in files if self._has_events(file)]
            names = ", ".join(map(self._name, paths))
            what = "its events" if leads_to_head(batch.root) else "its record, files or events"
            message = f"{what} are not those that were recorded, in: {names}"
        elif root != batch.root:
            message = "its root is not that of its events"
        elif not leads_to_head(root):
            message = "its record, its head, or the record of a file is not as it was recorded"
        elif batch.events != tree.count:
            message = f"it says that it has {batch.events} events, and has {tree.count}"
        elif (
            next_seal(before[1], batch.head, batch.recorded_at, [file.name for file in files])
            != batch.seal
        ):
            message = "its time of recording, its seal, or the order of its files was changed"
        return [Fault(FaultKind.BATCH, str(batch.batch), message)] if message else []

    def _has_events(self, file: File) -> bool:
        return (
            file.table_name in self._tables
            and file.first_event is not None
            and file.last_event is not None
        )

    def _check_file(self, file: File, tree: MerkleTree) -> _Seen:
        """Add the leaves of a file's events to the tree, and see that they are its own."""
        table = self._lake.dataset.table(file.table_name)
        path = self._lake.events_path(file)
        seen = _Seen(EventFile(table, file.file), file.first_event or 0)
        end = (file.last_event or 0) + 1
        chunks = read_events(path, seen.read.schema, MARKS_AT_ONCE)
        for some in _until_unreadable(merged(chunks, MARKS_AT_ONCE), seen, file):
            columns = [column.to_pylist() for column in some.columns]
            self._check_events(file, columns, tree, seen)
        if seen.broken is None and seen.expected < end:
            seen.broken = event_fault(file, seen.expected, None, "it is missing")
        if seen.broken is None and seen.expected > end:
            seen.broken = event_fault(file, end, None, "the record of its file knows of no such")
        seen.broken = self._placed(path, seen.broken)
        seen.changed = self._placed(path, seen.changed)
        return seen

    def _check_events(
        self, file: File, columns: Sequence[Sequence[Any]], tree: MerkleTree, seen: _Seen
    ) -> None:
        """Add the leaves of some events to the tree, and see that they are those that follow."""
        events, files, lines, actions, *cells = columns
        hashes = leaves(zip(events, repeat(file.table_name), files, lines, actions, *cells))
        tree.add(hashes)
        self._tally.advance(len(events))
        first, seen.expected = seen.expected, seen.expected + len(events)
        if seen.broken:
            return
        seen.broken = _misplaced(file, first, events, files)
        if seen.broken is None:
            seen.read.read(events, cells)
            if self._store and seen.changed is None and _stretch(file) in self._marked:
                rows = list(zip(events, files, lines, strict=True))
                seen.changed = first_fault(self._store, file, first, rows, hashes)

    def _check_readings(self, expected: list[ReadingRow], paths: Sequence[Path]) -> Iterator[Fault]:
        """Hold how cells are read to how they are read now."""
        stored = _stored(READINGS, paths)
        if self._lake.is_begun(self._records):
            is_known = _ranges(self._records.files)
            stored = [row for row in stored if is_known(row[0])]
        for row in _first_difference(expected, stored):
            where = f"{self._name_all(READINGS, paths)} event {row[0]}"
            yield Fault(FaultKind.DERIVED, where, "not how its cells are read")

    def _check_clock(self, days: set[str], paths: Sequence[Path]) -> Iterator[Fault]:
        """Hold local time to that of days that no batch before these had."""
        zone = self._lake.dataset.zone
        expected = [row for day in sorted(days) for row in clock_rows(day, zone)]
        stored = _stored(CLOCK, paths)
        if self._lake.is_begun(self._records):
            stored = [row for row in stored if row[0][:10] in days]
        for row in _first_difference(expected, stored):
            where = f"{self._name_all(CLOCK, paths)} {row[0]}"
            yield Fault(FaultKind.DERIVED, where, "not the local time then, or of no event's day")

    def _placed(self, path: Path, fault: Fault | None) -> Fault | None:
        """Say in which file of the lake an event is."""
        if fault is None or fault.kind is not FaultKind.EVENT:
            return fault
        return replace(fault, where=f"{fault.where} in {self._name(path)}")

    def _name(self, path: Path) -> str:
        return _name_in(self._lake.root, path)

    def _name_all(self, relation: str, paths: Sequence[Path]) -> str:
        return self._name(paths[0]) if len(paths) == 1 else relation


def _check_places(lake: Layout, records: Records) -> Iterator[Fault]:
    for path, message in lake.misplaced(records):
        yield Fault(FaultKind.STORAGE, _name_in(lake.root, path), message)


def _check_against(store: Store, records: Records) -> Iterator[Fault]:
    """Hold the records of a lake to those of the ledger: it may end before that, and not after."""
    batches, tags = store.batches(), store.tags()
    for batch in records.batches[len(batches) :]:
        message = f"the ledger {store.path} ends with batch {len(batches)}"
        yield Fault(FaultKind.BATCH, str(batch.batch), message)
        break
    for held, batch in zip(records.batches, batches, strict=False):
        if (held.head, held.seal) != (batch.head, batch.seal):
            what = "head" if held.head != batch.head else "seal"
            message = f"it has another {what} in the ledger {store.path}"
            yield Fault(FaultKind.BATCH, str(held.batch), message)
            break
    for tag in records.tags[len(tags) :]:
        message = f"the ledger {store.path} has {len(tags)} tags, and not this one"
        yield Fault(FaultKind.TAG, tag.name, message)
        break
    for named, tag in zip(records.tags, tags, strict=False):
        if named.seal != tag.seal:
            message = f"the ledger {store.path} has {tag.name} in its place, or of another edition"
            yield Fault(FaultKind.TAG, named.name, message)
            break


def _receipt_check(recorded: _Recorded, path: Path, receipt: Receipt) -> _Check:
    return lambda: check_receipt(recorded, str(path), receipt, "lake")


def _faults(check: _Check, root: Path) -> Iterator[Fault]:
    """Run a check; that something cannot be read is a fault too."""
    try:
        yield from check()
    except StorageFailed as error:
        yield Fault(FaultKind.STORAGE, str(root), str(error))


def _until_unreadable(
    chunks: Iterator[pa.RecordBatch], seen: _Seen, file: File
) -> Iterator[pa.RecordBatch]:
    """The same, up to where no more can be read, which is noted."""
    try:
        yield from chunks
    except StorageFailed as error:
        seen.broken = seen.broken or Fault(FaultKind.FILE, _place(file), str(error))


def _stretch(file: File) -> tuple[str, int | None, int | None]:
    """The events of a file: those of the same are marked alike."""
    return file.table_name, file.first_event, file.last_event


def _misplaced(
    file: File, first: int, events: Sequence[int | None], files: Sequence[int | None]
) -> Fault | None:
    """Tell the first of some events that is not the one expected, or of another file."""
    for expected, event, number in zip(count(first), events, files, strict=False):
        if event != expected:
            return event_fault(file, expected, None, f"it is missing, and {event} in its place")
        if number != file.file:
            return event_fault(file, expected, None, f"it says that it is of file {number}")
    return None


def _ranges(files: Sequence[File]) -> Callable[[int], bool]:
    """Tells whether an event is of one of the files."""
    ranges = sorted((f.first_event, f.last_event) for f in files if f.first_event and f.last_event)
    starts = [first for first, _ in ranges]

    def is_known(event: int) -> bool:
        place = bisect_right(starts, event) - 1
        return place >= 0 and event <= ranges[place][1]

    return is_known


def _stored(relation: str, paths: Sequence[Path]) -> list[Record]:
    """The rows in files of a relation."""
    types = schema(columns_of(relation))
    tables = (read_parquet(path, types) for path in paths)
    return [row for table in tables for row in zip(*table.to_pydict().values(), strict=True)]


def _first_difference(expected: Iterable[Record], stored: Iterable[Record]) -> Iterator[Record]:
    """The first row, in order, that is not in both."""
    pairs = zip_longest(sorted(map(tuple, expected), key=_order), sorted(stored, key=_order))
    for ours, theirs in pairs:
        if ours != theirs:
            yield min((row for row in (ours, theirs) if row), key=_order)
            return


def _order(row: Record) -> list[tuple[bool, Any]]:
    """By which rows are ordered, where any value may be missing."""
    return [(value is not None, "" if value is None else value) for value in row]


def _name_in(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _place(file: File) -> str:
    return f"{file.name} (batch {file.batch})"
