"""Queries of a user's own, which may read and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isinf
from pathlib import Path
from typing import Any

from ledger.errors import (
    WrongUsage,
)
from ledger.model.dataset import Column
from ledger.model.editions import Edition
from ledger.model.presentation import (
    Part,
    records,
)
from ledger.model.tabular import Tabular
from ledger.store.database import Database, Record
from ledger.store.sqlite_errors import translated


@dataclass(frozen=True, slots=True)
class Query:
    """What a query of the user's own gave.

    Attributes:
        columns: their names, in order; two may have the same.
        rows: the values of each row as SQLite holds them, read as they are asked for, once.
        projection: of what the projection speaks that is stored in the ledger, or None.
    """

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]
    projection: Edition | None

    def to_dict(self) -> list[dict[str, Any]]:
        """The rows as objects."""
        return list(records(self.tabular()))

    def tabular(self) -> Tabular:
        """The rows, with bytes in hexadecimal digits."""
        columns = [Column(name, "A column of the query.") for name in self.columns]
        return Tabular("query", columns, (list(map(_expressed, row)) for row in self.rows))

    def parts(self) -> Iterator[Part]:
        """The same."""
        yield self.tabular()


def _expressed(value: Any) -> Any:
    """What stands for a value that not every format can express."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


LONGEST_VALUE = 64 * 1024 * 1024
"""How many bytes a value may have that a query makes: 64 cells of the longest kind."""


STEPS_UNSEEN = 100_000
"""After how many steps of SQLite's machine a query sees that it was interrupted: some 5 ms."""


Parameters = Mapping[str, object] | Sequence[object]
"""The values for `:name` or for `?`."""


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
    """As `translated`, for SQL of the user's own: most of what fails is wrong with that."""
    with translated(path):
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


@contextmanager
def user_query(
    database: Database, sql: str, parameters: Parameters
) -> Iterator[tuple[tuple[str, ...], Iterator[Record]]]:
    """Run a query of the user's own, which may read and nothing else: its columns and rows.

    An interruption of the process ends it, however long SQLite works on it.

    Raises:
        WrongUsage: it is no query, is more than one, would do more than read, or fails.
    """
    connection = database.connection
    connection.set_authorizer(_only_reading)
    longest = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    # While SQLite works, Python sees no signal but in here.
    connection.set_progress_handler(lambda: 0, STEPS_UNSEEN)
    try:
        with _query_translated(database.path):
            cursor = connection.execute(sql, parameters)
            if not cursor.description:
                raise WrongUsage(
                    'there is no query here; give one, such as: "SELECT * FROM batches"'
                )
        yield tuple(column[0] for column in cursor.description), _rows(database, cursor)
    finally:
        connection.set_progress_handler(None, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
        connection.set_authorizer(None)


def _rows(database: Database, cursor: sqlite3.Cursor) -> Iterator[Record]:
    with _query_translated(database.path):
        # Not the cursor itself: see `Database.rows`.
        yield from iter(cursor.fetchone, None)
