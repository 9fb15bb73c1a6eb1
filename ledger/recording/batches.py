"""A batch as values: its number and flags, its place in the chain, the records of its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ledger.model.digest import (
    GENESIS,
    BatchContents,
    FileContents,
    batch_digest,
    file_digest,
    next_head,
    next_seal,
)
from ledger.model.local_time import utc_now, utc_text
from ledger.model.periods import Month
from ledger.model.records import Batch, File, Records
from ledger.store.event_store import EVENTS_PER_MONTH


@dataclass(frozen=True, slots=True)
class Flags:
    """What a batch records of itself.

    Attributes:
        gap: a month before it is missing.
        late: it is of an earlier month than the latest recorded one.
        correction: it supersedes a recorded file.
        reason: why, in the words of the user.
    """

    gap: bool = False
    late: bool = False
    correction: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedBatch:
    """A batch that was recorded.

    Attributes:
        batch: its record.
        files: the records of its files, in order.
        actions: for each of them, the number of events of each action.
    """

    batch: Batch
    files: tuple[File, ...]
    actions: tuple[Counter[str], ...]


@dataclass(frozen=True, slots=True)
class BatchEvents:
    """The events of a batch.

    Attributes:
        count: their number.
        root: the root of the Merkle tree over them, 64 hexadecimal digits.
    """

    count: int
    root: str


def next_file(records: Records) -> int:
    """The number of the next file."""
    return max((file.file for file in records.files), default=0) + 1


def next_event(records: Records, month: Month) -> int:
    """The `event_id` of the next row recorded for a month."""
    numbers = (file.last_event for file in records.files if file.month == month)
    return max((n for n in numbers if n is not None), default=month.number * EVENTS_PER_MONTH) + 1


def next_batch(
    records: Records,
    month: Month,
    flags: Flags,
    files: Sequence[FileContents],
    names: Sequence[str],
    events: BatchEvents,
) -> tuple[Batch, tuple[File, ...]]:
    """The records of the next batch and of its files.

    Args:
        records: all that is recorded before it.
        month: of its files.
        flags: what it records of itself.
        files: what the head binds of its files, in order.
        names: the names of the files, in the same order.
        events: of all of them.
    """
    contents = BatchContents(
        batch=len(records.batches) + 1,
        month=month.number,
        reason=flags.reason,
        gap=flags.gap,
        late=flags.late,
        correction=flags.correction,
    )
    before = records.batches[-1] if records.batches else None
    head = next_head(
        before.head if before else GENESIS, batch_digest(contents, files, events.count, events.root)
    )
    at = utc_text(_time_after(before))
    batch = Batch(
        batch=contents.batch,
        month=month,
        recorded_at=at,
        reason=flags.reason,
        gap=flags.gap,
        late=flags.late,
        correction=flags.correction,
        events=events.count,
        root=events.root,
        head=head,
        seal=next_seal(before.seal if before else GENESIS, head, at, names),
    )
    return batch, tuple(
        _file_record(batch, file, name) for file, name in zip(files, names, strict=True)
    )


def _file_record(batch: Batch, contents: FileContents, name: str) -> File:
    return File(
        file=contents.file,
        batch=batch.batch,
        table_name=contents.table,
        month=batch.month,
        kind=contents.kind,
        name=name,
        sha256=contents.sha256,
        bytes=contents.bytes,
        rows=contents.rows,
        first_event=contents.first_event,
        last_event=contents.last_event,
        supersedes=contents.supersedes,
        digest=file_digest(contents, name),
    )


def _time_after(before: Batch | None) -> datetime:
    """The time now; after that of the batch before, also where the clock was put back."""
    if before is None:
        return utc_now()
    last = datetime.fromisoformat(before.recorded_at).astimezone(UTC)
    return max(utc_now(), last + timedelta(microseconds=1))
