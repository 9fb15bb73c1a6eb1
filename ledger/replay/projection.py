"""The projection of an edition: stored in the ledger, or built in a temporary database."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger.model.dataset import (
    Column,
    DataSet,
    Type,
)
from ledger.model.editions import Edition
from ledger.model.presentation import (
    JsonObject,
    Part,
)
from ledger.model.progress import Advance, unheard
from ledger.model.tabular import Tabular
from ledger.replay.replay import Replay
from ledger.replay.statements import fill_sql, projected_columns
from ledger.store.event_store import Store
from ledger.store.schema import expected_schema

ROW_COUNTS = (
    Column("table", "The table."),
    Column("rows", "The number of its rows.", Type.INTEGER),
)


@dataclass(frozen=True, slots=True)
class Projected(JsonObject):
    """A projection that is kept.

    Attributes:
        edition: the edition of the projection.
        rows: the number of rows of each table.
    """

    edition: Edition
    rows: dict[str, int]

    @property
    def written(self) -> tuple[Path, ...]:
        """The files that were written; none where it is stored in the ledger."""
        return ()

    def tabular(self) -> Tabular:
        """The number of rows of each table."""
        return Tabular("rows", ROW_COUNTS, list(self.rows.items()), "table")

    def parts(self) -> Iterator[Part]:
        """The number of rows of each table."""
        yield self.tabular()


def store_projection(replay: Replay, advance: Advance = unheard) -> dict[str, int]:
    """Replay a projection in full, and store it in the ledger in the place of the former one.

    To be called within a transaction.

    Args:
        replay: of the edition, in the store of the ledger.
        advance: is called for each table and each summary that is done.

    Returns:
        the number of rows of each table.
    """
    store, edition = replay.store, replay.edition
    for name in ("projection_of", "projection_rows", *_tables(replay.dataset)):
        store.execute(f"DELETE FROM {name}")
    rows = _fill(replay, advance)
    store.execute(
        "INSERT INTO projection_of (one, as_of, batch) VALUES (1, ?, ?)",
        (edition.as_of.number, edition.batch),
    )
    store.insert("projection_rows", ("table_name", "rows"), rows.items())
    return rows


def build_temp_projection(replay: Replay) -> dict[str, int]:
    """Build a projection in a reading store's own database, where it hides the stored one.

    Returns:
        the number of rows of each table.
    """
    dataset = replay.dataset
    create_temp_tables(replay.store, [*_tables(dataset), *(view.name for view in dataset.views)])
    return _fill(replay)


def create_temp_tables(store: Store, names: Collection[str]) -> None:
    """Make tables and views of the projection, empty, in a reading store's own database."""
    for made in expected_schema():
        # Never the SQL in the ledger's file, which anyone with access to it could have changed.
        if made.name in names and made.sql:
            store.execute(f"DROP {made.type} IF EXISTS main.{made.name}")
            store.execute(made.sql)


def _tables(dataset: DataSet) -> list[str]:
    return [t.name for t in dataset.tables] + [summary.name for summary in dataset.summaries]


def _fill(replay: Replay, advance: Advance = unheard) -> dict[str, int]:
    rows = {}
    for table in replay.dataset.tables:
        select = replay.replayed(table)
        rows[table.name] = replay.execute(fill_sql(table.name, projected_columns(table), select))
        advance(1)
    for summary in replay.dataset.summaries:
        columns = replay.store.columns(summary.select)
        replay.execute(fill_sql(summary.name, columns, summary.select))
        advance(1)
    return rows
