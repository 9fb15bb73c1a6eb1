"""Disks that are read-only or small; what needs rights that a user has not is skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _mount(*arguments: object) -> None:
    """Mount something, or skip the test."""
    if sys.platform != "linux" or os.geteuid():
        pytest.skip("only root can mount a disk, and only on Linux as here")
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted: {done.stderr.decode().strip()}")


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Have a folder on a medium that is read-only."""
    if os.name == "posix" and os.geteuid():
        files = [*folder.rglob("*"), folder]
        modes = [path.stat().st_mode for path in files]
        for path, mode in zip(files, modes, strict=True):
            path.chmod(mode & ~0o222)
        try:
            yield
        finally:
            for path, mode in zip(files, modes, strict=True):
                path.chmod(mode)
        return
    _mount("--bind", folder, folder)
    try:
        _mount("-o", "remount,bind,ro", folder)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


class SmallDisk:
    """A disk of some KiB in a folder.

    Attributes:
        folder: where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def resize(self, kib: int) -> None:
        """Have so many KiB on it."""
        _mount("-o", f"remount,size={kib}k", self.folder)

    def fill(self) -> None:
        """Leave no room on it, until `make_room`."""
        with open(self.folder / "filler", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass

    def make_room(self) -> None:
        """Take away what fills it."""
        (self.folder / "filler").unlink()


@contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[SmallDisk]:
    """Have a disk of so many KiB in a folder."""
    folder.mkdir(exist_ok=True)
    _mount("-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", folder], check=True)
