"""Folders in which files lie until they are complete and move to their place.

A process that is killed leaves its folder behind, and the next one that writes to the same place
removes it. Whether somebody still uses a folder is told by a lock on it, which goes with its
process. Where there are no such locks, what was left behind stays.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PREFIX = ".ledger-draft-"


@contextmanager
def draft_folder(place: Path) -> Iterator[Path]:
    """A folder within `place`, removed at the end; those that the dead left there are, too.

    Raises:
        OSError: it cannot be made.
    """
    with ExitStack() as stack:
        # While this is held nobody else looks, and takes a folder that is being made for left.
        with _locked(place):
            _remove(place)
            draft = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=PREFIX, dir=place)))
            stack.enter_context(_locked(draft))
        yield draft


def put(draft: Path, path: Path) -> None:
    """Give a finished file its name, and never replace what another process made meanwhile.

    Raises:
        FileExistsError: there is something of that name.
        OSError: it cannot be put there.
    """
    try:
        os.link(draft, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links: claim the name first, then replace the empty file.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        draft.replace(path)


def sync(path: Path) -> None:
    """Wait until a file or folder is on disk."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Keep other processes from doing the same with a file; without locks, nobody is kept.

    Raises:
        BlockingIOError: another process does it.
    """
    with _locked(path, wait=False, must=True):
        yield


def remove_abandoned(place: Path) -> None:
    """Remove the folders that the dead left within `place`."""
    with _locked(place):
        _remove(place)


def _remove(place: Path) -> None:
    for folder in place.glob(f"{PREFIX}*"):
        with ExitStack() as stack:
            if stack.enter_context(_locked(folder, wait=False)):
                shutil.rmtree(folder, ignore_errors=True)


if sys.platform == "win32":

    @contextmanager
    def _locked(path: Path, *, wait: bool = True, must: bool = False) -> Iterator[bool]:
        yield False

else:
    import fcntl

    @contextmanager
    def _locked(path: Path, *, wait: bool = True, must: bool = False) -> Iterator[bool]:
        """Hold the lock of a folder or file; whether that is possible.

        Raises:
            BlockingIOError: somebody else holds it, and one must have it.
        """
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError:
            yield False
            return
        try:
            yield _lock(handle, wait, must)
        finally:
            os.close(handle)

    def _lock(handle: int, wait: bool, must: bool) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            if must:
                raise
            return False
        except OSError:
            # The file system has no locks.
            return False
        return True
