"""Events and leaf prefixes that no record accounts for."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.integrity.fault import Fault, FaultKind
from ledger.integrity.ledger_target import LedgerTarget, event_gaps
from ledger.model.digest import MARK_BYTES


def check_stray_events(target: LedgerTarget) -> Iterator[Fault]:
    """Report events that are in no file."""
    for table in target.dataset.tables:
        sql = f"""
            SELECT event_id, line FROM {table.events}
            WHERE event_id > ? AND event_id < ? ORDER BY event_id LIMIT 1
        """
        for gap in event_gaps(file for file in target.files if file.table_name == table.name):
            for event_id, line in target.store.rows(sql, gap):
                place = f"{table.events} {event_id}, with line {line}"
                yield Fault(FaultKind.EVENT, place, "no file delivered it")


def check_stray_prefixes(target: LedgerTarget) -> Iterator[Fault]:
    """Report leaf prefixes that are of no event, or missing."""
    sql = f"""
        SELECT coalesce(sum(length(marks)), 0) / {MARK_BYTES}, coalesce(min(length(marks)), 1) > 0
        FROM event_marks
    """
    if next(target.store.rows(sql)) != (target.recorded_events, True):
        yield Fault(FaultKind.DERIVED, "event_marks", "not as many as events are recorded")
