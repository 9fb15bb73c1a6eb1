"""The records of a ledger: batches, files, and the tags of editions."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.model.digest import (
    BatchContents,
    Digest,
    FileContents,
)
from ledger.model.periods import Month

RETRACTION = "retraction"


@dataclass(frozen=True, slots=True)
class Batch:
    """A recorded batch: the row of `batches`."""

    batch: int
    month: Month
    recorded_at: str
    reason: str | None
    gap: bool
    late: bool
    correction: bool
    events: int
    root: Digest
    head: Digest
    seal: Digest

    @property
    def contents(self) -> BatchContents:
        """What the head binds of it besides its files and events."""
        flags = (self.gap, self.late, self.correction)
        return BatchContents(self.batch, self.month.number, self.reason, *flags)


@dataclass(frozen=True, slots=True)
class File:
    """A recorded file: the row of `files`."""

    file: int
    batch: int
    table_name: str
    month: Month
    kind: str
    name: str
    sha256: Digest | None
    bytes: int
    rows: int
    first_event: int | None
    last_event: int | None
    supersedes: int | None
    digest: Digest

    @property
    def contents(self) -> FileContents:
        """What the head binds of it."""
        return FileContents(
            file=self.file,
            table=self.table_name,
            month=self.month.number,
            kind=self.kind,
            sha256=self.sha256,
            bytes=self.bytes,
            rows=self.rows,
            first_event=self.first_event,
            last_event=self.last_event,
            supersedes=self.supersedes,
        )


@dataclass(frozen=True, slots=True)
class Tag:
    """A name for an edition: the row of `tags`."""

    tag: int
    name: str
    as_of: Month
    batch: int
    tagged_at: str
    seal: Digest
