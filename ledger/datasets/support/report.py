"""The support report: interactions, calls and minutes by month, contact centre and department."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

from ledger.datasets.support.description import (
    INTERACTIONS,
    SUPPORT,
    TOTALS,
)
from ledger.datasets.support.measures import (
    CENTER_LABEL,
    DEPARTMENT_LABEL,
    NAMED,
    UNKNOWN,
    label_joins,
)
from ledger.datasets.support.missing_names import unknown_notes
from ledger.model.dataset import Column, DataSet, Type
from ledger.model.editions import Edition
from ledger.model.tabular import Tabular
from ledger.outputs.formats import FileOptions
from ledger.outputs.manifest import ExportedFile, Provenance
from ledger.outputs.table_files import write_tables
from ledger.replay.labels import Names
from ledger.replay.replay import Replay
from ledger.text import counted


def write_report(
    report: Report, dataset: DataSet, out_dir: Path, options: FileOptions
) -> ExportedFile:
    """Write a report as a table; see `write_tables`."""
    table = report.sheet
    provenance = Provenance(table.name, dataset, report.edition, report.names, report.notes)
    (file,) = write_tables(out_dir, [table], provenance, options)
    return file


REPORT_COLUMNS = (
    Column("month", "Local month of interaction_start, YYYY-MM; Unknown where it has none."),
    Column("contact_center_name", "The contact centre's name, or Unknown."),
    Column("department", "The department of the category, or Unknown."),
    Column("total_interactions", "Interactions of every channel.", Type.INTEGER),
    Column("total_calls", "Interactions by phone.", Type.INTEGER),
    Column("total_call_duration", "Minutes of the calls that have a duration.", Type.NUMBER),
)

REPORTED = replace(
    SUPPORT,
    tables=(
        INTERACTIONS.narrowed(
            {"channel", "category_id", "contact_center_id", "call_duration_minutes", "month"}
        ),
    ),
    summaries=(TOTALS,),
    views=(),
)
"""What the report is computed from; names it takes from the events."""

_VALUES = attrgetter(*(column.name for column in REPORT_COLUMNS))

_ROWS = f"""
SELECT totals.month,
       {CENTER_LABEL} AS contact_center_name,
       {DEPARTMENT_LABEL} AS department,
       sum(totals.interactions) AS total_interactions,
       sum(totals.calls) AS total_calls,
       sum(totals.micro_minutes) / 1000000.0 AS total_call_duration
FROM support_totals AS totals
{{joins}}
GROUP BY totals.month, {CENTER_LABEL}, {DEPARTMENT_LABEL}
ORDER BY totals.month, contact_center_name, department
"""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A row of the report; its columns are described in `REPORT_COLUMNS`."""

    month: str
    contact_center_name: str
    department: str
    total_interactions: int
    total_calls: int
    total_call_duration: float


@dataclass(frozen=True, slots=True)
class Report:
    """The support report of an edition.

    Attributes:
        edition: of what it speaks.
        names: whether its labels are those of the edition or of each row's month.
        rows: ordered by month, centre and department; the month `Unknown` last.
        unknown: why labels are `Unknown`, in sentences without their full stops.
    """

    edition: Edition
    names: Names
    rows: tuple[ReportRow, ...]
    unknown: tuple[str, ...]

    @property
    def sheet(self) -> Tabular:
        """The report as a table to be written."""
        return report_sheet(self.rows)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the figures: what is `Unknown`, of how much, and why."""
        count = sum(row.total_interactions for row in self.rows if row.month == UNKNOWN)
        if not count:
            return self.unknown
        why = "their start is blank or cannot be read"
        return (f"{UNKNOWN} month of {counted(count, 'interaction')}: {why}", *self.unknown)


def report_sheet(rows: Iterable[ReportRow]) -> Tabular:
    """The rows of a report as a table to be written."""
    return Tabular("support_report", REPORT_COLUMNS, [_VALUES(row) for row in rows])


def read_rows(replay: Replay, names: Names = Names.AS_IS) -> tuple[ReportRow, ...]:
    """Compute the rows from the summaries of an edition, which the store must have."""
    sql = _ROWS.format(joins=label_joins(replay.labels(NAMED, names), "totals", "totals.month"))
    return tuple(ReportRow(*row) for row in replay.rows(sql))


def read_report(replay: Replay, names: Names = Names.AS_IS) -> Report:
    """Compute the report from the summaries of an edition, which the store must have."""
    rows = read_rows(replay, names)
    return Report(replay.edition, names, rows, unknown_notes(replay, names))
