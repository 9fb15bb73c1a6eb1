"""Runs the command line on a terminal: a pseudo-terminal of a given width."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.commands import LEDGER, PYTHON, environment

AT_ONCE = """
import sys
from ledger.cli import console
console.DELAY, console.INTERVAL = 1e-9, 0
from ledger.cli import main
sys.exit(main(prog_name="ledger"))
"""
"""Tells how far it is from the start, however short it takes."""


@dataclass(frozen=True)
class Seen:
    """What a command wrote on a terminal, standard error included, and how it ended.

    Attributes:
        code: how it ended.
        raw: all that was written, escape codes too.
    """

    code: int
    raw: str

    @property
    def text(self) -> str:
        """What was written, without escape codes; what was erased is in it too."""
        return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", self.raw).replace("\r\n", "\n")

    @property
    def lines(self) -> list[str]:
        """The lines that are left at the end, without what was erased or written over."""
        screen, row, column = [""], 0, 0
        for code in re.findall(r"\x1b\[[?0-9;]*[A-Za-z]|[\r\n]|[^\x1b\r\n]+", self.raw):
            if code == "\r":
                column = 0
            elif code == "\n":
                row, column = row + 1, 0
                screen += [""] * (row == len(screen))
            elif code == "\x1b[2K":
                screen[row] = ""
            elif code == "\x1b[1A":
                row -= 1
            elif not code.startswith("\x1b"):
                text = screen[row].ljust(column)
                screen[row] = text[:column] + code + text[column + len(code) :]
                column += len(code)
        return screen[:-1] if not screen[-1] else screen


def on_terminal(
    *arguments: object,
    cwd: Path,
    columns: int = 80,
    at_once: bool = False,
    interrupt_at: str | None = None,
    encoding: str = "utf-8",
    settings: Mapping[str, str] | None = None,
) -> Seen:
    """Run `ledger` with both streams on a terminal.

    Args:
        arguments: of the command line.
        cwd: where.
        columns: how wide the terminal is.
        at_once: tell how far it is from the start.
        interrupt_at: press Ctrl-C when this is seen.
        encoding: of what is written.
        settings: variables of the environment.
    """
    if sys.platform == "win32":
        pytest.skip("a pseudo-terminal is of POSIX")
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    given = environment(**{"TERM": "xterm", **(settings or {})})
    for name in {"COLUMNS", "NO_COLOR"} - set(settings or {}):
        given.pop(name, None)
    command = [PYTHON, "-c", AT_ONCE] if at_once else [str(LEDGER)]
    process = subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=cwd, env=given, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    written = b""
    while some := _read(ours):
        written += some
        if interrupt_at and interrupt_at.encode() in written:
            process.send_signal(signal.SIGINT)
            interrupt_at = None
    os.close(ours)
    code, raw = process.wait(timeout=60), written.decode(encoding)
    assert "Traceback" not in raw, raw
    return Seen(code, raw)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # On Linux, that nobody writes to it any more.
        return b""
