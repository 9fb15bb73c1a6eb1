"""Supersedes recorded files: what differs between two files, and retractions.

Nothing is removed. A file that supersedes another names it in its record, and the events of the
other no longer count from that batch on; see `editions.sql`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.errors import WrongUsage
from ledger.model.dataset import Table
from ledger.model.digest import FileContents
from ledger.model.merkle import MerkleTree
from ledger.model.periods import Month
from ledger.model.presentation import JsonObject
from ledger.model.records import RETRACTION, Batch, File
from ledger.recording.batches import BatchEvents, Flags, next_batch, next_file
from ledger.store.database import storable
from ledger.store.event_store import Store
from ledger.store.sql import part


@dataclass(frozen=True, slots=True)
class RowDifference:
    """How many rows of a second file are not in the first, differ there, or are only in the first.

    Rows with the same key are the same row; of a key that occurs several times, the first is
    compared with the first, and so on. The order of rows does not count.
    """

    added: int
    changed: int
    removed: int

    def __str__(self) -> str:
        return f"{self.added} added, {self.changed} changed, {self.removed} removed"


@dataclass(frozen=True, slots=True)
class Retraction(JsonObject):
    """A file that was retracted.

    Attributes:
        file: its record.
        batch: the batch that did it.
        restates: the recorded months that this restates.
    """

    file: File
    batch: Batch
    restates: tuple[Month, ...]


def row_difference(store: Store, table: Table, before: File, after: File) -> RowDifference:
    """Count the rows in which two recorded files of a table differ."""
    cells = ("action", *table.column_names)
    names = {"cells": ", ".join(cells), "key": table.key, "events": table.events}
    rows = part("recording/corrections.sql", "rows", **names)
    differ = " OR ".join(f"before.{cell} IS NOT after.{cell}" for cell in cells)
    sql = part("recording/corrections.sql", "difference", rows=rows, key=table.key, differ=differ)
    spans = (before.first_event, before.last_event, after.first_event, after.last_event)
    return RowDifference(*next(store.rows(sql, spans)))


def given_reason(reason: str | None) -> str:
    """The reason that the caller gives, without blanks round it.

    Raises:
        WrongUsage: it is missing or blank.
    """
    if not reason or not reason.strip():
        raise WrongUsage('a reason is missing, for those who ask later: --reason "…"')
    return storable(reason.strip())


def retract(store: Store, table: Table, month: Month, reason: str) -> Retraction:
    """Retract the file of a table and month: it no longer counts, and nothing comes in its place.

    The caller must be within a transaction.

    Args:
        store: open for writing.
        table: whose file it is.
        month: of the file.
        reason: why, in the words of the user.

    Raises:
        WrongUsage: no such file counts.
    """
    records = store.records()
    effective = records.effective()
    file = effective.get((table.name, month))
    if file is None:
        raise WrongUsage(f"no file of {table.name} is in force for {month}; see: ledger log")
    contents = FileContents(
        file=next_file(records),
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
    nothing = BatchEvents(0, MerkleTree().root().hex())
    batch, files = next_batch(records, month, flags, [contents], [file.name], nothing)
    store.append_batch(batch, files)
    restates = tuple(sorted({other for _, other in effective if other >= month}))
    return Retraction(file, batch, restates)
