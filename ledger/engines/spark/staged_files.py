"""Delivered files, as tasks of Spark read them: digests, scans, and events written as drafts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ledger.delivery.discovery import Delivery, OpenDelivery
from ledger.engines.spark.staged_queries import repeated_keys
from ledger.engines.spark.tasks import Tasks
from ledger.engines.spark.worker import FileDigest, FileScan, StagedEvents, StageJob
from ledger.errors import InputRefused, Problem, Problems, WrongUsage
from ledger.model.digest import FileContents
from ledger.model.periods import Month
from ledger.model.records import Records
from ledger.recording.batches import next_event, next_file
from ledger.recording.sequence import month_of


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A delivered file whose events are written as drafts, and not yet in the lake.

    Attributes:
        job: that wrote the drafts.
        scan: the result of scanning the file.
        events: the drafts; None if the file has no rows.
    """

    job: StageJob
    scan: FileScan
    events: StagedEvents | None

    def contents(self, month: Month, supersedes: int | None) -> FileContents:
        """What the head binds of the file."""
        job, rows = self.job, self.scan.rows
        return FileContents(
            file=job.file,
            table=job.table.name,
            month=month.number,
            kind=job.kind.value,
            sha256=self.scan.sha256,
            bytes=self.scan.bytes,
            rows=rows,
            first_event=job.first_event if rows else None,
            last_event=job.first_event + rows - 1 if rows else None,
            supersedes=supersedes,
        )


class StagedFiles:
    """Delivered files, of which tasks of Spark read those of all months at once."""

    def __init__(self, tasks: Tasks, deliveries: Sequence[Delivery]) -> None:
        """Begin without reading any file.

        Args:
            tasks: to run.
            deliveries: all files, each with its month, in order.
        """
        self.deliveries = deliveries
        self.tasks = tasks
        self._digests: dict[Delivery, FileDigest] = {}
        self._scans: dict[Delivery, FileScan] = {}
        self._repeated: dict[Delivery, Problems] = {}
        self._staged: dict[Delivery, StagedFile] = {}

    def digest(self, delivery: Delivery, records: Records) -> str:
        """The SHA-256 of a file, computed with those of all files to be compared with records.

        Raises:
            InputRefused: the file cannot be read.
            WrongUsage: the file cannot be read by a worker.
        """
        if delivery not in self._digests:
            last = records.last()
            known = [d for d in self.deliveries if (d.table.name, month_of(d)) in last]
            results = self.tasks.run("digest", self.tasks.jobs(known))
            self._digests.update(zip(known, map(FileDigest.of, results), strict=True))
        digest = self._digests[delivery]
        if digest.sha256 is None:
            problems = Problems()
            _add_problems(problems, delivery, digest.problems, len(digest.problems))
            raise InputRefused(problems)
        return digest.sha256

    def is_scanned(self, delivery: Delivery) -> bool:
        """Whether a file was scanned."""
        return delivery in self._scans

    def scan(self, deliveries: Sequence[Delivery]) -> None:
        """Scan files: count their rows, and find their problems."""
        results = self.tasks.run("scan", self.tasks.jobs(deliveries))
        self._scans.update(zip(deliveries, map(FileScan.of, results), strict=True))
        keys = {d: self.tasks.draft / name for d in deliveries if (name := self._scans[d].keys)}
        self._repeated.update(repeated_keys(self.tasks, keys))

    def problems(self, deliveries: Iterable[Delivery]) -> Problems:
        """All problems of files that were scanned.

        Raises:
            WrongUsage: one cannot be read by a worker.
        """
        problems = Problems()
        for delivery in deliveries:
            scan, digest = self._scans[delivery], self._digests.get(delivery)
            _add_problems(problems, delivery, scan.problems, scan.problems_in_all)
            repeated = self._repeated.get(delivery, Problems())
            _add_problems(problems, delivery, repeated.kept, repeated.total)
            if digest and digest.sha256 != scan.sha256 and not scan.problems:
                problems.add(_changed(delivery))
        return problems

    def staged(self, deliveries: Sequence[Delivery], records: Records) -> list[StagedFile]:
        """The drafts of files that were scanned, in order.

        Args:
            deliveries: the files of a month.
            records: all that is recorded before them.

        Raises:
            InputRefused: one was changed since it was scanned.
        """
        if deliveries[0] not in self._staged:
            to_come = self.deliveries[self.deliveries.index(deliveries[0]) :]
            self._stage([d for d in to_come if d in self._scans], records)
        staged = {delivery: self._staged[delivery] for delivery in deliveries}
        problems = Problems()
        for delivery, file in staged.items():
            if file.events and not file.events.is_same:
                problems.add(_changed(delivery))
        if problems:
            raise InputRefused(problems)
        return list(staged.values())

    def _stage(self, deliveries: Sequence[Delivery], records: Records) -> None:
        """Write the events of files that were scanned, up to a month that is to be refused."""
        number, planned = next_file(records), dict[Delivery, StageJob]()
        for month, group in groupby(deliveries, key=month_of):
            files = list(group)
            if self.problems(files):
                break
            first, start = next_event(records, month), 0
            for file, job in zip(files, self.tasks.jobs(files), strict=True):
                scan = self._scans[file]
                planned[file] = StageJob(
                    path=job.path,
                    table=job.table,
                    kind=job.kind,
                    draft=job.draft,
                    sha256=scan.sha256,
                    file=number,
                    first_event=first + start,
                    start=start,
                )
                number, start = number + 1, start + scan.rows
        filled = [file for file in planned if self._scans[file].rows]
        results = self.tasks.run("stage", [planned[file] for file in filled])
        events = dict(zip(filled, map(StagedEvents.of, results), strict=True))
        for file, planned_job in planned.items():
            self._staged[file] = StagedFile(planned_job, self._scans[file], events.get(file))


def _add_problems(
    problems: Problems, delivery: Delivery, first: Sequence[Problem], in_all: int
) -> None:
    """Add the problems of a file: the first hundred, and the number of all.

    Raises:
        WrongUsage: a worker cannot read it, but this process can.
    """
    for problem in first:
        if problem.code == "unreadable-file" and _is_readable(delivery):
            raise WrongUsage(
                f"a worker of Spark cannot read {os.path.abspath(delivery.path)} "
                f"({problem.message}); deliveries must be at the same path on every machine"
            )
        problems.add(replace(problem, path=str(delivery.path)))
    problems.total += in_all - len(first)


def _is_readable(delivery: Delivery) -> bool:
    """Whether the first bytes of a file can be read here."""
    try:
        next(OpenDelivery(delivery.path).chunks(), None)
    except InputRefused:
        return False
    return True


def _changed(delivery: Delivery) -> Problem:
    return Problem(str(delivery.path), "changed-file", "this file changed while it was read")
