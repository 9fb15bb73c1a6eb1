"""Replays the events up to a month into the typed tables.

One definition of replay, in `projection.sql`. Names of tables and columns enter its SQL from the
validated description of the data set alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template
from typing import Self

from ledger.dataset import DataSet, LocalMonth, SecondsBetween, Table, Type
from ledger.errors import WrongUsage
from ledger.months import Month
from ledger.store import EVENTS_PER_MONTH, Batch, Store


@dataclass(frozen=True, slots=True)
class Edition:
    """Of what a projection speaks.

    Attributes:
        as_of: the month up to which events are replayed.
        batch: the last batch taken into account.
        head: the head of the ledger after that batch.
        missing: the months up to the as-of month, from the first recorded one on, of which nothing
            is recorded: gaps.
    """

    as_of: Month
    batch: int
    head: str
    missing: tuple[Month, ...]

    @classmethod
    def after(cls, batches: Sequence[Batch], as_of: Month) -> Self:
        """The edition as of a month after the last of these batches."""
        months = {batch.month for batch in batches}
        missing = tuple(month for month in min(months).until(as_of) if month not in months)
        return cls(as_of, batches[-1].batch, batches[-1].head, missing)


def choose_edition(store: Store, as_of: Month | None) -> Edition:
    """The edition as of a month, by default the latest recorded one.

    Raises:
        WrongUsage: nothing is recorded, or the month lies outside of what is.
    """
    batches = store.batches()
    if not batches:
        raise WrongUsage(f"nothing is recorded in {store.path}; start with: ledger ingest")
    months = [batch.month for batch in batches]
    first, latest = min(months), max(months)
    as_of = as_of or latest
    if not first <= as_of <= latest:
        raise WrongUsage(f"as of {as_of}: the ledger holds the months {first} to {latest}")
    return Edition.after(batches, as_of)


def stored_edition(store: Store) -> Edition | None:
    """The edition of the projection stored in the ledger, or None."""
    for as_of, last in store.rows("SELECT as_of, batch FROM projection_of"):
        return Edition.after([b for b in store.batches() if b.batch <= last], Month(as_of))
    return None


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
    names = (*_tables(dataset), *dataset.views)
    sql = f"""
        SELECT type, name, sql FROM ledger.sqlite_schema
        WHERE name IN ({", ".join("?" * len(names))}) ORDER BY type
    """
    for kind, name, create in list(store.rows(sql, names)):
        store.execute(f"DROP {kind} IF EXISTS main.{name}")
        store.execute(create)
    return _fill(store, dataset, edition)


@cache
def replay_sql(table: Table) -> str:
    """The statement that replays a table: the delivered columns, typed, then the derived ones."""
    typed = {column.name for column in table.typed_columns}
    times = [column.name for column in table.columns if column.type is Type.TIMESTAMP]
    cells = [
        _part("typed cell" if name in typed else "plain cell", column=name)
        for name in table.column_names
    ]
    columns = [_part(f"{column.type} column", column=column.name) for column in table.columns]
    columns += [_derived(column) for column in table.derived]
    reads = [_part("reading", column=column.name) for column in table.typed_columns]
    return _part(
        "replay",
        cells=",\n".join(cells),
        events=table.events,
        key=table.key,
        readings=_part("readings", readings=",\n".join(reads)) if reads else "",
        columns=",\n".join(columns),
        clocks="\n".join(_part("clock", column=name) for name in times),
    )


def _derived(column: LocalMonth | SecondsBetween) -> str:
    if isinstance(column, LocalMonth):
        return _part("local month", name=column.name, timestamp=column.timestamp)
    return _part("seconds between", name=column.name, start=column.start, end=column.end)


@cache
def _parts() -> dict[str, Template]:
    text = files("ledger").joinpath("projection.sql").read_text(encoding="utf-8")
    _, *parts = text.split("-- part: ")
    named = (part.partition("\n") for part in parts)
    return {name: Template(_without_comments(body)) for name, _, body in named}


def _without_comments(sql: str) -> str:
    return "\n".join(line for line in sql.splitlines() if not line.startswith("--")).strip()


def _part(part: str, /, **names: str) -> str:
    return _parts()[part].substitute(names)


def _tables(dataset: DataSet) -> list[str]:
    return [t.name for t in dataset.tables] + [summary.name for summary in dataset.summaries]


def _fill(store: Store, dataset: DataSet, edition: Edition) -> dict[str, int]:
    _say_what_counts(store, edition)
    rows = {}
    for table in dataset.tables:
        names = (*table.column_names, *(column.name for column in table.derived))
        sql = f"INSERT INTO {table.name} ({', '.join(names)}) {replay_sql(table)}"
        rows[table.name] = store.execute(sql)
    for summary in dataset.summaries:
        columns = ", ".join(store.columns(summary.select))
        store.execute(f"INSERT INTO {summary.name} ({columns}) {summary.select}")
    return rows


def _say_what_counts(store: Store, edition: Edition) -> None:
    store.execute("DROP TABLE IF EXISTS temp.replay_bound")
    store.execute("DROP TABLE IF EXISTS temp.replay_excluded")
    store.execute("CREATE TEMP TABLE replay_bound (end_event INTEGER)")
    store.execute("CREATE TEMP TABLE replay_excluded (first_event INTEGER, last_event INTEGER)")
    end = (edition.as_of.number + 1) * EVENTS_PER_MONTH
    store.execute("INSERT INTO temp.replay_bound (end_event) VALUES (?)", (end,))
    store.execute(
        """
        INSERT INTO temp.replay_excluded (first_event, last_event)
        SELECT superseded.first_event, superseded.last_event
        FROM files JOIN files AS superseded ON superseded.file = files.supersedes
        WHERE files.batch <= ? AND superseded.rows > 0
        """,
        (edition.batch,),
    )
