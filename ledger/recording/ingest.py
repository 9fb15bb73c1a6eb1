"""Records deliveries, month by month: what may follow on what, and how a month becomes a batch.

A month's files are recorded in one transaction: all of them, or none and every problem told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

from ledger.delivery.discovery import Delivery, digest_of, earliest_delta
from ledger.errors import (
    InputRefused,
    Problem,
    Problems,
    RecordingFailed,
    SequenceBroken,
    WrongUsage,
)
from ledger.lineage.findings import Finding, chosen_codes, file_findings
from ledger.model.dataset import DataSet, Kind
from ledger.model.editions import EditionName
from ledger.model.periods import Month, spans
from ledger.model.progress import Advance, Progress, Tally
from ledger.model.receipt import Receipt, receipt_of
from ledger.model.records import Batch, File, Records
from ledger.recording.corrections import RowDifference, given_reason, row_difference
from ledger.recording.recorder import Flags, Recorder
from ledger.replay.replay import Replay
from ledger.store.event_store import Store
from ledger.text import counted

FINDINGS_KEPT = 100


@dataclass(frozen=True, slots=True)
class FileIngest:
    """What became of one delivered file.

    Attributes:
        file: its record in the ledger.
        recorded: whether it was recorded just now; else it was there already.
        actions: how many events of each action it gave; empty where it was there already.
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
class MonthIngest:
    """What became of the files of one month.

    Attributes:
        month: the month.
        files: in the order of the data set's tables.
        batch: the batch that was recorded; None where every file was there already.
        receipt: what the ledger holds after that batch.
        findings: how many findings of each code the new files gave.
        first_findings: the first hundred of them.
        restates: the months that were recorded before, this one or later ones, which its new events
            restate.
        missing_months: the months before it that are missing, passed over on request.
    """

    month: Month
    files: tuple[FileIngest, ...]
    batch: Batch | None = None
    receipt: Receipt | None = None
    findings: Counter[str] = field(default_factory=Counter)
    first_findings: tuple[Finding, ...] = ()
    restates: tuple[Month, ...] = ()
    missing_months: tuple[Month, ...] = ()


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the user allows of a sequence, and does not allow of its contents.

    Attributes:
        allow_gap: a month before the delivered one may be missing.
        late: a file may belong to a month before the latest recorded one.
        correct: why a file may come in the place of a recorded one; None where it may not.
        refused: the codes of findings that refuse a month.
        rows: by table, how many rows its new file must have.
    """

    allow_gap: bool = False
    late: bool = False
    correct: str | None = None
    refused: frozenset[str] = frozenset()
    rows: Mapping[str, int] = field(default_factory=dict)


def permitted(
    dataset: DataSet,
    *,
    allow_gap: bool,
    late: bool,
    correct: str | None,
    refuse: Collection[str],
    expect_rows: Mapping[str, int] | None,
) -> Permissions:
    """What the user allows, as it was given; see `Ledger.ingest`.

    Raises:
        WrongUsage: the reason is blank, or there is no such code or table.
    """
    return Permissions(
        allow_gap=allow_gap,
        late=late,
        correct=None if correct is None else given_reason(correct),
        refused=chosen_codes(dataset, refuse),
        rows={dataset.table(name).name: count for name, count in (expect_rows or {}).items()},
    )


@dataclass(frozen=True, slots=True)
class _Sorted:
    """The files of a month, by what they are to the ledger.

    Attributes:
        already: recorded with the same bytes.
        new: of a table and month for which nothing counts.
        corrections: with other bytes than those that count, or with bytes that were taken out of
            force.
        superseded: by table, the record in whose place a file comes: a file or a retraction.
    """

    already: tuple[FileIngest, ...]
    new: tuple[Delivery, ...]
    corrections: tuple[Delivery, ...]
    superseded: dict[str, File]

    def chosen(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Those that are to be recorded, in order."""
        chosen = {*self.new, *self.corrections}
        return [delivery for delivery in deliveries if delivery in chosen]


