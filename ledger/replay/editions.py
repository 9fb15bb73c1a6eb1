"""Which events count in an edition, in SQL; see `editions.sql`."""

from __future__ import annotations

from ledger.model.dataset import Table
from ledger.store.sql import part


def excluded_sql() -> str:
    """The query that gives the ranges of events that do not count, by `replay_bound`."""
    return part("replay/editions.sql", "excluded")


def known(event: str) -> str:
    """The SQL condition that the event of this alias was known, in whatever month it stands."""
    return part("replay/editions.sql", "known", event=event)


def counts(event: str) -> str:
    """The SQL condition that the event of this alias counts."""
    return part("replay/editions.sql", "counts", event=event, known=known(event))


def last_event(table: Table, value: str, event: str) -> str:
    """The query that gives the `event_id` of the last event of one key, NULL where there is none.

    Args:
        table: whose event it is.
        value: in SQL, the key.
        event: the alias of the event, that of no other table round it.
    """
    names = {"event": event, "events": table.events, "key": table.key}
    return part("replay/editions.sql", "last event", value=value, counts=counts(event), **names)


def last_events(table: Table, *, among: str = "", few: bool = False) -> str:
    """The query that gives the `event_id` of the last event of each key: deletes too.

    Args:
        table: whose events they are.
        among: a condition on the key of `event`, to keep to some keys; by default all.
        few: less than half of the events of the table come before the end of the as-of month.
    """
    names = {"events": table.events, "key": table.key}
    condition = f"{among}\n      AND {counts('event')}" if among else counts("event")
    name = "last events of few" if few else "last events"
    return part("replay/editions.sql", name, counts=condition, **names)


def among_keys(table: Table, row: str) -> str:
    """The SQL condition that the row of this alias is of the keys in `replay_keys`."""
    return part("replay/editions.sql", "among keys", row=row, key=table.key)
