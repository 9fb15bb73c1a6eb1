"""The statements that replay a table, for every engine.

One definition of replay, in `replay.sql`. Names of tables and columns enter its SQL from the
validated description of the data set alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

from ledger.model.dataset import (
    Derived,
    LocalMonth,
    SecondsBetween,
    Table,
    Type,
    UtcMonth,
)
from ledger.replay.editions import among_keys, last_events
from ledger.store.sql import part


def replay_sql(
    table: Table, *, regular: bool = False, where_key: str = "", use_range_scan: bool = False
) -> str:
    """The statement that replays a table: the delivered columns, typed, then the derived ones.

    Args:
        table: to be replayed.
        regular: no cell is irregular, so that the readings need not be read.
        where_key: a condition on the key of `event`, to replay some keys alone; by default all.
        use_range_scan: read the events by their range; see `last_events`.
    """
    chosen, readings = last_events(table, where_key=where_key, use_range_scan=use_range_scan), ""
    if where_key:
        readings = (
            f"WHERE event_id IN (SELECT event_id FROM {table.events} AS event WHERE {where_key})"
        )
    return _typed(table, chosen, with_event=False, regular=regular, where_reading=readings)


def replay_keys_sql(table: Table, *, regular: bool = False) -> str:
    """The statement that replays a table, but only the keys in `replay_keys`; see `replay_sql`."""
    return replay_sql(table, regular=regular, where_key=among_keys(table, "event"))


def stored_keys_sql(table: Table) -> str:
    """The statement that gives the same rows from the stored projection."""
    return f"""
        SELECT {", ".join(projected_columns(table))}
        FROM {table.name} WHERE {among_keys(table, table.name)}
    """


def typed_sql(
    table: Table, chosen: str, *, regular: bool = False, without_local_time: bool = False
) -> str:
    """The statement that types some events: `event_id`, then the columns of `replay_sql`.

    Args:
        table: whose events they are.
        chosen: a query that gives their `event_id`. Deletes are left out.
        regular: no cell is irregular, so that the readings need not be read.
        without_local_time: give no timestamps, and compute the seconds between them by functions
            of SQLite; only for a table for which `can_omit_local_time` is true.
    """
    return _typed(
        table, chosen, with_event=True, regular=regular, without_local_time=without_local_time
    )


def can_omit_local_time(table: Table, names: Collection[str]) -> bool:
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
    where_reading: str = "",
    without_local_time: bool = False,
) -> str:
    irregular = () if regular else table.typed_columns
    typed = {column.name for column in irregular}
    times = (
        [] if without_local_time else [c.name for c in table.columns if c.type is Type.TIMESTAMP]
    )
    shown = [c for c in table.columns if c.type is not Type.TIMESTAMP or not without_local_time]
    cells = [
        _part("typed cell" if name in typed else "plain cell", column=name)
        for name in table.column_names
    ]
    columns = ["cells.event_id"] if with_event else []
    columns += [_part(f"{column.type} column", column=column.name) for column in shown]
    columns += [_derived(column, without_local_time) for column in table.derived]
    reads = [_part("reading", column=column.name) for column in irregular]
    return _part(
        "replay",
        cells=",\n".join(cells),
        chosen=chosen,
        events=table.events,
        readings=_part("readings", readings=",\n".join(reads), among=where_reading)
        if reads
        else "",
        columns=",\n".join(columns),
        clocks="\n".join(_part("clock", column=name) for name in times),
    )


def _derived(column: Derived, without_local_time: bool) -> str:
    if isinstance(column, LocalMonth):
        return _part("local month", name=column.name, timestamp=column.timestamp)
    if isinstance(column, UtcMonth):
        return _part("utc month", name=column.name, timestamp=column.timestamp)
    name = "seconds between without clock" if without_local_time else "seconds between"
    return _part(name, name=column.name, start=column.start, end=column.end)


def _part(name: str, /, **names: str) -> str:
    return part("replay/replay.sql", name, **names)


def projected_columns(table: Table) -> tuple[str, ...]:
    """The columns of a projected table, in order: the delivered ones, then the derived ones."""
    return (*table.column_names, *(column.name for column in table.derived))


def fill_sql(name: str, columns: Sequence[str], rows: str) -> str:
    """The statement that inserts the rows of a query, in the order of the columns, into a table."""
    return f"INSERT INTO {name} ({', '.join(columns)}) {rows}"
