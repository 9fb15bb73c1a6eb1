"""The ledger's file: opens it, records batches, and tells what is recorded.

The only writer of events, and the one place where SQLite's errors become the ledger's. A writing
`Store` has the ledger's file as its main database. A reading one opens it read-only, attached to
a main database of its own, temporary and on disk, in which a projection can be built aside: the
same SQL, with unqualified names, then reads whichever is there.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from ledger.errors import (
    LedgerBusy,
    LedgerDamaged,
    LedgerError,
    NoLedger,
    RecordingFailed,
    RecoveryNeeded,
    StorageFailed,
    VerificationFailed,
    WrongUsage,
)
from ledger.files.atomic import draft_folder, put, remove_abandoned
from ledger.model.dataset import Table
from ledger.model.digest import (
    GENESIS,
    BatchContents,
    FileContents,
    batch_digest,
    file_digest,
    next_head,
    next_seal,
    next_tag_seal,
)
from ledger.model.local_time import ClockRow, utc_now, utc_text
from ledger.model.periods import Month
from ledger.model.records import Batch, File, Tag
from ledger.store.journal import (
    JOURNAL,
    LOG,
    Trace,
    beside,
    check_to_read,
    check_to_write,
    interrupted,
    trace,
)
from ledger.store.sql import packaged_text

APPLICATION_ID = 0x4C444752
USER_VERSION = 4

OLDEST_SQLITE = (3, 37, 0)
SQLITE_VERSION = sqlite3.sqlite_version_info
BUSY_SECONDS = 30
STEPS_OF_A_TICK = 1_000_000
"""Of SQLite's virtual machine: some hundredths of a second."""
EVENTS_PER_MONTH = 10**9
MARKS_AT_ONCE = 4096

LONGEST_VALUE = 64 * 1024 * 1024
"""How many bytes a value may have that a query makes: 64 cells of the longest kind."""

STEPS_UNSEEN = 100_000
"""After how many steps of SQLite's machine a query sees that it was interrupted: some 5 ms."""

Record = tuple[Any, ...]

Parameters = Mapping[str, object] | Sequence[object]
"""The values for `:name` or for `?`."""


@dataclass(frozen=True, slots=True)
class SchemaObject:
    """A table, index, trigger or view: the row of `sqlite_schema`.

    Attributes:
        type: `table`, `index`, `trigger` or `view`.
        name: of it.
        tbl_name: of the table or view that it belongs to.
        sql: its text; None for what SQLite makes by itself.
    """

    type: str
    name: str
    tbl_name: str
    sql: str | None


Kept = TypeVar("Kept", Batch, File, Tag)


