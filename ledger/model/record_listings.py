"""The batches and files of a ledger, and the names of editions, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.model.dataset import Column, Type
from ledger.model.presentation import (
    Grid,
    Listing,
)
from ledger.model.records import File, LogEntry, Tag
from ledger.model.tabular import Tabular, Values
from ledger.text import to_the_second


def log_listing(entries: Sequence[LogEntry]) -> Listing:
    """List the recorded files of all batches, in order."""
    batches = {file.file: file.batch for entry in entries for file in entry.files}

    def row(entry: LogEntry, file: File) -> Values:
        supersedes = batches.get(file.supersedes or 0)
        return (
            *(file.batch, entry.batch.recorded_at, str(entry.batch.month), file.name, file.rows),
            *(file.sha256 or "", " ".join(entry.flags(file)), supersedes),
            *(entry.batch.reason, entry.batch.head),
        )

    rows = [row(entry, file) for entry in entries for file in entry.files]
    drawn = [
        (batch, to_the_second(str(recorded_at)), *others, str(sha256)[:12], *more, str(head)[:12])
        for batch, recorded_at, *others, sha256, flags, supersedes, reason, head in rows
        for more in [(flags, supersedes, reason)]
    ]
    return Listing(Tabular("log", _LOG, rows), [Grid([column.name for column in _LOG], drawn)])


_LOG = (
    Column("batch", "The batch that recorded the file.", Type.INTEGER),
    Column("recorded_at", "When that was, in UTC.", Type.TIMESTAMP),
    Column("month", "The month of the batch."),
    Column("file", "The name of the file."),
    Column("rows", "The number of its rows.", Type.INTEGER),
    Column("sha256", "The digest of the file."),
    Column("flags", "What sets the file apart: gap, late, correction, retraction."),
    Column("supersedes", "The batch of the file that it supersedes.", Type.INTEGER),
    Column("reason", "Why, of a correction or retraction."),
    Column("head", "The head after the batch."),
)


def tag_listing(tags: Sequence[Tag]) -> Listing:
    """List the names of editions."""
    rows = [(tag.name, str(tag.as_of), tag.batch, tag.tagged_at) for tag in tags]
    drawn = [(*row, to_the_second(tagged_at)) for *row, tagged_at in rows]
    return Listing(
        Tabular("tags", _TAG, rows, "name"), [Grid([column.name for column in _TAG], drawn)]
    )


_TAG = (
    Column("name", "The name of the edition."),
    Column("as_of", "Its month."),
    Column("batch", "Its batch.", Type.INTEGER),
    Column("tagged_at", "When it was named, in UTC.", Type.TIMESTAMP),
)
