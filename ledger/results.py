"""What the ledger answers about what was done, and about where it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isinf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.model.dataset import Column, Type
from ledger.model.editions import Edition
from ledger.model.periods import Month, spans
from ledger.model.presentation import (
    Bars,
    Facts,
    Grid,
    JsonObject,
    Line,
    Listing,
    Part,
    Styled,
    records,
)
from ledger.model.records import RETRACTION, Batch, File, Tag
from ledger.model.tabular import Tabular, Values
from ledger.text import counted, to_the_second, visible

if TYPE_CHECKING:
    from ledger.lineage.findings import Finding
    from ledger.outputs.manifest import ExportedFile


MONTHS_DRAWN = 24
"""How many of the last months a picture has."""


@dataclass(frozen=True, slots=True)
class Projected(JsonObject):
    """A projection stored in the ledger.

    Attributes:
        edition: of what it speaks.
        rows: the number of rows of each table.
    """

    edition: Edition
    rows: dict[str, int]

    def tabular(self) -> Tabular:
        """The number of rows of each table."""
        return Tabular("rows", _ROW_COUNTS, list(self.rows.items()), "table")

    def parts(self) -> Iterator[Part]:
        """The same."""
        yield self.tabular()


@dataclass(frozen=True, slots=True)
class Export(JsonObject):
    """Files that were written.

    Attributes:
        edition: of what they speak.
        files: in the order of the tables.
    """

    edition: Edition
    files: tuple[ExportedFile, ...]

    def tabular(self) -> Tabular:
        """A row for each file."""
        rows = [(str(f.path), f.rows, f.bytes, f.sha256) for f in self.files]
        return Tabular("files", _FILE, rows, "file")

    def parts(self) -> Iterator[Part]:
        """A row for each file, with the beginning of its digest."""
        rows = [(f.path, f.rows, f.bytes, f.sha256[:12]) for f in self.files]
        yield Grid(("file", "rows", "bytes", "SHA-256"), rows)


_FILE = (
    Column("file", "Where the file is."),
    Column("rows", "The number of its rows.", Type.INTEGER),
    Column("bytes", "Its size.", Type.INTEGER),
    Column("sha256", "Its digest."),
)


@dataclass(frozen=True, slots=True)
class LakeProjection(JsonObject):
    """A projection of a lake, written as files.

    Attributes:
        edition: of what it speaks.
        rows: the number of rows of each table.
        files: what was written: the tables, the report, the answers, and what they are as of.
    """

    edition: Edition
    rows: dict[str, int]
    files: tuple[Path, ...]

    def tabular(self) -> Tabular:
        """The number of rows of each table."""
        return Tabular("rows", _ROW_COUNTS, list(self.rows.items()), "table")

    def parts(self) -> Iterator[Part]:
        """The same."""
        yield self.tabular()


_ROW_COUNTS = (
    Column("table", "The table."),
    Column("rows", "The number of its rows.", Type.INTEGER),
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


def log_listing(entries: Sequence[LogEntry]) -> Listing:
    """List the recorded files of all batches, in order."""
    batches = {file.file: file.batch for entry in entries for file in entry.files}

    def row(entry: LogEntry, file: File) -> Values:
        supersedes = batches.get(file.supersedes or 0)
        return (
            *(file.batch, entry.batch.recorded_at, str(entry.batch.month), file.name, file.rows),
            *(file.sha256 or "", " ".join(entry.flags(file)), supersedes),
            *(entry.batch.reason, entry.batch.head),
        )

    rows = [row(entry, file) for entry in entries for file in entry.files]
    drawn = [
        (batch, to_the_second(str(recorded_at)), *others, str(sha256)[:12], *more, str(head)[:12])
        for batch, recorded_at, *others, sha256, flags, supersedes, reason, head in rows
        for more in [(flags, supersedes, reason)]
    ]
    return Listing(Tabular("log", _LOG, rows), [Grid([column.name for column in _LOG], drawn)])


_LOG = (
    Column("batch", "The batch that recorded the file.", Type.INTEGER),
    Column("recorded_at", "When that was, in UTC.", Type.TIMESTAMP),
    Column("month", "The month of the batch."),
    Column("file", "The name of the file."),
    Column("rows", "The number of its rows.", Type.INTEGER),
    Column("sha256", "The digest of the file."),
    Column("flags", "What sets the file apart: gap, late, correction, retraction."),
    Column("supersedes", "The batch of the file that it supersedes.", Type.INTEGER),
    Column("reason", "Why, of a correction or retraction."),
    Column("head", "The head after the batch."),
)


def tag_listing(tags: Sequence[Tag]) -> Listing:
    """List the names of editions."""
    rows = [(tag.name, str(tag.as_of), tag.batch, tag.tagged_at) for tag in tags]
    drawn = [(*row, to_the_second(tagged_at)) for *row, tagged_at in rows]
    return Listing(
        Tabular("tags", _TAG, rows, "name"), [Grid([column.name for column in _TAG], drawn)]
    )


_TAG = (
    Column("name", "The name of the edition."),
    Column("as_of", "Its month."),
    Column("batch", "Its batch.", Type.INTEGER),
    Column("tagged_at", "When it was named, in UTC.", Type.TIMESTAMP),
)


@dataclass(frozen=True, slots=True)
class Status(JsonObject):
    """Where a ledger stands.

    Attributes:
        path: its file.
        bytes: the size of that.
        batches: how many are recorded.
        first_month: the initial extract's, or None where nothing is recorded.
        latest_month: the latest recorded one, or None.
        missing_months: those between the two of which nothing is recorded.
        events: how many there are of each table, superseded ones too.
        events_by_month: how many there are of each month of which something is recorded.
        superseded: how many of them no longer count.
        projection: the edition of the stored projection, or None.
        head: the head after the last batch, or None.
    """

    path: Path
    bytes: int
    batches: int
    first_month: Month | None
    latest_month: Month | None
    missing_months: tuple[Month, ...]
    events: dict[str, int]
    events_by_month: dict[Month, int]
    superseded: int
    projection: Edition | None
    head: str | None

    def tabular(self) -> Tabular:
        """A row for each fact."""
        return Tabular("status", _STATUS, self._facts(), "what")

    def parts(self) -> Iterator[Part]:
        """The facts, and how many events each month has."""
        yield Facts(self._facts())
        months = [(str(month), events) for month, events in self.events_by_month.items()]
        some = f", the last {MONTHS_DRAWN} of {len(months)}" if len(months) > MONTHS_DRAWN else ""
        yield Bars(f"events by month{some}", dict(months[-MONTHS_DRAWN:]))

    def _facts(self) -> list[tuple[str, str]]:
        stored, first = self.projection, self.first_month
        return [
            ("ledger", f"{self.path} ({self.bytes:,} bytes)"),
            ("batches", str(self.batches)),
            ("months", f"{first} to {self.latest_month}" if first else "none"),
            ("missing months", spans(self.missing_months) or "none"),
            ("events", str(sum(self.events.values()))),
            *((f"events of {name}", str(count)) for name, count in self.events.items()),
            ("events superseded", str(self.superseded)),
            ("projection", f"as of {stored.as_of}, batch {stored.batch}" if stored else "none"),
            ("head", self.head or "none"),
        ]


_STATUS = (Column("what", "What the fact is about."), Column("value", "What it is."))


@dataclass(frozen=True, slots=True)
class Checked(JsonObject):
    """What is odd about the events of an edition.

    Attributes:
        edition: of what it speaks.
        events: how many events count in it.
        counts: how many findings of each code there are.
        findings: table by table, in replay order.
        failed: of the counts, those on which the check was to fail.
    """

    edition: Edition
    events: int
    counts: Counter[str]
    findings: tuple[Finding, ...]
    failed: dict[str, int]

    def tabular(self) -> Tabular:
        """The findings."""
        rows = ([getattr(one, column.name) for column in _FINDING] for one in self.findings)
        return Tabular("findings", _FINDING, rows)

    def parts(self) -> Iterator[Part]:
        """The findings, and how many of each code there are."""
        for finding in self.findings:
            place, _, message = visible(str(finding)).partition(f" {finding.code}: ")
            yield Line((f"{place} ", Styled(finding.code, "code"), f": {message}"))
        yield ""
        yield Grid(("code", "findings"), sorted(self.counts.items()))
        yield f"{counted(len(self.findings), 'finding')} in {counted(self.events, 'event')}."


_FINDING = (
    Column("code", "A stable short name of what was found."),
    Column("file", "The name of the file."),
    Column("line", "The line in the file; blank if the whole file is meant.", Type.INTEGER),
    Column("key", "The key of the row."),
    Column("column", "The column; blank if the whole row is meant."),
    Column("value", "The text of the cell."),
    Column("message", "What was found, in words."),
)


@dataclass(frozen=True, slots=True)
class Query:
    """What a query of the user's own gave.

    Attributes:
        columns: their names, in order; two may have the same.
        rows: the values of each row as SQLite holds them, read as they are asked for, once.
        projection: of what the projection speaks that is stored in the ledger, or None.
    """

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]
    projection: Edition | None

    def to_dict(self) -> list[dict[str, Any]]:
        """The rows as objects."""
        return list(records(self.tabular()))

    def tabular(self) -> Tabular:
        """The rows, with bytes in hexadecimal digits."""
        columns = [Column(name, "A column of the query.") for name in self.columns]
        return Tabular("query", columns, (list(map(_expressed, row)) for row in self.rows))

    def parts(self) -> Iterator[Part]:
        """The same."""
        yield self.tabular()


def _expressed(value: Any) -> Any:
    """What stands for a value that not every format can express."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
