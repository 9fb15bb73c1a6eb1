"""What became of deliveries: month by month, as tables and notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ledger.model.dataset import Action, Column, Type
from ledger.model.periods import spans
from ledger.model.presentation import Grid, JsonObject, Part
from ledger.model.records import RETRACTION, File
from ledger.model.tabular import Tabular, Value
from ledger.recording.ingest import FileIngest, MonthIngest
from ledger.text import counted


@dataclass(frozen=True, slots=True)
class Ingested(JsonObject):
    """The months that were recorded, and why none followed.

    Attributes:
        dry_run: whether nothing was recorded in fact.
        months: in order.
        error: with its exit code, message and problems; None where all went well.
    """

    dry_run: bool
    months: tuple[MonthIngest, ...]
    error: dict[str, Any] | None

    def tabular(self) -> Tabular:
        """A row for each file."""
        rows = [
            (
                *(str(month.month), one.file.name, one.file.rows, *_actions(one)),
                *(one.file.batch, one.recorded),
            )
            for month in self.months
            for one in month.files
        ]
        return Tabular("ingested", _COLUMNS, rows)

    def parts(self) -> Iterator[Part]:
        """The files, how many events they gave, and the receipt of the last batch."""
        rows = [
            (
                *(month.month, one.file.name, one.file.rows, *_actions(one)),
                one.file.batch if one.recorded else f"already in {one.file.batch}",
            )
            for month in self.months
            for one in month.files
        ]
        yield Grid(("month", "file", "rows", *Action, "batch"), rows)
        batches = [month.batch for month in self.months if month.batch]
        if not batches:
            yield "Nothing new."
            return
        events = counted(sum(batch.events for batch in batches), "event")
        where = counted(len(batches), "batch", "batches")
        yield f"{events} {'would be recorded' if self.dry_run else 'recorded'} in {where}."
        (*_, receipt) = (month.receipt for month in self.months if month.receipt)
        if not self.dry_run:
            yield f"receipt {receipt.line()}"


_COLUMNS = (
    Column("month", "The month of the file."),
    Column("file", "The name of the file."),
    Column("rows", "The number of its rows.", Type.INTEGER),
    *(Column(action, f"The events of action {action}.", Type.INTEGER) for action in Action),
    Column("batch", "The batch that recorded it.", Type.INTEGER),
    Column("recorded", "Whether it was recorded just now."),
)


def _actions(one: FileIngest) -> list[Value]:
    return [one.actions[action] if one.recorded else None for action in Action]


def month_notes(month: MonthIngest, *, verbose: bool) -> Iterator[str]:
    """Yield what is to be known of a month: what it restates and supersedes, and its findings."""
    if month.missing_months:
        yield f"{month.month}: nothing is recorded for {spans(month.missing_months)} before it"
    if month.restates:
        yield f"{month.month}: restates {spans(month.restates)}"
    for file in month.files:
        if file.supersedes:
            yield f"{month.month}: {_superseded(file, file.supersedes)}"
    total = sum(month.findings.values())
    if total:
        counts = ", ".join(f"{count} {code}" for code, count in sorted(month.findings.items()))
        yield f"{month.month}: {counted(total, 'finding')}: {counts}"
    if verbose:
        for finding in month.first_findings:
            yield f"  {finding}"
        if total > len(month.first_findings):
            yield f"  … and {total - len(month.first_findings)} more"


def _superseded(result: FileIngest, before: File) -> str:
    if before.kind == RETRACTION:
        return f"{result.file.name} comes after the retraction in batch {before.batch}"
    supersedes = f"supersedes {before.name} of batch {before.batch}: rows {result.difference}"
    if result.restores:
        return f"puts the bytes of batch {result.restores.batch} back in force; {supersedes}"
    return supersedes
