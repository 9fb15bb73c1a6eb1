"""The support report: interactions, calls and minutes by month, contact centre and department."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from ledger.dataset import Column, Type
from ledger.export import Sheet
from ledger.projection import Edition
from ledger.store import Store
from ledger.words import counted

UNKNOWN = "Unknown"

REPORT_COLUMNS = (
    Column("month", "Local month of interaction_start, YYYY-MM; Unknown where it has none."),
    Column("contact_center_name", "The contact centre's name, or Unknown."),
    Column("department", "The department of the category, or Unknown."),
    Column("total_interactions", "Interactions of every channel.", Type.INTEGER),
    Column("total_calls", "Interactions by phone.", Type.INTEGER),
    Column("total_call_duration", "Minutes of the calls that have a duration.", Type.NUMBER),
)

_ROWS = """
SELECT month, contact_center_name, department,
       total_interactions, total_calls, total_call_duration
FROM support_report
ORDER BY month, contact_center_name, department
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
        rows: ordered by month, centre and department; the month `Unknown` last.
    """

    edition: Edition
    rows: tuple[ReportRow, ...]

    @property
    def sheet(self) -> Sheet:
        """The report as a table to be written."""
        return Sheet("support_report", REPORT_COLUMNS, [astuple(row) for row in self.rows])

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of the figures: how many interactions are `Unknown`, in what."""
        notes = []
        for column, what, why in (
            ("month", "month", "their start is blank or cannot be read"),
            ("contact_center_name", "contact centre", "it is blank, not there, or has no name"),
            ("department", "department", "the category is blank, not there, or has none"),
        ):
            count = sum(r.total_interactions for r in self.rows if getattr(r, column) == UNKNOWN)
            if count:
                notes.append(f"{UNKNOWN} {what} of {counted(count, 'interaction')}: {why}")
        return tuple(notes)


def read_report(store: Store, edition: Edition) -> Report:
    """Read the report off the projection that `store` holds."""
    return Report(edition, tuple(ReportRow(*row) for row in store.rows(_ROWS)))
