"""The status of a ledger: what is recorded in it, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger.model.dataset import Column, DataSet
from ledger.model.editions import Edition
from ledger.model.periods import Month, spans
from ledger.model.presentation import (
    Bars,
    Facts,
    JsonObject,
    Part,
)
from ledger.model.tabular import Tabular
from ledger.replay.replay import stored_edition
from ledger.store.event_store import Store

MONTHS_DRAWN = 24
"""The number of months in the chart, which are the last ones."""


_STATUS = (Column("what", "What the fact is about."), Column("value", "What it is."))


@dataclass(frozen=True, slots=True)
class Status(JsonObject):
    """The status of a ledger.

    Attributes:
        path: its file.
        bytes: the size of the file.
        batches: the number of recorded batches.
        first_month: the month of the initial extract, or None if nothing is recorded.
        latest_month: the latest recorded one, or None.
        missing_months: the months between the two for which nothing is recorded.
        events: the number of events of each table, superseded ones included.
        events_by_month: the number of events of each month for which something is recorded.
        superseded: the number of events that no longer count.
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
        """The facts, and the number of events of each month."""
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


def read_status(store: Store, dataset: DataSet) -> Status:
    """Read the status of a ledger."""
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
