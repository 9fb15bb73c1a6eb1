"""The memory of a process and of all that it starts, looked up in `/proc` while it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

EVERY = 0.2
"""Seconds between two looks."""

GROWTH = 1.03
"""By how much the resident pages have to exceed those of before to be looked at singly.

For a JVM of 1 GiB that takes some 40 ms, which would be missed by what is measured.
"""

_KIB = 1024
_MIB = 2**20
_PROC = Path("/proc")


class Tree:
    """A process and its descendants.

    Attributes:
        mib: the most that all of them held at a time, of those times at which one looked.
    """

    def __init__(self, root: int) -> None:
        """Begin with none."""
        self._root = root
        self._resident = 0.0
        self.mib = 0.0

    def look(self) -> None:
        """Add up what they hold now. A page that some of them share counts once in all."""
        processes = descendants(self._root)
        resident = sum(_resident(process) for process in processes)
        if resident > self._resident * GROWTH:
            self._resident = resident
            self.mib = max(self.mib, sum(_held(process) for process in processes) / _MIB)


@contextmanager
def watched(root: int) -> Iterator[Tree]:
    """Look at a process and its descendants again and again, in a thread."""
    tree, done = Tree(root), Event()

    def watch() -> None:
        while not done.wait(EVERY):
            tree.look()

    thread = Thread(target=watch, name="memory")
    thread.start()
    try:
        yield tree
    finally:
        done.set()
        thread.join()


def descendants(root: int) -> list[int]:
    """A process and those that it started, and those that these started."""
    children: dict[int, list[int]] = {}
    for process, parent in _processes():
        children.setdefault(parent, []).append(process)
    found = [root]
    for process in found:
        found.extend(children.get(process, ()))
    return found


def _processes() -> Iterator[tuple[int, int]]:
    """Every process with the one that started it."""
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            stat = path.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended just now
        # The name, which may hold anything, is in parentheses.
        yield int(path.parent.name), int(stat.rpartition(")")[2].split()[1])


def _resident(process: int) -> int:
    """The bytes of a process, with all of each page that it shares."""
    try:
        text = (_PROC / str(process) / "statm").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended just now
    return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _held(process: int) -> int:
    """The bytes of a process; of a page that it shares with others, its part."""
    try:
        text = (_PROC / str(process) / "smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended just now
    lines = (line.split() for line in text.splitlines())
    return sum(int(words[1]) * _KIB for words in lines if words[0] == "Pss:")
