"""Editions: what is described (as-of), and what was known by then (known-at).

Which events count in an edition is decided in `editions.sql`. Which files they are of is told by
`in_force`, for those who ask which months are recorded.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.errors import WrongUsage
from ledger.model.dataset import Table
from ledger.model.editions import Edition, EditionName, KnownAt, check_tag_name
from ledger.model.periods import Month
from ledger.model.records import File, Records, Tag
from ledger.store.event_store import EVENTS_PER_MONTH, Store
from ledger.store.sql import part

_RANGE = ("month_start", "first_event", "last_event")


def in_force(files: Iterable[File], batch: int | None = None) -> dict[tuple[str, Month], File]:
    """The one file that counts for each table and month, as known after a batch."""
    return Records((), tuple(files), ()).effective(batch)


def choose_edition(
    store: Store, as_of: Month | None = None, known_at: KnownAt | None = None
) -> Edition:
    """The edition as of a month, as known at a batch; see `Records.edition`."""
    return store.records().edition(EditionName(as_of, known_at))


def stored_edition(store: Store) -> Edition | None:
    """The edition of the projection stored in the ledger, or None."""
    for as_of, batch in store.rows("SELECT as_of, batch FROM projection_of"):
        return choose_edition(store, Month(as_of), batch)
    return None


def give_tag(store: Store, name: str, edition: Edition) -> Tag:
    """Name an edition; to give the same name again changes nothing.

    Raises:
        WrongUsage: the name is that of another edition, or could be taken for a batch or a month.
    """
    check_tag_name(name)
    if name not in [tag.name for tag in store.tags()]:
        store.add_tag(name, edition.as_of, edition.batch)
    (tag,) = [tag for tag in store.tags() if tag.name == name]
    if (tag.as_of, tag.batch) != (edition.as_of, edition.batch):
        raise WrongUsage(
            f"{name!r} is the tag of {tag.as_of}@{tag.batch} since {tag.tagged_at}, "
            "and a tag cannot be moved; choose another name"
        )
    return tag


def say_what_counts(store: Store, edition: Edition) -> None:
    """Fill the relations on which `editions.sql` and all that uses it stand."""
    store.execute("DROP TABLE IF EXISTS temp.replay_bound")
    store.execute("DROP TABLE IF EXISTS temp.replay_excluded")
    store.execute("CREATE TEMP TABLE replay_bound (end_event INTEGER, batch INTEGER)")
    store.execute(f"CREATE TEMP TABLE replay_excluded ({', '.join(_RANGE)})")
    store.execute(f"CREATE INDEX temp.replay_excluded_by_month ON replay_excluded ({_RANGE[0]})")
    end = (edition.as_of.number + 1) * EVENTS_PER_MONTH
    store.execute("INSERT INTO replay_bound (end_event, batch) VALUES (?, ?)", (end, edition.batch))
    excluded = part("replay/editions.sql", "excluded")
    store.execute(f"INSERT INTO replay_excluded ({', '.join(_RANGE)}) {excluded}")


def say_keys(store: Store, after: str, until: str) -> None:
    """Fill the relation on which `among_keys` stands.

    Args:
        store: open.
        after: the key before the first; blank, which no key is, is before all of them.
        until: the last key.
    """
    store.execute("CREATE TEMP TABLE IF NOT EXISTS replay_keys (after_key TEXT, until_key TEXT)")
    store.execute("DELETE FROM replay_keys")
    store.execute("INSERT INTO replay_keys (after_key, until_key) VALUES (?, ?)", (after, until))


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
        few: of all events of the table, few count; see `count_few`.
    """
    names = {"events": table.events, "key": table.key}
    condition = f"{among}\n      AND {counts('event')}" if among else counts("event")
    name = "last events of few" if few else "last events"
    return part("replay/editions.sql", name, counts=condition, **names)


def count_few(store: Store, edition: Edition, table: Table) -> bool:
    """Whether less than half of the events of a table come before the end of the as-of month."""
    rows = [(f.rows, f.month <= edition.as_of) for f in store.files() if f.table_name == table.name]
    return 2 * sum(count for count, is_before in rows if is_before) < sum(
        count for count, _ in rows
    )


def among_keys(table: Table, row: str) -> str:
    """The SQL condition that the row of this alias is of the keys that were said."""
    return part("replay/editions.sql", "among keys", row=row, key=table.key)
