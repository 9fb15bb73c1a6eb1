"""The events of the batches: complete, in their places, and with the roots that were recorded."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.integrity.fault import Fault, FaultKind
from ledger.integrity.target import BatchScan


def check_events(scan: BatchScan) -> Iterator[Fault]:
    """Report the first event of each file that is missing, or not as it was recorded."""
    for file in scan.files:
        fault = (None if scan.agrees else file.altered) or file.misplaced
        if fault:
            yield fault


def check_leaf_prefixes(scan: BatchScan) -> Iterator[Fault]:
    """Report stored leaf prefixes that are not those of the events, to which the head leads."""
    if scan.agrees and any(file.altered for file in scan.files):
        message = f"not those of the events of batch {scan.link.batch.batch}"
        yield Fault(FaultKind.DERIVED, "event_marks", message)


def check_root(scan: BatchScan) -> Iterator[Fault]:
    """Check the root of the events against the record of the batch."""
    batch = scan.link.batch
    if scan.root == batch.root:
        return
    message = "its root is not that of its events"
    if not scan.agrees:
        # Without leaf prefixes, the event cannot be determined.
        is_of_events = scan.link.leads_to_head(batch.root)
        what = "its events" if is_of_events else "its record, files or events"
        places = f", in: {', '.join(scan.locations)}" if scan.locations else ""
        message = f"{what} are not those that were recorded{places}"
    yield Fault(FaultKind.BATCH, str(batch.batch), message)


def check_event_count(scan: BatchScan) -> Iterator[Fault]:
    """Check the number of events against the record of the batch."""
    batch = scan.link.batch
    if batch.events != scan.events:
        message = f"its record has {batch.events} events, and it has {scan.events}"
        yield Fault(FaultKind.BATCH, str(batch.batch), message)
