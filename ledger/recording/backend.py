"""Where a recording reads its files and keeps their events: the protocol, and the ledger's file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Protocol

from ledger.delivery.discovery import Delivery, digest_of
from ledger.errors import InputRefused, Problems
from ledger.lineage.findings import Finding, file_findings
from ledger.model.dataset import DataSet
from ledger.model.editions import EditionName
from ledger.model.periods import Month
from ledger.model.progress import Advance
from ledger.model.records import File, Records
from ledger.recording.batches import Flags, RecordedBatch, next_event
from ledger.recording.corrections import RowDifference, row_difference
from ledger.recording.recorder import Recorder
from ledger.replay.replay import Replay
from ledger.store.event_store import Store

FINDINGS_KEPT = 100


class RecordingBackend(Protocol):
    """Reads what is delivered and keeps it; what may follow on what is not its concern."""

    def records(self) -> Records:
        """All that is recorded; the same value as long as nothing more is."""

    def digest(self, delivery: Delivery) -> str:
        """The SHA-256 of a file.

        Raises:
            InputRefused: it cannot be read.
        """

    def transaction(self) -> AbstractContextManager[None]:
        """All that is recorded within is kept at the end, or nothing."""

    def record(
        self,
        month: Month,
        deliveries: Sequence[Delivery],
        flags: Flags,
        supersedes: Mapping[str, int],
        advance: Advance,
    ) -> RecordedBatch:
        """Record files of a month as a batch; see `Recorder.record`."""

    def difference(self, before: File, after: File) -> RowDifference:
        """Count the rows in which two files of a table differ, the second one just recorded."""

    def findings(
        self, files: Sequence[File], refused: frozenset[str]
    ) -> tuple[Counter[str], tuple[Finding, ...]]:
        """The number of findings of each code in files just recorded, and the first of them.

        Raises:
            InputRefused: some are of a code that is refused.
        """


class StoreBackend:
    """Keeps everything in the ledger's file."""

    def __init__(self, store: Store, dataset: DataSet) -> None:
        """Begin without anything read.

        Args:
            store: open for writing.
            dataset: the tables.
        """
        self._store = store
        self._dataset = dataset
        self._records: Records | None = None
        self._version = 0

    def records(self) -> Records:
        """All that is recorded, read again only after another process has written."""
        version = self._store.data_version()
        if self._records is None or version != self._version:
            self._records, self._version = self._store.records(), version
        return self._records

    def digest(self, delivery: Delivery) -> str:
        """The SHA-256 of a file."""
        return digest_of(delivery.path)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is recorded within is kept at the end, or nothing."""
        before = self._records
        try:
            with self._store.transaction():
                yield
        except BaseException:
            self._records = before
            raise

    def record(
        self,
        month: Month,
        deliveries: Sequence[Delivery],
        flags: Flags,
        supersedes: Mapping[str, int],
        advance: Advance,
    ) -> RecordedBatch:
        """Record files of a month as a batch."""
        records = self.records()
        first = next_event(records, month)
        recorder = Recorder(self._store, self._dataset, month, first, advance)
        recorded = recorder.record(records, deliveries, flags, supersedes)
        self._records = records.with_batch(recorded.batch, recorded.files)
        return recorded

    def difference(self, before: File, after: File) -> RowDifference:
        """Count the rows in which two recorded files of a table differ."""
        return row_difference(self._store, self._dataset.table(after.table_name), before, after)

    def findings(
        self, files: Sequence[File], refused: frozenset[str]
    ) -> tuple[Counter[str], tuple[Finding, ...]]:
        """Collect the findings of files, as known now and as of the end of their month."""
        findings: Counter[str] = Counter()
        first: list[Finding] = []
        problems = Problems()
        for finding in self._each_finding(files, refused):
            findings[finding.code] += 1
            if len(first) < FINDINGS_KEPT:
                first.append(finding)
            if finding.code in refused:
                problems.add(finding.problem)
        if problems:
            raise InputRefused(problems)
        return findings, tuple(first)

    def _each_finding(self, files: Iterable[File], refused: frozenset[str]) -> Iterator[Finding]:
        records = self.records()
        for month, of_month in groupby(files, key=attrgetter("month")):
            edition = records.edition(EditionName(month))
            replay = Replay(self._store, self._dataset, records, edition)
            for file in of_month:
                yield from file_findings(replay, file, refused)