class Store:
    """An open ledger file.

    Attributes:
        connection: to SQLite; outside of this module it is not used.
        path: the ledger's file.
        schema: as which database the file is open: `main` or `ledger`.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, schema: str) -> None:
        """Hold an open connection; use `for_writing` or `for_reading`."""
        self.connection = connection
        self.path = path
        self.schema = schema

    @classmethod
    def for_writing(cls, path: Path, *, create: bool = False) -> Self:
        """Open a ledger to write.

        Args:
            path: its file.
            create: make it where there is none.

        Raises:
            NoLedger: there is none, and it was not to be made.
            StorageFailed: it cannot be made or opened, is no ledger of this version, or a file
                beside it is one on which SQLite must not act.
            VerificationFailed: its triggers are not those that keep what is recorded.
        """
        if create:
            # A journal that is there before its ledger is that of another one.
            foreign = trace(path, JOURNAL) or trace(path, LOG)
            if not os.path.exists(path):
                if foreign:
                    raise StorageFailed(
                        f"a journal of another ledger lies where {path} is to be made: "
                        f"{path.name}{JOURNAL} or {path.name}{LOG}; move it away"
                    )
                _create(path)
            # Whoever made it may have been killed before all was tidy.
            remove_abandoned(path.parent)
        _check_existence(path)
        check_to_write(path)
        with _translated(path):
            store = cls._opened(path, _uri(path, "rw"), pragmas=_TO_WRITE)
            try:
                store._check_triggers()
            except BaseException:
                store.close()
                raise
        return store

    @classmethod
    def for_reading(cls, path: Path) -> Self:
        """Open a ledger to read.

        Raises:
            NoLedger: there is no file at `path`.
            StorageFailed: it cannot be opened, or is no ledger of this version.
            RecoveryNeeded: a writer was interrupted.
        """
        return cls._opened_to_read(path, "", _uri(path, "ro"))

    @classmethod
    def for_query(cls, path: Path) -> Self:
        """Open a ledger to read as the only database, as whoever queries it expects to find it.

        Raises:
            NoLedger: there is no file at `path`.
            StorageFailed: it cannot be opened, or is no ledger of this version.
            RecoveryNeeded: a writer was interrupted.
        """
        return cls._opened_to_read(path, _uri(path, "ro"), None)

    @classmethod
    def _opened_to_read(cls, path: Path, database: str, attached: str | None) -> Self:
        _check_existence(path)
        check_to_read(path)
        with _translated(path):
            _check_mode(path)
            return _seen(path, lambda: cls._opened(path, database, attached))

    @classmethod
    def recover(cls, path: Path, check: Callable[[Path], None]) -> list[Path]:
        """Undo or finish what an interrupted writer left beside a ledger, on a copy first.

        The caller must have no other connection to the ledger.

        Args:
            path: of the ledger.
            check: is called with the recovered copy before the ledger is touched, and raises what
                keeps it from being recovered.

        Returns:
            the files that were recovered; none where nothing was left.

        Raises:
            NoLedger: there is no file at `path`.
            StorageFailed: it cannot be read or written, is no ledger of this version, or a file
                beside it is one on which SQLite must not act.
            LedgerBusy: another process writes.
        """
        try:
            cls.for_reading(path).close()
        except RecoveryNeeded:
            check_to_write(path)
        else:
            return []
        before = _traces(path)
        try:
            with draft_folder(path.parent) as folder:
                copy = folder / path.name
                for end in ("", JOURNAL, LOG):
                    with suppress(FileNotFoundError):
                        shutil.copyfile(beside(path, end), f"{copy}{end}")
                with _translated(copy):
                    cls._opened(copy, _uri(copy, "rw"), pragmas=_TO_WRITE).close()
                check(copy)
        except OSError as error:
            raise StorageFailed(f"{path} cannot be recovered: {error.strerror}") from error
        if _traces(path) != before:
            raise LedgerBusy(f"another process changed {path} meanwhile; try again")
        check_to_write(path)
        with _translated(path):
            cls._opened(path, _uri(path, "rw"), pragmas=_TO_WRITE).close()
        left = zip((JOURNAL, LOG), before[1:], strict=True)
        return [beside(path, end) for end, found in left if found] or [path]

    @classmethod
    def _opened(
        cls,
        path: Path,
        database: str,
        attached: str | None = None,
        *,
        pragmas: Sequence[str] = (),
    ) -> Self:
        """Connect to the ledger's database, or to another one with the ledger attached to it."""
        connection = sqlite3.connect(database, uri=True, **_CONNECT)
        try:
            if attached:
                connection.execute("ATTACH ? AS ledger", (attached,))
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            schema = "ledger" if attached else "main"
            _check_header(connection, path, schema)
            for pragma in pragmas:
                connection.execute(pragma)
        except BaseException:
            connection.close()
            raise
        return cls(connection, path, schema)

    def _check_triggers(self) -> None:
        found, expected = (
            {made for made in objects if made.type == "trigger"}
            for objects in (self.schema_objects(), expected_schema())
        )
        for made in sorted(found ^ expected, key=attrgetter("name")):
            raise VerificationFailed(
                f"{self.path}: the trigger {made.name} was dropped, altered or planted; nothing is "
                f"recorded in such a ledger. See: ledger verify --db {self.path}"
            )

    def close(self) -> None:
        """Close the connection; what was not committed is rolled back."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the write lock: all that is done within is committed at the end, or nothing.

        Within a rehearsal it is part of that.

        Raises:
            LedgerBusy: another process held a lock for 30 seconds.
            NoLedger: the file was removed since it was opened.
            RecordingFailed: the storage failed; the store is then closed.
        """
        if self.connection.in_transaction:
            yield
        else:
            with self._locked("COMMIT"):
                yield

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """As `transaction`, but undo at the end all that was done within."""
        with self._locked("ROLLBACK"):
            yield

    @contextmanager
    def _locked(self, end: str) -> Iterator[None]:
        self.execute("BEGIN IMMEDIATE")
        traces: set[Record] | None = None
        try:
            with self._rolled_back():
                # What is written to a file that was removed would be lost without a word.
                _check_existence(self.path)
                yield
                traces = set(self.rows(_TRACES))
                self.execute(end)
        except StorageFailed as error:
            # A commit that failed may have taken place: that stands in the file alone.
            recorded = False if traces is None else self._holds(traces)
            raise RecordingFailed(str(error), recorded) from error

    @contextmanager
    def _rolled_back(self) -> Iterator[None]:
        with _translated(self.path):
            try:
                yield
            finally:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")

    def _holds(self, traces: set[Record]) -> bool | None:
        """Whether the file, opened anew, has what was to be recorded; None if one cannot tell."""
        self.close()
        try:
            # To write, for what failed may have left a journal to be recovered.
            with self.for_writing(self.path) as store:
                return traces <= set(store.rows(_TRACES))
        except LedgerError:
            return None

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See one state of the ledger throughout, whatever is recorded meanwhile."""
        with _translated(self.path):
            connection = self.connection
            connection.execute("BEGIN")
            try:
                _seen(self.path, lambda: connection.execute(f"PRAGMA {self.schema}.schema_version"))
                yield
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    @contextmanager
    def ticking(self, tick: Callable[[], object] | None) -> Iterator[None]:
        """Have something called every now and then while statements run, if there is something.

        An interruption then ends a statement at once, and not when it is done.
        """

        def ticked() -> None:
            # What a handler gives that is true would end the statement.
            if tick:
                tick()

        if tick:
            self.connection.set_progress_handler(ticked, STEPS_OF_A_TICK)
        try:
            yield
        finally:
            self.connection.set_progress_handler(None, 0)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> Generator[Record, None, None]:
        """Run a query and yield its rows, as SQLite gives them."""
        with _translated(self.path):
            # Not from the cursor itself: a generator that an interruption left behind would close
            # it when its connection is closed already.
            yield from iter(self.connection.execute(sql, parameters).fetchone, None)

    def chunks(
        self, sql: str, parameters: Sequence[Any], size: int
    ) -> Generator[list[Record], None, None]:
        """Run a query and yield its rows, so many at once: far faster than one by one."""
        with _translated(self.path):
            cursor = self.connection.execute(sql, parameters)
            # Not the cursor's own method: see `rows`.
            yield from iter(partial(cursor.fetchmany, size), [])

    @contextmanager
    def query(
        self, sql: str, parameters: Parameters
    ) -> Iterator[tuple[tuple[str, ...], Iterator[Record]]]:
        """Run a query of the user's own, which may read and nothing else: its columns and rows.

        An interruption of the process ends it, however long SQLite works on it.

        Raises:
            WrongUsage: it is no query, is more than one, would do more than read, or fails.
        """
        connection = self.connection
        connection.set_authorizer(_only_reading)
        longest = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        # While SQLite works, Python sees no signal but in here.
        connection.set_progress_handler(lambda: 0, STEPS_UNSEEN)
        try:
            with _query_translated(self.path):
                cursor = connection.execute(sql, parameters)
                if not cursor.description:
                    raise WrongUsage(
                        'there is no query here; give one, such as: "SELECT * FROM batches"'
                    )
            yield tuple(column[0] for column in cursor.description), self._found(cursor)
        finally:
            connection.set_progress_handler(None, 0)
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
            connection.set_authorizer(None)

    def _found(self, cursor: sqlite3.Cursor) -> Iterator[Record]:
        with _query_translated(self.path):
            # Not the cursor itself: see `rows`.
            yield from iter(cursor.fetchone, None)

    def longest_row(self, sql: str, most: int) -> Record | None:
        """Run a query of one row; None where it would need a text of more than `most` bytes."""
        connection = self.connection
        with _translated(self.path):
            before = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, most)
            try:
                row: Record = connection.execute(sql).fetchone()
            except sqlite3.DataError:
                return None
            finally:
                connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)
        return row

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one statement and give the number of rows that it changed."""
        with _translated(self.path):
            return self.connection.execute(sql, parameters).rowcount

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Record]) -> None:
        """Insert rows, given in the order of `columns`, into a table of the schema."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        with _translated(self.path):
            self.connection.executemany(sql, rows)

    def columns(self, select: str) -> list[str]:
        """The names of the columns that a query gives."""
        with _translated(self.path):
            return [
                column[0] for column in self.connection.execute(f"{select} LIMIT 0").description
            ]

    def batches(self) -> list[Batch]:
        """All recorded batches, in order."""
        return [*self._records(Batch, _BATCHES)]

    def files(self) -> list[File]:
        """All recorded files, in order."""
        return [*self._records(File, _FILES)]

    def tags(self) -> list[Tag]:
        """All names of editions, in the order in which they were given."""
        return [*self._records(Tag, _TAGS)]

    @property
    def version(self) -> int:
        """The version of the file's schema."""
        return int(next(self.rows(f"PRAGMA {self.schema}.user_version"))[0])

    def schema_objects(self) -> list[SchemaObject]:
        """Every object that the file has."""
        return [SchemaObject(*row) for row in self.rows(_SCHEMA_OBJECTS.format(self.schema))]

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
        with _translated(self.path):
            cursor = self.connection.execute(sql)
            names = [column[0] for column in cursor.description]
            for values in cursor:
                yield record_of(kind, dict(zip(names, values, strict=True)), self.path)

    def next_event(self, month: Month) -> int:
        """The `event_id` of the next row recorded for a month."""
        sql = "SELECT max(last_event) FROM files WHERE month = ?"
        last = next(self.rows(sql, (month.number,)))[0]
        return int(last if last is not None else month.number * EVENTS_PER_MONTH) + 1

    def next_file(self) -> int:
        """The number of the next file."""
        return int(next(self.rows("SELECT coalesce(max(file), 0) + 1 FROM files"))[0])

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

    def append_batch(
        self,
        contents: BatchContents,
        files: Sequence[FileContents],
        names: Sequence[str],
        events: int,
        root: str,
    ) -> Batch:
        """Record a batch whose events were appended; the last thing in its transaction.

        Args:
            contents: what the head binds of the batch.
            files: the same of its files, in order.
            names: the files' names, in the same order.
            events: how many events its files gave.
            root: the root of the Merkle tree over them, 64 hexadecimal digits.
        """
        before = self.batches()
        head, seal, at = GENESIS, GENESIS, utc_now()
        if before:
            head, seal = before[-1].head, before[-1].seal
            last = datetime.fromisoformat(before[-1].recorded_at).astimezone(UTC)
            # A clock that was put back must not break the order.
            at = max(at, last + timedelta(microseconds=1))
        head = next_head(head, batch_digest(contents, files, events, root))
        seal = next_seal(seal, head, utc_text(at), names)
        batch = (
            *(contents.batch, contents.month, utc_text(at), contents.reason),
            *(contents.gap, contents.late, contents.correction, events, root, head, seal),
        )
        self.insert("batches", [field.name for field in fields(Batch)], [batch])
        rows = [
            (file.file, contents.batch, file.table, file.month, file.kind, name, file.sha256,
             file.bytes, file.rows, file.first_event, file.last_event, file.supersedes,
             file_digest(file, name))
            for file, name in zip(files, names, strict=True)
        ]  # fmt: skip
        self.insert("files", [field.name for field in fields(File)], rows)
        return self.batches()[-1]

    def back_up(self, path: Path, check: Callable[[Path], None]) -> None:
        """Copy the ledger as it is now into a new file, by SQLite's own backup.

        Args:
            path: of the copy.
            check: is called with the finished copy before it gets its name, and raises what keeps
                it from getting that.

        Raises:
            WrongUsage: there is such a file already.
            StorageFailed: it cannot be written.
        """
        try:
            if os.path.lexists(path):
                raise FileExistsError
            with draft_folder(path.parent) as folder:
                draft = folder / path.name
                with _translated(path), closing(sqlite3.connect(draft, **_CONNECT)) as copy:
                    copy.execute("PRAGMA synchronous = EXTRA")
                    self.connection.backup(copy, name=self.schema)
                check(draft)
                put(draft, path)
        except FileExistsError:
            raise WrongUsage(f"{path} is there already; name another file") from None
        except OSError as error:
            raise StorageFailed(f"{path} cannot be written: {error.strerror}") from error

    def restore(self, records: Iterable[Batch | File | Tag]) -> None:
        """Insert records as they once were, digests and all; what they refer to comes first.

        Raises:
            VerificationFailed: they cannot be those of a ledger.
        """
        tables = {Batch: "batches", File: "files", Tag: "tags"}
        for record in records:
            columns = [field.name for field in fields(record)]
            values = [getattr(record, column) for column in columns]
            row = tuple(v.number if isinstance(v, Month) else v for v in values)
            try:
                self.insert(tables[type(record)], columns, [row])
            except (sqlite3.IntegrityError, OverflowError) as error:
                raise VerificationFailed(f"no ledger has such a record: {error}") from error


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


