"""The ledger's file as a database of Datasette: read-only, with the ledger's functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from datasette.app import Datasette
from datasette.database import Database, QueryInterrupted
from datasette.utils.sqlite import sqlite3
from datasette.views.base import DatasetteError

from ledger.errors import LedgerError
from ledger.store.event_store import Store
from ledger.web.functions import Functions
from ledger.web.limits import (
    LARGEST_ANSWER,
    LONGEST_VALUE,
    QUERY_SECONDS,
    TooLarge,
    limit_answer,
    limit_values,
)

T = TypeVar("T")


class LedgerFile(Database):  # type: ignore[misc]
    """A ledger's file.

    It may change while it is served, so it is not opened as immutable: every page shows what is
    recorded by then. A batch is committed when no query is running; so none may last as long as
    whoever records would wait.
    """

    def __init__(self, datasette: Datasette, path: Path) -> None:
        """Name the file; each thread of Datasette opens it for itself."""
        super().__init__(datasette, str(path), is_mutable=True)
        self._functions = Functions(path)

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Open the file to read, whatever characters its name has."""
        self._check()
        uri = f"{Path(self.path).absolute().as_uri()}?mode=ro"
        # To wait for a commit counts as well.
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False, timeout=QUERY_SECONDS)
        self._all_file_connections.append(connection)
        connection.execute("PRAGMA query_only = ON")
        # A view in a file from elsewhere must not call the functions, or others with side effects.
        connection.execute("PRAGMA trusted_schema = OFF")
        limit_values(connection)
        self._functions.register(connection, QUERY_SECONDS)
        return connection

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        """Run a query; a mistake in it is told on the page alone.

        Raises:
            TookTooLong: it did.
        """
        try:
            return await super().execute(*arguments, **{**options, "log_sql_errors": False})
        except QueryInterrupted as error:
            raise TookTooLong(error) from error

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function with a connection, in a thread.

        Raises:
            Refused: a function of the ledger found what was asked for wrong, it is too much, or the
                ledger cannot be read as it now lies there.
        """

        def told(connection: sqlite3.Connection) -> T:
            self._check()
            limit_answer(connection)
            with refusing(), self._functions.raising():
                return fn(connection)

        result: T = await super().execute_fn(told)
        return result

    def _check(self) -> None:
        """Check what lies beside the file before SQLite acts on it."""
        with refusing():
            Store.for_reading(Path(self.path)).close()


class Refused(DatasetteError):  # type: ignore[misc]
    """What was asked for cannot be shown, and why; a page of its own says so."""


class TookTooLong(QueryInterrupted, Refused):  # type: ignore[misc]
    """A query was ended. Datasette knows of that for a page, and this tells it for a CSV too."""

    def __init__(self, ended: QueryInterrupted) -> None:
        QueryInterrupted.__init__(self, ended.e, ended.sql, ended.params)
        text = f"the query took longer than {QUERY_SECONDS} seconds and was ended; ask for less"
        DatasetteError.__init__(self, text, status=400)


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what the ledger and the limits raise into what Datasette shows, without a traceback."""
    try:
        yield
    except LedgerError as error:
        raise Refused(str(error), status=400) from error
    except sqlite3.DataError as error:
        text = f"{error}: a value has at most {LONGEST_VALUE:,} bytes here; ask for less"
        raise Refused(text, status=400) from error
    except TooLarge as error:
        text = f"the rows have more than {LARGEST_ANSWER:,} bytes together; ask for less"
        raise Refused(text, status=400) from error
    except MemoryError as error:
        raise Refused("the query needs too much memory; ask for less", status=400) from error
