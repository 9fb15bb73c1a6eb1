"""Brings a projection from one edition to another, by the events that count in one of them alone.

Of the keys of these events, the rows are replayed; every other row is the same in both editions.
Counts and sums lose what the former rows gave and gain what the new ones give. What comes out is
what a replay of everything gives, byte for byte, and the cost is that of what moved: the events of
a new month, of a late or corrected file, or of the months between two.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.errors import WrongUsage
from ledger.model.dataset import DataSet, Summary, Table
from ledger.model.editions import Edition
from ledger.model.progress import Advance, unheard
from ledger.model.records import File
from ledger.replay.editions import say_what_counts, stored_edition
from ledger.replay.projection import (
    build_aside,
    fill_sql,
    make_aside,
    projected_columns,
    replay_of,
    store_projection,
)
from ledger.store.event_store import Store
from ledger.store.sql import part

MOST_MOVED = 1 / 4
"""Of all events that count, the part that may move; to replay everything is faster beyond that."""

EXACT = 2.0**52
"""Sums of whole numbers below this are exact as doubles, and so is the sum of two of them."""


def update_projection(
    store: Store, dataset: DataSet, edition: Edition, advance: Advance = unheard
) -> dict[str, int]:
    """Have the projection of an edition stored in the ledger, from the one that is.

    To be called within a transaction.

    Args:
        store: that of the ledger.
        dataset: its tables.
        edition: of which the projection will be.
        advance: is told of each table and each summary that is done.

    Returns:
        the number of rows of each table.
    """
    try:
        before = stored_edition(store)
    except WrongUsage:
        # It is said to be of an edition that there is not: whoever wrote that, not this program.
        before = None
    rows: dict[str, int] = dict(store.rows("SELECT table_name, rows FROM projection_rows"))
    moved = few_moved(store, before, edition) if before else None
    if moved is None or rows.keys() != {table.name for table in dataset.tables}:
        return store_projection(store, dataset, edition, advance)
    changes = move_projection(store, dataset, edition, moved, advance)
    for name, change in changes.items():
        rows[name] += change
        sql = "UPDATE projection_rows SET rows = ? WHERE table_name = ?"
        store.execute(sql, (rows[name], name))
    sql = "UPDATE projection_of SET as_of = ?, batch = ?"
    store.execute(sql, (edition.as_of.number, edition.batch))
    return {table.name: rows[table.name] for table in dataset.tables}


def few_moved(store: Store, before: Edition, after: Edition) -> list[File] | None:
    """The files whose events count in one of two editions alone; None where these are many."""
    records = store.records()
    events = sum(file.rows for file in records.effective_in(after))
    moved = records.moved(before, after)
    return moved if sum(file.rows for file in moved) <= events * MOST_MOVED else None


def move_projection(
    store: Store,
    dataset: DataSet,
    edition: Edition,
    moved: Sequence[File],
    advance: Advance = unheard,
) -> dict[str, int]:
    """Make of the projection that `store` has first the one of an edition.

    Args:
        store: it may be one that was built aside.
        dataset: its tables.
        edition: of which it will be.
        moved: the files whose events count in one of the two editions alone.
        advance: is told of each table and each summary that is done.

    Returns:
        by how many rows each table has grown.
    """
    say_what_counts(store, edition)
    changes = {}
    for table in dataset.tables:
        of_table = [summary for summary in dataset.summaries if summary.table == table.name]
        if not _say_moved_keys(store, table, moved):
            advance(1 + len(of_table))
            continue
        updates = [_Update(store, summary, "main") for summary in of_table]
        rows = _some_rows(table, f"main.{table.name}")
        for update in updates:
            update.take(_as_read(update.summary, table, rows))
        forgotten = store.execute(_part("forget rows", table=table.name, key=table.key))
        replayed = replay_of(store, edition, table, _among_moved(table))
        added = store.execute(fill_sql(table.name, projected_columns(table), replayed))
        changes[table.name] = added - forgotten
        for update in updates:
            update.add(_as_read(update.summary, table, rows))
            update.finish(f"SELECT {', '.join(update.summary.reads)} FROM main.{table.name}")
        advance(1 + len(of_table))
    return changes


def build_whole_aside(store: Store, dataset: DataSet, edition: Edition) -> None:
    """Build a projection aside as `build_aside` does: from a copy of the stored one, if it is near.

    Args:
        store: open for reading.
        dataset: all of its tables.
        edition: of which the projection is.
    """
    before = stored_edition(store)
    moved = few_moved(store, before, edition) if before else None
    if moved is None:
        build_aside(store, dataset, edition)
        return
    relations = {table.name: projected_columns(table) for table in dataset.tables}
    relations |= {s.name: tuple(store.columns(s.select)) for s in dataset.summaries}
    make_aside(store, [*relations, *(view.name for view in dataset.views)])
    for name, columns in relations.items():
        rows = f"SELECT {', '.join(columns)} FROM {store.schema}.{name}"
        store.execute(fill_sql(f"main.{name}", columns, rows))
    move_projection(store, dataset, edition, moved)


def build_summaries_aside(store: Store, dataset: DataSet, edition: Edition) -> None:
    """Build the summaries alone of a projection aside, where they hide the stored ones.

    They come from the stored ones where few events moved since, else straight from a replay.

    Args:
        store: open for reading.
        dataset: the tables; columns that they lack are NULL to the summaries.
        edition: of which they are.
    """
    before = stored_edition(store)
    moved = few_moved(store, before, edition) if before else None
    say_what_counts(store, edition)
    if moved is None:
        for table in dataset.tables:
            _summarise_replay(store, edition, table, dataset.summaries)
        return
    for summary in dataset.summaries:
        table = dataset.table(summary.table).narrowed(summary.reads)
        everything = _as_read(summary, table, replay_of(store, edition, table))
        _say_moved_keys(store, table, moved)
        stored = _some_rows(table, f"{store.schema}.{table.name}")
        replayed = replay_of(store, edition, table, _among_moved(table))
        update = _Update(store, summary, store.schema)
        update.take(_as_read(summary, table, stored))
        update.add(_as_read(summary, table, replayed))
        make_aside(store, [summary.name])
        update.finish(everything)


def _summarise_replay(
    store: Store, edition: Edition, table: Table, summaries: Sequence[Summary]
) -> None:
    """Fill the summaries of a table, aside, from a replay of the columns that they read."""
    of_table = [summary for summary in summaries if summary.table == table.name]
    narrow = table.narrowed({name for summary in of_table for name in summary.reads})
    rows = replay_of(store, edition, narrow)
    if len(of_table) > 1:
        # Kept, so that it is computed once.
        make_aside(store, [table.name])
        store.execute(fill_sql(f"main.{table.name}", projected_columns(narrow), rows))
    for summary in of_table:
        columns, select = store.columns(summary.select), summary.select
        if len(of_table) == 1:
            select = _summary_of(summary, columns, _as_read(summary, narrow, rows))
        make_aside(store, [summary.name])
        store.execute(fill_sql(f"main.{summary.name}", columns, select))


class _Update:
    """Adds to a summary what rows give, and takes from it what they gave.

    Attributes:
        summary: that is updated.
    """

    def __init__(self, store: Store, summary: Summary, schema: str) -> None:
        """Begin with what the summary is in a database, `main` or `ledger`."""
        self.summary = summary
        self._store = store
        self._columns = store.columns(summary.select)
        self._parts = f"temp.{summary.name}_parts"
        store.execute(f"DROP TABLE IF EXISTS {self._parts}")
        columns = ", ".join(self._columns)
        select = f"SELECT {columns} FROM {schema}.{summary.name}"
        store.execute(f"CREATE TABLE {self._parts} AS {select}")

    def add(self, rows: str) -> None:
        """Add what the rows of a query give."""
        summary = _summary_of(self.summary, self._columns, rows)
        self._store.execute(fill_sql(self._parts, self._columns, summary))

    def take(self, rows: str) -> None:
        """Take away what the rows of a query gave."""
        summary = _summary_of(self.summary, self._columns, rows, sign="-")
        self._store.execute(fill_sql(self._parts, self._columns, summary))

    def finish(self, everything: str) -> None:
        """Fill the summary, which is empty or as it was.

        Args:
            everything: the query that gives all rows, for where sums may be inexact.
        """
        summary = self.summary
        inexact = _part("inexact", parts=self._parts, magnitude=summary.magnitude)
        groups = summary.groups
        ((is_inexact,),) = self._store.rows(inexact, (EXACT,))
        if is_inexact:
            rows = _summary_of(summary, self._columns, everything)
        else:
            rows = _part(
                "summary of parts",
                parts=self._parts,
                groups=", ".join(groups),
                sums=", ".join(f"sum({c}) AS {c}" for c in self._columns if c not in groups),
                count=summary.count,
            )
        columns = (*groups, *(c for c in self._columns if c not in groups))
        self._store.execute(f"DELETE FROM {summary.name}")
        self._store.execute(fill_sql(summary.name, columns, rows))


def _summary_of(summary: Summary, columns: Sequence[str], rows: str, sign: str = "") -> str:
    """The query that gives the summary of some rows alone, its sums with a sign."""
    groups = summary.groups
    return _part(
        "summary of rows",
        table=summary.table,
        rows=rows,
        groups=", ".join(groups),
        sums=", ".join(f"{sign}{c} AS {c}" for c in columns if c not in groups),
        select=summary.select,
    )


def _as_read(summary: Summary, table: Table, rows: str) -> str:
    """The query that gives the columns that a summary reads, NULL for those that there are not."""
    there = projected_columns(table)
    columns = (name if name in there else f"NULL AS {name}" for name in summary.reads)
    return f"SELECT {', '.join(columns)} FROM ({rows}) AS narrow"


def _some_rows(table: Table, relation: str) -> str:
    columns = ", ".join(projected_columns(table))
    return _part("some rows", columns=columns, table=relation, key=table.key)


def _say_moved_keys(store: Store, table: Table, moved: Sequence[File]) -> bool:
    """Fill the relation `moved_keys` for a table, and say whether there are any."""
    store.execute("CREATE TEMP TABLE IF NOT EXISTS moved_keys (key TEXT PRIMARY KEY) WITHOUT ROWID")
    store.execute("DELETE FROM temp.moved_keys")
    sql = _part("say moved keys", events=table.events, key=table.key)
    ranges = [(f.first_event, f.last_event) for f in moved if f.table_name == table.name]
    for span in ranges:
        store.execute(sql, span)
    return bool(ranges)


def _among_moved(table: Table) -> str:
    return _part("among moved", row="event", key=table.key)


def _part(name: str, /, **names: str) -> str:
    return part("replay/incremental.sql", name, **names)
