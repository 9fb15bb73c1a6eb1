"""Records deliveries straight into a lake, each file read by a task of Spark.

What may follow on what, and every message about it, is that of `ledger.recording.ingest`. The
new files of all months are read twice. The first reading counts the rows of each and finds all
that is wrong with it. Then the driver numbers the events, and the second reading writes them to a
folder for drafts, from which they go into the lake month by month: readers see a whole month or
nothing of it. A file that changed between the two readings is refused.

A ledger of SQLite that records the same files has the same heads, and what `ledger publish` makes
of it is the same lake. What is odd about the recorded values is not looked for.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, groupby

import pyarrow as pa
from pyspark.sql import SparkSession

from ledger.delivery.discovery import Delivery, OpenDelivery
from ledger.engines.spark.staged_queries import count_differences, repeated_keys
from ledger.engines.spark.tasks import Tasks
from ledger.engines.spark.worker import Hashed, Looked, WriteJob, Written
from ledger.errors import (
    InputRefused,
    LedgerError,
    Problem,
    Problems,
    RecordingFailed,
    StorageFailed,
    WrongUsage,
)
from ledger.files.atomic import draft_folder
from ledger.lake.arrow import clock_table
from ledger.lake.files import read_parquet
from ledger.lake.layout import BatchContent, Layout
from ledger.lake.publish import known_days
from ledger.lake.records import records_store
from ledger.lake.relations import READINGS, columns_of, schema
from ledger.lineage.findings import Finding
from ledger.model.digest import FileContents
from ledger.model.merkle import root_of_subtrees
from ledger.model.periods import Month
from ledger.model.progress import Advance, Progress
from ledger.model.records import Batch, File, Records
from ledger.recording.corrections import RowDifference
from ledger.recording.ingest import (
    MonthIngest,
    Permissions,
    in_order,
    month_of,
    unrecorded,
    with_months,
)
from ledger.recording.ingest import ingest_months as record_months
from ledger.recording.recorder import Flags, batch_contents
from ledger.store.event_store import EVENTS_PER_MONTH, Store


def ingest_months(
    session: SparkSession,
    lake: Layout,
    deliveries: Sequence[Delivery],
    allowed: Permissions,
    *,
    months: Collection[Month] = (),
    initial_month: Month | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Iterator[MonthIngest]:
    """Record what is new among deliveries in a lake, and yield each month when it is done.

    Args:
        session: of Spark; its workers see the lake and the files at the paths that they have here.
        lake: to be added to; nobody else writes to it meanwhile.
        deliveries: all that was found.
        allowed: what the user allows.
        months: those asked for; none for all.
        initial_month: the month of the initial extract; None where it can be told.
        dry_run: read and check everything, and leave the lake as it is.
        progress: is told how many bytes of how many are recorded.

    Raises:
        InputRefused: files of a month are malformed; nothing of it was recorded, the months yielded
            before stay.
        SequenceBroken: a file does not follow on what is recorded; likewise.
        WrongUsage: findings are to be refused; a month asked for is not there; or the workers of
            Spark have another version of ledger, or do not see the files.
        LedgerBusy: another process writes to the lake.
        StorageFailed: the lake cannot be read or written.
    """
    if allowed.refused:
        raise WrongUsage(
            "findings are not looked for where files go straight into a lake: leave out --strict "
            "and --fail-on, or record with SQLite and then: ledger publish"
        )
    with lake.writing(), draft_folder(lake.root) as draft:
        records = lake.records()
        with records_store(records) as store:
            dated = with_months(store, lake.dataset, deliveries, initial_month, months)
            files = _Files(Tasks(session, draft.absolute()), in_order(lake.dataset, dated))
            days = known_days(lake, records)
            keeper = _LakeKeeper(lake, store, files, days, is_rehearsal=dry_run)
            yield from record_months(store, lake.dataset, dated, allowed, progress, keeper)


@dataclass(frozen=True, slots=True)
class Draft:
    """The events of a delivered file, written and not yet in the lake.

    Attributes:
        job: as which it was written.
        looked: what was found in it.
        written: what came of it; None where it has no rows.
    """

    job: WriteJob
    looked: Looked
    written: Written | None

    def contents(self, month: Month, supersedes: int | None) -> FileContents:
        """What the head binds of the file."""
        job, rows = self.job, self.looked.rows
        return FileContents(
            file=job.file,
            table=job.table.name,
            month=month.number,
            kind=job.kind.value,
            sha256=self.looked.sha256,
            bytes=self.looked.bytes,
            rows=rows,
            first_event=job.first_event if rows else None,
            last_event=job.first_event + rows - 1 if rows else None,
            supersedes=supersedes,
        )


class _Files:
    """Delivered files, as tasks of Spark read them: those of all months at once."""

    def __init__(self, tasks: Tasks, deliveries: Sequence[Delivery]) -> None:
        """Begin without anything read.

        Args:
            tasks: to run.
            deliveries: all files, each with its month, in order.
        """
        self.deliveries = deliveries
        self.tasks = tasks
        self._hashed: dict[Delivery, Hashed] = {}
        self._looked: dict[Delivery, Looked] = {}
        self._repeated: dict[Delivery, Problems] = {}
        self._drafts: dict[Delivery, Draft] = {}

    def digest(self, delivery: Delivery, recorded: Sequence[File]) -> str:
        """The SHA-256 of a file, computed with those of all that are held to what is recorded.

        Raises:
            InputRefused: it cannot be read.
            WrongUsage: it cannot be read by a worker.
        """
        if delivery not in self._hashed:
            last = Records((), tuple(recorded), ()).last()
            known = [d for d in self.deliveries if (d.table.name, month_of(d)) in last]
            answers = self.tasks.run("hash", self.tasks.jobs(known))
            self._hashed.update(zip(known, map(Hashed.of, answers), strict=True))
        hashed = self._hashed[delivery]
        if hashed.sha256 is None:
            problems = Problems()
            _tell(problems, delivery, hashed.problems, len(hashed.problems))
            raise InputRefused(problems)
        return hashed.sha256

    def is_looked_at(self, delivery: Delivery) -> bool:
        """Whether a file was looked at."""
        return delivery in self._looked

    def look(self, deliveries: Sequence[Delivery]) -> None:
        """Look at files."""
        answers = self.tasks.run("look", self.tasks.jobs(deliveries))
        self._looked.update(zip(deliveries, map(Looked.of, answers), strict=True))
        keys = {d: self.tasks.draft / name for d in deliveries if (name := self._looked[d].keys)}
        self._repeated.update(repeated_keys(self.tasks, keys))

    def problems(self, deliveries: Iterable[Delivery]) -> Problems:
        """All that is wrong with files that were looked at.

        Raises:
            WrongUsage: one cannot be read by a worker.
        """
        problems = Problems()
        for delivery in deliveries:
            looked, before = self._looked[delivery], self._hashed.get(delivery)
            _tell(problems, delivery, looked.problems, looked.problems_in_all)
            repeated = self._repeated.get(delivery, Problems())
            _tell(problems, delivery, repeated.kept, repeated.total)
            if before and before.sha256 != looked.sha256 and not looked.problems:
                problems.add(_changed(delivery))
        return problems

    def write(self, deliveries: Sequence[Delivery], store: Store) -> None:
        """Write the events of files that were looked at, up to a month that is to be refused.

        Args:
            deliveries: the files that are to be recorded, in order.
            store: with the records of all that came before.
        """
        number, planned = store.next_file(), dict[Delivery, WriteJob]()
        for month, group in groupby(deliveries, key=month_of):
            files = list(group)
            if self.problems(files):
                break
            first, start = store.next_event(month), 0
            for file, job in zip(files, self.tasks.jobs(files), strict=True):
                looked = self._looked[file]
                planned[file] = WriteJob(
                    job.path, job.table, job.kind, job.draft,
                    looked.sha256, number, first + start, start,
                )  # fmt: skip
                number, start = number + 1, start + looked.rows
        filled = [file for file in planned if self._looked[file].rows]
        answers = self.tasks.run("write", [planned[file] for file in filled])
        written = dict(zip(filled, map(Written.of, answers), strict=True))
        for file, planned_job in planned.items():
            self._drafts[file] = Draft(planned_job, self._looked[file], written.get(file))

    def drafts(self, deliveries: Sequence[Delivery], store: Store) -> list[Draft]:
        """What was written of files, in order.

        Raises:
            InputRefused: one was changed since it was looked at.
        """
        if deliveries[0] not in self._drafts:
            to_come = self.deliveries[self.deliveries.index(deliveries[0]) :]
            self.write([d for d in to_come if d in self._looked], store)
        drafts = {delivery: self._drafts[delivery] for delivery in deliveries}
        problems = Problems()
        for delivery, draft in drafts.items():
            if draft.written and not draft.written.is_same:
                problems.add(_changed(delivery))
        if problems:
            raise InputRefused(problems)
        return list(drafts.values())


@dataclass(slots=True)
class _Pending:
    """A batch that is recorded here and not yet in the lake.

    Attributes:
        batch: its record.
        drafts: by the records of its files, in order.
    """

    batch: Batch
    drafts: dict[File, Draft]


class _LakeKeeper:
    """Keeps what is delivered in a lake."""

    def __init__(
        self, lake: Layout, store: Store, files: _Files, days: set[str], *, is_rehearsal: bool
    ) -> None:
        """Begin with what is in the lake.

        Args:
            lake: to be added to.
            store: with its records.
            files: all that are delivered.
            days: of UTC of which the lake has the local time.
            is_rehearsal: leave the lake as it is.
        """
        self._lake = lake
        self._store = store
        self._files = files
        self._draft = files.tasks.draft
        self._is_rehearsal = is_rehearsal
        self._days = days
        self._pending: _Pending | None = None

    def digest(self, delivery: Delivery) -> str:
        """The SHA-256 of a file."""
        return self._files.digest(delivery, self._store.files())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is recorded within is in the lake at the end, or nothing of it."""
        self._pending = None
        yield
        if self._pending and not self._is_rehearsal:
            self._commit(self._pending)

    def record(
        self,
        month: Month,
        deliveries: Sequence[Delivery],
        flags: Flags,
        supersedes: Mapping[str, int],
        advance: Advance,
    ) -> Sequence[tuple[File, Counter[str]]]:
        """Record files of a month as a batch."""
        store, files = self._store, self._files
        if not files.is_looked_at(deliveries[0]):
            files.look(unrecorded(self, store.files(), files.deliveries))
        problems = files.problems(deliveries)
        if problems:
            raise InputRefused(problems)
        drafts = files.drafts(deliveries, store)
        contents = [
            draft.contents(month, supersedes.get(delivery.table.name))
            for delivery, draft in zip(deliveries, drafts, strict=True)
        ]
        _check_numbers(month, contents)
        nodes = (draft.written.nodes for draft in drafts if draft.written)
        batch = store.append_batch(
            batch_contents(store, month, flags),
            contents,
            [delivery.name for delivery in deliveries],
            sum(file.rows for file in contents),
            root_of_subtrees(chain.from_iterable(nodes)).hex(),
        )
        recorded = store.files()[-len(contents) :]
        self._pending = _Pending(batch, dict(zip(recorded, drafts, strict=True)))
        return [(file, Counter(d.looked.actions)) for file, d in self._pending.drafts.items()]

    def difference(self, before: File, after: File) -> RowDifference:
        """Count the rows in which a file of the lake and one that is pending differ."""
        if self._pending is None:
            raise ValueError(f"file {after.file} is not pending")
        written = self._pending.drafts[after].written
        return count_differences(
            self._files.tasks,
            self._lake.dataset.table(after.table_name),
            [self._lake.events_path(before).absolute()] if before.rows else [],
            [self._draft / written.events] if written else [],
        )

    def findings(
        self, files: Iterable[File], refused: frozenset[str]
    ) -> tuple[Counter[str], tuple[Finding, ...]]:
        """None: they are not looked for."""
        return Counter(), ()

    def _commit(self, pending: _Pending) -> None:
        """Put a batch into the lake.

        Raises:
            RecordingFailed: that failed.
        """
        written = {file: d.written for file, d in pending.drafts.items() if d.written}
        days = set(chain.from_iterable(one.days for one in written.values())) - self._days
        types = schema(columns_of(READINGS))

        def readings() -> pa.Table:
            paths = [self._draft / one.readings for one in written.values()]
            return pa.concat_tables([types.empty_table(), *(read_parquet(p, types) for p in paths)])

        content = BatchContent(
            batch=pending.batch,
            files=tuple(pending.drafts),
            events=_no_events,
            readings=readings,
            clock=lambda: clock_table(days, self._lake.dataset.zone),
        )
        staged = {file: self._draft / one.events for file, one in written.items()}
        try:
            self._lake.commit(self._draft, content, staged)
        except (StorageFailed, OSError, pa.ArrowException) as error:
            raise RecordingFailed(f"{self._lake.root}: {error}", self._holds(pending)) from error
        self._days |= days

    def _holds(self, pending: _Pending) -> bool | None:
        """Whether the lake has a batch; None if one cannot tell."""
        try:
            return pending.batch in self._lake.records().batches
        except LedgerError:
            return None


