"""A disk of which it is known what is on it for sure, and what may be when the power is cut.

What was written is there for sure once its file was synced; a name (made, moved, removed) once its
folder was. Until then any part of it may be there: of what was written each sector by itself.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.strace import Call, is_within

SECTOR = 512
PAGE = 4096
KEPT = (0.0, 0.1, 0.5, 0.9, 1.0)
"""How likely what is not sure is there: nothing of it, much, all."""


@dataclass(frozen=True)
class Written:
    """Bytes at a place in a file."""

    offset: int
    data: bytes

    def apply(self, content: bytearray) -> None:
        """Write them."""
        content.extend(bytes(max(0, self.offset - len(content))))
        content[self.offset : self.offset + len(self.data)] = self.data

    def torn(self, size: int) -> Iterable[Written]:
        """The same in the sectors, or pages, of the disk."""
        start, end = self.offset, self.offset + len(self.data)
        while start < end:
            stop = min(end, (start // size + 1) * size)
            yield Written(start, self.data[start - self.offset : stop - self.offset])
            start = stop


@dataclass(frozen=True)
class Cut:
    """A file cut, or lengthened, to a size."""

    size: int

    def apply(self, content: bytearray) -> None:
        """Do it."""
        del content[self.size :]
        content.extend(bytes(self.size - len(content)))


@dataclass(eq=False)
class File:
    """What a file holds for sure, and what was done to it since."""

    sure: bytearray = field(default_factory=bytearray)
    since: list[Written | Cut] = field(default_factory=list)

    def sync(self) -> None:
        """Make sure of everything."""
        for change in self.since:
            change.apply(self.sure)
        self.since.clear()

    def after_a_cut(self, draw: random.Random, kept: float) -> bytes:
        """What may be in it when the power was cut."""
        content = bytearray(self.sure)
        size = draw.choice((SECTOR, PAGE))
        for change in self.since:
            parts = change.torn(size) if isinstance(change, Written) else [change]
            for part in parts:
                if draw.random() < kept:
                    part.apply(content)
        return bytes(content)


Names = dict[str, File | None]


class Disk:
    """The files below a folder, as the calls of commands make them."""

    def __init__(self, start: Path, folder: Path) -> None:
        """Begin with all of it for sure.

        Args:
            start: a copy of the folder as it was.
            folder: the folder that the calls speak of.
        """
        self._folder = folder
        self._sure: dict[str, File] = {
            str(folder / path.relative_to(start)): File(bytearray(path.read_bytes()))
            for path in start.rglob("*")
            if path.is_file()
        }
        self._now: dict[str, File] = dict(self._sure)
        self._since: list[Names] = []
        self._open: dict[int, File] = {}
        self._at: dict[int, int] = {}

    def take(self, call: Call) -> None:
        """Do what a call did."""
        if call.result < 0 or not self._concerns(call):
            return
        done = {
            **dict.fromkeys(("open", "openat"), self._take_open),
            **dict.fromkeys(("write", "pwrite64"), self._take_write),
            **dict.fromkeys(("fsync", "fdatasync"), self._take_sync),
            **dict.fromkeys(("unlink", "unlinkat"), self._take_unlink),
            **dict.fromkeys(("rename", "renameat", "renameat2"), self._take_rename),
            **dict.fromkeys(("link", "linkat"), self._take_link),
            "ftruncate": self._take_truncate,
            "lseek": self._take_seek,
            "close": self._take_close,
        }.get(call.name)
        if done:
            done(call)

    def after_a_cut(self, draw: random.Random) -> dict[str, bytes]:
        """What may be on the disk when the power was cut: the files by their paths."""
        kept = draw.choice(KEPT)
        names: Names = dict(self._sure)
        for change in self._since:
            if draw.random() < kept:
                names.update(change)
        return {
            path: file.after_a_cut(draw, kept) for path, file in names.items() if file is not None
        }

    def _concerns(self, call: Call) -> bool:
        return is_within(call, self._folder)

    def _rename(self, names: Names) -> None:
        self._since.append(names)
        for path, file in names.items():
            if file is None:
                self._now.pop(path, None)
            else:
                self._now[path] = file

    def _take_open(self, call: Call) -> None:
        (path,), flags = call.paths, "".join(call.arguments)
        # A folder that is opened, to be synced, is no file.
        if path not in self._now and "O_CREAT" in flags:
            self._rename({path: File()})
        if file := self._now.get(path):
            self._open[call.result], self._at[call.result] = file, 0
            if "O_TRUNC" in flags:
                file.since.append(Cut(0))

    def _take_write(self, call: Call) -> None:
        file, data = self._open[call.descriptor], call.data[: call.result]
        if call.name == "pwrite64":
            file.since.append(Written(int(call.arguments[3]), data))
        else:
            file.since.append(Written(self._at[call.descriptor], data))
            self._at[call.descriptor] += len(data)

    def _take_truncate(self, call: Call) -> None:
        self._open[call.descriptor].since.append(Cut(int(call.arguments[1])))

    def _take_seek(self, call: Call) -> None:
        self._at[call.descriptor] = call.result

    def _take_close(self, call: Call) -> None:
        self._open.pop(call.descriptor, None)

    def _take_sync(self, call: Call) -> None:
        if file := self._open.get(call.descriptor):
            file.sync()
            return
        (folder,) = call.paths
        later: list[Names] = []
        for names in self._since:
            if not any(os.path.dirname(path) == folder for path in names):
                later.append(names)
                continue
            for path, file in names.items():
                if file is None:
                    self._sure.pop(path, None)
                else:
                    self._sure[path] = file
        self._since = later

    def _take_unlink(self, call: Call) -> None:
        self._rename({call.paths[0]: None})

    def _take_rename(self, call: Call) -> None:
        old, new = call.paths
        self._rename({old: None, new: self._now[old]})

    def _take_link(self, call: Call) -> None:
        old, new = call.paths
        self._rename({new: self._now[old]})
