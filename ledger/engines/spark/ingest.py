"""Records deliveries directly in a lake, each file read by a task of Spark.

The rules of sequence, and their messages, are those of `ledger.recording.ingest`. The
new files of all months are read twice. The first reading counts the rows of each and finds its
problems. Then the driver numbers the events, and the second reading writes them to a
folder for drafts, from which they go into the lake month by month: readers see a whole month or
nothing of it. A file that changed between the two readings is refused.

A ledger of SQLite that records the same files has the same heads, and `ledger publish` makes the
same lake of it. The recorded values are not checked for findings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
from pyspark.sql import SparkSession

from ledger.delivery.discovery import Delivery
from ledger.engines.spark.staged_files import StagedFile, StagedFiles
from ledger.engines.spark.staged_queries import count_differences
from ledger.engines.spark.tasks import Tasks
from ledger.errors import InputRefused, LedgerError, RecordingFailed, StorageFailed, WrongUsage
from ledger.files.atomic import draft_folder
from ledger.lake.arrow import clock_table
from ledger.lake.files import read_parquet
from ledger.lake.layout import BatchContent, Layout
from ledger.lake.publish import known_days
from ledger.lake.relations import READINGS, columns_of, schema
from ledger.lineage.findings import Finding
from ledger.model.digest import FileContents
from ledger.model.merkle import root_of_subtrees
from ledger.model.periods import Month
from ledger.model.progress import Advance, Progress
from ledger.model.records import Batch, File, Records
from ledger.recording.batches import BatchEvents, Flags, RecordedBatch, next_batch
from ledger.recording.corrections import RowDifference
from ledger.recording.ingest import (
    MonthIngest,
    dated_deliveries,
    ingest_months,
)
from ledger.recording.ingest_options import IngestOptions
from ledger.recording.sequence import classify
from ledger.store.event_store import EVENTS_PER_MONTH


def ingest_to_lake(
    session: SparkSession,
    lake: Layout,
    deliveries: Sequence[Delivery],
    options: IngestOptions,
    progress: Progress | None = None,
) -> Iterator[MonthIngest]:
    """Record what is new among deliveries in a lake, and yield each month when it is recorded.

    Args:
        session: of Spark; its workers have the lake and the files at the same paths.
        lake: to be added to; no other process writes to it meanwhile.
        deliveries: all that was found.
        options: what the caller asks for and allows; see `IngestOptions.checked`.
        progress: receives the number of bytes that are recorded, and the number of all.

    Raises:
        InputRefused: files of a month are malformed; nothing of it was recorded, the months yielded
            before stay.
        SequenceBroken: a file does not follow on what is recorded; nothing of its month was
            recorded, the months yielded before stay.
        WrongUsage: findings are to be refused; a month asked for is not delivered; or the workers
            of Spark have another version of ledger, or cannot read the files.
        LedgerBusy: another process writes to the lake.
        StorageFailed: the lake cannot be read or written.
    """
    if options.refuse:
        raise WrongUsage(
            "values are not checked for findings when files are recorded directly in a lake: leave "
            "out --strict and --fail-on, or record with SQLite and then: ledger publish"
        )
    with lake.writing(), draft_folder(lake.root) as draft:
        records, dataset = lake.records(), lake.dataset
        dated = dated_deliveries(records, dataset, deliveries, options)
        files = StagedFiles(Tasks(session, draft.absolute()), dated)
        backend = LakeBackend(lake, records, files, is_rehearsal=options.dry_run)
        yield from ingest_months(backend, dataset, dated, options, progress)


@dataclass(frozen=True, slots=True)
class _Pending:
    """A batch that is recorded and not yet in the lake.

    Attributes:
        batch: its record.
        files: the staged files by their records, in order.
    """

    batch: Batch
    files: dict[File, StagedFile]


class LakeBackend:
    """Records deliveries in a lake."""

    def __init__(
        self, lake: Layout, records: Records, files: StagedFiles, *, is_rehearsal: bool
    ) -> None:
        """Begin with the records of the lake.

        Args:
            lake: to be added to.
            records: of all that it contains.
            files: all delivered ones.
            is_rehearsal: leave the lake as it is.
        """
        self._lake = lake
        self._records = records
        self._files = files
        self._draft = files.tasks.draft
        self._is_rehearsal = is_rehearsal
        self._days = known_days(lake, records)
        self._pending: _Pending | None = None

    def records(self) -> Records:
        """All that is recorded; no other process writes to the lake."""
        return self._records

    def digest(self, delivery: Delivery) -> str:
        """The SHA-256 of a file."""
        return self._files.digest(delivery, self._records)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Add everything that is recorded within to the lake at the end, or nothing of it."""
        before, self._pending = self._records, None
        try:
            yield
            if self._pending and not self._is_rehearsal:
                self._commit(self._pending)
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
        records, files = self._records, self._files
        if not files.is_scanned(deliveries[0]):
            files.scan(classify(records, files.deliveries, self.digest).chosen)
        problems = files.problems(deliveries)
        if problems:
            raise InputRefused(problems)
        staged = files.staged(deliveries, records)
        contents = [
            file.contents(month, supersedes.get(delivery.table.name))
            for delivery, file in zip(deliveries, staged, strict=True)
        ]
        _check_numbers(month, contents)
        nodes = chain.from_iterable(file.events.nodes for file in staged if file.events)
        events = BatchEvents(sum(file.rows for file in contents), root_of_subtrees(nodes).hex())
        names = [delivery.name for delivery in deliveries]
        batch, recorded = next_batch(records, month, flags, contents, names, events)
        self._pending = _Pending(batch, dict(zip(recorded, staged, strict=True)))
        self._records = records.with_batch(batch, recorded)
        return RecordedBatch(batch, recorded, tuple(Counter(file.scan.actions) for file in staged))

    def difference(self, before: File, after: File) -> RowDifference:
        """Count the rows in which a file of the lake and one that is pending differ."""
        if self._pending is None:
            raise ValueError(f"file {after.file} is not pending")
        events = self._pending.files[after].events
        return count_differences(
            self._files.tasks,
            self._lake.dataset.table(after.table_name),
            [self._lake.events_path(before).absolute()] if before.rows else [],
            [self._draft / events.events] if events else [],
        )

    def findings(
        self, files: Sequence[File], refused: frozenset[str]
    ) -> tuple[Counter[str], tuple[Finding, ...]]:
        """No findings: the recorded values are not checked."""
        return Counter(), ()

    def _commit(self, pending: _Pending) -> None:
        """Put a batch into the lake.

        Raises:
            RecordingFailed: the lake cannot be written.
        """
        drafts = {file: staged.events for file, staged in pending.files.items() if staged.events}
        days = set(chain.from_iterable(one.days for one in drafts.values())) - self._days
        types = schema(columns_of(READINGS))

        def readings() -> pa.Table:
            paths = [self._draft / one.readings for one in drafts.values()]
            return pa.concat_tables([types.empty_table(), *(read_parquet(p, types) for p in paths)])

        content = BatchContent(
            batch=pending.batch,
            files=tuple(pending.files),
            events=_no_events,
            readings=readings,
            clock=lambda: clock_table(days, self._lake.dataset.zone),
        )
        paths = {file: self._draft / one.events for file, one in drafts.items()}
        try:
            self._lake.commit(self._draft, content, paths)
        except (StorageFailed, OSError, pa.ArrowException) as error:
            recorded = self._is_in_lake(pending.batch)
            raise RecordingFailed(f"{self._lake.root}: {error}", recorded) from error
        self._days |= days

    def _is_in_lake(self, batch: Batch) -> bool | None:
        """Whether the lake has a batch; None if the lake cannot be read."""
        try:
            return batch in self._lake.records().batches
        except LedgerError:
            return None


def _no_events(file: File) -> pa.RecordBatchReader:
    raise ValueError(f"the events of file {file.file} are written already")


def _check_numbers(month: Month, files: Iterable[FileContents]) -> None:
    """Check that numbers exist for all events of a month.

    Raises:
        WrongUsage: the month has too many.
    """
    last = max((file.last_event or 0 for file in files), default=0)
    if last >= (month.number + 1) * EVENTS_PER_MONTH:
        raise WrongUsage(
            f"{month} would have more than {EVENTS_PER_MONTH - 1:,} rows, for which a ledger has "
            "no numbers; it cannot be recorded"
        )