class Keeper(Protocol):
    """Reads and keeps what is delivered; what may follow on what is none of its concern."""

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
    ) -> Sequence[tuple[File, Counter[str]]]:
        """Record files of a month as a batch; see `Recorder.record`."""

    def difference(self, before: File, after: File) -> RowDifference:
        """Count the rows in which two files of a table differ, the second one just recorded."""

    def findings(
        self, files: Iterable[File], refused: frozenset[str]
    ) -> tuple[Counter[str], tuple[Finding, ...]]:
        """How many findings of each code files just recorded have, and the first of them.

        Raises:
            InputRefused: there are some of a code that is refused.
        """


@dataclass(frozen=True, slots=True)
class StoreKeeper:
    """Keeps all in the ledger's file.

    Attributes:
        store: open for writing.
        dataset: the tables.
    """

    store: Store
    dataset: DataSet

    def digest(self, delivery: Delivery) -> str:
        """The SHA-256 of a file."""
        return digest_of(delivery.path)

    def transaction(self) -> AbstractContextManager[None]:
        """All that is recorded within is kept at the end, or nothing."""
        return self.store.transaction()

    def record(
        self,
        month: Month,
        deliveries: Sequence[Delivery],
        flags: Flags,
        supersedes: Mapping[str, int],
        advance: Advance,
    ) -> Sequence[tuple[File, Counter[str]]]:
        """Record files of a month as a batch."""
        recorder = Recorder(self.store, self.dataset, month, advance=advance)
        return recorder.record(deliveries, flags, supersedes)

    def difference(self, before: File, after: File) -> RowDifference:
        """Count the rows in which two recorded files of a table differ."""
        return row_difference(self.store, self.dataset.table(after.table_name), before, after)

    def findings(
        self, files: Iterable[File], refused: frozenset[str]
    ) -> tuple[Counter[str], tuple[Finding, ...]]:
        """Collect the findings of files, as known now and as of the end of their month."""
        findings: Counter[str] = Counter()
        first: list[Finding] = []
        problems = Problems()
        records = self.store.records()
        for file in files:
            edition = records.edition(EditionName(file.month))
            replay = Replay(self.store, self.dataset, records, edition)
            for finding in file_findings(replay, file, refused):
                findings[finding.code] += 1
                if len(first) < FINDINGS_KEPT:
                    first.append(finding)
                if finding.code in refused:
                    problems.add(finding.problem)
        if problems:
            raise InputRefused(problems)
        return findings, tuple(first)


def ingest_months(
    store: Store,
    dataset: DataSet,
    deliveries: Sequence[Delivery],
    allowed: Permissions,
    progress: Progress | None = None,
    keeper: Keeper | None = None,
) -> Iterator[MonthIngest]:
    """Record what is new among deliveries, and yield each month when it is done.

    Args:
        store: open for writing; it holds the records of all that is recorded.
        dataset: the tables.
        deliveries: each with its month; see `with_months`.
        allowed: what the user allows.
        progress: is told how many bytes of how many of these files are read.
        keeper: of the events; by default the store.

    Raises:
        InputRefused: files of a month are malformed, or have findings that are refused; nothing of
            it was recorded, the months yielded before stay.
        SequenceBroken: a file does not follow on what is recorded; likewise.
        WrongUsage: it cannot be told which file is to have the number of rows expected.
        RecordingFailed: the storage failed; a month recorded all the same was yielded.
    """
    keeper = keeper or StoreKeeper(store, dataset)
    ordered = in_order(dataset, deliveries)
    for table in allowed.rows:
        of_table = [d for d in ordered if d.table.name == table]
        _check_expectation(store, keeper, table, of_table)
    tally, read = Tally(sum(d.size for d in ordered) if progress else 0, progress), 0
    for month, group in groupby(ordered, key=month_of):
        files = list(group)
        read += sum(file.size for file in files) if progress else 0
        sorted_files = _sort(keeper, store.files(), files)
        if len(sorted_files.already) == len(files):
            tally.reach(read)
            yield MonthIngest(month, sorted_files.already)
            continue
        try:
            with keeper.transaction():
                result = _ingest_month(store, keeper, dataset, month, files, allowed, tally.advance)
        except RecordingFailed as error:
            if error.recorded:
                yield result
            raise
        tally.reach(read)
        yield result


