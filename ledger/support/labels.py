"""The labels under which the report and the answers count: the same words in every query."""

from __future__ import annotations

from ledger.months import Month
from ledger.support.description import CONTACT_CENTERS, SERVICE_CATEGORIES

UNKNOWN = "Unknown"
"""The label of what has none, and the month of what has none."""

CENTER_LABEL = f"coalesce(center.contact_center_name, '{UNKNOWN}')"
"""In SQL, where the names of contact centres are joined as `center`."""

DEPARTMENT_LABEL = f"coalesce(category.department, '{UNKNOWN}')"
"""In SQL, where the names of service categories are joined as `category`."""

NAMED = (CONTACT_CENTERS, SERVICE_CATEGORIES)
"""The tables that give the labels."""


def month_label(month: Month | str) -> str:
    """A month as the report labels it: `2025-01`, or `Unknown` where that is asked for.

    Raises:
        WrongUsage: the text is no month.
    """
    if isinstance(month, str) and month != UNKNOWN:
        month = Month.parse(month)
    return month.label if isinstance(month, Month) else month