def _no_events(file: File) -> pa.RecordBatchReader:
    raise ValueError(f"the events of file {file.file} are written already")


def _tell(problems: Problems, delivery: Delivery, told: Sequence[Problem], in_all: int) -> None:
    """Add what is wrong with a file, the first hundred of so many in all.

    Raises:
        WrongUsage: that it cannot be read, which it can be here.
    """
    for problem in told:
        if problem.code == "unreadable-file" and _is_readable(delivery):
            raise WrongUsage(
                f"a worker of Spark does not read {os.path.abspath(delivery.path)} "
                f"({problem.message}); deliveries must be at the same path on every machine"
            )
        problems.add(replace(problem, path=str(delivery.path)))
    problems.total += in_all - len(told)


def _is_readable(delivery: Delivery) -> bool:
    """Whether the first bytes of a file can be read here."""
    try:
        next(OpenDelivery(delivery.path).chunks(), None)
    except InputRefused:
        return False
    return True


def _changed(delivery: Delivery) -> Problem:
    return Problem(str(delivery.path), "changed-file", "this file changed while it was read")


def _check_numbers(month: Month, files: Iterable[FileContents]) -> None:
    """See that there are numbers for all events of a month.

    Raises:
        WrongUsage: there are not.
    """
    last = max((file.last_event or 0 for file in files), default=0)
    if last >= (month.number + 1) * EVENTS_PER_MONTH:
        raise WrongUsage(
            f"{month} would have more than {EVENTS_PER_MONTH - 1:,} rows, for which a ledger has "
            "no numbers; it cannot be recorded"
        )
