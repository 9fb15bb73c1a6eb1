"""Runs the command line with a part of it altered: `altered.py HOW ARGUMENT …`.

Broken on purpose:

    synchronous=off|normal|full   the disk is waited for less than it should be
    no-transaction                each statement is committed by itself
    in-place                      exported files are written over those from before

And not broken:

    spilling                      a batch of a few megabytes is written to the file before its
                                  commit, as one of hundreds is

The ledger's own code does not know of this: what it calls is replaced before it starts.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

from ledger.cli import main

FEW_BYTES = 16
"""So few at a time that a kill is likely to come in between."""


class Careless(sqlite3.Connection):
    """A connection that waits for the disk as it is told here, whatever it is told later."""

    level = "off"

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        super().execute(f"PRAGMA synchronous = {self.level}")

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Run a statement, but those that would make it careful."""
        return super().execute("SELECT 1" if "synchronous" in sql else sql, *parameters)


class Halfway(sqlite3.Connection):
    """A connection without transactions."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Run a statement, but those that hold others together."""
        alone = sql in ("BEGIN IMMEDIATE", "COMMIT", "ROLLBACK")
        return super().execute("SELECT 1" if alone else sql, *parameters)


class Spilling(sqlite3.Connection):
    """A connection that keeps no more changed pages in memory than SQLite does by default."""

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        """Run a statement, but those that would keep more."""
        return super().execute("SELECT 1" if "cache_spill" in sql else sql, *parameters)


def _write_over(path: Path, target: Path) -> Path:
    """Do what `Path.replace` does, bit by bit."""
    with open(path, "rb") as source, open(target, "wb", buffering=0) as file:
        while some := source.read(FEW_BYTES):
            file.write(some)
    path.unlink()
    return target


def _connect_with(connection: type[sqlite3.Connection]) -> None:
    connect = sqlite3.connect

    def connect_so(database: Any, **settings: Any) -> sqlite3.Connection:
        return connect(database, factory=connection, **settings)

    sqlite3.connect = connect_so  # type: ignore[assignment]


def alter(how: str) -> None:
    """Alter one part."""
    name, _, level = how.partition("=")
    if name == "synchronous":
        Careless.level = level
        _connect_with(Careless)
    elif how == "no-transaction":
        _connect_with(Halfway)
    elif how == "spilling":
        _connect_with(Spilling)
    elif how == "in-place":
        Path.replace = _write_over  # type: ignore[method-assign, assignment]
    else:
        raise SystemExit(f"it cannot be altered so: {how!r}")


if __name__ == "__main__":
    alter(sys.argv[1])
    main(sys.argv[2:], prog_name="ledger")
