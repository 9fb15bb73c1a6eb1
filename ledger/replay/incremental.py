"""Updates a projection from one edition to another, by the events that count in only one of them.

Of the keys of these events, the rows are replayed; every other row is the same in both editions.
Counts and sums lose what the former rows gave and gain what the new ones give. The result is
that of a full replay, byte for byte, and the cost is proportional to the events that moved: those
of a new month, of a late or corrected file, or of the months between the two editions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import WrongUsage
from ledger.model.dataset import Summary, Table
from ledger.model.editions import Edition
from ledger.model.progress import Advance, unheard
from ledger.model.records import File
from ledger.replay.projection import build_temp_projection, create_temp_tables, store_projection
from ledger.replay.replay import Replay, stored_edition
from ledger.replay.statements import fill_sql, projected_columns
from ledger.store.sql import part

MOST_MOVED = 1 / 4
"""The part of all events that count which may move; beyond it, a full replay is faster."""

EXACT = 2.0**52
"""Sums of whole numbers below this are exact as doubles, and so is the sum of two of them."""


def update_projection(replay: Replay, advance: Advance = unheard) -> dict[str, int]:
    """Replace the stored projection by that of an edition, computed from the stored one.

    To be called within a transaction.

    Args:
        replay: of the edition, in the store of the ledger.
        advance: is called for each table and each summary that is done.

    Returns:
        the number of rows of each table.
    """
    store, tables = replay.store, replay.dataset.tables
    rows: dict[str, int] = dict(store.rows("SELECT table_name, rows FROM projection_rows"))
    moved = few_moved(replay, _stored(replay))
    if moved is None or rows.keys() != {table.name for table in tables}:
        return store_projection(replay, advance)
    changes = move_projection(replay, moved, advance)
    for name, change in changes.items():
        rows[name] += change
        sql = "UPDATE projection_rows SET rows = ? WHERE table_name = ?"
        store.execute(sql, (rows[name], name))
    sql = "UPDATE projection_of SET as_of = ?, batch = ?"
    store.execute(sql, (replay.edition.as_of.number, replay.edition.batch))
    return {table.name: rows[table.name] for table in tables}


def ensure_projection(replay: Replay) -> None:
    """Make sure that the store has the projection of an edition: as stored, or built beside it.

    Args:
        replay: of the edition, in a store that is open for reading.
    """
    if not replay.is_stored:
        derive_temp_projection(replay)


def ensure_summaries(replay: Replay) -> None:
    """Make sure that the store has the summaries of an edition, for readers of these alone."""
    if not replay.is_stored:
        build_temp_summaries(replay)


def _stored(replay: Replay) -> Edition | None:
    """The edition of the stored projection; None if there is none, or the records do not have it.

    It may have been stored after the records were read, or by another program.
    """
    try:
        return stored_edition(replay.store, replay.records)
    except WrongUsage:
        return None


def few_moved(replay: Replay, before: Edition | None) -> list[File] | None:
    """The files whose events count in an edition or in the one before it, and not in both.

    None if no edition comes before, or the files have many events.
    """
    if before is None:
        return None
    records, after = replay.records, replay.edition
    events = sum(file.rows for file in records.effective_in(after))
    moved = records.moved(before, after)
    return moved if sum(file.rows for file in moved) <= events * MOST_MOVED else None


def move_projection(
    replay: Replay, moved: Sequence[File], advance: Advance = unheard
) -> dict[str, int]:
    """Turn the projection that a store has into that of an edition.

    Args:
        replay: of the edition, in a store whose projection may be a temporary one.
        moved: the files whose events count in one of the two editions alone.
        advance: is called for each table and each summary that is done.

    Returns:
        the number of rows by which each table has grown.
    """
    changes = {}
    for table in replay.dataset.tables:
        of_table = [s for s in replay.dataset.summaries if s.table == table.name]
        keys = _moved_keys(replay, table, moved)
        if keys is None:
            advance(1 + len(of_table))
            continue
        updates = [_Update(replay, summary, "main") for summary in of_table]
        rows = keys.rows(f"main.{table.name}")
        for update in updates:
            update.take(_as_read(update.summary, table, rows))
        forgotten = replay.execute(keys.forget)
        replayed = replay.replayed(table, keys.where_key)
        added = replay.execute(fill_sql(table.name, projected_columns(table), replayed))
        changes[table.name] = added - forgotten
        for update in updates:
            update.add(_as_read(update.summary, table, rows))
            update.finish(f"SELECT {', '.join(update.summary.reads)} FROM main.{table.name}")
        advance(1 + len(of_table))
    return changes


def derive_temp_projection(replay: Replay) -> None:
    """Build a temporary projection from a copy of the stored one; in full if few rows are shared.

    Args:
        replay: of the edition, in a store that is open for reading.
    """
    store, dataset = replay.store, replay.dataset
    moved = few_moved(replay, _stored(replay))
    if moved is None:
        build_temp_projection(replay)
        return
    relations = {table.name: projected_columns(table) for table in dataset.tables}
    relations |= {s.name: tuple(store.columns(s.select)) for s in dataset.summaries}
    create_temp_tables(store, [*relations, *(view.name for view in dataset.views)])
    for name, columns in relations.items():
        rows = f"SELECT {', '.join(columns)} FROM {store.schema}.{name}"
        store.execute(fill_sql(f"main.{name}", columns, rows))
    move_projection(replay, moved)


def build_temp_summaries(replay: Replay) -> None:
    """Build temporary summaries, which hide the stored ones, without the rest of the projection.

    They are derived from the stored ones if few events moved since, and else from a replay.

    Args:
        replay: of the edition, in a store that is open for reading. Columns that the tables of its
            data set lack are NULL to the summaries.
    """
    store, dataset = replay.store, replay.dataset
    moved = few_moved(replay, _stored(replay))
    if moved is None:
        for table in dataset.tables:
            _summarise_replay(replay, table)
        return
    for summary in dataset.summaries:
        table = dataset.table(summary.table).narrowed(summary.reads)
        everything = _as_read(summary, table, replay.replayed(table))
        update = _Update(replay, summary, store.schema)
        keys = _moved_keys(replay, table, moved)
        if keys:
            stored = keys.rows(f"{store.schema}.{table.name}")
            update.take(_as_read(summary, table, stored))
            update.add(_as_read(summary, table, replay.replayed(table, keys.where_key)))
        create_temp_tables(store, [summary.name])
        update.finish(everything)


def _summarise_replay(replay: Replay, table: Table) -> None:
    """Fill temporary summaries of a table from a replay of the columns that they read."""
    store = replay.store
    of_table = [s for s in replay.dataset.summaries if s.table == table.name]
    narrow = table.narrowed({name for summary in of_table for name in summary.reads})
    rows = replay.replayed(narrow)
    if len(of_table) > 1:
        # Kept, so that it is computed once.
        create_temp_tables(store, [table.name])
        replay.execute(fill_sql(f"main.{table.name}", projected_columns(narrow), rows))
    for summary in of_table:
        columns, select = store.columns(summary.select), summary.select
        if len(of_table) == 1:
            select = _summary_of(summary, columns, _as_read(summary, narrow, rows))
        create_temp_tables(store, [summary.name])
        replay.execute(fill_sql(f"main.{summary.name}", columns, select))


class _Update:
    """Adds the contribution of new rows to a summary, and subtracts that of former rows.

    Attributes:
        summary: that is updated.
    """

    def __init__(self, replay: Replay, summary: Summary, schema: str) -> None:
        """Begin with the rows of the summary in a database, `main` or `ledger`."""
        self.summary = summary
        self._replay = replay
        self._columns = replay.store.columns(summary.select)
        self._parts = f"temp.{summary.name}_parts"
        replay.store.execute(f"DROP TABLE IF EXISTS {self._parts}")
        columns = ", ".join(self._columns)
        select = f"SELECT {columns} FROM {schema}.{summary.name}"
        replay.store.execute(f"CREATE TABLE {self._parts} AS {select}")

    def add(self, rows: str) -> None:
        """Add the contribution of the rows of a query."""
        summary = _summary_of(self.summary, self._columns, rows)
        self._replay.execute(fill_sql(self._parts, self._columns, summary))

    def take(self, rows: str) -> None:
        """Subtract the contribution of the rows of a query."""
        summary = _summary_of(self.summary, self._columns, rows, sign="-")
        self._replay.execute(fill_sql(self._parts, self._columns, summary))

    def finish(self, everything: str) -> None:
        """Fill the summary, which is empty or as it was.

        Args:
            everything: the query that gives all rows, which is run if sums may be inexact.
        """
        summary = self.summary
        inexact = _part("inexact", parts=self._parts, magnitude=summary.magnitude)
        groups = summary.groups
        ((is_inexact,),) = self._replay.rows(inexact, (EXACT,))
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
        self._replay.execute(f"DELETE FROM {summary.name}")
        self._replay.execute(fill_sql(summary.name, columns, rows))


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
    """The query that gives the columns that a summary reads, NULL for those that are missing."""
    found = projected_columns(table)
    columns = (name if name in found else f"NULL AS {name}" for name in summary.reads)
    return f"SELECT {', '.join(columns)} FROM ({rows}) AS narrow"


@dataclass(frozen=True, slots=True)
class _MovedKeys:
    """The relation `moved_keys` as filled for a table; that of the next table replaces it."""

    table: Table

    @property
    def where_key(self) -> str:
        """The condition that `event` has such a key."""
        return _part("among moved", row="event", key=self.table.key)

    @property
    def forget(self) -> str:
        """The statement that deletes the rows of such keys."""
        return _part("forget rows", table=self.table.name, key=self.table.key)

    def rows(self, relation: str) -> str:
        """The query of the rows of such keys in a projected table."""
        columns = ", ".join(projected_columns(self.table))
        return _part("some rows", columns=columns, table=relation, key=self.table.key)


def _moved_keys(replay: Replay, table: Table, moved: Sequence[File]) -> _MovedKeys | None:
    """The keys of a table with events in files that moved; None if no file is of the table."""
    ranges = [(f.first_event, f.last_event) for f in moved if f.table_name == table.name]
    if not ranges:
        return None
    store = replay.store
    store.execute("CREATE TEMP TABLE IF NOT EXISTS moved_keys (key TEXT PRIMARY KEY) WITHOUT ROWID")
    store.execute("DELETE FROM temp.moved_keys")
    sql = _part("moved keys", events=table.events, key=table.key)
    for span in ranges:
        store.execute(sql, span)
    return _MovedKeys(table)


def _part(name: str, /, **names: str) -> str:
    return part("replay/incremental.sql", name, **names)
