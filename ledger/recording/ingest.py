"""Records deliveries, month by month.

The files of a month are recorded in one transaction: all of them, or none and every problem is
reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby

from ledger.delivery.discovery import Delivery, digest_of, earliest_delta
from ledger.errors import InputRefused, Problem, Problems, RecordingFailed
from ledger.lineage.findings import Finding
from ledger.model.dataset import DataSet, Kind
from ledger.model.periods import Month
from ledger.model.presentation import JsonObject
from ledger.model.progress import Advance, Progress, Tally
from ledger.model.receipt import Receipt, receipt_of
from ledger.model.records import Batch, File, Records
from ledger.recording.backend import RecordingBackend
from ledger.recording.batches import Flags, RecordedBatch
from ledger.recording.corrections import RowDifference
from ledger.recording.ingest_options import IngestOptions
from ledger.recording.refusals import CorrectionRefused, OtherBytes, SupersededBytes
from ledger.recording.sequence import (
    MonthFiles,
    check_expectation,
    classify,
    in_order,
    month_of,
    place_in_sequence,
    restated,
    with_months,
)
from ledger.text import counted


@dataclass(frozen=True, slots=True)
class FileIngest:
    """What became of one delivered file.

    Attributes:
        file: its record in the ledger.
        recorded: whether it was recorded just now; else it was recorded before.
        actions: the number of its events of each action; empty where it was recorded before.
        supersedes: the record in whose place it came, a file or a retraction; or None.
        difference: how the rows of the two differ, or None.
        restores: the record of the same bytes that it puts back in force, or None.
    """

    file: File
    recorded: bool
    actions: Counter[str] = field(default_factory=Counter)
    supersedes: File | None = None
    difference: RowDifference | None = None
    restores: File | None = None


@dataclass(frozen=True, slots=True)
class MonthIngest(JsonObject):
    """What became of the files of one month.

    Attributes:
        month: the month.
        files: in the order of the data set's tables.
        batch: the batch that was recorded; None where every file was recorded before.
        receipt: the receipt of the ledger after that batch.
        findings: the number of findings of each code in the new files.
        first_findings: the first hundred of them.
        restates: the months that were recorded before, this one or later ones, which its new events
            restate.
        missing_months: the months before it that are missing, which the caller allowed.
    """

    month: Month
    files: tuple[FileIngest, ...]
    batch: Batch | None = None
    receipt: Receipt | None = None
    findings: Counter[str] = field(default_factory=Counter)
    first_findings: tuple[Finding, ...] = ()
    restates: tuple[Month, ...] = ()
    missing_months: tuple[Month, ...] = ()


def dated_deliveries(
    records: Records, dataset: DataSet, deliveries: Sequence[Delivery], options: IngestOptions
) -> list[Delivery]:
    """The files of the months asked for, each with its month, in the order of recording.

    Raises:
        LedgerError: as of `with_months`.
    """
    earliest = earliest_delta(deliveries, dataset)
    return in_order(dataset, with_months(records, deliveries, earliest, options))


def ingest_months(
    backend: RecordingBackend,
    dataset: DataSet,
    deliveries: Sequence[Delivery],
    options: IngestOptions,
    progress: Progress | None = None,
) -> Iterator[MonthIngest]:
    """Record what is new among deliveries, and yield each month when it is recorded.

    Args:
        backend: where everything is kept.
        dataset: the tables.
        deliveries: see `dated_deliveries`.
        options: what the caller allows; see `IngestOptions.checked`.
        progress: receives how many bytes of how many of these files are read.

    Raises:
        InputRefused: files of a month are malformed, or have findings that are refused; nothing of
            it was recorded, the months yielded before stay.
        SequenceBroken: a file does not follow on what is recorded; the same.
        WrongUsage: the rows expected could be those of several files.
        RecordingFailed: the storage failed; a month recorded all the same was yielded.
    """
    recording = _Recording(backend, dataset, options)
    recording.check_expectations(deliveries)
    tally, read = Tally(sum(d.size for d in deliveries) if progress else 0, progress), 0
    for month, group in groupby(deliveries, key=month_of):
        files = tuple(group)
        read += sum(file.size for file in files) if progress else 0
        records = backend.records()
        month_files = recording.classify(records, files)
        if not month_files.chosen:
            tally.reach(read)
            yield _nothing_new(month, month_files)
            continue
        try:
            with backend.transaction():
                if backend.records() is not records:
                    # Another process recorded meanwhile.
                    month_files = recording.classify(backend.records(), files)
                result = recording.record(month, month_files, tally.advance)
        except RecordingFailed as error:
            if error.recorded:
                yield result
            raise
        tally.reach(read)
        yield result


class _Recording:
    """Records the files of one month after another, as the options allow."""

    def __init__(self, backend: RecordingBackend, dataset: DataSet, options: IngestOptions) -> None:
        self._backend = backend
        self._dataset = dataset
        self._options = options
        self._digest = cache(backend.digest)

    def classify(self, records: Records, deliveries: Iterable[Delivery]) -> MonthFiles:
        """Compare files of a month with what is recorded; each is read once at most."""
        return classify(records, deliveries, self._digest)

    def check_expectations(self, deliveries: Sequence[Delivery]) -> None:
        """Check that the rows expected of each table can be those of one new file alone."""
        for table in self._options.expect_rows:
            check_expectation(self._backend.records(), table, deliveries, self._digest)

    def record(self, month: Month, files: MonthFiles, advance: Advance) -> MonthIngest:
        """Record the new files of a month; to be called within a transaction.

        A correction that is not allowed is recorded too, to find how its rows differ; the
        transaction undoes it.
        """
        if not files.chosen:
            return _nothing_new(month, files)
        options, before = self._options, self._backend.records()
        place = place_in_sequence(before, month, files.new, options)
        flags = Flags(
            gap=bool(place.missing),
            late=bool(place.restates),
            correction=bool(files.corrections),
            reason=options.correct if files.superseded else None,
        )
        numbers = {name: file.file for name, file in files.superseded.items()}
        recorded = self._backend.record(month, files.chosen, flags, numbers, advance)
        results = self._results(before, files, recorded)
        _check_row_counts(results, files.chosen, options.expect_rows)
        if files.corrections and options.correct is None:
            raise CorrectionRefused([*_conflicts(before, files.corrections, results)])
        findings, first = self._backend.findings(recorded.files, frozenset(options.refuse))
        everything = [*(FileIngest(file, recorded=False) for file in files.recorded), *results]
        records = self._backend.records()
        return MonthIngest(
            month=month,
            files=tuple(sorted(everything, key=lambda r: self._dataset.place(r.file.table_name))),
            batch=recorded.batch,
            receipt=receipt_of(records.batches, records.tags),
            findings=findings,
            first_findings=first,
            restates=restated(before, month, files, place),
            missing_months=place.missing,
        )

    def _results(
        self, before: Records, files: MonthFiles, recorded: RecordedBatch
    ) -> list[FileIngest]:
        """Compare files just recorded with those recorded before."""
        results = []
        for file, actions in zip(recorded.files, recorded.actions, strict=True):
            superseded, difference = files.superseded.get(file.table_name), None
            if superseded and superseded.kind in set(Kind):
                difference = self._backend.difference(superseded, file)
            same = [f for f in before.files if _contents(f) == _contents(file)]
            restores = same[-1] if same else None
            results.append(FileIngest(file, True, actions, superseded, difference, restores))
        return results


def _nothing_new(month: Month, files: MonthFiles) -> MonthIngest:
    return MonthIngest(month, tuple(FileIngest(file, recorded=False) for file in files.recorded))


def _contents(file: File) -> tuple[str, Month, str | None]:
    """What makes a file the same as another one."""
    return file.table_name, file.month, file.sha256


def _conflicts(
    records: Records, corrections: Iterable[Delivery], results: Iterable[FileIngest]
) -> Iterator[OtherBytes | SupersededBytes]:
    """What is recorded in the places of files that would be corrections.

    Args:
        records: all that was recorded before them.
        corrections: the files.
        results: what would become of them.
    """
    delivered = {result.file.table_name: result for result in results}
    for delivery in corrections:
        result = delivered[delivery.table.name]
        if same := result.restores:
            successor = next((f for f in records.files if f.supersedes == same.file), None)
            yield SupersededBytes(delivery.path, same, successor)
        elif before := result.supersedes:
            after = result.file
            continues = before.bytes < after.bytes and before.sha256 == digest_of(
                delivery.path, before.bytes
            )
            yield OtherBytes(delivery.path, before, after, result.difference, continues)


def _check_row_counts(
    results: Iterable[FileIngest], deliveries: Iterable[Delivery], expected: Mapping[str, int]
) -> None:
    """Refuse files just recorded that have not as many rows as are expected.

    Raises:
        InputRefused: some have not.
    """
    paths = {delivery.table.name: str(delivery.path) for delivery in deliveries}
    problems = Problems()
    for file in (result.file for result in results):
        count = expected.get(file.table_name, file.rows)
        if file.rows != count:
            message = f"it has {counted(file.rows, 'row')}, and {count} are expected"
            problems.add(Problem(paths[file.table_name], "row-count", message))
    if problems:
        raise InputRefused(problems)
