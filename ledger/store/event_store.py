"""The records and events of a ledger: the only writer of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from ledger.errors import (
    LedgerDamaged,
    LedgerError,
    VerificationFailed,
)
from ledger.model.dataset import Table
from ledger.model.digest import (
    GENESIS,
    next_tag_seal,
)
from ledger.model.local_time import ClockRow, utc_now, utc_text
from ledger.model.periods import Month
from ledger.model.records import Batch, File, Records, Tag
from ledger.store.database import Database, Record
from ledger.store.schema import (
    expected_schema,
)
from ledger.store.sqlite_errors import translated

EVENTS_PER_MONTH = 10**9
MARKS_AT_ONCE = 4096

Kept = TypeVar("Kept", Batch, File, Tag)


class Store(Database):
    """An open ledger file, with its batches, files, tags and events.

    Attributes:
        bound: the replay whose temporary relations the connection has; see `Replay`.
    """

    bound: object | None = None

    def records(self) -> Records:
        """All that is recorded but the events."""
        return Records(
            tuple(self.batches()), tuple(self.files()), tuple(self.tags()), str(self.path)
        )

    def batches(self) -> list[Batch]:
        """All recorded batches, in order."""
        return [*self._records(Batch, _BATCHES)]

    def files(self) -> list[File]:
        """All recorded files, in order."""
        return [*self._records(File, _FILES)]

    def tags(self) -> list[Tag]:
        """All names of editions, in the order in which they were given."""
        return [*self._records(Tag, _TAGS)]

    def add_tag(self, name: str, as_of: Month, batch: int) -> None:
        """Name an edition; the name must be new."""
        tags, at = self.tags(), utc_text(utc_now())
        head = self.batches()[batch - 1].head
        before = tags[-1].seal if tags else GENESIS
        seal = next_tag_seal(before, head, name, as_of.number, batch, at)
        tag = (len(tags) + 1, name, as_of.number, batch, at, seal)
        self.insert("tags", [field.name for field in fields(Tag)], [tag])

    def _records(self, kind: type[Kept], sql: str) -> Iterator[Kept]:
        """The rows of a query, held to the types of a record.

        Raises:
            LedgerDamaged: one has a value that its column cannot have.
        """
        with translated(self.path):
            cursor = self.connection.execute(sql)
            names = [column[0] for column in cursor.description]
            for values in cursor:
                yield record_of(kind, dict(zip(names, values, strict=True)), self.path)

    def append_events(self, table: Table, events: Iterable[Record]) -> None:
        """Append events: `event_id`, file, line, action, then the cells in order."""
        columns = ("event_id", "file", "line", "action", *table.column_names)
        self.insert(table.events, columns, events)

    @contextmanager
    def appending(self, table: Table) -> Iterator[None]:
        """Append the events of a file within this.

        Where they are the first of their table, its index is made at the end: that takes far less
        time than to keep it meanwhile.
        """
        if any(self.rows(f"SELECT 1 FROM {table.events} LIMIT 1")):
            yield
            return
        (made,) = (m for m in expected_schema() if m.type == "index" and m.tbl_name == table.events)
        self.execute(f"DROP INDEX {made.name}")
        yield
        self.execute(made.sql or "")

    def add_marks(self, first_event: int, marks: bytes) -> None:
        """Keep the marks of a stretch of events, from `first_event` on."""
        self.insert("event_marks", ("first_event", "marks"), [(first_event, marks)])

    def marks(self, first_event: int) -> list[bytes]:
        """The marks of the stretch of events that begins with `first_event`; none where none does.

        As bytes, whatever is stored there.
        """
        sql = "SELECT CAST(marks AS BLOB) FROM event_marks WHERE first_event = ?"
        return [marks for (marks,) in self.rows(sql, (first_event,))]

    def add_readings(self, readings: Iterable[tuple[int, str, str | float | None, str]]) -> None:
        """Keep how irregular cells were read: `event_id`, column, value, code."""
        self.insert("readings", ("event_id", "column_name", "value", "code"), readings)

    def add_clock(self, rows: Iterable[ClockRow]) -> None:
        """Keep what to write in local time for some days."""
        self.insert("clock", ClockRow._fields, rows)

    def has_clock(self, day: str) -> bool:
        """Whether local time is known already for a day of UTC, `2025-02-05`."""
        return any(self.rows("SELECT 1 FROM clock WHERE utc_hour = ?", (f"{day}T00",)))

    def append_batch(self, batch: Batch, files: Iterable[File]) -> None:
        """Record a batch whose events were appended; the last thing in its transaction.

        Args:
            batch: its record; see `ledger.recording.batches`.
            files: the records of its files, in order.
        """
        self._insert(batch)
        for file in files:
            self._insert(file)

    def restore(self, records: Iterable[Batch | File | Tag]) -> None:
        """Insert records as they once were, digests and all; what they refer to comes first.

        Raises:
            VerificationFailed: they cannot be those of a ledger.
        """
        for record in records:
            try:
                self._insert(record)
            except (sqlite3.IntegrityError, OverflowError) as error:
                raise VerificationFailed(f"no ledger has such a record: {error}") from error

    def _insert(self, record: Batch | File | Tag) -> None:
        columns = [field.name for field in fields(record)]
        values = [getattr(record, column) for column in columns]
        row = tuple(v.number if isinstance(v, Month) else v for v in values)
        self.insert(_TABLES[type(record)], columns, [row])


def record_of(kind: type[Kept], row: Mapping[str, Any], path: Path) -> Kept:
    """A row of `batches`, `files` or `tags`, held to the types of a record.

    Args:
        kind: of the record.
        row: its values by column, as they are stored.
        path: where they were read.

    Raises:
        LedgerDamaged: one is a value that its column cannot have.
    """
    months = {name: {"number": row[name]} for name in _MONTHS if name in row}
    flags = {name: _BOOLS.get(row[name]) for name in _FLAGS if name in row}
    try:
        return msgspec.convert({**row, **months, **flags}, kind)
    except msgspec.ValidationError as error:
        name, number = next(iter(row.items()))
        raise LedgerDamaged(
            f"{path}: {name} {number} is recorded with what cannot be there "
            f"({error}); restore the ledger from a backup"
        ) from error


def discard_if_empty(path: Path) -> None:
    """Remove a ledger in which nothing was ever recorded, as one just made for a refused file.

    One that another process is using meanwhile stays.
    """
    with suppress(LedgerError), Store.for_writing(path) as store, store.transaction():
        if not store.batches():
            path.unlink()


_TABLES = {Batch: "batches", File: "files", Tag: "tags"}
_MONTHS = ("month", "as_of")
_FLAGS = ("gap", "late", "correction")
_BOOLS = {0: False, 1: True}

_BATCHES = """
SELECT batch, month, recorded_at, reason, gap, late, correction, events, root, head, seal
FROM batches ORDER BY batch
"""

_FILES = """
SELECT file, batch, table_name, month, kind, name, sha256, bytes, rows,
       first_event, last_event, supersedes, digest
FROM files ORDER BY file
"""

_TAGS = "SELECT tag, name, as_of, batch, tagged_at, seal FROM tags ORDER BY tag"
