"""What somebody does who knows all of `ledger`: after an edit, compute everything anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from ledger import Ledger
from ledger.datasets.support.description import SUPPORT
from ledger.delivery.cell_values import CellReader
from ledger.model.digest import (
    GENESIS,
    MARK_BYTES,
    BatchContents,
    FileContents,
    batch_digest,
    file_digest,
    leaves,
    next_head,
    next_seal,
    next_tag_seal,
)
from ledger.model.local_time import clock_rows
from ledger.model.merkle import MerkleTree
from tests.attacks.shell import unguarded
from tests.strategies import COLUMNS

Connection = sqlite3.Connection


def rewrite(
    ledger: Path, change: Callable[[Connection], object] | str, *, project: bool = True
) -> None:
    """Change a ledger, and then all that is computed from what was changed.

    Args:
        ledger: its file.
        change: what to do; or statements.
        project: store a projection that agrees with it.
    """
    with unguarded(ledger) as connection:
        if isinstance(change, str):
            for statement in change.split(";"):
                connection.execute(statement)
        else:
            change(connection)
        recompute(connection)
        recompute_derived(connection)
    if project:
        Ledger(ledger).project(rebuild=True)


def recompute(connection: Connection) -> None:
    """Compute marks, roots, digests, heads and seals from what is recorded now."""
    connection.execute("DELETE FROM event_marks")
    head = seal = GENESIS
    heads = {}
    for batch, month, at, reason, gap, late, correction in connection.execute(_BATCHES).fetchall():
        tree, contents, names = MerkleTree(), [], []
        for row in connection.execute(_FILES, (batch,)).fetchall():
            file, name = FileContents(*row[:-1]), row[-1]
            contents.append(file)
            names.append(name)
            _hash_events(connection, file, tree)
            digest = file_digest(file, name)
            connection.execute("UPDATE files SET digest = ? WHERE file = ?", (digest, file.file))
        record = BatchContents(batch, month, reason, bool(gap), bool(late), bool(correction))
        query = "SELECT events FROM batches WHERE batch = ?"
        (events,) = connection.execute(query, (batch,)).fetchone()
        root = tree.root().hex()
        head = next_head(head, batch_digest(record, contents, events, root))
        seal = next_seal(seal, head, at, names)
        heads[batch] = head
        connection.execute(
            "UPDATE batches SET root = ?, head = ?, seal = ? WHERE batch = ?",
            (root, head, seal, batch),
        )
    seal = GENESIS
    for tag, *named in connection.execute(_TAGS).fetchall():
        seal = next_tag_seal(seal, heads.get(named[2], GENESIS), *named)
        connection.execute("UPDATE tags SET seal = ? WHERE tag = ?", (seal, tag))


def _hash_events(connection: Connection, file: FileContents, tree: MerkleTree) -> None:
    if file.table not in COLUMNS:
        return
    cells = ", ".join(COLUMNS[file.table])
    select = f"SELECT event_id, file, line, action, {cells} FROM {file.table}_events"
    span = (file.first_event, file.last_event)
    marks = b""
    for event, number, line, action, *values in connection.execute(
        f"{select} WHERE event_id BETWEEN ? AND ? ORDER BY event_id", span
    ):
        (hashed,) = leaves([(event, file.table, number, line, action, *values)])
        tree.add([hashed])
        marks += hashed[:MARK_BYTES]
    if marks:
        connection.execute(
            "INSERT OR REPLACE INTO event_marks (first_event, marks) VALUES (?, ?)",
            (file.first_event, marks),
        )


def recompute_derived(connection: Connection) -> None:
    """Read every cell anew, and compute the local time of the days that occur."""
    connection.execute("DELETE FROM readings")
    connection.execute("DELETE FROM clock")
    days: set[str] = set()
    for table in SUPPORT.tables:
        reader = CellReader(table)
        query = f"SELECT event_id, {', '.join(table.column_names)} FROM {table.events}"
        for event, *cells in connection.execute(query).fetchall():
            for _, reading in reader.irregular([[cell] for cell in cells]):
                connection.execute("INSERT INTO readings VALUES (?, ?, ?, ?)", (event, *reading))
        days |= reader.utc_days
    for day in days:
        rows = [tuple(row) for row in clock_rows(day, SUPPORT.zone)]
        connection.executemany("INSERT INTO clock VALUES (?, ?, ?, ?, ?, ?, ?)", rows)


def renumber(connection: Connection) -> None:
    """Give events and files the numbers that follow on each other, after some were taken out."""
    files = connection.execute(_RANGES).fetchall()
    for month, of_month in groupby(files, key=itemgetter(2)):
        following = month * 10**9 + 1
        for file, table, _ in of_month:
            query = f"SELECT event_id FROM {table}_events WHERE file = ? ORDER BY event_id"
            events = connection.execute(query, (file,)).fetchall()
            for new, (event,) in enumerate(events, start=following):
                move = f"UPDATE {table}_events SET event_id = ? WHERE event_id = ?"
                connection.execute(move, (new, event))
            count = len(events)
            span = (following, following + count - 1) if count else (None, None)
            connection.execute(
                "UPDATE files SET rows = ?, first_event = ?, last_event = ? WHERE file = ?",
                (count, *span, file),
            )
            following += count
    connection.execute(_COUNT_EVENTS)


_BATCHES = """
SELECT batch, month, recorded_at, reason, gap, late, correction FROM batches ORDER BY batch
"""

_FILES = """
SELECT file, table_name, month, kind, sha256, bytes, rows, first_event, last_event, supersedes, name
FROM files WHERE batch = ? ORDER BY file
"""

_TAGS = "SELECT tag, name, as_of, batch, tagged_at FROM tags ORDER BY tag"

_RANGES = "SELECT file, table_name, month FROM files ORDER BY month, file"

_COUNT_EVENTS = """
UPDATE batches SET events = (SELECT sum(rows) FROM files WHERE files.batch = batches.batch)
"""
