"""What SQLite raises, translated to the errors of the ledger: the one border."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.errors import (
    LedgerBusy,
    LedgerDamaged,
    LedgerError,
    StorageFailed,
)
from ledger.store.journal import (
    interrupted,
)

BUSY_SECONDS = 30


@contextmanager
def translated(path: Path) -> Iterator[None]:
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
        raise damaged(path, str(error)) from error


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
        return damaged(path, what)
    raise error


def damaged(path: Path, what: str) -> LedgerDamaged:
    """The error for a file that is damaged, with what SQLite says of it."""
    return LedgerDamaged(f"{path}: the ledger's file is damaged; restore it from a backup ({what})")


# What is said of a damaged file without a code of its own.
_DAMAGED = (
    "Could not decode to UTF-8",
    "attached databases must use the same text encoding",
    "unsupported file format",
)
