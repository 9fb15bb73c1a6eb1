"""The ledger's file: opens it, records batches, and tells what is recorded.

The only writer of events, and the one place where SQLite's errors become the ledger's. A writing
`Store` has the ledger's file as its main database. A reading one opens it read-only, attached to
a main database of its own, temporary and on disk, in which a projection can be built aside: the
same SQL, with unqualified names, then reads whichever is there.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, Self, TypeVar

from ledger.errors import (
    LedgerError,
    NoLedger,
    RecordingFailed,
    RecoveryNeeded,
    StorageFailed,
    VerificationFailed,
    WrongUsage,
)
from ledger.files.atomic import draft_folder, put, remove_abandoned
from ledger.store.journal import (
    JOURNAL,
    LOG,
    check_to_read,
    check_to_write,
    trace,
)
from ledger.store.schema import (
    APPLICATION_ID,
    SCHEMA_OBJECTS,
    USER_VERSION,
    SchemaObject,
    expected_schema,
)
from ledger.store.sql import packaged_text
from ledger.store.sqlite_errors import BUSY_SECONDS, translated

OLDEST_SQLITE = (3, 37, 0)
SQLITE_VERSION = sqlite3.sqlite_version_info
STEPS_OF_A_TICK = 1_000_000
"""Of SQLite's virtual machine: some hundredths of a second."""
EVENTS_PER_MONTH = 10**9
MARKS_AT_ONCE = 4096


Record = tuple[Any, ...]


class Database:
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
        with translated(path):
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
        with translated(path):
            _check_mode(path)
            return _seen(path, lambda: cls._opened(path, database, attached))

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
        connection = sqlite3.connect(database, uri=True, **CONNECT)
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
        with translated(self.path):
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
        with translated(self.path):
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
        with translated(self.path):
            # Not from the cursor itself: a generator that an interruption left behind would close
            # it when its connection is closed already.
            yield from iter(self.connection.execute(sql, parameters).fetchone, None)

    def chunks(
        self, sql: str, parameters: Sequence[Any], size: int
    ) -> Generator[list[Record], None, None]:
        """Run a query and yield its rows, so many at once: far faster than one by one."""
        with translated(self.path):
            cursor = self.connection.execute(sql, parameters)
            # Not the cursor's own method: see `rows`.
            yield from iter(partial(cursor.fetchmany, size), [])

    def longest_row(self, sql: str, most: int) -> Record | None:
        """Run a query of one row; None where it would need a text of more than `most` bytes."""
        connection = self.connection
        with translated(self.path):
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
        with translated(self.path):
            return self.connection.execute(sql, parameters).rowcount

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Record]) -> None:
        """Insert rows, given in the order of `columns`, into a table of the schema."""
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"
        with translated(self.path):
            self.connection.executemany(sql, rows)

    def columns(self, select: str) -> list[str]:
        """The names of the columns that a query gives."""
        with translated(self.path):
            return [
                column[0] for column in self.connection.execute(f"{select} LIMIT 0").description
            ]

    @property
    def version(self) -> int:
        """The version of the file's schema."""
        return int(next(self.rows(f"PRAGMA {self.schema}.user_version"))[0])

    def data_version(self) -> int:
        """A number that is another one after another process has written to the file."""
        return int(next(self.rows(f"PRAGMA {self.schema}.data_version"))[0])

    def schema_objects(self) -> list[SchemaObject]:
        """Every object that the file has."""
        return [SchemaObject(*row) for row in self.rows(SCHEMA_OBJECTS.format(self.schema))]


CONNECT: dict[str, Any] = {
    "isolation_level": None,
    "timeout": BUSY_SECONDS,
    # One thread uses a connection at a time; which one lets go of it last, nobody can say.
    "check_same_thread": False,
}

_TO_WRITE = [
    "PRAGMA synchronous = EXTRA",
    # The journal with which that keeps its promise; somebody may have set another in the file.
    "PRAGMA journal_mode = DELETE",
    # Readers wait from when the first changed page is written to the file, so up to so many KiB
    # of them are kept in memory until the commit. A first extract of millions of rows has more.
    f"PRAGMA cache_spill = -{64 * 1024}",
]


# What a transaction leaves behind: a batch of these contents, a tag, a projection.
_TRACES = """
SELECT 'batch', head FROM batches
UNION ALL SELECT 'tag', name FROM tags
UNION ALL SELECT 'projection', as_of || '@' || batch FROM projection_of
"""


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
            with translated(path), closing(sqlite3.connect(draft, **CONNECT)) as connection:
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
    with closing(sqlite3.connect(f"{_uri(path, 'ro')}&nolock=1", uri=True, **CONNECT)) as probe:
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


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"
