"""Compares two editions: the rows and cells in which they differ.

Applied to the first edition, the differences give the second.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ledger.model.dataset import Column, DataSet, Type, View
from ledger.model.editions import Edition
from ledger.model.presentation import JsonObject
from ledger.model.tabular import Tabular, Values
from ledger.replay.projection import build_temp_projection
from ledger.replay.replay import Replay
from ledger.store.database import Record
from ledger.store.event_store import Store

BEFORE = "before_"
"""The prefix of the names of tables of the first of two editions in one store."""

_AFTER = "after_"


class ChangeKind(StrEnum):
    """How a row changed from one edition to the other."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class CellDifference:
    """A cell in both editions, as projected; None for NULL and for a missing row."""

    column: str
    before: str | float | None
    after: str | float | None


@dataclass(frozen=True, slots=True)
class RowChange(JsonObject):
    """A row that only one of the editions has, or that differs between them.

    Attributes:
        relation: the table or view.
        key: what identifies the row in it: one text, or several for a view.
        kind: how the row changed.
        cells: the cells that differ, without the key, in the order of the columns; of a row that
            only one edition has, those that are not NULL.
    """

    relation: str
    key: tuple[str, ...]
    kind: ChangeKind
    cells: tuple[CellDifference, ...]


@dataclass(frozen=True, slots=True)
class RelationDiff(JsonObject):
    """The numbers of differences between two editions in a table or view.

    Attributes:
        name: of the table or view.
        added: the number of rows that only the edition after has.
        removed: the number of rows that only the edition before has.
        changed: the number of rows that both have, with other cells.
        cells: the number of cells in which the changed rows differ.
    """

    name: str
    added: int
    removed: int
    changed: int
    cells: int


@dataclass(frozen=True, slots=True)
class Diff(JsonObject):
    """The numbers of differences between two editions.

    Attributes:
        before: the first edition.
        after: the second edition.
        tables: the tables of the data set in their order, then the views.
    """

    before: Edition
    after: Edition
    tables: tuple[RelationDiff, ...]

    def tabular(self) -> Tabular:
        """A row for each table and view, with its number of differences of each kind."""
        rows = [(t.name, t.added, t.removed, t.changed, t.cells) for t in self.tables]
        return Tabular("diff", _COUNT_COLUMNS, rows, "table")


@dataclass(frozen=True, slots=True)
class _Relation:
    """A table or view to be compared.

    Attributes:
        name: of the table or view.
        after: the table with its rows in the edition after.
        identity: the columns that identify its rows.
        values: the other columns. They are compared with IS NOT, for which NULL is a value.
    """

    name: str
    after: str
    identity: tuple[str, ...]
    values: tuple[str, ...]

    def fill(self, template: str) -> str:
        """The SQL of a template for this relation."""
        return template.format(
            before=f"{BEFORE}{self.name}",
            after=self.after,
            same=" AND ".join(f"before.{name} IS after.{name}" for name in self.identity),
            differences=" + ".join(
                ["0", *(f"(before.{name} IS NOT after.{name})" for name in self.values)]
            ),
            key_before=", ".join(f"before.{name}" for name in self.identity),
            key_after=", ".join(f"after.{name}" for name in self.identity),
            cells_before="".join(f", before.{name}" for name in self.values),
            cells_after="".join(f", after.{name}" for name in self.values),
            no_cells=", NULL" * len(self.values),
            order=", ".join(str(place + 1) for place in range(len(self.identity))),
        )


_COUNT_COLUMNS = (
    Column("table", "The table or view."),
    Column("added", "The rows that only the edition after has.", Type.INTEGER),
    Column("removed", "The rows that only the edition before has.", Type.INTEGER),
    Column("changed", "The rows that both have, with other cells.", Type.INTEGER),
    Column("cells changed", "The cells in which these differ.", Type.INTEGER),
)
_CELL_COLUMNS = (
    Column("table", "The table or view."),
    Column("key", "The key of the row; of several parts, as JSON."),
    Column("change", "How the row changed: added, removed or changed."),
    Column("column", "The column of the cell."),
    Column("before", "The cell in the edition before."),
    Column("after", "The cell in the edition after."),
)


def cell_differences(changes: Iterable[RowChange]) -> Tabular:
    """Make a table of the cells in which rows differ.

    A row that is added or removed, and has no cell but its key, is one row without a cell.
    """
    return Tabular("diff", _CELL_COLUMNS, _cells(changes))


