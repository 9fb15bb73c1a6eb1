"""Where a ledger stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ledger.model.dataset import DataSet
from ledger.model.editions import Edition
from ledger.model.periods import Month
from ledger.replay.replay import stored_edition
from ledger.store.event_store import Store


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


def read_status(store: Store, dataset: DataSet) -> Status:
    """Read where a ledger stands."""
    records = store.records()
    batches, files, effective = records.batches, records.files, records.effective()
    months = records.months()
    first, latest = min(months, default=None), max(months, default=None)
    span = first.until(latest) if first and latest else ()
    events = {
        table.name: sum(file.rows for file in files if file.table_name == table.name)
        for table in dataset.tables
    }
    by_month: Counter[Month] = Counter()
    for file in sorted(files, key=lambda file: file.month):
        by_month[file.month] += file.rows
    return Status(
        path=store.path,
        bytes=store.path.stat().st_size,
        batches=len(batches),
        first_month=first,
        latest_month=latest,
        missing_months=tuple(month for month in span if month not in months),
        events=events,
        events_by_month=dict(by_month),
        superseded=sum(events.values()) - sum(file.rows for file in effective.values()),
        projection=stored_edition(store, records),
        head=batches[-1].head if batches else None,
    )
