"""Which events count in an edition, in SQL; see `editions.sql`."""

from __future__ import annotations

from ledger.model.dataset import Table
from ledger.store.sql import part


def excluded_sql() -> str:
    """The query that gives the ranges of events that do not count, by `replay_bound`."""
    return part("replay/editions.sql", "excluded")


def known(event: str) -> str:
    """The SQL condition that the event of this alias was known, whatever its month."""
    return part("replay/editions.sql", "known", event=event)


def counts(event: str) -> str:
    """The SQL condition that the event of this alias counts."""
    return part("replay/editions.sql", "counts", event=event, known=known(event))


def last_event(table: Table, value: str, event: str) -> str:
    """The query that gives the `event_id` of the last event of one key, NULL if it has none.

    Args:
        table: whose event it is.
        value: in SQL, the key.
        event: the alias of the event, which no table of an enclosing query has.
    """
    names = {"event": event, "events": table.events, "key": table.key}
    return part("replay/editions.sql", "last event", value=value, counts=counts(event), **names)


def last_events(table: Table, *, where_key: str = "", use_range_scan: bool = False) -> str:
    """The query that gives the `event_id` of the last event of each key, deletes included.

    Args:
        table: whose events they are.
        where_key: a condition on the key of `event` that selects some keys; by default all.
        use_range_scan: read the events by their range, which is faster where less than half of
            the events of the table come before the end of the as-of month.
    """
    names = {"events": table.events, "key": table.key}
    condition = f"{where_key}\n      AND {counts('event')}" if where_key else counts("event")
    name = "last events of few" if use_range_scan else "last events"
    return part("replay/editions.sql", name, counts=condition, **names)


def among_keys(table: Table, row: str) -> str:
    """The SQL condition that the row of this alias is of the keys in `replay_keys`."""
    return part("replay/editions.sql", "among keys", row=row, key=table.key)
