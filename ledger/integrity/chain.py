"""The chain of batches: each with its files and with the head and the seal before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from ledger.model.dataset import DataSet
from ledger.model.digest import GENESIS, batch_digest, next_head, next_seal
from ledger.model.records import Batch, File, Tag


class RecordSet(Protocol):
    """Batches, files and tags, of a ledger, a lake or a document."""

    @property
    def batches(self) -> Sequence[Batch]:
        """All of them, in order."""

    @property
    def files(self) -> Sequence[File]:
        """All of them, in order."""

    @property
    def tags(self) -> Sequence[Tag]:
        """All of them, in order."""


class DescribedRecords(RecordSet, Protocol):
    """A record set with the description of its data set."""

    @property
    def dataset(self) -> DataSet:
        """The description of the data set."""


@dataclass(frozen=True, slots=True)
class Records:
    """Records that were read; see `RecordSet`."""

    batches: Sequence[Batch]
    files: Sequence[File]
    tags: Sequence[Tag] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A batch of a chain.

    Attributes:
        batch: its record.
        files: the records of its files, in order.
        head_before: the head of the batch before it.
        seal_before: the seal of the batch before it.
    """

    batch: Batch
    files: tuple[File, ...]
    head_before: str
    seal_before: str

    def digest(self, root: str) -> str:
        """The digest of the batch, if its events have this root."""
        contents = [file.contents for file in self.files]
        return batch_digest(self.batch.contents, contents, self.batch.events, root)

    def leads_to_head(self, root: str) -> bool:
        """Whether its records, with events of this root, lead to its head."""
        return next_head(self.head_before, self.digest(root)) == self.batch.head

    @property
    def leads_to_seal(self) -> bool:
        """Whether its head, its time of recording and the names of its files lead to its seal."""
        names = [file.name for file in self.files]
        recorded_at = self.batch.recorded_at
        return next_seal(self.seal_before, self.batch.head, recorded_at, names) == self.batch.seal


def links(records: RecordSet) -> Iterator[Link]:
    """Follow a chain from its beginning."""
    files: dict[int, list[File]] = {}
    for file in records.files:
        files.setdefault(file.batch, []).append(file)
    head = seal = GENESIS
    for batch in records.batches:
        yield Link(batch, tuple(files.get(batch.batch, ())), head, seal)
        head, seal = batch.head, batch.seal