_MONTHS = ("month", "as_of")
_FLAGS = ("gap", "late", "correction")
_BOOLS = {0: False, 1: True}

_CONNECT: dict[str, Any] = {"isolation_level": None, "timeout": BUSY_SECONDS}

_TO_WRITE = [
    "PRAGMA synchronous = EXTRA",
    # The journal with which that keeps its promise; somebody may have set another in the file.
    "PRAGMA journal_mode = DELETE",
    # Readers wait from when the first changed page is written to the file, so up to so many KiB
    # of them are kept in memory until the commit. A first extract of millions of rows has more.
    f"PRAGMA cache_spill = -{64 * 1024}",
]

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

# What a transaction leaves behind: a batch of these contents, a tag, a projection.
_TRACES = """
SELECT 'batch', head FROM batches
UNION ALL SELECT 'tag', name FROM tags
UNION ALL SELECT 'projection', as_of || '@' || batch FROM projection_of
"""


@cache
def expected_schema() -> tuple[SchemaObject, ...]:
    """Every object that a ledger's file has, in the order in which they are made."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(packaged_text("store/schema.sql"))
        return tuple(
            SchemaObject(*row) for row in connection.execute(_SCHEMA_OBJECTS.format("main"))
        )


_SCHEMA_OBJECTS = "SELECT type, name, tbl_name, sql FROM {}.sqlite_schema ORDER BY rowid"


def storable(text: str) -> str:
    """Refuse what no event and no record can hold, such as an argument that is no UTF-8.

    Raises:
        WrongUsage: the text is such.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise WrongUsage(f"{text!r} is not text in UTF-8") from None
    return text


