"""The records of a ledger: batches, files, and the tags of editions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ledger.errors import WrongUsage
from ledger.model.dataset import Kind
from ledger.model.digest import (
    BatchContents,
    Digest,
    FileContents,
)
from ledger.model.editions import Edition, EditionName, KnownAt
from ledger.model.local_time import parse_moment
from ledger.model.periods import Month
from ledger.model.presentation import (
    JsonObject,
)


@dataclass(frozen=True, slots=True)
class LogEntry(JsonObject):
    """A batch with its files, in order."""

    batch: Batch
    files: tuple[File, ...]

    def flags(self, file: File) -> Iterator[str]:
        """What sets a file of the batch apart."""
        if self.batch.gap:
            yield "gap"
        if self.batch.late:
            yield "late"
        if file.kind == RETRACTION:
            yield "retraction"
        elif self.batch.correction and file.supersedes:
            yield "correction"


RETRACTION = "retraction"
LATEST = EditionName()
"""The edition as of the latest month, as known at the last batch."""

_BATCH = re.compile(r"\d{1,18}", re.ASCII)


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


@dataclass(frozen=True, slots=True)
class Records:
    """All batches, files and tags of a ledger or a lake, each in order, read once.

    Attributes:
        batches: the recorded batches.
        files: the records of their files.
        tags: the names of editions.
        origin: where they were read, for messages.
    """

    batches: tuple[Batch, ...]
    files: tuple[File, ...]
    tags: tuple[Tag, ...]
    origin: str = field(default="the ledger", compare=False)

    def last(self, batch: int | None = None) -> dict[tuple[str, Month], File]:
        """The last record of each table and month: a file, or the retraction of one.

        Args:
            batch: as known after this one; by default after the last.
        """
        return {
            (file.table_name, file.month): file
            for file in self.files
            if batch is None or file.batch <= batch
        }

    def effective(self, batch: int | None = None) -> dict[tuple[str, Month], File]:
        """The one file that counts for each table and month, as known after a batch."""
        kinds = set(Kind)
        return {place: file for place, file in self.last(batch).items() if file.kind in kinds}

    def effective_in(self, edition: Edition) -> list[File]:
        """The files whose events count in an edition."""
        files = self.effective(edition.batch).values()
        return [file for file in files if file.month <= edition.as_of]

    def moved(self, before: Edition, after: Edition) -> list[File]:
        """The files whose events count in one of two editions and not in the other."""
        first, second = (
            {file.file for file in self.effective_in(edition)} for edition in (before, after)
        )
        return [file for file in self.files if file.rows and file.file in first ^ second]

    def months(self, batch: int | None = None) -> set[Month]:
        """The months of which a file counts, as known after a batch."""
        return {month for _, month in self.effective(batch)}

    def edition(self, name: EditionName = LATEST) -> Edition:
        """The edition that a name means, by default the latest.

        Raises:
            WrongUsage: nothing was recorded by then, or the month lies outside of what was.
        """
        if not self.batches:
            raise WrongUsage(f"nothing is recorded in {self.origin}; start with: ledger ingest")
        tagged = next((tag for tag in self.tags if tag.name == name.known_at), None)
        number = tagged.batch if tagged else self._batch(name.known_at)
        months = self.months(number)
        if not months:
            raise WrongUsage(
                f"no file counts at batch {number}: all are retracted. What counted before "
                "is there with --known-at; to put files back in force: ledger ingest --correct"
            )
        first, latest = min(months), max(months)
        as_of = name.as_of or (tagged.as_of if tagged else latest)
        if not first <= as_of <= latest:
            then = "holds" if name.known_at is None else f"at batch {number} held"
            raise WrongUsage(
                f"as of {as_of}: the ledger {then} the months {first} to {latest}; "
                "choose one of these"
            )
        missing = tuple(month for month in first.until(as_of) if month not in months)
        heads = {batch.batch: batch.head for batch in self.batches}
        if number not in heads:
            raise WrongUsage(f"there is no batch {number}; see: ledger verify")
        return Edition(as_of, number, heads[number], missing)

    def before(self, edition: Edition) -> Edition | None:
        """The edition as known before the last batch that concerns this one.

        That batch brought the as-of month, or restated one up to it. None where nothing was known
        before.
        """
        concerned = [
            batch.batch
            for batch in self.batches
            if batch.batch <= edition.batch and batch.month <= edition.as_of
        ]
        before = concerned[-1] - 1
        months = self.months(before)
        if not months or min(months) > edition.as_of:
            return None
        return self.edition(EditionName(min(edition.as_of, max(months)), before))

    def log(self) -> list[LogEntry]:
        """All batches with their files, in the order in which they were recorded."""
        return [
            LogEntry(batch, tuple(file for file in self.files if file.batch == batch.batch))
            for batch in self.batches
        ]

    def with_batch(self, batch: Batch, files: Sequence[File]) -> Records:
        """These records and those of one more batch."""
        return replace(self, batches=(*self.batches, batch), files=(*self.files, *files))

    def with_tag(self, tag: Tag) -> Records:
        """These records and one more tag."""
        return replace(self, tags=(*self.tags, tag))

    def _batch(self, known_at: KnownAt | None) -> int:
        """The number of the batch that a number or a timestamp means; by default of the last.

        Raises:
            WrongUsage: there is none.
        """
        if known_at is None:
            return self.batches[-1].batch
        if isinstance(known_at, str) and _BATCH.fullmatch(known_at):
            known_at = int(known_at)
        if isinstance(known_at, int):
            count = len(self.batches)
            if not 1 <= known_at <= count:
                raise WrongUsage(f"there is no batch {known_at}; the ledger holds 1 to {count}")
            return known_at
        timestamp = self._timestamp(known_at)
        known_by_then = [b.batch for b in self.batches if b.recorded_at <= timestamp]
        if not known_by_then:
            raise WrongUsage(
                f"nothing was recorded by {known_at}; "
                f"the first batch is of {self.batches[0].recorded_at}"
            )
        return known_by_then[-1]

    def _timestamp(self, known_at: str | datetime) -> str:
        if isinstance(known_at, datetime):
            if known_at.tzinfo is None:
                raise WrongUsage(f"{known_at} has no time zone; give it one")
            known_at = known_at.isoformat(timespec="microseconds")
        try:
            return parse_moment(known_at)
        except WrongUsage:
            if known_at[:1].isdigit():
                raise
            tags = ", ".join(tag.name for tag in self.tags) or "none"
            raise WrongUsage(
                f"{known_at!r} is no batch, no moment such as 2025-04-01T09:30:00Z, and no tag; "
                f"the tags are: {tags}"
            ) from None
