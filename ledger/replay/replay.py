"""`Replay`: one edition bound to a store, by which its state is queried."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import Any

from ledger.model.dataset import DataSet, Table
from ledger.model.editions import Edition, EditionName
from ledger.model.periods import Month
from ledger.model.records import Records
from ledger.replay.editions import excluded_sql
from ledger.replay.labels import (
    Labels,
    Names,
    labelled_select,
    labelling,
    labels_columns,
    labels_select,
)
from ledger.replay.statements import (
    fill_sql,
    replay_keys_sql,
    replay_sql,
    stored_keys_sql,
)
from ledger.store.database import Record
from ledger.store.event_store import EVENTS_PER_MONTH, Store

_RANGE = ("month_start", "first_event", "last_event")


class Replay:
    """One edition bound to a store: its queries, and the relations that they read.

    The relations are temporary ones of the store's connection. They are made when they are first
    needed, and again if another replay was bound to the store meanwhile. A replay is used within
    one snapshot or transaction; see `renew`.

    Attributes:
        store: open.
        dataset: the tables that are replayed.
        records: those of the store.
        edition: whose state is queried.
    """

    def __init__(self, store: Store, dataset: DataSet, records: Records, edition: Edition) -> None:
        """Name an edition of a store; nothing is read yet."""
        self.store = store
        self.dataset = dataset
        self.records = records
        self.edition = edition
        self._labelled: set[str] = set()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Generator[Record, None, None]:
        """Run a query on the events, the projection or the labels of the edition."""
        self.bind()
        yield from self.store.rows(sql, parameters)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run a statement that reads the relations, and return the number of changed rows."""
        self.bind()
        return self.store.execute(sql, parameters)

    def bind(self) -> None:
        """Make sure that the relations of the store's connection are those of this replay."""
        if self.store.bound is not self:
            self.renew()

    def renew(self) -> None:
        """Bind the edition in another snapshot, where more may be recorded than in the one before.

        Labels stay: those of an edition are the same whatever is recorded.
        """
        store = self.store
        if store.bound is not self:
            self._labelled.clear()
        store.execute("DROP TABLE IF EXISTS temp.replay_bound")
        store.execute("DROP TABLE IF EXISTS temp.replay_excluded")
        store.execute("CREATE TEMP TABLE replay_bound (end_event INTEGER, batch INTEGER)")
        store.execute(f"CREATE TEMP TABLE replay_excluded ({', '.join(_RANGE)})")
        store.execute(
            f"CREATE INDEX temp.replay_excluded_by_month ON replay_excluded ({_RANGE[0]})"
        )
        bound = ((self.edition.as_of.number + 1) * EVENTS_PER_MONTH, self.edition.batch)
        store.execute("INSERT INTO replay_bound (end_event, batch) VALUES (?, ?)", bound)
        store.execute(fill_sql("replay_excluded", _RANGE, excluded_sql()))
        store.bound = self

    def relation(self, name: str, columns: Sequence[str], rows: Iterable[Record]) -> str:
        """Make a temporary relation of some rows, in the place of one of that name.

        Args:
            name: of the relation.
            columns: each with its type.
            rows: in the order of the columns.

        Returns:
            how a query names it.
        """
        self.bind()
        self.store.execute(f"DROP TABLE IF EXISTS temp.{name}")
        self.store.execute(f"CREATE TEMP TABLE {name} ({', '.join(columns)})")
        self.store.insert(f"temp.{name}", [column.split()[0] for column in columns], rows)
        return f"temp.{name}"

    @property
    def is_regular(self) -> bool:
        """Whether no cell of any event is irregular, so that a plain CAST reads them all."""
        return not any(self.store.rows("SELECT 1 FROM readings LIMIT 1"))

    @property
    def is_stored(self) -> bool:
        """Whether the projection stored in the ledger is that of the edition."""
        stored = [*self.store.rows("SELECT as_of, batch FROM projection_of")]
        return stored == [(self.edition.as_of.number, self.edition.batch)]

    @property
    def stored_rows(self) -> dict[str, int]:
        """The number of stored rows of each table; empty if another edition is stored."""
        if not self.is_stored:
            return {}
        return dict(self.store.rows("SELECT table_name, rows FROM projection_rows"))

    def replayed(self, table: Table, where_key: str = "") -> str:
        """The statement that replays a table, in the form that is fastest for this edition.

        Args:
            table: to be replayed.
            where_key: a condition on the key of `event`, to replay some keys alone; by default all.
        """
        use_range_scan = not where_key and self.needs_range_scan(table)
        return replay_sql(
            table, regular=self.is_regular, where_key=where_key, use_range_scan=use_range_scan
        )

    def needs_range_scan(self, table: Table) -> bool:
        """Whether less than half of the events of a table come before the end of the month."""
        rows = [
            (file.rows, file.month <= self.edition.as_of)
            for file in self.records.files
            if file.table_name == table.name
        ]
        before = sum(count for count, is_before in rows if is_before)
        return 2 * before < sum(count for count, _ in rows)

    def keys_between(self, table: Table, after: str, until: str, *, stored: bool) -> str:
        """The query that gives the rows of some keys; the next such query replaces it.

        Args:
            table: of the rows.
            after: the key before the first; blank, which no key is, is before all of them.
            until: the last key.
            stored: whether they are read from the stored projection, and not from the events.
        """
        self.bind()
        self.relation("replay_keys", ("after_key TEXT", "until_key TEXT"), [(after, until)])
        if stored:
            return stored_keys_sql(table)
        return replay_keys_sql(table, regular=self.is_regular)

    def labels(self, tables: Iterable[Table], names: Names) -> Labels:
        """The labels of some tables, to be joined to the rows that refer to them."""
        self.bind()
        labels = Labels(names)
        for table in tables:
            name, columns = labels.relation(table), labels_columns(table)
            if name in self._labelled:
                continue
            self.store.execute(f"DROP TABLE IF EXISTS temp.{name}")
            self.store.execute(f"CREATE TEMP TABLE {name} ({', '.join(columns)})")
            self.store.execute(fill_sql(name, columns, labels_select(table, names)))
            self.store.execute(f"CREATE INDEX temp.{name}_by_key ON {name} ({table.key})")
            self._labelled.add(name)
        return labels

    def labelled(self, table: Table, names: Names | None, rows: str) -> str:
        """The query that gives projected rows with their labels; see `labelled_select`."""
        named = labelling(self.dataset, table).values()
        labels = None if names is None else self.labels(named, names)
        return labelled_select(self.dataset, table, labels, rows)


def stored_edition(store: Store, records: Records) -> Edition | None:
    """The edition of the projection stored in the ledger, or None.

    Raises:
        WrongUsage: the projection is recorded as one of an edition that cannot exist.
    """
    for as_of, batch in store.rows("SELECT as_of, batch FROM projection_of"):
        return records.edition(EditionName(Month(as_of), batch))
    return None
