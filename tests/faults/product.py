"""How the command line is started, ended before its time, and what it said until then."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.commands import LEDGER, PYTHON, environment
from tests.faults.generated import LARGE

ALTERED = Path(__file__).parent / "altered.py"
SECONDS = 300

Launcher = tuple[str, ...]

PRODUCT: Launcher = (str(LEDGER),)
"""The command as users have it."""


def altered(how: str) -> Launcher:
    """The command with a part altered; see `altered.py`."""
    return (PYTHON, "-P", str(ALTERED), how)


def recording(interactions: int) -> Launcher:
    """The command that is to record a month; a large one, so that not all is kept in memory."""
    return altered("spilling") if interactions >= LARGE else PRODUCT


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, or the signal that ended it as a negative number."""

    code: int
    out: str
    err: str

    @property
    def killed(self) -> bool:
        """Whether it ended before its time."""
        return self.code == -9

    @property
    def acknowledged(self) -> str | None:
        """The head up to which it said that all is recorded."""
        heads = re.findall(r'^receipt .*"head":"([0-9a-f]{64})"', self.out, re.MULTILINE)
        return heads[-1] if heads else None


@contextmanager
def started(command: Sequence[object], cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that runs; it is killed where it still does at the end."""
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=cwd,
        env=environment(PYTHONDONTWRITEBYTECODE=""),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for the end of a command."""
    out, err = process.communicate(timeout=SECONDS)
    return Ended(process.returncode, out, err)


def run(command: Sequence[object], cwd: Path) -> Ended:
    """Run a command to its end."""
    with started(command, cwd) as process:
        return ended(process)


@dataclass(frozen=True)
class Pace:
    """How long a command took: seconds in all, and from its first change of a folder on."""

    whole: float
    changing: float


def pace(command: Sequence[object], cwd: Path, watched: Path) -> Pace:
    """Measure an undisturbed run."""
    with started(command, cwd) as process:
        start = time.monotonic()
        wait_for_change(process, watched)
        change = time.monotonic()
        done = ended(process)
        end = time.monotonic()
    assert done.code == 0, done.err
    return Pace(end - start, end - change)


def wait_for_change(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait until something appears in a folder or goes from it, or until the command has ended."""
    before = _names(folder)
    while process.poll() is None and _names(folder) == before:
        time.sleep(0.0005)


def _names(folder: Path) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return os.listdir(folder)
    return []
