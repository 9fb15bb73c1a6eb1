"""What a command does to its files, as `strace` sees it, and how `strace` makes that fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.commands import PYTHON

ON_DESCRIPTORS = ("write", "pwrite64", "ftruncate", "fsync", "fdatasync", "lseek", "close")
ON_NAMES = (
    *("open", "openat", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat"),
    *("rename", "renameat", "renameat2", "link", "linkat"),
)
ALL_BYTES = 1 << 24
FEW_BYTES = 16

_LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)(.*)")
_UNFINISHED = re.compile(r"((\d+) .*) <unfinished \.\.\.>")
_RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)")


def why_not() -> str | None:
    """Why `strace` cannot be used here; None where it can."""
    if sys.platform != "linux":
        return "strace runs on Linux"
    if shutil.which("strace") is None:
        return "strace is not installed"
    fault = ("-e", "inject=fsync:error=EIO:when=1")
    tried = subprocess.run(
        [*tracing(Path(os.devnull), 1), *fault, PYTHON, "-c", "pass"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return None if tried.returncode == 0 else f"strace cannot trace: {tried.stderr.strip()}"


def tracing(log: Path, data: int, faults: Iterable[str] = ()) -> tuple[str, ...]:
    """The beginning of a command line that traces the rest of it.

    Args:
        log: the file to write to.
        data: how many bytes to keep of what is written.
        faults: what to inject, as strace calls it.
    """
    # Everything in hexadecimal, so that no comma or bracket of a text divides a line.
    options = ("-f", "-qq", "-y", "-xx", "-s", str(data), "-o", str(log))
    # Not every architecture has every call.
    calls = ",".join(f"?{name}" for name in (*ON_DESCRIPTORS, *ON_NAMES))
    injected = [part for fault in faults for part in ("-e", f"inject={fault}")]
    # Faster, but no signal gets through where a call is stopped so.
    faster = () if any("signal=" in part for part in injected) else ("--seccomp-bpf",)
    return ("strace", *options, *faster, "-e", f"trace={calls}", *injected)


@dataclass(frozen=True)
class Call:
    """A call of the operating system.

    Attributes:
        thread: that made it.
        name: of the call.
        ordinal: which call of this name by this thread, counted from 1.
        arguments: as strace writes them.
        result: what it gave.
        injected: whether strace made it fail.
    """

    thread: int
    name: str
    ordinal: int
    arguments: tuple[str, ...]
    result: int
    injected: bool

    @property
    def descriptor(self) -> int:
        """The number of the open file that it is about."""
        return int(self.arguments[0].split("<")[0])

    @property
    def data(self) -> bytes:
        """What it writes."""
        return _bytes(self.arguments[1])

    @property
    def paths(self) -> tuple[str, ...]:
        """The files and folders that it is about."""
        base, found = "", []
        for argument in self.arguments[: 1 if self.name in ON_DESCRIPTORS else None]:
            if argument.startswith('"'):
                found.append(os.path.normpath(os.path.join(base, os.fsdecode(_bytes(argument)))))
            elif "<" in argument:
                base = os.fsdecode(_bytes(argument))
        return tuple(found) or (base,)

    @property
    def changes(self) -> bool:
        """Whether it changes what is on the disk, or waits for that."""
        if self.name in ("open", "openat"):
            return "O_CREAT" in "".join(self.arguments)
        return self.name not in ("lseek", "close")


def read_calls(log: Path) -> Iterator[Call]:
    """The calls of a log, in the order in which they ended."""
    ordinals: Counter[tuple[str, str]] = Counter()
    begun: dict[str, str] = {}
    with open(log, encoding="ascii") as lines:
        for line in lines:
            text = line.rstrip("\n")
            if unfinished := _UNFINISHED.fullmatch(text):
                begun[unfinished[2]] = unfinished[1]
                continue
            if resumed := _RESUMED.fullmatch(text):
                text = begun.pop(resumed[1]) + resumed[2]
            if found := _LINE.fullmatch(text):
                thread, name, arguments, result, rest = found.groups()
                ordinals[thread, name] += 1
                yield Call(
                    *(int(thread), name, ordinals[thread, name], tuple(arguments.split(", "))),
                    *(int(result), "INJECTED" in rest),
                )


def changes_within(calls: Iterable[Call], folder: Path) -> list[Call]:
    """The calls that change something in a folder, all made by one thread."""
    found = [call for call in calls if call.changes and is_within(call, folder)]
    # Faults are counted for each thread by itself.
    assert len({call.thread for call in found}) == 1, "several threads change files"
    return found


def is_within(call: Call, folder: Path) -> bool:
    """Whether a call is about a folder or something in it."""
    return any(f"{path}/".startswith(f"{folder}/") for path in call.paths)


def _bytes(argument: str) -> bytes:
    """The text of an argument: within quotes, or behind the number of an open file."""
    return bytes.fromhex("".join(re.findall(r"\\x([0-9a-f]{2})", argument)))
