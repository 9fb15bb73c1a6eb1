"""Replays the events up to a month into the typed tables.

One definition of replay, in `projection.sql`. Names of tables and columns enter its SQL from the
validated description of the data set alone.
"""

from __future__ import annotations

from functools import cache

from ledger.dataset import DataSet, Derived, LocalMonth, Table, Type, UtcMonth
from ledger.editions import Edition, among_keys, last_events, say_what_counts
from ledger.store import Store, expected_schema
from ledger.templates import part


def store_projection(store: Store, dataset: DataSet, edition: Edition) -> dict[str, int]:
    """Put a projection into the ledger, in the place of the one stored there.

    To be called within a transaction.

    Returns:
        the number of rows of each table.
    """
    for name in ("projection_of", *_tables(dataset)):
        store.execute(f"DELETE FROM {name}")
    rows = _fill(store, dataset, edition)
    store.execute(
        "INSERT INTO projection_of (one, as_of, batch) VALUES (1, ?, ?)",
        (edition.as_of.number, edition.batch),
    )
    return rows


def build_aside(store: Store, dataset: DataSet, edition: Edition) -> dict[str, int]:
    """Build a projection in a reading store's own database, where it hides the stored one.

    Returns:
        the number of rows of each table.
    """
    names = {*_tables(dataset), *(view.name for view in dataset.views)}
    for made in expected_schema():
        # Never the text that the ledger's file has: who could write there could write anything.
        if made.name in names and made.sql:
            store.execute(f"DROP {made.type} IF EXISTS main.{made.name}")
            store.execute(made.sql)
    return _fill(store, dataset, edition)


def replay_sql(table: Table) -> str:
    """The statement that replays a table: the delivered columns, typed, then the derived ones.

    Which events count must have been said; see `say_what_counts`.
    """
    return _typed(table, last_events(table), with_event=False)


def replay_keys_sql(table: Table) -> str:
    """As `replay_sql`, but only of the keys that were said; see `say_keys`."""
    events = f"SELECT event_id FROM {table.events} AS event WHERE {among_keys(table, 'event')}"
    chosen = last_events(table, of_keys_said=True)
    return _typed(table, chosen, with_event=False, among=f"WHERE event_id IN ({events})")


def stored_keys_sql(table: Table) -> str:
    """The statement that gives the same rows from the stored projection."""
    return f"""
        SELECT {", ".join(_columns(table))}
        FROM {table.name} WHERE {among_keys(table, table.name)}
    """


def typed_sql(table: Table, chosen: str) -> str:
    """The statement that types some events: `event_id`, then the columns as `replay_sql` has them.

    Args:
        table: whose events they are.
        chosen: a query that gives their `event_id`. Deletes are left out.
    """
    return _typed(table, chosen, with_event=True)


@cache
def _typed(table: Table, chosen: str, *, with_event: bool, among: str = "") -> str:
    typed = {column.name for column in table.typed_columns}
    times = [column.name for column in table.columns if column.type is Type.TIMESTAMP]
    cells = [
        _part("typed cell" if name in typed else "plain cell", column=name)
        for name in table.column_names
    ]
    columns = ["cells.event_id"] if with_event else []
    columns += [_part(f"{column.type} column", column=column.name) for column in table.columns]
    columns += [_derived(column) for column in table.derived]
    reads = [_part("reading", column=column.name) for column in table.typed_columns]
    return _part(
        "replay",
        cells=",\n".join(cells),
        chosen=chosen,
        events=table.events,
        readings=_part("readings", readings=",\n".join(reads), among=among) if reads else "",
        columns=",\n".join(columns),
        clocks="\n".join(_part("clock", column=name) for name in times),
    )


def _derived(column: Derived) -> str:
    if isinstance(column, LocalMonth):
        return _part("local month", name=column.name, timestamp=column.timestamp)
    if isinstance(column, UtcMonth):
        return _part("utc month", name=column.name, timestamp=column.timestamp)
    return _part("seconds between", name=column.name, start=column.start, end=column.end)


def _part(name: str, /, **names: str) -> str:
    return part("projection.sql", name, **names)


def _columns(table: Table) -> tuple[str, ...]:
    return (*table.column_names, *(column.name for column in table.derived))


def _tables(dataset: DataSet) -> list[str]:
    return [t.name for t in dataset.tables] + [summary.name for summary in dataset.summaries]


def _fill(store: Store, dataset: DataSet, edition: Edition) -> dict[str, int]:
    say_what_counts(store, edition)
    rows = {}
    for table in dataset.tables:
        sql = f"INSERT INTO {table.name} ({', '.join(_columns(table))}) {replay_sql(table)}"
        rows[table.name] = store.execute(sql)
    for summary in dataset.summaries:
        columns = ", ".join(store.columns(summary.select))
        store.execute(f"INSERT INTO {summary.name} ({columns}) {summary.select}")
    return rows
