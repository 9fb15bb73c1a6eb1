"""Copies of a ledger, made by SQLite's own backup."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ledger.errors import StorageFailed, WrongUsage
from ledger.files.atomic import draft_folder, put
from ledger.store.database import CONNECT, Database
from ledger.store.sqlite_errors import translated


def back_up(database: Database, path: Path, check: Callable[[Path], None]) -> None:
    """Copy the ledger as it is now into a new file, by SQLite's own backup.

    Args:
        database: of the ledger.
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
            with translated(path), closing(sqlite3.connect(draft, **CONNECT)) as copy:
                copy.execute("PRAGMA synchronous = EXTRA")
                database.connection.backup(copy, name=database.schema)
            check(draft)
            put(draft, path)
    except FileExistsError:
        raise WrongUsage(f"{path} is there already; name another file") from None
    except OSError as error:
        raise StorageFailed(f"{path} cannot be written: {error.strerror}") from error
