"""What is derived from the cells: their typed values, and the local time of their days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest

from ledger.integrity.fault import Fault, FaultKind
from ledger.integrity.target import VerificationTarget
from ledger.model.local_time import clock_rows
from ledger.store.database import Record


def check_typed_values(target: VerificationTarget) -> Iterator[Fault]:
    """Compare the stored typed values with those of the cells that were read."""
    found = (file.typed_value for scan in target.scans for file in scan.files)
    # The values of several files may be in one file that cannot be read.
    faults = dict.fromkeys(fault for fault in found if fault)
    yield from faults
    if faults:
        return
    for place, event_id in target.stray_typed_values():
        where = f"{place} of event {event_id}"
        yield Fault(FaultKind.DERIVED, where, "no file delivered such an event")


def check_local_time(target: VerificationTarget) -> Iterator[Fault]:
    """Compare the stored local time with that of the days that occur."""
    known: set[str] = set()
    for part in target.local_time():
        scans = [scan for scan in target.scans if scan.link.batch.batch in part.batches]
        days = {day for scan in scans for file in scan.files for day in file.days} - known
        known |= days
        expected = (row for day in sorted(days) for row in clock_rows(day, target.dataset.zone))
        stored = part.rows
        if part.is_begun:
            stored = (row for row in stored if str(row[0])[:10] in days)
        for row in _first_difference(expected, stored):
            message = "not the local time then, or no event is of that day"
            yield Fault(FaultKind.DERIVED, f"{part.place} {row[0]}", message)


def _first_difference(expected: Iterable[Record], stored: Iterable[Record]) -> Iterator[Record]:
    """The first row, in order, that is not in both."""
    for ours, theirs in zip_longest(map(tuple, expected), map(tuple, stored)):
        if ours != theirs:
            yield min((row for row in (ours, theirs) if row), key=row_order)
            return


def row_order(row: Record) -> list[tuple[bool, str, object]]:
    """A sort key of rows in which any value may be missing."""
    return [(value is not None, type(value).__name__, value) for value in row]
