"""The words of the report: its labels and measures, and the steps by which its figures move."""

from __future__ import annotations

from enum import StrEnum

from ledger.datasets.support.description import CONTACT_CENTERS, SERVICE_CATEGORIES
from ledger.model.periods import Month
from ledger.replay.labels import Labels

UNKNOWN = "Unknown"
"""The label of what has none, and the month of what has none."""

CENTER_LABEL = f"coalesce(center.contact_center_name, '{UNKNOWN}')"
"""In SQL, where the names of contact centres are joined as `center`."""

DEPARTMENT_LABEL = f"coalesce(category.department, '{UNKNOWN}')"
"""In SQL, where the names of service categories are joined as `category`."""

NAMED = (CONTACT_CENTERS, SERVICE_CATEGORIES)
"""The tables that give the labels."""

MEASURES = ("total_interactions", "total_calls", "total_call_duration")
"""The columns of figures."""


def label_joins(labels: Labels, rows: str, month: str) -> str:
    """The SQL that joins what `CENTER_LABEL` and `DEPARTMENT_LABEL` are taken from.

    Args:
        labels: of `NAMED`.
        rows: the alias of the rows that refer to a contact centre and a category.
        month: of the row, in SQL.
    """
    return "\n".join(
        labels.join(table, alias, f"{rows}.{table.key}", month)
        for table, alias in ((CONTACT_CENTERS, "center"), (SERVICE_CATEGORIES, "category"))
    )


class StepKind(StrEnum):
    """What may lead from one edition to another, in the order in which it is told."""

    ADDED = "added"
    DELETED = "deleted"
    MOVED_MONTH = "moved-month"
    MOVED_KEYS = "moved-keys"
    RENAMED = "renamed"
    CHANGED_CHANNEL = "changed-channel"
    CHANGED_DURATION = "changed-duration"


def month_label(month: Month | str) -> str:
    """A month as the report labels it: `2025-01`, or `Unknown` where that is asked for.

    Raises:
        WrongUsage: the text is no month.
    """
    if isinstance(month, str) and month != UNKNOWN:
        month = Month.parse(month)
    return month.label if isinstance(month, Month) else month
