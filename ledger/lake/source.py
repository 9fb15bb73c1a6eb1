"""A lake as a target of verification: its events, records and what is computed from them.

A lake is checked against its own chain, against the published ledger, if it is available, and
against receipts. Without these, it is only consistent with itself: see `ledger.integrity.verify`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from ledger.errors import StorageFailed
from ledger.integrity.checks.typed_values import row_order
from ledger.integrity.fault import Fault, FaultKind, file_fault
from ledger.integrity.target import EventChunk, LocalTimePart, VerificationTarget
from ledger.integrity.verify import (
    BATCH_CHECKS,
    CELL_CHECKS,
    RECORD_CHECKS,
    Check,
    Checks,
    anchor_text,
    find_faults,
    last_anchored,
    receipts_check,
)
from ledger.lake.arrow import merged, value_text
from ledger.lake.files import read_events, read_parquet
from ledger.lake.layout import Layout
from ledger.lake.relations import CLOCK, READINGS, columns_of, event_schema, schema
from ledger.model.dataset import DataSet
from ledger.model.presentation import Verdict
from ledger.model.progress import Progress
from ledger.model.receipt import Receipt
from ledger.model.records import File, Records
from ledger.store.database import Record
from ledger.store.event_store import MARKS_AT_ONCE, Store
from ledger.text import counted


@dataclass(frozen=True, slots=True)
class LakeVerification(Verdict):
    """The result of a verification of a lake.

    Attributes:
        root: the lake's folder.
        layout: of the lake.
        batches: the number of its batches.
        events: the number of their events.
        head: the head after the last batch, or None.
        anchored: the last batch up to which a receipt agrees; 0 without a receipt.
        held_to: the ledger's file against which it was checked, or None.
        recorded: the number of batches of that ledger; 0 without a ledger.
        faults: what is not as it was published, the first hundred.
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
        parts = ["internally consistent"]
        if self.anchored:
            parts.append(anchor_text(self.anchored, self.batches))
        if self.held_to:
            upto = f"up to batch {self.batches} of {self.recorded}"
            parts.append(f"checked against the ledger {self.held_to} {upto}")
        else:
            parts.append("not checked against any ledger")
        return "; ".join(parts)

    @property
    def complaints(self) -> tuple[str, ...]:
        """The faults."""
        return tuple(map(str, self.faults))

    @property
    def compared(self) -> int | None:
        """How many delivered files were read again: a lake is compared with none."""
        return None

    @property
    def absent(self) -> tuple[File, ...]:
        """The superseded files that were not among these."""
        return ()

    @property
    def place(self) -> Path:
        """Where the lake is."""
        return self.root

    @property
    def advice(self) -> str:
        """What to do where it has faults."""
        return "Publish the ledger to another folder"

    @property
    def extent(self) -> str:
        """The amount of what is recorded."""
        batches = counted(self.batches, "batch", "batches")
        return f"{batches}, {counted(self.events, 'event')}, head {self.head or 'none'}"


