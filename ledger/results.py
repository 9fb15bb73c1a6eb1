"""What the ledger answers about what was done, and about where it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.model.editions import Edition
from ledger.model.periods import Month
from ledger.model.records import Batch, File

if TYPE_CHECKING:
    from ledger.lineage.findings import Finding
    from ledger.outputs.export import ExportedFile


def plain(value: Any) -> Any:
    """Turn a result into what JSON can say: dataclasses to objects, months to `202503`."""
    from ledger.model.documents import Document
    from ledger.outputs.fast_text import number

    if is_dataclass(value) and not isinstance(value, type | Month):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Document):
        return value.data()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Month | Path) else number(value)


@dataclass(frozen=True, slots=True)
class Projected:
    """A projection stored in the ledger.

    Attributes:
        edition: of what it speaks.
        rows: the number of rows of each table.
    """

    edition: Edition
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Export:
    """Files that were written.

    Attributes:
        edition: of what they speak.
        files: in the order of the tables.
    """

    edition: Edition
    files: tuple[ExportedFile, ...]


@dataclass(frozen=True, slots=True)
class LakeProjection:
    """A projection of a lake, written as files.

    Attributes:
        edition: of what it speaks.
        rows: the number of rows of each table.
        files: what was written: the tables, the report, the answers, and what they are as of.
    """

    edition: Edition
    rows: dict[str, int]
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A batch with its files, in order."""

    batch: Batch
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Status:
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


@dataclass(frozen=True, slots=True)
class Checked:
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
