"""What a malformed delivery is, and how it is laid into a folder."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Told:
    """A problem as it must be told.

    Attributes:
        code: its name.
        line: the physical line, or None where the whole file is meant.
        column: as the header names it, or None.
        file: whose problem it is; by default the only file's.
    """

    code: str
    line: int | None = None
    column: str | None = None
    file: str | None = None


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True)
class Special:
    """What is no file: `fifo`, `folder` or `socket`."""

    what: str


Content = bytes | Link | Special


@dataclass(frozen=True)
class Malformed:
    """A delivery that must be refused, and how.

    Attributes:
        group: the rules that it belongs to.
        rule: what is wrong, in a few words.
        variant: which form of it this is.
        files: what is delivered, by its place in a data folder.
        told: the problems, in order.
        more: whether others may follow on them.
        exit_code: of the command.
        as_folder: whether the folder is named, or each file of it.
        says: words of the first message, where the code alone does not say enough.
    """

    group: str
    rule: str
    variant: str
    files: Mapping[str, Content]
    told: tuple[Told, ...]
    more: bool = False
    exit_code: int = 3
    as_folder: bool = False
    says: str = ""

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.group}: {self.rule} ({self.variant})"

    @property
    def content(self) -> bytes:
        """The bytes of the only file."""
        (content,) = self.files.values()
        assert isinstance(content, bytes)
        return content


def write_files(folder: Path, files: Mapping[str, Content]) -> list[Path]:
    """Lay files, and what is none, into a folder; give their paths."""
    paths = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, Link):
            path.symlink_to(content.target)
        elif content.what == "fifo":
            os.mkfifo(path)
        elif content.what == "folder":
            path.mkdir()
        else:
            _leave_socket(path)
        paths.append(path)
    return paths


def _leave_socket(path: Path) -> None:
    # The name of a socket must be short, wherever the folder is.
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name)
    finally:
        os.chdir(before)
