"""Replays the events up to a month into the typed tables.

One definition of replay, in `projection.sql`. Names of tables and columns enter its SQL from the
validated description of the data set alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from ledger.model.dataset import (
    DataSet,
    Derived,
    LocalMonth,
    SecondsBetween,
    Table,
    Type,
    UtcMonth,
)
from ledger.model.editions import Edition
from ledger.model.progress import Advance, unheard
from ledger.replay.editions import (
    among_keys,
    count_few,
    last_events,
    say_what_counts,
    stored_edition,
)
from ledger.store.event_store import Store
from ledger.store.schema import expected_schema
from ledger.store.sql import part


def store_projection(
    store: Store, dataset: DataSet, edition: Edition, advance: Advance = unheard
) -> dict[str, int]:
    """Put a projection into the ledger, replayed anew, in the place of the one stored there.

    To be called within a transaction.

    Args:
        store: that of the ledger.
        dataset: its tables.
        edition: of which the projection is.
        advance: is told of each table and each summary that is done.

    Returns:
        the number of rows of each table.
    """
    for name in ("projection_of", "projection_rows", *_tables(dataset)):
        store.execute(f"DELETE FROM {name}")
    rows = _fill(store, dataset, edition, advance)
    store.execute(
        "INSERT INTO projection_of (one, as_of, batch) VALUES (1, ?, ?)",
        (edition.as_of.number, edition.batch),
    )
    store.insert("projection_rows", ("table_name", "rows"), rows.items())
    return rows


def stored_rows(store: Store, edition: Edition, tables: Collection[Table]) -> int:
    """How many rows of some tables are stored; 0 where what is stored is of another edition."""
    if stored_edition(store) != edition:
        return 0
    rows: dict[str, int] = dict(store.rows("SELECT table_name, rows FROM projection_rows"))
    return sum(rows.get(table.name, 0) for table in tables)


def build_aside(store: Store, dataset: DataSet, edition: Edition) -> dict[str, int]:
    """Build a projection in a reading store's own database, where it hides the stored one.

    Returns:
        the number of rows of each table.
    """
    make_aside(store, [*_tables(dataset), *(view.name for view in dataset.views)])
    return _fill(store, dataset, edition)


def make_aside(store: Store, names: Collection[str]) -> None:
    """Make tables and views of the projection, empty, in a reading store's own database."""
    for made in expected_schema():
        # Never the text that the ledger's file has: who could write there could write anything.
        if made.name in names and made.sql:
            store.execute(f"DROP {made.type} IF EXISTS main.{made.name}")
            store.execute(made.sql)


def is_regular(store: Store) -> bool:
    """Whether no cell of any event is irregular, so that a plain CAST reads them all."""
    return not any(store.rows("SELECT 1 FROM readings LIMIT 1"))


def replay_of(store: Store, edition: Edition, table: Table, among: str = "") -> str:
    """The statement that replays a table of an edition that was said, as it is fastest here.

    Args:
        store: holds the events.
        edition: of which the rows are.
        table: to be replayed.
        among: as for `replay_sql`.
    """
    few = not among and count_few(store, edition, table)
    return replay_sql(table, regular=is_regular(store), among=among, few=few)


def replay_sql(table: Table, *, regular: bool = False, among: str = "", few: bool = False) -> str:
    """The statement that replays a table: the delivered columns, typed, then the derived ones.

    Which events count must have been said; see `say_what_counts`.

    Args:
        table: to be replayed.
        regular: no cell is irregular, so that readings need not be looked at.
        among: a condition on the key of `event`, to replay some keys alone; by default all.
        few: as for `last_events`.
    """
    chosen, readings = last_events(table, among=among, few=few), ""
    if among:
        readings = f"WHERE event_id IN (SELECT event_id FROM {table.events} AS event WHERE {among})"
    return _typed(table, chosen, with_event=False, regular=regular, among=readings)