def with_months(
    store: Store,
    dataset: DataSet,
    deliveries: Sequence[Delivery],
    initial_month: Month | None,
    months: Collection[Month],
) -> list[Delivery]:
    """Give the initial extract its month, and leave out the months not asked for.

    The extract is of the month before the earliest delta in its folder, unless one is recorded
    already or the user names another.

    Args:
        store: what is recorded.
        dataset: the tables.
        deliveries: all that was found.
        initial_month: the user's word on the extract's month, or None.
        months: those asked for; none for all.

    Raises:
        WrongUsage: the extract's month cannot be told; or a month asked for has no file.
        SequenceBroken: the month named is not the one that is recorded, or is not before the
            earliest delta.
    """
    recorded = _initial_month(store.files())
    earliest = earliest_delta(deliveries, dataset)
    if initial_month and recorded and initial_month != recorded:
        raise SequenceBroken(
            f"the initial extract is recorded as of {recorded}; that is fixed: "
            "leave out --initial-month"
        )
    if initial_month and earliest and initial_month >= earliest:
        raise SequenceBroken(
            f"the initial extract must be of a month before the earliest delta, {earliest}"
        )
    known = recorded or initial_month or (earliest.previous if earliest else None)
    if known is None and any(d.kind is Kind.INITIAL for d in deliveries):
        raise WrongUsage(
            "there is no delta to tell the month of the initial extract; "
            "name the month at whose end it was made with --initial-month YYYYMM"
        )
    dated = [replace(d, month=d.month or known) for d in deliveries]
    absent = set(months) - {month_of(d) for d in dated}
    if absent:
        there = ", ".join(map(str, sorted({month_of(d) for d in dated})))
        raise WrongUsage(
            f"no file is delivered for {', '.join(map(str, sorted(absent)))}, but for {there}"
        )
    with_extract = recorded is None
    return [
        d
        for d in dated
        if not months or d.month in months or (with_extract and d.kind is Kind.INITIAL)
    ]


