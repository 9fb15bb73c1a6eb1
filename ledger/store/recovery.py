"""Recovers a ledger beside which an interrupted writer left a journal, on a copy first."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ledger.errors import LedgerBusy, RecoveryNeeded, StorageFailed
from ledger.files.atomic import draft_folder
from ledger.store.database import Database
from ledger.store.journal import JOURNAL, LOG, Trace, beside, check_to_write, trace


def recover_ledger(path: Path, check: Callable[[Path], None]) -> list[Path]:
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
        Database.for_reading(path).close()
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
            Database.for_writing(copy).close()
            check(copy)
    except OSError as error:
        raise StorageFailed(f"{path} cannot be recovered: {error.strerror}") from error
    if _traces(path) != before:
        raise LedgerBusy(f"another process changed {path} meanwhile; try again")
    Database.for_writing(path).close()
    left = zip((JOURNAL, LOG), before[1:], strict=True)
    return [beside(path, end) for end, found in left if found] or [path]


def _traces(path: Path) -> list[Trace | None]:
    return [trace(path, end) for end in ("", JOURNAL, LOG)]
