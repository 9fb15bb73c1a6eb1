"""Holds what a peer made to what the ledger exported: a wrong peer's figure is no figure.

    python -m benchmarks.peers.check [--only NAME] OURS THEIRS

Both are folders with `<table>_final.csv` and `support_report.csv`; `--only interactions_final.csv`
holds one file alone. Every cell of every row must be the same, in the same order, but for how it is
written: a moment may be in local time or in UTC, a number `14` or `14.0`. Rows are read one by one.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path

from benchmarks.peers.delivered import KEYS, REPORT

NUMBERS = {
    *("call_duration_minutes", "satisfaction_rating"),
    *("total_interactions", "total_calls", "total_call_duration"),
}
MOMENTS = {"timestamp", "interaction_start", "agent_resolution_timestamp", "interaction_end"}
Row = dict[str, str | float | datetime]


def difference(ours: Path, theirs: Path) -> str | None:
    """The first row in which two files differ, in words; None where they do not."""
    with ExitStack() as files:
        first, second = (
            csv.DictReader(files.enter_context(open(path, encoding="utf-8", newline="")))
            for path in (ours, theirs)
        )
        if first.fieldnames != second.fieldnames:
            return f"{theirs}: its columns are {second.fieldnames}, not {first.fieldnames}"
        pairs = zip_longest(_rows(first), _rows(second))
        for number, (expected, found) in enumerate(pairs, start=1):
            if expected != found:
                return f"{theirs}: row {number} is {found}, by {ours} {expected}"
        return None


def _rows(reader: csv.DictReader[str]) -> Iterator[Row]:
    for row in reader:
        yield {name: _value(name, cell) for name, cell in row.items()}


def _value(column: str, cell: str) -> str | float | datetime:
    if cell and column in NUMBERS:
        return float(cell)
    if cell and column in MOMENTS:
        return datetime.fromisoformat(cell).astimezone(UTC)
    return cell


def main() -> None:
    """Compare, and end with 1 at the first difference."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers.check",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="NAME", help="of a file; by default all")
    parser.add_argument("ours", type=Path, metavar="OURS")
    parser.add_argument("theirs", type=Path, metavar="THEIRS")
    given = parser.parse_args()
    every = [*(f"{table}_final.csv" for table in KEYS), REPORT]
    for name in [given.only] if given.only else every:
        if found := difference(given.ours / name, given.theirs / name):
            sys.exit(found)


if __name__ == "__main__":
    main()