def discard_if_empty(path: Path) -> None:
    """Remove a ledger in which nothing was ever recorded, as one just made for a refused file.

    One that another process is using meanwhile stays.
    """
    with suppress(LedgerError), Store.for_writing(path) as store, store.transaction():
        if not store.batches():
            path.unlink()


def _check_existence(path: Path) -> None:
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise NoLedger(
            f"there is no ledger {path}; make one with: ledger ingest --db {path}"
        ) from None
    except OSError as error:
        raise StorageFailed(f"the ledger {path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode):
        raise StorageFailed(f"{path} is a folder or a device, not a ledger; name another")
    # SQLite deletes what lies beside an empty file.
    if found.st_size == 0:
        raise StorageFailed(f"{path} is an empty file, not a ledger; remove it or name another")


def _create(path: Path) -> None:
    """Make an empty ledger, so that the file is there whole or not at all."""
    # It imports much, pandas too where that is installed: of no use where there is a ledger.
    from sqlite_utils import Database

    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise StorageFailed(
            f"SQLite {needed} or later is needed, this Python has {sqlite3.sqlite_version}; "
            "use a newer Python"
        )
    try:
        with draft_folder(path.parent) as folder:
            draft = folder / "ledger.db"
            with _translated(path), closing(sqlite3.connect(draft, **_CONNECT)) as connection:
                # In one transaction, so that the disk is waited for once.
                Database(connection).executescript(
                    f"BEGIN; {packaged_text('store/schema.sql')} COMMIT;"
                )
            put(draft, path)
    except FileExistsError:
        if not os.path.exists(path):
            raise StorageFailed(f"{path} is a link that leads nowhere; name another") from None
    except OSError as error:
        raise StorageFailed(
            f"the ledger {path} cannot be made: {error.strerror}; name another with --db"
        ) from error


def _check_header(connection: sqlite3.Connection, path: Path, schema: str) -> None:
    (application,) = connection.execute(f"PRAGMA {schema}.application_id").fetchone()
    (version,) = connection.execute(f"PRAGMA {schema}.user_version").fetchone()
    if application != APPLICATION_ID:
        raise StorageFailed(f"{path} is an SQLite database, but not a ledger; name another")
    if version < USER_VERSION:
        raise StorageFailed(
            f"{path} was made by a version of ledger before the first release; "
            "move it away and ingest the files again"
        )
    if version > USER_VERSION:
        raise StorageFailed(f"{path} was made by a newer version of ledger; install that version")


def _check_mode(path: Path) -> None:
    """Refuse to read a ledger that is set to the write-ahead log: to read it makes files.

    Raises:
        RecoveryNeeded: it is.
    """
    # The header is not read by Python: to close the file would release this process's locks on it.
    with closing(sqlite3.connect(f"{_uri(path, 'ro')}&nolock=1", uri=True, **_CONNECT)) as probe:
        try:
            probe.execute("PRAGMA schema_version")
        except sqlite3.Error as error:
            # Without locks SQLite opens no log: it fails, and makes no file.
            if error.sqlite_errorcode == sqlite3.SQLITE_CANTOPEN:
                raise RecoveryNeeded(
                    f"{path}: its journal mode is wal, in which SQLite writes where it reads; to "
                    f"put it back: ledger doctor --recover --db {path}; the next command that "
                    "records does so too"
                ) from None


Opened = TypeVar("Opened")


def _seen(path: Path, read: Callable[[], Opened]) -> Opened:
    """Read for the first time in a transaction, again where a journal was taken for a hot one.

    SQLite takes one for hot that its writer deletes while SQLite looks for it.
    """
    while True:
        before = trace(path, JOURNAL)
        try:
            return read()
        except sqlite3.OperationalError as error:
            hot = error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK
            if not hot or before == trace(path, JOURNAL):
                raise


def _traces(path: Path) -> list[Trace | None]:
    return [trace(path, end) for end in ("", JOURNAL, LOG)]


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into what the ledger raises."""
    try:
        yield
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_INTERRUPT:
            # SQLite asks nobody but whoever is told how far it is; see `Store.ticking`.
            raise KeyboardInterrupt from None
        raise _translation(error, path) from error
    except UnicodeDecodeError as error:
        # What SQLite says of a broken schema quotes it.
        raise _damaged(path, str(error)) from error


def _only_reading(
    action: int, name: str | None, detail: str | None, database: str | None, origin: str | None
) -> int:
    """Allow what a query needs to read, and nothing that changes or reaches anything else."""
    allowed = name in _DESCRIBING if action == sqlite3.SQLITE_PRAGMA else action in _READING
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


# Of functions there are SQLite's own alone; extensions cannot be loaded unless that is switched on.
_READING = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE,
            sqlite3.SQLITE_FUNCTION)  # fmt: skip

# All that say how tables are made, and can set nothing.
_DESCRIBING = ("table_info", "table_xinfo", "table_list", "index_list", "index_info",
               "index_xinfo", "foreign_key_list")  # fmt: skip


@contextmanager
def _query_translated(path: Path) -> Iterator[None]:
    """As `_translated`, for SQL of the user's own: most of what fails is wrong with that."""
    with _translated(path):
        try:
            yield
        except (OverflowError, UnicodeEncodeError) as error:
            raise WrongUsage(
                f"the query cannot be read, or a value bound to it: {error}"
            ) from error
        except sqlite3.Error as error:
            code: int | None = getattr(error, "sqlite_errorcode", None)
            if code not in _FAULTS_OF_QUERIES:
                raise
            raise WrongUsage(_query_fault(str(error), code)) from error


# What Python says by itself has no code.
_FAULTS_OF_QUERIES = (None, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_TOOBIG,
                      sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE)  # fmt: skip


def _query_fault(what: str, code: int | None) -> str:
    if code == sqlite3.SQLITE_AUTH or what.startswith(_FORBIDDEN):
        return (
            "a query reads the ledger and does nothing else; what would change, attach or set "
            f"something is refused ({what})"
        )
    if what.startswith("Could not decode to UTF-8"):
        return "a text of the result is not UTF-8; to see its bytes, select hex(…) of it"
    if what.startswith("no such"):
        return (
            f"{what}; to see all tables and columns: "
            'ledger query "SELECT name, sql FROM sqlite_schema"'
        )
    language = "; what SQLite understands: https://sqlite.org/lang_select.html"
    return f"{what.rstrip('.')}{language if code == sqlite3.SQLITE_ERROR else ''}"


_FORBIDDEN = ("not authorized", "cannot VACUUM")


def _translation(error: sqlite3.Error, path: Path) -> LedgerError:
    extended = getattr(error, "sqlite_errorcode", 0)
    if extended == sqlite3.SQLITE_READONLY_ROLLBACK:
        return interrupted(path)
    # The extended code's low byte is the primary code (https://sqlite.org/rescode.html).
    code = extended & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LedgerBusy(
            f"another process holds a lock on {path} and did not release it within "
            f"{BUSY_SECONDS} seconds; try again when it is done"
        )
    messages = {
        sqlite3.SQLITE_FULL: "the disk is full",
        sqlite3.SQLITE_IOERR: "reading or writing the disk failed",
        sqlite3.SQLITE_READONLY: "the ledger is read-only; nothing was recorded",
        sqlite3.SQLITE_CANTOPEN: "the ledger cannot be opened",
        sqlite3.SQLITE_PERM: "access to the ledger is denied",
        sqlite3.SQLITE_NOTADB: "this is no SQLite database, so no ledger; name another",
    }
    if code in messages:
        return StorageFailed(f"{path}: {messages[code]} ({error})")
    # Without the text that could not be decoded.
    what = str(error).partition(" with text")[0]
    if what.startswith(("no such table", "no such view", "no such column")):
        return StorageFailed(
            f"{path}: a part of the ledger is missing ({what}); restore it from a backup"
        )
    if code == sqlite3.SQLITE_CORRUPT or what.startswith(_DAMAGED):
        return _damaged(path, what)
    raise error


def _damaged(path: Path, what: str) -> LedgerDamaged:
    return LedgerDamaged(f"{path}: the ledger's file is damaged; restore it from a backup ({what})")


# What is said of a damaged file without a code of its own.
_DAMAGED = (
    "Could not decode to UTF-8",
    "attached databases must use the same text encoding",
    "unsupported file format",
)
