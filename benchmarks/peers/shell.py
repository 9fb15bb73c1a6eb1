"""Write what the `sqlite3` shell runs to import the delivered files, as `OUT/import.sql`.

    python -m benchmarks.peers.shell text DATA OUT         into tables of text
    python -m benchmarks.peers.shell events LEDGER OUT     into event tables as in the ledger

The event tables have the index, checks and triggers of the ledger. `.import` cannot fill a table
with a generated column (SQLite 3.40), so that one, which is not stored, is left out. The files for
them have the event's number, file, line and action. Each script is one transaction.
"""

from __future__ import annotations

import csv
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.peers import KEYS, delivered, folders

OBJECTS = """
SELECT sql FROM sqlite_schema
WHERE sql IS NOT NULL AND type <> 'view'
ORDER BY type = 'trigger', type = 'index', rowid
"""


def text_script(data: Path) -> Iterator[str]:
    """Load the delivered files into tables of text: one for extracts, one for deltas."""
    for table in KEYS:
        extract, *deltas = delivered(data, table)
        yield f".import --csv '{extract}' {table}_initial"
        for number, path in enumerate(deltas):
            yield f".import --csv {'--skip 1 ' if number else ''}'{path}' {table}_delta"


def events_script(ledger: Path, out: Path) -> Iterator[str]:
    """Write a file for each recorded one, and load them into tables like those of the ledger."""
    with closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        for (sql,) in connection.execute(OBJECTS):
            yield "\n".join(line for line in sql.splitlines() if "GENERATED ALWAYS" not in line)
            yield ";"
        files = "SELECT file, table_name, first_event, last_event FROM files ORDER BY file"
        for file, table, first, last in connection.execute(files):
            columns = connection.execute(f"PRAGMA table_info({table}_events)")
            names = ", ".join(name for _, name, *_ in columns)
            sql = f"SELECT {names} FROM {table}_events WHERE event_id BETWEEN ? AND ?"
            path = out / f"{file}.csv"
            with open(path, "w", encoding="utf-8", newline="") as written:
                rows = connection.execute(sql, (first, last))
                csv.writer(written, lineterminator="\n").writerows(rows)
            yield f".import --csv '{path}' {table}_events"


def main() -> None:
    """Write a script."""
    source, out = folders()
    lines = text_script(source) if sys.argv[1] == "text" else events_script(source, out)
    with open(out / "import.sql", "w", encoding="utf-8") as script:
        script.writelines(f"{line}\n" for line in ("BEGIN;", *lines, "COMMIT;"))


if __name__ == "__main__":
    main()
