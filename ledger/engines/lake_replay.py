"""The replay of a lake: the relations that an engine gets, and the SQL that it runs on them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ledger.engines.base import Columns, Engine
from ledger.errors import WrongUsage
from ledger.lake.layout import Layout
from ledger.lake.relations import (
    CLOCK,
    FILES,
    READINGS,
    columns_of,
    event_columns,
    is_integer,
)
from ledger.model.dataset import DataSet, Summary, Table
from ledger.model.editions import Edition
from ledger.replay.incremental import EXACT
from ledger.replay.labels import Labels, Names, labels_select
from ledger.replay.replay import Replay
from ledger.replay.statements import replay_sql

KEYS = "named_keys"


class LakeReplay:
    """An edition of a lake, replayed by an engine.

    Attributes:
        engine: runs the queries.
        of_records: the same edition in a store that has the lake's records.
    """

    def __init__(self, engine: Engine, lake: Layout, of_records: Replay) -> None:
        """Name all relations that a replay reads, except the events.

        Args:
            engine: runs the queries.
            lake: whose events are replayed.
            of_records: of the edition, in a store that has the records of the lake as they were
                read; see `records_store`.
        """
        self.engine = engine
        self.of_records = of_records
        self._lake = lake
        self._records = records = of_records.records
        of_records.bind()
        self._copy("replay_bound", "SELECT end_event, batch FROM replay_bound")
        self._copy(
            "replay_excluded", "SELECT month_start, first_event, last_event FROM replay_excluded"
        )
        self._copy(FILES, f"SELECT {', '.join(columns_of(FILES))} FROM files")
        readings = lake.files_of(READINGS, records)
        engine.parquet(READINGS, readings, _types(columns_of(READINGS)))
        engine.parquet(CLOCK, lake.files_of(CLOCK, records), _types(columns_of(CLOCK)))
        self._is_regular = not any(engine.rows(f"SELECT event_id FROM {READINGS} LIMIT 1"))

    @property
    def edition(self) -> Edition:
        """The edition that is replayed."""
        return self.of_records.edition

    def labels(self, tables: Iterable[Table], names: Names) -> Labels:
        """The labels of some tables, kept in the engine."""
        labels = Labels(names)
        for table in tables:
            self.name_events(table)
            self.engine.keep(labels.relation(table), labels_select(table, names))
        return labels

    def name_events(self, table: Table, *, every_month: bool = False) -> None:
        """Name the events of a table: up to the as-of month, or of all months."""
        last = None if every_month else self.edition.as_of
        columns = {
            name: int if is_integer(name) and name not in table.column_names else str
            for name in event_columns(table)
        }
        self.engine.events(
            table.events,
            self._lake.event_files(table, self._records, last),
            self._lake.root / table.events,
            columns,
            last_file=self._records.files[-1].file,
            last_month=None if last is None else str(last),
        )

    def replayed(self, table: Table) -> str:
        """The statement that gives the rows of a table, as `ledger project` stores them."""
        self.name_events(table)
        return replay_sql(table, regular=self._is_regular)

    def fill_summaries(self, dataset: DataSet) -> None:
        """Put the summaries of a data set, computed by the engine, into the store."""
        for table in dataset.tables:
            reads = {
                name
                for summary in dataset.summaries
                if summary.table == table.name
                for name in summary.reads
            }
            if reads:
                self.engine.keep(table.name, self.replayed(table.narrowed(reads)))
        for summary in dataset.summaries:
            self.fill_summary(summary)

    def fill_summary(self, summary: Summary) -> None:
        """Put a summary into the store; the caller must have named its table.

        Raises:
            WrongUsage: its sums depend on the order of summation.
        """
        store = self.of_records.store
        columns = store.columns(f"SELECT * FROM {summary.name}")
        select = f"SELECT {', '.join(columns)} FROM ({summary.select}) AS summary"
        store.insert(summary.name, columns, self.engine.rows(select))
        ((most,),) = store.rows(f"SELECT max({summary.magnitude}) FROM {summary.name}")
        if most is not None and most > EXACT:
            raise WrongUsage(
                f"numbers in {summary.table} are so large that their sums depend on the order, "
                "which no engine but SQLite keeps; compute this from the ledger, without --lake"
            )

    def fill_named(self, tables: Iterable[Table], dataset: DataSet) -> None:
        """Put the events of the rows to which the summaries refer into the store, and no others."""
        store = self.of_records.store
        for table in tables:
            keys = {
                key
                for summary in dataset.summaries
                if table.key in summary.groups
                for (key,) in store.rows(f"SELECT DISTINCT {table.key} FROM {summary.name}")
            }
            self._fill_events(table, keys - {None})

    def _fill_events(self, table: Table, keys: Collection[str]) -> None:
        self.name_events(table, every_month=True)
        self.engine.values(KEYS, {table.key: str}, ((key,) for key in sorted(keys)))
        columns = event_columns(table)
        select = f"""
            SELECT {", ".join(columns)} FROM {table.events}
            WHERE {table.key} IN (SELECT {table.key} FROM {KEYS})
        """
        self.of_records.store.append_events(table, self.engine.rows(select))

    def _copy(self, name: str, select: str) -> None:
        """Copy rows of the store into the engine."""
        columns = self.of_records.store.columns(select)
        self.engine.values(name, _types(columns), self.of_records.rows(select))


def _types(columns: Collection[str]) -> Columns:
    whole = {"end_event", "month_start"}
    return {name: int if name in whole or is_integer(name) else str for name in columns}
