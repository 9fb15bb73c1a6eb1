"""Files that appear whole or not at all.

They are written in a draft folder beside their place, and move there when they are complete and on
disk. A process that is killed leaves its draft folder behind, and the next one that writes to the
same place removes it. A lock on the folder shows that its process is still running; without locks,
what was left behind stays.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedWriter, RawIOBase
from pathlib import Path
from typing import Any

from ledger.errors import StorageFailed
from ledger.files.locks import locked
from ledger.text import counted

PREFIX = ".ledger-draft-"


@contextmanager
def draft_folder(place: Path) -> Iterator[Path]:
    """A new folder within `place`, removed at the end, with those that killed processes left there.

    Raises:
        OSError: it cannot be made.
    """
    with ExitStack() as stack:
        # Another process that removes drafts waits meanwhile: the new folder has no lock yet.
        with locked(place):
            _remove_abandoned(place)
            draft = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=PREFIX, dir=place)))
            stack.enter_context(locked(draft))
        yield draft


def remove_abandoned(place: Path) -> None:
    """Remove the draft folders that killed processes left within `place`."""
    with locked(place):
        _remove_abandoned(place)


def _remove_abandoned(place: Path) -> None:
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(BlockingIOError), locked(folder, wait=False) as is_abandoned:
            if is_abandoned:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def complete_files(folder: Path, last: str | None = None) -> Iterator[Path]:
    """A draft folder, whose files move to `folder` when all of them are complete.

    Args:
        folder: made if it does not exist.
        last: the name of the file that moves after all others, because it describes them.

    Raises:
        StorageFailed: the folder cannot be written, or an `OSError` came from within.
    """
    moved = 0
    try:
        made = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with draft_folder(folder) as draft:
            yield draft
            finished = sorted(draft.iterdir(), key=lambda path: path.name == last)
            for path in finished:
                _check_place(folder / path.name)
            for path in finished:
                path.replace(folder / path.name)
                moved += 1
            # A folder that was just made is itself a name in another one.
            for place in (folder, *(new.parent for new in made)):
                sync(place)
    except OSError as error:
        state = "what was there before is unchanged"
        if moved:
            files = counted(moved, "new file")
            state = f"{files} took the place of what was there before; run the command again"
        raise StorageFailed(f"{folder} cannot be written: {error.strerror}; {state}") from error


def _check_place(path: Path) -> None:
    # Found while renaming, it would leave some files of this export and some of the one before.
    if path.is_dir() and not path.is_symlink():
        raise IsADirectoryError(errno.EISDIR, f"{path.name} is a folder there")


@contextmanager
def folder_or_scratch(folder: Path, scratch: bool) -> Iterator[Path]:
    """The folder, or for a dry run a temporary one, removed at the end."""
    if scratch:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
    else:
        yield folder


def replace_file(path: Path, content: bytes) -> None:
    """Write one file in the place of what was there.

    Raises:
        StorageFailed: it cannot be written; what was there before is whole.
    """
    try:
        with draft_folder(path.parent) as folder:
            draft = folder / path.name
            with synced_file(draft) as file:
                file.write(content)
            draft.replace(path)
    except OSError as error:
        raise StorageFailed(
            f"{path} cannot be written: {error.strerror}; what was there before is unchanged"
        ) from error


def put(draft: Path, path: Path) -> None:
    """Give a finished file its name, and never replace what another process made meanwhile.

    Raises:
        FileExistsError: something of that name exists.
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


class DigestedFile(RawIOBase):
    """A file to write to, with size and digest of what was written.

    Attributes:
        size: the number of bytes written.
        digest: the SHA-256 of these bytes.
    """

    def __init__(self, file: BufferedWriter) -> None:
        super().__init__()
        self.size = 0
        self.digest = hashlib.sha256()
        self._file = file

    def writable(self) -> bool:
        """State that the file can be written to."""
        return True

    def write(self, content: Any) -> int:
        """Write all of the content."""
        self.digest.update(content)
        written = self._file.write(content)
        self.size += written
        return written


@contextmanager
def synced_file(path: Path) -> Iterator[DigestedFile]:
    """A new file to write to, which is on disk at the end."""
    with open(path, "wb") as file:
        yield DigestedFile(file)
        file.flush()
        os.fsync(file.fileno())
