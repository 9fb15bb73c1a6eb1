"""Why a reference is dangling: its row was never seen, is not there yet, or was deleted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ledger.lineage.sources import Source, Sources
from ledger.model.dataset import Table
from ledger.model.periods import Month
from ledger.replay.editions import known
from ledger.replay.replay import Replay
from ledger.store.event_store import EVENTS_PER_MONTH


class Reason(StrEnum):
    """Why no row has a key in a month."""

    NEVER_SEEN = "never-seen"
    NOT_THERE_YET = "not-there-yet"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Missing:
    """A row that does not exist.

    Attributes:
        table: that lacks the row.
        key: that the row would have.
        reason: why it does not exist.
        source: the event that deleted it, or the later one that added it; for a row that was never
            seen, None, or the event of a file that no longer counts.
    """

    table: str
    key: str
    reason: Reason
    source: Source | None

    def __str__(self) -> str:
        if self.reason is Reason.DELETED:
            return f"deleted by {self.source}"
        if self.reason is Reason.NOT_THERE_YET:
            return f"not there yet, came with {self.source}"
        if self.source:
            gone = f"which no longer counts since batch {self.source.superseded_in}"
            return f"seen in {self.source} alone, {gone}"
        return "never seen"


_LAST_PUT = """
SELECT max(event_id) FROM {events} AS event
WHERE {key} = ? AND event_id < ? AND action <> 'delete' AND {known}
"""
_DELETE = """
SELECT min(event_id) FROM {events} AS event
WHERE {key} = ? AND event_id > ? AND event_id < ? AND {known}
"""
_NEXT_PUT = """
SELECT min(event_id) FROM {events} AS event
WHERE {key} = ? AND event_id >= ? AND action <> 'delete' AND {known}
"""
_WITHDRAWN = """
SELECT max(event_id) FROM {events} AS event
JOIN files AS file ON file.file = event.file
CROSS JOIN replay_bound AS bound
WHERE {key} = ? AND action <> 'delete' AND file.batch <= bound.batch
"""


def missing_row(
    replay: Replay, sources: Sources, table: Table, key: str, month: Month
) -> Missing | None:
    """Find why a table has no row with a key at the end of a month; None if it has one."""
    end = (month.number + 1) * EVENTS_PER_MONTH
    names = {"events": table.events, "key": table.key, "known": known("event")}

    def event(sql: str, *values: str | int) -> int | None:
        ((event_id,),) = replay.rows(sql.format(**names), values)
        return None if event_id is None else int(event_id)

    def missing(reason: Reason, event_id: int | None) -> Missing:
        source = None if event_id is None else sources.find(table, event_id)
        return Missing(table.name, key, reason, source)

    put = event(_LAST_PUT, key, end)
    if put is not None:
        # The first delete after it: a later one found nothing to delete.
        delete = event(_DELETE, key, put, end)
        return None if delete is None else missing(Reason.DELETED, delete)
    later = event(_NEXT_PUT, key, end)
    if later is not None:
        return missing(Reason.NOT_THERE_YET, later)
    return missing(Reason.NEVER_SEEN, event(_WITHDRAWN, key))
