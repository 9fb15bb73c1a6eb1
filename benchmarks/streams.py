"""Read a stream to its end, and print how many rows it has and how many seconds that took.

    python -m benchmarks.streams replay LEDGER YYYYMM    the interactions as of a month
    python -m benchmarks.streams typed LEDGER YYYYMM     the same, typed, with local times
    python -m benchmarks.streams scan LEDGER YYYYMM      all their events up to the end of the month

The seconds do not include the start of Python and the imports.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from ledger.datasets.support.description import INTERACTIONS, SUPPORT
from ledger.model.editions import EditionName
from ledger.model.periods import Month
from ledger.replay.editions import last_events
from ledger.replay.paging import EditionRows
from ledger.replay.replay import Replay
from ledger.store.event_store import Store

Rows = Iterable[Sequence[Any]]


@contextmanager
def replayed(ledger: Path, month: str) -> Iterator[Rows]:
    """Open the last events of the interactions as of a month, with their cells as delivered."""
    with Store.for_reading(ledger) as store, store.snapshot():
        replay = _replay(store, month)
        replay.bind()
        chosen = last_events(INTERACTIONS, use_range_scan=replay.needs_range_scan(INTERACTIONS))
        cells = ", ".join(f"event.{name}" for name in INTERACTIONS.column_names)
        yield store.connection.execute(f"""
            SELECT event.event_id, event.file, event.line, event.action, {cells}
            FROM ({chosen}) AS last
            JOIN {INTERACTIONS.events} AS event ON event.event_id = last.event_id
            WHERE event.action <> 'delete'
        """)


@contextmanager
def typed(ledger: Path, month: str) -> Iterator[Rows]:
    """Open the interactions as of a month, typed and with local times."""
    with Store.for_reading(ledger) as store:
        with store.snapshot():
            replay = _replay(store, month)
        yield EditionRows(replay, INTERACTIONS, partial(replay.labelled, INTERACTIONS, None))


def _replay(store: Store, month: str) -> Replay:
    records = store.records()
    edition = records.edition(EditionName(Month.parse(month)))
    return Replay(store, SUPPORT, records, edition)


@contextmanager
def scanned(ledger: Path, month: str) -> Iterator[Rows]:
    """Open the events of interactions up to the end of a month, with all their columns."""
    uri = f"{ledger.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        table = connection.execute("PRAGMA table_info(interactions_events)")
        columns = ", ".join(name for _, name, *_ in table)
        sql = f"SELECT {columns} FROM interactions_events WHERE event_id < ?"
        yield connection.execute(sql, ((int(month) + 1) * 10**9,))


def main(stream: str, ledger: str, month: str) -> None:
    """Read a stream."""
    start = perf_counter()
    opened = {"replay": replayed, "typed": typed, "scan": scanned}[stream]
    with opened(Path(ledger), month) as rows:
        count = sum(1 for _ in rows)
    print(f"rows {count}\nseconds {perf_counter() - start:.6f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
