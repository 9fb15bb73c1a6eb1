"""Why a reference leads nowhere: to a row never seen, not there yet, or deleted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ledger.dataset import Table
from ledger.editions import known
from ledger.months import Month
from ledger.sources import Source, Sources
from ledger.store import EVENTS_PER_MONTH, Store


class Reason(StrEnum):
    """Why there is no row with a key in a month."""

    NEVER_SEEN = "never-seen"
    NOT_THERE_YET = "not-there-yet"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Missing:
    """A row that is not there.

    Attributes:
        table: in which it is not.
        key: that it would have.
        reason: why it is not there.
        source: the event that deleted it, or the later one that brought it; None where it was
            never seen.
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
        return "never seen"


_LAST = "SELECT max(event_id) FROM {events} AS event WHERE {key} = ? AND event_id < ? AND {known}"
_NEXT = """
SELECT min(event_id) FROM {events} AS event
WHERE {key} = ? AND event_id >= ? AND action <> 'delete' AND {known}
"""


def missing_row(
    store: Store, sources: Sources, table: Table, key: str, month: Month
) -> Missing | None:
    """Say why a table has no row with a key at the end of a month; None where it has one.

    What is known must have been said; see `say_what_counts`.
    """
    end = (month.number + 1) * EVENTS_PER_MONTH
    names = {"events": table.events, "key": table.key, "known": known("event")}
    ((last,),) = store.rows(_LAST.format(**names), (key, end))
    if last is not None:
        source = sources.find(table, last)
        return (
            Missing(table.name, key, Reason.DELETED, source) if source.action == "delete" else None
        )
    ((later,),) = store.rows(_NEXT.format(**names), (key, end))
    if later is not None:
        return Missing(table.name, key, Reason.NOT_THERE_YET, sources.find(table, later))
    return Missing(table.name, key, Reason.NEVER_SEEN, None)