class LakeTarget(VerificationTarget):
    """A lake.

    Rows that no record refers to, such as those of a batch that was begun and not finished, are no
    fault: nothing reads them.

    Attributes:
        lake: the lake.
        store: the published ledger, within a snapshot; None if it is not available.
    """

    name = "lake"

    def __init__(
        self,
        lake: Layout,
        dataset: DataSet,
        store: Store | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Name the lake to be verified; nothing is read yet. See `VerificationTarget`."""
        super().__init__(dataset, 1, progress)
        self.lake = lake
        self.store = store
        self.place = str(lake.root)
        self._with_prefixes = {_event_range(file) for file in store.files()} if store else set()
        self._records = Records((), (), ())
        self._read: tuple[_Share, list[Record]] | None = None

    def records(self) -> Records:
        """The records, as they are stored."""
        self._records = self.lake.records()
        return self._records

    def events(self, file: File) -> Iterator[EventChunk]:
        """The events of a file in order, as many at once as leaf prefixes are kept for."""
        types = event_schema(self.dataset.table(file.table_name))
        path = self.lake.events_path(file)
        for some in merged(read_events(path, types, MARKS_AT_ONCE), MARKS_AT_ONCE):
            events, files, lines, actions, *cells = [c.to_pylist() for c in some.columns]
            yield EventChunk(events, files, lines, actions, cells)

    def unreadable(self, file: File, expected: int, error: StorageFailed) -> Fault:
        """The fault that the events of a file cannot be read."""
        return file_fault(file, str(error))

    def leaf_prefixes(self, file: File, first_event: int) -> bytes | None:
        """The first bytes of the leaves of events, as the ledger has them; None without one."""
        if self.store is None or _event_range(file) not in self._with_prefixes:
            return None
        return b"".join(self.store.marks(first_event))

    def location(self, file: File) -> str:
        """The file of the lake that contains the events of a file."""
        return self._name(self.lake.events_path(file))

    def typed_values(self, file: File) -> Iterator[Record]:
        """The stored typed values of a file: `event_id`, column, value, code, in order."""
        share = self._shares[file.batch]
        known = [row for row in self._rows_of(share) if row[0] is not None]
        start = bisect_left(known, file.first_event or 0, key=_event)
        end = bisect_right(known, file.last_event or 0, key=_event)
        yield from known[start:end]

    def stored_value(self, value: str | float | None) -> str | None:
        """A typed value as it is stored."""
        return value_text(value)

    def typed_values_place(self, file: File) -> str:
        """Where the typed values of a file are stored."""
        return self._shares[file.batch].place

    def stray_typed_values(self) -> Iterator[tuple[str, int | None]]:
        """Typed values of no event: where they are stored, and the `event_id` that they name."""
        if self.lake.is_begun(self._records):
            return
        for share in dict.fromkeys(self._shares.values()):
            if share.strays is None:
                self._rows_of(share)
            for event_id in share.strays or ():
                yield share.place, event_id

    def local_time(self) -> Iterator[LocalTimePart]:
        """The stored local time, in the parts in which batches added it."""
        is_begun = self.lake.is_begun(self._records)
        for batches, paths in self.lake.shares(CLOCK, self._records):
            numbers = {batch.batch for batch in batches}
            yield LocalTimePart(
                self._name_all(CLOCK, paths), numbers, _rows(CLOCK, paths), is_begun
            )

    def misplaced(self) -> Iterator[Fault]:
        """Report each path where readers find less or more than what is recorded."""
        for path, message in self.lake.misplaced(self._records):
            yield Fault(FaultKind.STORAGE, self._name(path), message)

    @cached_property
    def _shares(self) -> dict[int, _Share]:
        """The files with typed values, by the numbers of their batches."""
        found = {}
        for batches, paths in self.lake.shares(READINGS, self._records):
            numbers = {batch.batch for batch in batches}
            files = [file for file in self.files if file.batch in numbers]
            share = _Share(self._name_all(READINGS, paths), paths, files)
            found.update(dict.fromkeys(numbers, share))
        return found

    def _rows_of(self, share: _Share) -> list[Record]:
        """The typed values of a share; those of the last share are cached."""
        if self._read is None or self._read[0] is not share:
            rows = _rows(READINGS, share.paths)
            is_known = _ranges(share.files)
            share.strays = [row[0] for row in rows if row[0] is None or not is_known(row[0])][:1]
            self._read = share, rows
        return self._read[1]

    def _name(self, path: Path) -> str:
        root = self.lake.root
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)

    def _name_all(self, relation: str, paths: Sequence[Path]) -> str:
        return self._name(paths[0]) if len(paths) == 1 else relation


@dataclass(eq=False, slots=True)
class _Share:
    """Files of typed values, and the files of their batches.

    Attributes:
        place: the name under which faults report them.
        paths: of the files.
        files: of the batches.
        strays: the first `event_id` that is in none of these files; None before they are read.
    """

    place: str
    paths: Sequence[Path]
    files: Sequence[File]
    strays: list[int | None] | None = None


def verify_lake(
    lake: Layout,
    dataset: DataSet,
    store: Store | None = None,
    receipts: Sequence[tuple[Path, Receipt]] = (),
    progress: Progress | None = None,
) -> LakeVerification:
    """Verify a lake.

    Args:
        lake: the lake.
        dataset: its description.
        store: the published ledger, within a snapshot; None if it is not available.
        receipts: to check it against, each with the path from which it was read.
        progress: is called with the number of events that are done, and the number of all.
    """
    target = LakeTarget(lake, dataset, store, progress)
    found = find_faults(target, lake_checks(store, receipts))
    return LakeVerification(
        root=lake.root,
        layout=lake.name,
        batches=len(target.batches),
        events=target.recorded_events,
        head=target.batches[-1].head if target.batches else None,
        anchored=last_anchored(receipts, found),
        held_to=store.path if store else None,
        recorded=len(store.batches()) if store else 0,
        faults=tuple(fault for _, fault in found),
    )


def lake_checks(
    store: Store | None = None, receipts: Sequence[tuple[Path, Receipt]] = ()
) -> Checks[LakeTarget]:
    """The checks of a lake.

    Args:
        store: the published ledger; None if it is not available.
        receipts: each with the path from which it was read.
    """
    whole: list[Check[LakeTarget]] = [*RECORD_CHECKS]
    if store:
        whole.append(Check("published-ledger", partial(check_against, store)))
    if receipts:
        whole.append(receipts_check(receipts))
    whole += CELL_CHECKS
    placement = Check("placement", LakeTarget.misplaced)
    # The leaf prefixes belong to the ledger, and are no part of the lake.
    return Checks((), (placement,), BATCH_CHECKS, tuple(whole)).without("leaf-prefixes")


def check_against(store: Store, target: LakeTarget) -> Iterator[Fault]:
    """Check the records of a lake against those of the ledger, which may go on after them."""
    batches, tags = store.batches(), store.tags()
    for batch in target.batches[len(batches) :]:
        message = f"the ledger {store.path} ends with batch {len(batches)}"
        yield Fault(FaultKind.BATCH, str(batch.batch), message)
        break
    for published, batch in zip(target.batches, batches, strict=False):
        if (published.head, published.seal) != (batch.head, batch.seal):
            what = "head" if published.head != batch.head else "seal"
            message = f"it has another {what} in the ledger {store.path}"
            yield Fault(FaultKind.BATCH, str(published.batch), message)
            break
    for tag in target.tags[len(tags) :]:
        message = f"the ledger {store.path} has {len(tags)} tags, and not this one"
        yield Fault(FaultKind.TAG, tag.name, message)
        break
    for published_tag, tag in zip(target.tags, tags, strict=False):
        if published_tag.seal != tag.seal:
            message = f"the ledger {store.path} has {tag.name} in its place, or of another edition"
            yield Fault(FaultKind.TAG, published_tag.name, message)
            break


def _event_range(file: File) -> tuple[str, int | None, int | None]:
    """The range of the events of a file, by which its leaf prefixes are found."""
    return file.table_name, file.first_event, file.last_event


def _event(row: Record) -> int:
    return int(row[0])


def _ranges(files: Iterable[File]) -> Callable[[int], bool]:
    """A function that decides whether an event is in one of some files."""
    ranges = sorted((f.first_event, f.last_event) for f in files if f.first_event and f.last_event)
    starts = [first for first, _ in ranges]

    def is_known(event: int) -> bool:
        place = bisect_right(starts, event) - 1
        return place >= 0 and event <= ranges[place][1]

    return is_known


def _rows(relation: str, paths: Sequence[Path]) -> list[Record]:
    """The rows in files of a relation, in order."""
    types = schema(columns_of(relation))
    tables = (read_parquet(path, types) for path in paths)
    rows = [row for table in tables for row in zip(*table.to_pydict().values(), strict=True)]
    return sorted(rows, key=row_order)
