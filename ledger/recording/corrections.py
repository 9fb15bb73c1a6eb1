"""Takes recorded files out of force: what differs between two files, and retractions.

Nothing is removed. A file that supersedes another has its number in its record, and the events of
the other no longer count from that batch on; see `editions.sql`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.errors import WrongUsage
from ledger.model.dataset import Table
from ledger.model.digest import FileContents
from ledger.model.merkle import MerkleTree
from ledger.model.periods import Month
from ledger.model.records import RETRACTION, Batch, File
from ledger.recording.recorder import Flags, batch_contents
from ledger.store.database import storable
from ledger.store.event_store import Store


@dataclass(frozen=True, slots=True)
class RowDifference:
    """How many rows of a file are not in another, are other there, or are only there.

    Rows with the same key are the same row; of a key that stands several times, the first is held
    to the first, and so on. The order of rows does not count.
    """

    added: int
    changed: int
    removed: int

    def __str__(self) -> str:
        return f"{self.added} added, {self.changed} changed, {self.removed} removed"


@dataclass(frozen=True, slots=True)
class Retraction:
    """A file that was taken out of force.

    Attributes:
        file: its record.
        batch: the batch that did it.
        restates: the recorded months that this restates.
    """

    file: File
    batch: Batch
    restates: tuple[Month, ...]


_ROWS = """
SELECT {cells}, row_number() OVER (PARTITION BY {key} ORDER BY event_id) AS place
FROM {events} WHERE event_id BETWEEN ? AND ?
"""

_DIFFERENCE = """
WITH before AS ({rows}), after AS ({rows})
SELECT (SELECT count(*) FROM after
        LEFT JOIN before ON before.{key} = after.{key} AND before.place = after.place
        WHERE before.place IS NULL),
       (SELECT count(*) FROM after
        JOIN before ON before.{key} = after.{key} AND before.place = after.place
        WHERE {differ}),
       (SELECT count(*) FROM before
        LEFT JOIN after ON after.{key} = before.{key} AND after.place = before.place
        WHERE after.place IS NULL)
"""


def row_difference(store: Store, table: Table, before: File, after: File) -> RowDifference:
    """Count the rows in which two recorded files of a table differ."""
    cells = ("action", *table.column_names)
    rows = _ROWS.format(cells=", ".join(cells), key=table.key, events=table.events)
    differ = " OR ".join(f"before.{cell} IS NOT after.{cell}" for cell in cells)
    sql = _DIFFERENCE.format(rows=rows, key=table.key, differ=differ)
    spans = (before.first_event, before.last_event, after.first_event, after.last_event)
    return RowDifference(*next(store.rows(sql, spans)))


def given_reason(reason: str | None) -> str:
    """The reason that a user gives, without blanks round it.

    Raises:
        WrongUsage: there is none.
    """
    if not reason or not reason.strip():
        raise WrongUsage('say why, for those who ask later: --reason "…"')
    return storable(reason.strip())


def retract(store: Store, table: Table, month: Month, reason: str) -> Retraction:
    """Take the file of a table and month out of force, with nothing in its place.

    To be called within a transaction.

    Args:
        store: open for writing.
        table: whose file it is.
        month: of the file.
        reason: why, in the user's words.

    Raises:
        WrongUsage: no such file is in force.
    """
    recorded = store.records().effective()
    file = recorded.get((table.name, month))
    if file is None:
        raise WrongUsage(f"no file of {table.name} is in force for {month}; see: ledger log")
    contents = FileContents(
        file=store.next_file(),
        table=table.name,
        month=month.number,
        kind=RETRACTION,
        sha256=None,
        bytes=0,
        rows=0,
        first_event=None,
        last_event=None,
        supersedes=file.file,
    )
    flags = Flags(correction=True, reason=reason)
    batch = store.append_batch(
        batch_contents(store, month, flags), [contents], [file.name], 0, MerkleTree().root().hex()
    )
    restates = tuple(sorted({other for _, other in recorded if other >= month}))
    return Retraction(file, batch, restates)
