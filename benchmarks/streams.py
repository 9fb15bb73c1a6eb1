"""Reads all rows of a stream, and prints how many there were and how long it took.

    python -m benchmarks.streams replay LEDGER YYYYMM    the interactions as of a month
    python -m benchmarks.streams scan LEDGER YYYYMM      their events up to then, as they lie there

The seconds are those of the stream alone, without the start of Python and the imports.
"""

from __future__ import annotations

import argparse
import sqlite3
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
    """The events that count for the interactions as of a month, with their cells as delivered."""
    with Store.for_reading(ledger) as store, store.snapshot():
        replay = _replay(store, month)
        replay.bind()
        chosen = last_events(INTERACTIONS, few=replay.counts_few(INTERACTIONS))
        cells = ", ".join(f"event.{name}" for name in INTERACTIONS.column_names)
        yield store.connection.execute(f"""
            SELECT event.event_id, event.file, event.line, event.action, {cells}
            FROM ({chosen}) AS last
            JOIN {INTERACTIONS.events} AS event ON event.event_id = last.event_id
            WHERE event.action <> 'delete'
        """)


@contextmanager
def typed(ledger: Path, month: str) -> Iterator[Rows]:
    """The interactions as of a month, typed and with local times, as an export reads them."""
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
    """The events of interactions up to the end of a month, all their columns."""
    uri = f"{ledger.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        table = connection.execute("PRAGMA table_info(interactions_events)")
        columns = ", ".join(name for _, name, *_ in table)
        sql = f"SELECT {columns} FROM interactions_events WHERE event_id < ?"
        yield connection.execute(sql, ((int(month) + 1) * 10**9,))


STREAMS = {"replay": replayed, "typed": typed, "scan": scanned}


def main() -> None:
    """Read a stream to its end."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.streams",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stream", choices=STREAMS)
    parser.add_argument("ledger", type=Path, metavar="LEDGER")
    parser.add_argument("month", metavar="YYYYMM")
    given = parser.parse_args()
    start = perf_counter()
    with STREAMS[given.stream](given.ledger, given.month) as rows:
        count = sum(1 for _ in rows)
    print(f"rows {count}\nseconds {perf_counter() - start:.6f}")


if __name__ == "__main__":
    main()
