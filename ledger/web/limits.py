"""What a query on a page may take: time, memory, the length of a value, the size of an answer."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Self

from datasette.utils.sqlite import sqlite3

from ledger.errors import WrongUsage

QUERY_SECONDS = 20
"""How long a query may take: less than a process that records waits for a reader."""

STEP_SECONDS = QUERY_SECONDS + 5
"""How long SQLite may work without an end of the query: less than that process waits, too."""

LONGEST_VALUE = 16 * 1024 * 1024
"""How many bytes a value may have; a thousand entries of the ledger's answers have about 1 MiB."""

LARGEST_ANSWER = 128 * 1024 * 1024
"""How many bytes the rows of one query may take."""

MOST_MEMORY = 512 * 1024 * 1024
"""How many bytes SQLite may take for all queries of the process."""


class TooLarge(Exception):
    """The rows of a query take more than an answer may."""


def limit_values(connection: sqlite3.Connection) -> None:
    """Limit the length of each value of a connection, and have what is sorted go to the disk."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    connection.execute("PRAGMA temp_store = FILE")


def limit_answer(connection: sqlite3.Connection) -> None:
    """Limit what the rows that a connection gives from now on may take together."""
    left = LARGEST_ANSWER

    def counted(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> sqlite3.Row:
        nonlocal left
        left -= sum(map(sys.getsizeof, values))
        if left < 0:
            raise TooLarge
        return sqlite3.Row(cursor, values)

    connection.row_factory = counted


def limit_memory() -> None:
    """Limit what SQLite may take in this process, once and for all."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA hard_heap_limit = {MOST_MEMORY}")


class Watch:
    """Ends the process where a query does not end in time.

    SQLite looks at the clock between the steps of a query. One call of `trim` with long texts is
    one step, can take hours, and would keep a process that records waiting.
    """

    def __enter__(self) -> Self:
        """Begin to watch."""
        self._timer = threading.Timer(STEP_SECONDS, end_process)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Watch no longer."""
        self._timer.cancel()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Watch again from the start when what is no step of SQLite's is done."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()


def end_process() -> None:
    """End this process, whatever its threads do: they only read."""
    print(
        f"Error: a query took longer than {STEP_SECONDS} seconds and SQLite cannot end it, so the "
        "server has ended; start it again and ask for less",
        file=sys.stderr,
        flush=True,
    )
    os._exit(WrongUsage.exit_code)
