"""The command `ledger backup`: copies the ledger and verifies the copy."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.options import (
    FILE,
    common,
    formats,
)
from ledger.ledger import Ledger
from ledger.text import counted


@click.command()
@click.argument("file", type=FILE)
@formats("table", "json")
@common
def backup(file: Path, format: str, db: Path) -> None:
    """Copy the ledger as it is now to FILE, and verify the copy.

    Safe while somebody records. There must be no such file yet.
    """
    result = Ledger(db).backup(file)
    if format == "json":
        console.show(result, format)
    else:
        events = counted(result.events, "event")
        console.write(f"{file}: {counted(result.batches, 'batch', 'batches')}, {events}, verified")
        console.write(f"head {result.head or 'none'}")
