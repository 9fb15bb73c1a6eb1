"""Deliveries made up for the trials: months of any size, in which every table changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.strategies import DeliveredFile, small_file, write_data_folder

FIRST_MONTH = 202501
SMALL = 30
"""Interactions of a month that changes a few pages of the ledger."""
LARGE = 12_000
"""Interactions of a month that changes more pages than SQLite's cache holds by default (2 MiB)."""


def deliver(folder: Path, sizes: Sequence[int]) -> list[str]:
    """Write an extract and the deltas of the months after it into a data folder.

    Args:
        folder: where to.
        sizes: how many interactions each month brings, the extract's first; twelve at most.

    Returns:
        the months.
    """
    months = [FIRST_MONTH + number for number in range(len(sizes))]
    for month, size in zip(months, sizes, strict=True):
        write_data_folder(folder, _files(month, size))
    return [str(month) for month in months]


def _files(month: int, size: int) -> Iterator[DeliveredFile]:
    names = {
        "agents": ("A1", f"Ada {month}", "CC1", "2021-03-15", "CAT1"),
        "contact_centers": ("CC1", f"Boston {month}", "MA"),
        "service_categories": ("CAT1", f"Refunds {month}", "Billing"),
    }
    first = month == FIRST_MONTH
    for table, row in names.items():
        yield small_file(table, None, row) if first else small_file(table, month, ("update", *row))
    rows = (_interaction(month, number) for number in range(size))
    if first:
        yield small_file("interactions", None, *rows)
    else:
        again = ("update", *_interaction(FIRST_MONTH, 0, minutes=month % 100))
        added = (("add", *row) for row in rows)
        yield small_file("interactions", month, *added, again)


def _interaction(month: int, number: int, minutes: int = 10) -> tuple[str, ...]:
    day = f"2025-{month % 100:02}-{number % 28 + 1:02}T{number // 28 % 24:02}"
    start, end = f"{day}:00:00Z", f"{day}:{minutes:02}:00Z"
    key = f"INT-{month}-{number:06}"
    return (key, start, "phone", "CAT1", "A1", "CC1", start, start, end, str(minutes), "4.5")
