"""Parts of the job with the `sqlite3` shell: what it has to run is written beforehand.

    python -m benchmarks.peers.shell raw DATA OUT         OUT/raw.sql: .import of the files, as text
    python -m benchmarks.peers.shell events LEDGER OUT    OUT/events.sql: the same into event tables
    python -m benchmarks.peers.shell csv OUT              OUT/csv.sql: a projected table as CSV
    python -m benchmarks.peers.shell check LEDGER NEW     whether NEW has the same numbers of events

The event tables have the index, checks and triggers of the ledger. `.import` cannot fill a table
with a generated column (SQLite 3.40), so that one is left out; it is not stored anyway. The files
for them hold the event's number, its file, line and action already. All is one transaction.
"""

from __future__ import annotations

import argparse
import csv
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.deliveries import HEADER
from benchmarks.peers.delivered import KEYS, Job

_OBJECTS = """
SELECT sql FROM sqlite_schema
WHERE sql IS NOT NULL AND (type <> 'view')
ORDER BY type = 'trigger', type = 'index', rowid
"""


def raw_script(data: Path) -> Iterator[str]:
    """Load the delivered files into tables of text: one for extracts, one for deltas."""
    wanted = Job(data, data)
    yield "BEGIN;"
    for table in KEYS:
        yield f".import --csv {_quoted(wanted.initial(table))} {table}_initial"
        for number, path in enumerate(wanted.deltas(table)):
            skip = "--skip 1 " if number else ""
            yield f".import --csv {skip}{_quoted(path)} {table}_delta"
    yield "COMMIT;"


def events_script(ledger: Path, out: Path) -> Iterator[str]:
    """Write a file for each recorded one, and load them into tables like those of the ledger."""
    with closing(_opened(ledger)) as connection:
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        yield f"PRAGMA page_size = {page};"
        yield "BEGIN;"
        for (sql,) in connection.execute(_OBJECTS):
            lines = [line for line in sql.splitlines() if "GENERATED ALWAYS" not in line]
            yield "\n".join(lines) + ";"
        files = "SELECT file, table_name, first_event, last_event FROM files ORDER BY file"
        for file, table, first, last in connection.execute(files):
            path = out / f"{file}.csv"
            names = [
                name for _, name, *_ in connection.execute(f"PRAGMA table_info({table}_events)")
            ]
            sql = f"SELECT {', '.join(names)} FROM {table}_events WHERE event_id BETWEEN ? AND ?"
            with open(path, "w", encoding="utf-8", newline="") as written:
                rows = connection.execute(sql, (first, last))
                csv.writer(written, lineterminator="\n").writerows(rows)
            yield f".import --csv {_quoted(path)} {table}_events"
    yield "COMMIT;"


def csv_script(out: Path) -> Iterator[str]:
    """Write the projected interactions in the order of their key."""
    yield ".mode csv"
    yield ".headers on"
    yield f".once {_quoted(out / 'interactions_final.csv')}"
    yield f"SELECT {HEADER.replace(',', ', ')} FROM interactions ORDER BY interaction_id;"


def count_events(path: Path) -> dict[str, int]:
    """How many events a file has of each table."""
    with closing(_opened(path)) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}_events").fetchone()[0]
            for table in KEYS
        }


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _quoted(path: Path) -> str:
    return f"'{path.absolute()}'"


def main() -> None:
    """Write a script, or check what one did."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers.shell",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=("raw", "events", "csv", "check"))
    parser.add_argument("paths", type=Path, nargs="+")
    given = parser.parse_args()
    *sources, out = given.paths
    if given.what == "check":
        expected, found = count_events(sources[0]), count_events(out)
        sys.exit(None if expected == found else f"{out} has {found}, the ledger {expected}")
    out.mkdir(parents=True, exist_ok=True)
    if given.what == "csv":
        lines = csv_script(out)
    else:
        lines = events_script(sources[0], out) if given.what == "events" else raw_script(sources[0])
    with open(out / f"{given.what}.sql", "w", encoding="utf-8") as script:
        script.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main()
