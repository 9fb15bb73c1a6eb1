"""The target of a verification: records, and the events of each file, in a ledger or a lake."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

from ledger.errors import StorageFailed
from ledger.integrity.chain import Link, RecordSet
from ledger.integrity.fault import Fault, FaultKind
from ledger.model.dataset import DataSet
from ledger.model.digest import leaves
from ledger.model.progress import Progress, Tally
from ledger.model.records import Batch, File, Tag
from ledger.store.database import Record


class EventChunk(NamedTuple):
    """Some events of a file, column by column.

    Attributes:
        events: the `event_id` of each.
        files: the number of the file that each names.
        lines: the line of each.
        actions: the action of each.
        cells: the cells, a sequence for each column.
    """

    events: Sequence[int]
    files: Sequence[int]
    lines: Sequence[int]
    actions: Sequence[str]
    cells: Sequence[Sequence[str | None]]

    def leaves(self, table: str) -> list[bytes]:
        """The hashes of the events, as those of a table."""
        return leaves(
            zip(self.events, repeat(table), self.files, self.lines, self.actions, *self.cells)
        )

    def rows(self) -> Iterator[Record]:
        """Line, action and cells of each event."""
        return zip(self.lines, self.actions, *self.cells, strict=True)


@dataclass(slots=True)
class FileScan:
    """The result of reading the events of a file.

    Attributes:
        misplaced: the first that cannot be one of its events: missing, unreadable, of another file.
        altered: the first whose leaf does not have the stored prefix. Prefixes bind nothing: the
            head decides whether the event or the prefix was changed.
        typed_value: the first typed value that is not the one stored.
        days: the days of UTC on which its timestamps fall.
    """

    misplaced: Fault | None = None
    altered: Fault | None = None
    typed_value: Fault | None = None
    days: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class BatchScan:
    """The result of reading a batch.

    Attributes:
        link: its records, in the chain.
        files: the results of reading its files with events.
        events: the number of events that were read.
        root: of the Merkle tree over the events.
        locations: where the events are stored, if in files of their own.
    """

    link: Link
    files: list[FileScan]
    events: int
    root: str
    locations: list[str]

    @property
    def agrees(self) -> bool:
        """Whether the records and the events that were read lead to the head."""
        return self.link.leads_to_head(self.root)


@dataclass(frozen=True, slots=True)
class LocalTimePart:
    """A stored part of local time.

    Attributes:
        place: where it is stored.
        batches: the numbers of the batches whose days it covers.
        rows: its rows, in order.
        is_begun: whether it may have rows of a batch that is not finished.
    """

    place: str
    batches: Set[int]
    rows: Iterable[Record]
    is_begun: bool = False


class VerificationTarget(ABC):
    """A ledger or a lake that is verified.

    Attributes:
        name: `ledger` or `lake`.
        place: where it is stored.
        dataset: the description of the data set.
        batches: all of them, once `load` was called.
        files: all of them, once `load` was called.
        tags: all of them, once `load` was called.
        scans: the results of reading the batches so far.
        progress: counts the events that are done.
        tick: reports the progress again while a statement runs; None without a listener.
    """

    name: str
    place: str

    def __init__(self, dataset: DataSet, passes: int, progress: Progress | None) -> None:
        """Begin with nothing read.

        Args:
            dataset: the description of the data set.
            passes: how often every event is read.
            progress: is called with how many of how many events are done.
        """
        self.dataset = dataset
        self.batches: Sequence[Batch] = ()
        self.files: Sequence[File] = ()
        self.tags: Sequence[Tag] = ()
        self.scans: list[BatchScan] = []
        self.progress = Tally(0, None)
        self.tick: Callable[[], object] | None = None
        self._passes = passes
        self._progress = progress

    @property
    def recorded_events(self) -> int:
        """How many events the files have by their records."""
        return sum(file.rows for file in self.files)

    def load(self) -> None:
        """Read the records.

        Raises:
            StorageFailed: they cannot be read.
        """
        records = self.records()
        self.batches, self.files, self.tags = records.batches, records.files, records.tags
        self.progress = Tally(self.recorded_events * self._passes, self._progress)
        self.tick = self.progress.tell if self._progress else None

    def has_events(self, file: File) -> bool:
        """Whether a file has events by its record, of a table that exists."""
        names = [table.name for table in self.dataset.tables]
        return None not in (file.first_event, file.last_event) and file.table_name in names

    def storage_fault(self, error: StorageFailed) -> Fault:
        """That something cannot be read is a fault too."""
        return Fault(FaultKind.STORAGE, self.place, str(error).removeprefix(f"{self.place}: "))

    @abstractmethod
    def records(self) -> RecordSet:
        """The records, as they are stored.

        Raises:
            StorageFailed: they cannot be read.
        """

    @abstractmethod
    def events(self, file: File) -> Iterator[EventChunk]:
        """The events of a file in order, as many at once as leaf prefixes are kept for.

        Raises:
            StorageFailed: they cannot be read.
        """

    @abstractmethod
    def unreadable(self, file: File, expected: int, error: StorageFailed) -> Fault:
        """The fault that the events of a file cannot be read, from one of them on."""

    @abstractmethod
    def leaf_prefixes(self, file: File, first_event: int) -> bytes | None:
        """The first bytes of the leaves of events of a file, from one on; None where none exist."""

    @abstractmethod
    def location(self, file: File) -> str | None:
        """Where the events of a file are stored, if that is a file of its own."""

    @abstractmethod
    def typed_values(self, file: File) -> Iterator[Record]:
        """The stored typed values of a file: `event_id`, column, value, code, in order.

        Raises:
            StorageFailed: they cannot be read.
        """

    @abstractmethod
    def stored_value(self, value: str | float | None) -> str | float | None:
        """A typed value as it is stored."""

    @abstractmethod
    def typed_values_place(self, file: File) -> str:
        """Where the typed values of a file are stored."""

    @abstractmethod
    def stray_typed_values(self) -> Iterator[tuple[str, int | None]]:
        """Typed values of no event: where they are stored, and the `event_id` that they name."""

    @abstractmethod
    def local_time(self) -> Iterator[LocalTimePart]:
        """The stored local time."""
