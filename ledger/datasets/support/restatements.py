"""How often a month's report was restated: one line for each month and batch."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger.datasets.support.report import REPORTED, ReportRow, read_rows, report_sheet
from ledger.model.dataset import Column, Type
from ledger.model.editions import Edition, EditionName
from ledger.model.periods import Month
from ledger.model.presentation import Grid, JsonObject, Listing
from ledger.model.records import Batch, Records
from ledger.model.tabular import Tabular
from ledger.outputs.csv import write_csv
from ledger.replay.incremental import few_moved, move_projection
from ledger.replay.projection import build_temp_projection
from ledger.replay.replay import Replay
from ledger.store.event_store import Store
from ledger.text import counted, to_the_second

Rows = tuple[ReportRow, ...]


class Change(StrEnum):
    """How the report of a month after a batch differs from the one before it."""

    FIRST = "first"
    SAME = "same"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Restatement(JsonObject):
    """The report of a month as it was known after a batch.

    Attributes:
        as_of: the month.
        batch: the batch.
        recorded_at: when that was recorded, in UTC.
        change: whether the report differs from the one as known the last time before.
        rows_changed: how many rows of the report were added, changed or removed by it; 0 for the
            first.
        gap: whether nothing was recorded for the month itself then.
        sha256: the digest of `support_report.csv` as it is exported of this edition.
        tags: the names of this edition.
    """

    as_of: Month
    batch: int
    recorded_at: str
    change: Change
    rows_changed: int
    gap: bool
    sha256: str
    tags: tuple[str, ...]

    def __str__(self) -> str:
        """What became of the report, and the names of the edition."""
        rows = f" {counted(self.rows_changed, 'row')}" if self.change is Change.CHANGED else ""
        gap = " (gap)" if self.gap else ""
        return " ".join([f"{self.change}{rows}{gap}", *(f"[{name}]" for name in self.tags)])


def restatement_listing(editions: Sequence[Restatement], batches: Sequence[Batch]) -> Listing:
    """List the editions of reports; for people, by batch and month.

    Args:
        editions: batch by batch.
        batches: all that are recorded.
    """
    rows = [[getattr(edition, column.name) for column in _COLUMNS] for edition in editions]
    months = sorted({edition.as_of for edition in editions})
    found = {(edition.batch, edition.as_of): str(edition) for edition in editions}
    lines = [
        (
            *(batch.batch, to_the_second(batch.recorded_at), batch.month),
            *(found.get((batch.batch, month)) for month in months),
            batch.reason,
        )
        for batch in batches
    ]
    headings = ("batch", "recorded_at", "month", *map(str, months), "reason")
    return Listing(Tabular("editions", _COLUMNS, rows), [Grid(headings, lines)])


_COLUMNS = (
    Column("as_of", "The month of the report."),
    Column("batch", "The batch after which it was so.", Type.INTEGER),
    Column("recorded_at", "When that was recorded, in UTC.", Type.TIMESTAMP),
    Column("change", "Whether the report differs from the one before: first, same, changed."),
    Column("rows_changed", "How many rows of the report differ.", Type.INTEGER),
    Column("gap", "Whether nothing was recorded for the month itself then."),
    Column("sha256", "The digest of the report as CSV."),
    Column("tags", "The names of the edition."),
)


def read_restatements(store: Store, records: Records) -> Iterator[Restatement]:
    """Yield, batch by batch, the report of each month that could be given then, gaps too.

    A batch of a later month cannot touch a month's report, unless that could not be told before;
    for any other, the report is computed.
    """
    tags = records.tags
    reports: dict[Month, tuple[Rows, str]] = {}
    told: list[Month] = []
    described: Edition | None = None
    for batch in records.batches:
        recorded = records.months(batch.batch)
        before, told = told, list(min(recorded).until(max(recorded))) if recorded else []
        for month in told:
            known, sha256 = reports.get(month, (None, ""))
            rows = known
            if rows is None or batch.month <= month or month not in before:
                edition = records.edition(EditionName(month, batch.batch))
                replay = Replay(store, REPORTED, records, edition)
                _have_aside(replay, described)
                described, rows = edition, read_rows(replay)
                sha256 = sha256 if rows == known else _sha256(rows)
                reports[month] = (rows, sha256)
            yield Restatement(
                as_of=month,
                batch=batch.batch,
                recorded_at=batch.recorded_at,
                change=_change(known, rows),
                rows_changed=0 if known is None else _rows_changed(known, rows),
                gap=month not in recorded,
                sha256=sha256,
                tags=tuple(t.name for t in tags if (t.as_of, t.batch) == (month, batch.batch)),
            )


def _have_aside(replay: Replay, described: Edition | None) -> None:
    """Have the projection of an edition aside, from that of another one which is there, if any."""
    moved = few_moved(replay, described)
    if moved is None:
        build_temp_projection(replay)
    else:
        move_projection(replay, moved)


def _change(before: Rows | None, after: Rows) -> Change:
    if before is None:
        return Change.FIRST
    return Change.SAME if before == after else Change.CHANGED


def _rows_changed(before: Rows, after: Rows) -> int:
    """How many of all labels of rows have other figures, or are in one report alone."""
    old, new = (
        {(row.month, row.contact_center_name, row.department): row for row in report}
        for report in (before, after)
    )
    return sum(old.get(label) != new.get(label) for label in old.keys() | new.keys())


def _sha256(report: Rows) -> str:
    file = io.BytesIO()
    sheet = report_sheet(report)
    write_csv(file, sheet.columns, sheet.rows)
    return hashlib.sha256(file.getvalue()).hexdigest()
