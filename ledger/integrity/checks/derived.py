"""The stored projection, compared with a fresh replay of the events."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.errors import WrongUsage
from ledger.integrity.fault import Fault, FaultKind
from ledger.integrity.ledger_target import LedgerTarget
from ledger.model.dataset import Summary, Table
from ledger.model.editions import EditionName
from ledger.model.periods import Month
from ledger.replay.editions import last_event
from ledger.replay.projection import create_temp_tables
from ledger.replay.replay import Replay
from ledger.replay.statements import fill_sql, projected_columns
from ledger.store.event_store import Store


def check_projection(target: LedgerTarget) -> Iterator[Fault]:
    """Replay the events, and compare the stored projection with the result."""
    store, dataset = target.store, target.dataset
    records, edition = store.records(), None
    for place, as_of, batch in store.rows(_PROJECTION_OF):
        try:
            edition = records.edition(EditionName(Month(as_of), batch))
        except WrongUsage as error:
            yield Fault(FaultKind.DERIVED, "projection_of", str(error))
            return
        if place != 1:
            yield Fault(FaultKind.DERIVED, "projection_of", f"row {place} does not belong there")
            return
    if edition is None:
        names = [table.name for table in dataset.tables]
        summaries = [summary.name for summary in dataset.summaries]
        for name in (*names, *summaries, "projection_rows"):
            if any(store.rows(f"SELECT 1 FROM {store.schema}.{name} LIMIT 1")):
                yield Fault(FaultKind.DERIVED, name, "it has rows, and no projection is stored")
        return
    replay = Replay(store, dataset, records, edition)
    rows, differing = {}, False
    with store.ticking(target.tick):
        for table in dataset.tables:
            rows[table.name], faults = _compare_keyed(replay, table)
            yield from faults
            differing = differing or bool(faults)
            of_table = [file.rows for file in target.files if file.table_name == table.name]
            target.progress.advance(sum(of_table))
    if differing:
        return
    if dict(store.rows("SELECT table_name, rows FROM projection_rows")) != rows:
        yield Fault(FaultKind.DERIVED, "projection_rows", "not the numbers of rows that are stored")
    for summary in dataset.summaries:
        yield from _compare_all(store, summary)


def _compare_keyed(replay: Replay, table: Table) -> tuple[int, list[Fault]]:
    """Compare a table of the stored projection with a replay, row by row.

    Returns:
        the number of stored rows, and the first fault.
    """
    stored, key = f"{replay.store.schema}.{table.name}", table.key
    differs = " OR ".join(f"stored.{c} IS NOT replayed.{c}" for c in projected_columns(table))
    names = {
        "replay": replay.replayed(table),
        "stored": stored,
        "key": key,
        "differs": f"stored.{key} IS NULL OR {differs}",
    }
    ((replayed, different),) = replay.rows(_COMPARED.format(**names))
    ((count,),) = replay.rows(f"SELECT count(*) FROM {stored}")
    if different:
        ((found,),) = replay.rows(_DIFFERENT.format(**names))
        return count, [Fault(FaultKind.DERIVED, f"{table.name} {found}", _NOT_REPLAYED)]
    if count > replayed:
        last = last_event(table, f"stored.{key}", "event")
        ((found,),) = replay.rows(_ADDED.format(events=table.events, last=last, **names))
        return count, [Fault(FaultKind.DERIVED, f"{table.name} {found}", _NO_SUCH_ROW)]
    return count, []


def _compare_all(store: Store, summary: Summary) -> Iterator[Fault]:
    """Compare a summary, whose rows have no key, with that of the stored rows."""
    columns = store.columns(summary.select)
    create_temp_tables(store, [summary.name])
    store.execute(fill_sql(f"main.{summary.name}", columns, summary.select))
    stored = f"{store.schema}.{summary.name}"
    sql = _DIFFERENT_ROWS.format(stored=stored, name=summary.name, columns=", ".join(columns))
    if any(store.rows(sql)):
        yield Fault(FaultKind.DERIVED, summary.name, _NOT_REPLAYED)


_PROJECTION_OF = "SELECT one, CAST(as_of AS INTEGER), batch FROM projection_of"

_NOT_REPLAYED = "not what a replay of the events gives"
_NO_SUCH_ROW = "no replay gives this row"

_COMPARED = """
SELECT count(*), coalesce(sum({differs}), 0)
FROM ({replay}) AS replayed LEFT JOIN {stored} AS stored ON stored.{key} = replayed.{key}
"""

_DIFFERENT = """
SELECT replayed.{key}
FROM ({replay}) AS replayed LEFT JOIN {stored} AS stored ON stored.{key} = replayed.{key}
WHERE {differs}
ORDER BY replayed.{key} LIMIT 1
"""

_ADDED = """
SELECT stored.{key} FROM {stored} AS stored
WHERE coalesce((SELECT action FROM {events} WHERE event_id = ({last})), 'delete') = 'delete'
ORDER BY stored.{key} LIMIT 1
"""

# With the number of each row: EXCEPT alone does not count duplicates.
_DIFFERENT_ROWS = """
WITH stored AS (SELECT {columns}, count(*) FROM {stored} GROUP BY {columns}),
     replayed AS (SELECT {columns}, count(*) FROM main.{name} GROUP BY {columns})
SELECT * FROM (SELECT * FROM stored EXCEPT SELECT * FROM replayed)
UNION ALL
SELECT * FROM (SELECT * FROM replayed EXCEPT SELECT * FROM stored)
LIMIT 1
"""