def replay_keys_sql(table: Table, *, regular: bool = False) -> str:
    """As `replay_sql`, but only of the keys that were said; see `say_keys`."""
    return replay_sql(table, regular=regular, among=among_keys(table, "event"))


def stored_keys_sql(table: Table) -> str:
    """The statement that gives the same rows from the stored projection."""
    return f"""
        SELECT {", ".join(projected_columns(table))}
        FROM {table.name} WHERE {among_keys(table, table.name)}
    """


def typed_sql(table: Table, chosen: str, *, regular: bool = False, clockless: bool = False) -> str:
    """The statement that types some events: `event_id`, then the columns as `replay_sql` has them.

    Args:
        table: whose events they are.
        chosen: a query that gives their `event_id`. Deletes are left out.
        regular: as for `replay_sql`.
        clockless: give no timestamps, and seconds between them by SQLite's own means; for a table
            of which `can_be_clockless` says that it is possible.
    """
    return _typed(table, chosen, with_event=True, regular=regular, clockless=clockless)


def can_be_clockless(table: Table, names: Collection[str]) -> bool:
    """Whether no local time is needed for these columns of a table that is narrowed to them."""
    return not any(c.name in names and c.type is Type.TIMESTAMP for c in table.columns) and all(
        isinstance(column, SecondsBetween) for column in table.derived
    )


@cache
def _typed(
    table: Table,
    chosen: str,
    *,
    with_event: bool,
    regular: bool = False,
    among: str = "",
    clockless: bool = False,
) -> str:
    irregular = () if regular else table.typed_columns
    typed = {column.name for column in irregular}
    times = [] if clockless else [c.name for c in table.columns if c.type is Type.TIMESTAMP]
    shown = [c for c in table.columns if c.type is not Type.TIMESTAMP or not clockless]
    cells = [
        _part("typed cell" if name in typed else "plain cell", column=name)
        for name in table.column_names
    ]
    columns = ["cells.event_id"] if with_event else []
    columns += [_part(f"{column.type} column", column=column.name) for column in shown]
    columns += [_derived(column, clockless) for column in table.derived]
    reads = [_part("reading", column=column.name) for column in irregular]
    return _part(
        "replay",
        cells=",\n".join(cells),
        chosen=chosen,
        events=table.events,
        readings=_part("readings", readings=",\n".join(reads), among=among) if reads else "",
        columns=",\n".join(columns),
        clocks="\n".join(_part("clock", column=name) for name in times),
    )


def _derived(column: Derived, clockless: bool) -> str:
    if isinstance(column, LocalMonth):
        return _part("local month", name=column.name, timestamp=column.timestamp)
    if isinstance(column, UtcMonth):
        return _part("utc month", name=column.name, timestamp=column.timestamp)
    name = "seconds between without clock" if clockless else "seconds between"
    return _part(name, name=column.name, start=column.start, end=column.end)


def _part(name: str, /, **names: str) -> str:
    return part("replay/replay.sql", name, **names)


def projected_columns(table: Table) -> tuple[str, ...]:
    """The columns of a projected table, in order: the delivered ones, then the derived ones."""
    return (*table.column_names, *(column.name for column in table.derived))


def _tables(dataset: DataSet) -> list[str]:
    return [t.name for t in dataset.tables] + [summary.name for summary in dataset.summaries]


def _fill(
    store: Store, dataset: DataSet, edition: Edition, advance: Advance = unheard
) -> dict[str, int]:
    say_what_counts(store, edition)
    rows = {}
    for table in dataset.tables:
        replay = replay_of(store, edition, table)
        rows[table.name] = store.execute(fill_sql(table.name, projected_columns(table), replay))
        advance(1)
    for summary in dataset.summaries:
        columns = store.columns(summary.select)
        store.execute(fill_sql(summary.name, columns, summary.select))
        advance(1)
    return rows


def fill_sql(name: str, columns: Sequence[str], rows: str) -> str:
    """The statement that inserts the rows of a query, in the order of the columns, into a table."""
    return f"INSERT INTO {name} ({', '.join(columns)}) {rows}"
