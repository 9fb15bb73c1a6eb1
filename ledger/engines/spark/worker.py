"""The work of a task of Spark on one delivered file: its digest, a scan, or its events as drafts.

A task opens nothing but its file and the folder for drafts, and its result is small, whatever the
size of the file: figures, the first problems, subtrees of hashes, days, and names of drafts.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import repeat
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from ledger.datasets.support.description import SUPPORT
from ledger.delivery.discovery import OpenDelivery, digest_of
from ledger.errors import InputRefused, Problem, Problems
from ledger.lake.arrow import EventFile, merged, readings_table
from ledger.lake.files import write_events
from ledger.lake.layout import ROWS_AT_ONCE
from ledger.lake.relations import READINGS, columns_of, schema
from ledger.model.dataset import Kind, Table
from ledger.model.digest import leaves
from ledger.model.merkle import Subtree, Subtrees
from ledger.recording.recorder import VALUES_AT_ONCE, delivered_blocks

KEYS = pa.schema([("line", pa.int64()), ("key", pa.string())])
"""The keys of an initial extract, each with its line."""


@dataclass(frozen=True, slots=True)
class Job:
    """A delivered file, as a task receives it.

    Attributes:
        path: of the file, the same on every machine.
        table: whose rows it contains.
        kind: of the file.
        draft: the folder for drafts, the same on every machine.
    """

    path: str
    table: Table
    kind: Kind
    draft: str

    def to_dict(self) -> dict[str, Any]:
        """The job as plain values, which can be sent to a worker that has no ledger."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**values, "table": self.table.name, "kind": self.kind.value}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Self:
        """The job whose plain values `to_dict` returned."""
        table, kind = SUPPORT.table(plain["table"]), Kind(plain["kind"])
        return cls(**{**plain, "table": table, "kind": kind})

    def new_draft(self, suffix: str) -> Path:
        """A path that no other attempt at this job uses."""
        return Path(self.draft, f"{uuid4().hex}.{suffix}")


@dataclass(frozen=True, slots=True)
class StageJob(Job):
    """A delivered file whose events are to be staged: written as drafts.

    Attributes:
        sha256: of its bytes when it was scanned.
        file: its number.
        first_event: the `event_id` of its first row.
        start: the number of events of the batch that come before it.
    """

    sha256: str
    file: int
    first_event: int
    start: int


@dataclass(frozen=True, slots=True)
class FileDigest:
    """The digest of a file, or the problems for which it cannot be read."""

    sha256: str | None = None
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """The result whose plain values a task returned."""
        return cls(answer["sha256"], _problems(answer))


@dataclass(frozen=True, slots=True)
class FileScan:
    """The result of scanning a file.

    Attributes:
        sha256: of its bytes.
        bytes: their number.
        rows: the number of sound rows.
        actions: the number of rows of each action.
        problems: the first hundred.
        problems_in_all: the number of all problems.
        keys: the name of the draft with the keys of an initial extract; None of a delta.
    """

    sha256: str
    bytes: int
    rows: int
    actions: dict[str, int]
    problems: list[Problem]
    problems_in_all: int
    keys: str | None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """The result whose plain values a task returned."""
        return cls(**{**answer, "problems": _problems(answer)})


@dataclass(frozen=True, slots=True)
class StagedEvents:
    """The events of a file, as drafts.

    Attributes:
        is_same: whether the file is the one that was scanned; else the drafts are invalid.
        events: the name of the draft with the events.
        readings: the name of the draft with the values of irregular cells.
        subtrees: over the leaves of the events, as level, place and hexadecimal digits.
        days: the days of UTC that occur.
    """

    is_same: bool
    events: str
    readings: str
    subtrees: list[tuple[int, int, str]]
    days: list[str]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """The result whose plain values a task returned."""
        return cls(**answer)

    @property
    def nodes(self) -> Iterator[Subtree]:
        """The subtrees over the leaves of the events."""
        return (Subtree(level, place, bytes.fromhex(root)) for level, place, root in self.subtrees)


def _problems(answer: Mapping[str, Any]) -> list[Problem]:
    return [Problem(**problem) for problem in answer["problems"]]


def digest_file(job: Job) -> FileDigest:
    """Compute the digest of a file."""
    try:
        return FileDigest(digest_of(Path(job.path)))
    except InputRefused as refused:
        return FileDigest(problems=refused.problems.kept)


def scan_file(job: Job) -> FileScan:
    """Read a file from start to end, and report its problems."""
    source, problems = OpenDelivery(Path(job.path)), Problems()
    actions: Counter[str] = Counter()
    writer, keys = None, None
    if job.kind is Kind.INITIAL:
        keys = job.new_draft("keys")
        writer = pq.ParquetWriter(keys, KEYS)
    try:
        for block in delivered_blocks(source, job.table, job.kind, problems):
            actions.update(block.actions)
            if writer:
                columns = [pa.array(block.lines, pa.int64()), pa.array(block.columns[0])]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=KEYS))
    finally:
        if writer:
            writer.close()
    return FileScan(
        sha256=source.sha256,
        bytes=source.size,
        rows=actions.total(),
        actions=dict(actions),
        problems=problems.kept,
        problems_in_all=problems.total,
        keys=keys.name if keys else None,
    )


def stage_events(job: StageJob) -> StagedEvents:
    """Write the events of a file that was scanned, and the values of its irregular cells."""
    source, problems = OpenDelivery(Path(job.path)), Problems()
    made, tree = EventFile(job.table, job.file), Subtrees(job.start)
    events, readings = job.new_draft("events"), job.new_draft("readings")
    with pq.ParquetWriter(readings, schema(columns_of(READINGS))) as kept:

        def batches() -> Iterator[pa.RecordBatch]:
            following = job.first_event
            for block in delivered_blocks(source, job.table, job.kind, problems):
                numbers = range(following, following + len(block.lines))
                following = numbers.stop
                columns = (block.lines, block.actions, *block.columns)
                tree.add(leaves(zip(numbers, repeat(job.table.name), repeat(job.file), *columns)))
                yield made.batch(numbers, *block)
                if len(made.readings) > VALUES_AT_ONCE:
                    keep_values()

        def keep_values() -> None:
            # The values of the next blocks are of later events, so all are in order.
            kept.write_table(readings_table(made.readings))
            made.readings.clear()

        rows = merged(batches(), ROWS_AT_ONCE)
        write_events(events, pa.RecordBatchReader.from_batches(made.schema, rows))
        keep_values()
    return StagedEvents(
        is_same=source.sha256 == job.sha256,
        events=events.name,
        readings=readings.name,
        subtrees=[(node.level, node.place, node.root.hex()) for node in tree.nodes()],
        days=sorted(made.utc_days),
    )


TASKS: Mapping[str, tuple[type[Job], Callable[[Any], Any]]] = {
    "digest": (Job, digest_file),
    "scan": (Job, scan_file),
    "stage": (StageJob, stage_events),
}


def run_task(task: str, plain: Mapping[str, Any]) -> dict[str, Any]:
    """Run a task on a job.

    Args:
        task: one of `TASKS`.
        plain: the job, as `Job.to_dict` returns it.

    Returns:
        the result as plain values; or the folder for drafts, if it does not exist here.
    """
    kind, work = TASKS[task]
    job = kind.of(plain)
    if not os.path.isdir(job.draft):
        return {"missing_folder": job.draft}
    return {"result": asdict(work(job))}