def in_order(dataset: DataSet, deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Deliveries in the order in which they are recorded, each with its month."""
    return sorted(deliveries, key=lambda d: (month_of(d), dataset.place(d.table.name)))


def unrecorded(
    keeper: Keeper, recorded: Sequence[File], deliveries: Sequence[Delivery]
) -> list[Delivery]:
    """Those of deliveries that are to be recorded, as others bytes of them are, or none.

    Raises:
        InputRefused: one that is to be held to recorded bytes cannot be read.
    """
    return _sort(keeper, recorded, deliveries).chosen(deliveries)


def month_of(delivery: Delivery) -> Month:
    """The month of a delivery that has one; see `with_months`."""
    if delivery.month is None:
        raise ValueError(f"{delivery.path} has no month")
    return delivery.month


def _initial_month(files: Iterable[File]) -> Month | None:
    return next((file.month for file in files if file.kind == Kind.INITIAL), None)


def _sort(keeper: Keeper, recorded: Sequence[File], deliveries: Iterable[Delivery]) -> _Sorted:
    """Hold files to those recorded for the same table and month.

    Raises:
        InputRefused: one cannot be read.
    """
    last = Records((), tuple(recorded), ()).last()
    already: list[FileIngest] = []
    new: list[Delivery] = []
    corrections: list[Delivery] = []
    superseded: dict[str, File] = {}
    for delivery in deliveries:
        place = (delivery.table.name, month_of(delivery))
        file = last.get(place)
        if file is None or {file.kind, delivery.kind} == set(Kind):
            new.append(delivery)
            continue
        digest = keeper.digest(delivery)
        if file.sha256 == digest:
            already.append(FileIngest(file, recorded=False))
            continue
        superseded[delivery.table.name] = file
        before = {f.sha256 for f in recorded if (f.table_name, f.month) == place}
        is_new = file.kind not in set(Kind) and digest not in before
        (new if is_new else corrections).append(delivery)
    return _Sorted(tuple(already), tuple(new), tuple(corrections), superseded)


def _ingest_month(
    store: Store,
    keeper: Keeper,
    dataset: DataSet,
    month: Month,
    deliveries: Sequence[Delivery],
    allowed: Permissions,
    advance: Advance,
) -> MonthIngest:
    """Record the new files of a month; to be called within a transaction.

    A correction that is not allowed is recorded too, to see how its rows differ; the transaction
    undoes it.
    """
    files = store.files()
    month_files = _sort(keeper, files, deliveries)
    if len(month_files.already) == len(deliveries):
        return MonthIngest(month, month_files.already)
    months = Records((), tuple(files), ()).months()
    missing: tuple[Month, ...] = ()
    restates: tuple[Month, ...] = ()
    if month_files.new:
        initial = _initial_month(files)
        missing, restates = _place_in_sequence(months, initial, month, month_files.new, allowed)
    flags = Flags(
        gap=bool(missing),
        late=bool(restates),
        correction=bool(month_files.corrections),
        reason=allowed.correct if month_files.superseded else None,
    )
    numbers = {name: file.file for name, file in month_files.superseded.items()}
    done = keeper.record(month, month_files.chosen(deliveries), flags, numbers, advance)
    results = _results(keeper, files, month_files.superseded, done)
    _hold_to_expectations(results, deliveries, allowed.rows)
    if month_files.corrections and allowed.correct is None:
        raise SequenceBroken(_other_bytes(files, month_files.corrections, results))
    if month in months or month_files.superseded:
        restates = tuple(sorted(m for m in {*months, month} if m >= month))
    findings, first = keeper.findings([result.file for result in results], allowed.refused)
    everything = sorted(
        (*month_files.already, *results), key=lambda r: dataset.place(r.file.table_name)
    )
    batches = store.batches()
    return MonthIngest(
        month=month,
        files=tuple(everything),
        batch=batches[-1],
        receipt=receipt_of(batches, store.tags()),
        findings=findings,
        first_findings=first,
        restates=restates,
        missing_months=missing,
    )


def _results(
    keeper: Keeper,
    recorded: Sequence[File],
    superseded: Mapping[str, File],
    done: Iterable[tuple[File, Counter[str]]],
) -> list[FileIngest]:
    """Say of files just recorded what they are to those recorded before."""
    results = []
    for file, actions in done:
        before = superseded.get(file.table_name)
        difference = None
        if before and before.kind in set(Kind):
            difference = keeper.difference(before, file)
        same = [f for f in recorded if _contents(f) == _contents(file)]
        results.append(
            FileIngest(file, True, actions, before, difference, same[-1] if same else None)
        )
    return results


def _contents(file: File) -> tuple[str, Month, str | None]:
    """What makes a file the same as another one."""
    return file.table_name, file.month, file.sha256


def _other_bytes(
    recorded: Iterable[File], corrections: Iterable[Delivery], results: Iterable[FileIngest]
) -> str:
    """Say why files that would be corrections are refused, and what they would change."""
    known = list(recorded)
    delivered = {result.file.table_name: result for result in results}
    lines = []
    advice = 'To put it in the place of what is recorded, say --correct --reason "…"'
    for delivery in corrections:
        result = delivered[delivery.table.name]
        if result.restores:
            lines += _superseded_bytes(delivery, result.restores, known)
            advice = (
                "Have the file that counts in its place, or leave it out with --months. "
                'Only to put these bytes back in force, say --correct --reason "…"'
            )
        else:
            lines += _difference(delivery, result)
    return "\n".join([*lines, advice])


def _superseded_bytes(delivery: Delivery, same: File, recorded: Sequence[File]) -> list[str]:
    successor = next((file for file in recorded if file.supersedes == same.file), None)
    if successor is None:
        return [f"{delivery.path}: this file changed while it was read; ingest it again"]
    how = "superseded" if successor.kind in set(Kind) else "retracted"
    return [
        f"{delivery.path}: these bytes were recorded for {same.table_name} {same.month} in batch "
        f"{same.batch}, and {how} in batch {successor.batch}",
        f"  SHA-256    {same.sha256}, {counted(same.rows, 'row')}",
    ]


def _difference(delivery: Delivery, result: FileIngest) -> list[str]:
    before, after = result.supersedes, result.file
    if before is None:
        raise ValueError(f"{delivery.path} supersedes nothing")
    lines = [
        f"{delivery.path}: other bytes are recorded for {before.table_name} {before.month} "
        f"in batch {before.batch}",
        f"  recorded   SHA-256 {before.sha256}, {counted(before.rows, 'row')}",
        f"  delivered  SHA-256 {after.sha256}, {counted(after.rows, 'row')}",
        f"  rows       {result.difference}",
    ]
    if before.bytes < after.bytes and digest_of(delivery.path, before.bytes) == before.sha256:
        lines.append("  the earlier delivery looks truncated: this one begins with all of it")
    return lines


def _check_expectation(
    store: Store, keeper: Keeper, table: str, deliveries: Sequence[Delivery]
) -> None:
    """See that the number of rows that is expected of a table can be meant of one file alone.

    Raises:
        WrongUsage: no file of the table is delivered, or several are new.
    """
    if not deliveries:
        raise WrongUsage(
            f"rows of {table} are expected, but no file of it is delivered; "
            "expect none, or deliver one"
        )
    already = {result.file.month for result in _sort(keeper, store.files(), deliveries).already}
    new = [month for month in map(month_of, deliveries) if month not in already]
    if len(new) > 1:
        raise WrongUsage(
            f"files of {table} for {', '.join(map(str, new))} are new, and the rows expected can "
            "be those of one alone; ingest it by itself"
        )


def _hold_to_expectations(
    results: Iterable[FileIngest], deliveries: Sequence[Delivery], expected: Mapping[str, int]
) -> None:
    """Refuse files just recorded that have not as many rows as are expected.

    Raises:
        InputRefused: there are some.
    """
    paths = {delivery.table.name: str(delivery.path) for delivery in deliveries}
    problems = Problems()
    for table, file in ((result.file.table_name, result.file) for result in results):
        if file.rows != expected.get(table, file.rows):
            message = f"it has {counted(file.rows, 'row')}, and {expected[table]} are expected"
            problems.add(Problem(paths[table], "row-count", message))
    if problems:
        raise InputRefused(problems)


def _place_in_sequence(
    months: set[Month],
    initial: Month | None,
    month: Month,
    new: Sequence[Delivery],
    allowed: Permissions,
) -> tuple[tuple[Month, ...], tuple[Month, ...]]:
    """Say which months are missing before new files, and which recorded ones they restate.

    Raises:
        SequenceBroken: they do not follow on what is recorded.
    """
    delta = next((d for d in new if d.kind is Kind.DELTA), None)
    if delta and initial is None:
        raise SequenceBroken(
            f"{delta.path}: a delta before any initial extract; ingest the extract first"
        )
    if delta and initial and month <= initial:
        raise SequenceBroken(
            f"{delta.path}: a delta of {month}, but the initial extract is of {initial}; "
            "only deltas of later months can follow: leave this one out"
        )
    if not months:
        return (), ()
    latest = max(months)
    if month > latest:
        missing = tuple(m for m in latest.next.until(month) if m < month)
        if missing and not allowed.allow_gap:
            raise SequenceBroken(
                f"{new[0].path}: nothing is recorded for {spans(missing)}, between the latest "
                f"recorded month {latest} and {month}; ingest that first, or say --allow-gap"
            )
        return missing, ()
    restates = tuple(sorted(m for m in months if m > month))
    if restates and month in months and not allowed.late:
        raise SequenceBroken(
            f"{new[0].path}: a file for {month}, but {latest} is recorded already; it would "
            f"restate {spans((month, *restates))}. To record it nevertheless, say --late"
        )
    return (), restates
