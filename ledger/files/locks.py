"""Locks on files and folders, which the operating system releases when their process ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":

    @contextmanager
    def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
        """Yield False: no lock exists there."""
        yield False

else:
    import fcntl

    @contextmanager
    def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
        """Keep the exclusive lock of a file or folder; yield False where it cannot be locked.

        Args:
            path: of an existing file or folder.
            wait: until no other process has the lock.

        Raises:
            BlockingIOError: another process has the lock, and the caller does not wait.
        """
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError:
            yield False
            return
        try:
            yield _lock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        finally:
            os.close(handle)

    def _lock(handle: int, operation: int) -> bool:
        try:
            fcntl.flock(handle, operation)
        except BlockingIOError:
            raise
        except OSError:
            # The file system has no locks.
            return False
        return True
