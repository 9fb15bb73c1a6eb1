"""What SQLite keeps beside the ledger's file, examined before SQLite acts on it.

SQLite acts on a file by its name alone (https://sqlite.org/lockingv3.html#rollback): a hot journal
is rolled into the ledger, and where the journal names a super-journal, the file of that name is
deleted (https://sqlite.org/fileformat.html#the_rollback_journal). A named pipe is waited for.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ledger.errors import RecoveryNeeded, StorageFailed

JOURNAL, LOG, INDEX = "-journal", "-wal", "-shm"
"""The ends of the names: rollback journal, write-ahead log, the index of that."""

MAGIC = bytes.fromhex("d9d505f920a163d7")
"""The first bytes of a journal, and the last of one that names a super-journal."""

Trace = tuple[int, int, int]
"""By which a file is recognised: inode, size, time of the last change."""


def beside(path: Path, end: str) -> Path:
    """The file beside a ledger whose name ends so; SQLite resolves links in the ledger's name."""
    return Path(f"{os.path.realpath(path)}{end}")


def trace(path: Path, end: str) -> Trace | None:
    """The trace of a file beside a ledger; None where SQLite finds nothing to act on.

    Raises:
        StorageFailed: it is no regular file.
    """
    file = beside(path, end)
    try:
        found = file.lstat()
    except OSError:
        # What cannot be found is not there for SQLite either.
        return None
    if not stat.S_ISREG(found.st_mode):
        raise StorageFailed(
            f"{file} is a link, a folder, a pipe or a device, and SQLite would act on it before "
            "it reads the ledger; remove it"
        )
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found.st_size else None


def check_to_read(path: Path) -> None:
    """Check what lies beside a ledger before SQLite opens it to read.

    A journal is left to SQLite, which alone knows whether somebody is writing it at present, and
    changes nothing where it may not write.

    Raises:
        StorageFailed: a file beside it is no regular file.
        RecoveryNeeded: a write-ahead log lies there.
    """
    traces = {end: trace(path, end) for end in (JOURNAL, LOG, INDEX)}
    if traces[LOG]:
        raise RecoveryNeeded(_left(path, LOG))


def check_to_write(path: Path) -> None:
    """Check what lies beside a ledger before SQLite opens it to write, and recovers it.

    Raises:
        StorageFailed: a file beside it is no regular file, or a journal names a super-journal.
    """
    for end in (LOG, INDEX):
        trace(path, end)
    if trace(path, JOURNAL) and _names_another(beside(path, JOURNAL)):
        raise StorageFailed(_foreign(path))


def interrupted(path: Path) -> StorageFailed:
    """The error for a hot journal beside a ledger that is opened to read."""
    try:
        if _names_another(beside(path, JOURNAL)):
            return StorageFailed(_foreign(path))
    except StorageFailed:
        # That it cannot be read changes nothing for a reader.
        pass
    return RecoveryNeeded(_left(path, JOURNAL))


def _names_another(journal: Path) -> bool:
    """Whether a journal ends as one that names a super-journal; the name need not be right."""
    try:
        with journal.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - len(MAGIC)))
            # The name's length and its checksum, of four bytes each, stand before.
            return size >= len(MAGIC) + 8 and file.read() == MAGIC
    except FileNotFoundError:
        # Its writer is done with it.
        return False
    except OSError as error:
        raise StorageFailed(f"{journal} cannot be read: {error.strerror}") from error


def _left(path: Path, end: str) -> str:
    return (
        f"{beside(path, end)} was left by a writer that was interrupted, or put there, and no "
        f"command that reads acts on it. To recover the ledger: ledger doctor --recover --db "
        f"{path}; the next command that records does so too. Where the ledger is read-only, "
        "copy it and the file beside it to where you may write"
    )


def _foreign(path: Path) -> str:
    return (
        f"{beside(path, JOURNAL)} names a super-journal, a file that SQLite would delete; the "
        "ledger never writes such a journal. Move it away, and then: ledger verify --db "
        f"{path}"
    )
