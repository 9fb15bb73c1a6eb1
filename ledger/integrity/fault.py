"""What a verification finds, and what it looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ledger.model.dataset import DataSet
from ledger.model.progress import Progress, Tally
from ledger.model.records import Batch, File, Tag
from ledger.store.event_store import Store


class FaultKind(StrEnum):
    """What is not as it was recorded."""

    OBJECT = "object"
    STORAGE = "storage"
    EVENT = "event"
    FILE = "file"
    BATCH = "batch"
    TAG = "tag"
    DERIVED = "derived"
    RECEIPT = "receipt"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is not as it was recorded.

    Attributes:
        kind: of the thing.
        where: which one: a table, a batch, a file with its line.
        message: what is wrong with it.
    """

    kind: FaultKind
    where: str
    message: str

    def __str__(self) -> str:
        kind = "" if self.kind is FaultKind.OBJECT else f"{self.kind} "
        return f"{kind}{self.where}: {self.message}"


class Recorded(Protocol):
    """The records of a ledger, wherever they were read."""

    @property
    def dataset(self) -> DataSet:
        """The ledger's description."""

    @property
    def batches(self) -> Sequence[Batch]:
        """All of them, in order."""

    @property
    def files(self) -> Sequence[File]:
        """All of them, in order."""

    @property
    def tags(self) -> Sequence[Tag]:
        """All of them, in order."""


@dataclass(slots=True)
class Subject:
    """A ledger that is verified.

    Attributes:
        store: open, in a snapshot or a transaction.
        dataset: its description.
        batches: all of them.
        files: all of them.
        tags: all of them.
        progress: is told how many of how many events are done.
    """

    store: Store
    dataset: DataSet
    batches: list[Batch]
    files: list[File]
    tags: list[Tag]
    progress: Progress | None = None
    _tally: Tally = field(default_factory=lambda: Tally(0, None))

    def expect(self, *, quick: bool) -> None:
        """Say how much there is to do: with a replay, every event counts twice."""
        self._tally = Tally(self.events * (1 if quick else 2), self.progress)

    def advance(self, events: int) -> None:
        """Tell that some more events are done."""
        self._tally.advance(events)

    def tell(self) -> None:
        """Tell again how many are done: the time goes on."""
        self._tally.tell()

    @property
    def events(self) -> int:
        """How many events the files say that there are."""
        return sum(file.rows for file in self.files)