def _cells(changes: Iterable[RowChange]) -> Iterator[Values]:
    for row in changes:
        # A name may contain any character, so several parts of a key are delimited as in JSON.
        key = row.key[0] if len(row.key) == 1 else json.dumps(row.key, ensure_ascii=False)
        for cell in row.cells:
            yield row.relation, key, row.kind, cell.column, cell.before, cell.after
        if not row.cells:
            yield row.relation, key, row.kind, None, None, None


_COUNTS = """
SELECT (SELECT count(*) FROM {after} AS after
        WHERE NOT EXISTS (SELECT 1 FROM {before} AS before WHERE {same})),
       (SELECT count(*) FROM {before} AS before
        WHERE NOT EXISTS (SELECT 1 FROM {after} AS after WHERE {same})),
       count(*),
       coalesce(sum(differences), 0)
FROM (SELECT {differences} AS differences
      FROM {before} AS before JOIN {after} AS after ON {same}) AS rows_of_both
WHERE differences > 0
"""

# The key, the kind, the cells before, the cells after.
_ROWS = """
SELECT {key_after}, 'added'{no_cells}{cells_after}
FROM {after} AS after
WHERE NOT EXISTS (SELECT 1 FROM {before} AS before WHERE {same})
UNION ALL
SELECT {key_before}, 'removed'{cells_before}{no_cells}
FROM {before} AS before
WHERE NOT EXISTS (SELECT 1 FROM {after} AS after WHERE {same})
UNION ALL
SELECT {key_after}, 'changed'{cells_before}{cells_after}
FROM {before} AS before JOIN {after} AS after ON {same}
WHERE {differences} > 0
ORDER BY {order}
"""


def build_side_by_side(before: Replay, after: Replay) -> None:
    """Build the projections of two editions in one reading store.

    The name of a table or view is then that of the edition after; with the prefix `BEFORE`, it is
    that of a table of the edition before.
    """
    store, dataset = before.store, before.dataset
    build_temp_projection(before)
    for view in dataset.views:
        _keep_rows(store, view, BEFORE)
        store.execute(f"DROP VIEW main.{view.name}")
    names = [table.name for table in dataset.tables]
    for name in (*names, *(summary.name for summary in dataset.summaries)):
        store.execute(f"ALTER TABLE main.{name} RENAME TO {BEFORE}{name}")
    if not after.is_stored:
        build_temp_projection(after)
    for view in dataset.views:
        _keep_rows(store, view, _AFTER)


def _keep_rows(store: Store, view: View, prefix: str) -> None:
    """Make a table of the rows of a view, so that they are not computed for each comparison."""
    name, columns = f"{prefix}{view.name}", ", ".join((*view.identity, *view.values))
    store.execute(f"CREATE TABLE main.{name} AS SELECT {columns} FROM {view.name}")
    store.execute(f"CREATE INDEX main.{name}_by_identity ON {name} ({', '.join(view.identity)})")


def count_differences(before: Replay, after: Replay) -> Diff:
    """Count the differences between two editions, whose projections are in one store."""
    tables = [
        RelationDiff(relation.name, *next(after.store.rows(relation.fill(_COUNTS))))
        for relation in _relations(after.dataset)
    ]
    return Diff(before.edition, after.edition, tuple(tables))


def differing_rows(after: Replay) -> Generator[RowChange, None, None]:
    """Yield the rows in which an edition differs from the one before it, in the same store.

    Ordered by table, the views last, and by key.
    """
    for relation in _relations(after.dataset):
        for row in after.store.rows(relation.fill(_ROWS)):
            yield _row_change(relation, row)


def _row_change(relation: _Relation, row: Record) -> RowChange:
    keys, values = len(relation.identity), len(relation.values)
    kind = ChangeKind(row[keys])
    before, after = row[keys + 1 : keys + 1 + values], row[keys + 1 + values :]
    cells = tuple(
        CellDifference(column, old, new)
        for column, old, new in zip(relation.values, before, after, strict=True)
        if old != new
    )
    return RowChange(relation.name, row[:keys], kind, cells)


def _relations(dataset: DataSet) -> Iterator[_Relation]:
    for table in dataset.tables:
        yield _Relation(table.name, table.name, (table.key,), table.column_names[1:])
    for view in dataset.views:
        yield _Relation(view.name, f"{_AFTER}{view.name}", view.identity, view.values)
