"""Runs the command line as a user does: as a process, through its installed entry point."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from ledger.cli import main

ROOT = Path(__file__).parent.parent
DATA = ROOT / "data"
LEDGER = Path(sysconfig.get_path("scripts")) / ("ledger.exe" if os.name == "nt" else "ledger")


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


def environment(**extra: str) -> dict[str, str]:
    """The environment of a user at a terminal of 80 columns, without settings of `ledger`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")}
    return {**kept, "COLUMNS": "80", "PYTHONUTF8": "1", **extra}


def run_ledger(*arguments: object, cwd: Path, **extra: str) -> Ran:
    """Run `ledger` with arguments; whatever it was told, it must not end in a traceback."""
    return run(LEDGER, *arguments, cwd=cwd, **extra)


def invoke_ledger(*arguments: object, db: Path) -> Ran:
    """The same within this process, on a ledger: faster, where many commands are to be tried."""
    given = [str(argument) for argument in arguments]
    command, *rest = given
    done = CliRunner().invoke(main, [command, "--db", str(db), *rest])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Ran(done.exit_code, done.stdout, done.stderr)


def run(*command: object, cwd: Path, **extra: str) -> Ran:
    """Run any command."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment(**extra),
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


PYTHON = sys.executable
