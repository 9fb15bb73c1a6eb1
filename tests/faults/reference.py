"""What the ledger should hold after each of some deliveries: the same recorded without a fault."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.resources import files as resources
from pathlib import Path

from tests.faults.product import PRODUCT, run

DATABASE = "ledger.db"
BY_THE_CLOCK = {"recorded_at", "seal", "tagged_at"}
"""Columns that are others each time that the same is recorded."""

Arguments = tuple[str, ...]
Files = dict[str, bytes]


@dataclass(frozen=True)
class Reference:
    """A ledger after none, one, two, … commands that record one batch each.

    Attributes:
        steps: the arguments of each `ledger ingest`.
        ledgers: the ledger's file after each number of them; of none, a path without a file.
        heads: the head after each; of none, none.
        contents: a digest of all that is in it after each, but what the clock gives.
    """

    steps: tuple[Arguments, ...]
    ledgers: tuple[Path, ...]
    heads: tuple[str | None, ...]
    contents: tuple[str, ...]

    @property
    def end(self) -> int:
        """How many batches there are in all."""
        return len(self.steps)

    def place(self, folder: Path, batches: int) -> Path:
        """Put the ledger after so many batches into a folder; give the path where it would be."""
        path = folder / DATABASE
        if batches:
            shutil.copyfile(self.ledgers[batches], path)
        return path


def reference(folder: Path, steps: Sequence[Arguments]) -> Reference:
    """Record deliveries without a fault, in a folder that is kept."""
    folder.mkdir(parents=True)
    path = folder / DATABASE
    ledgers, digests = [folder / "none.db"], [_contents_of_none()]
    heads: list[str | None] = [None]
    for number, arguments in enumerate(steps, start=1):
        done = run((*PRODUCT, "ingest", "--db", path, *arguments), folder)
        assert done.code == 0, done.err
        ledgers.append(shutil.copyfile(path, folder / f"{number}.db"))
        heads.append(done.acknowledged)
        with closing(sqlite3.connect(path)) as connection:
            digests.append(contents(connection))
    assert len(set(heads)) == len(set(digests)) == len(steps) + 1
    return Reference(tuple(steps), tuple(ledgers), tuple(heads), tuple(digests))


def month_by_month(folder: Path, data: Path, months: Sequence[str]) -> Reference:
    """Record a data folder without a fault, a month at a time."""
    return reference(folder, [("--data-dir", str(data), "--months", month) for month in months])


def contents(connection: sqlite3.Connection) -> str:
    """A digest of every row of every table."""
    digest = hashlib.sha256()
    tables = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*' "
        "ORDER BY name"
    )
    for (table,) in tables.fetchall():
        described = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
        columns = [name for (name,) in described if name not in BY_THE_CLOCK]
        names = ", ".join(f'"{name}"' for name in columns)
        places = ", ".join(str(place) for place in range(1, len(columns) + 1))
        digest.update(f"{table}: {names}\n".encode())
        for row in connection.execute(f'SELECT {names} FROM "{table}" ORDER BY {places}'):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def _contents_of_none() -> str:
    with closing(sqlite3.connect(":memory:")) as connection:
        schema = resources("ledger").joinpath("store/schema.sql")
        connection.executescript(schema.read_text(encoding="utf-8"))
        return contents(connection)


def exported(ledger: Path, folder: Path, *command: str) -> Files:
    """Run a command that writes files, without a fault; give the files."""
    done = run((*PRODUCT, *command, "--db", ledger, "--out-dir", folder), ledger.parent)
    assert done.code == 0, done.err
    return {path.name: path.read_bytes() for path in folder.iterdir()}
