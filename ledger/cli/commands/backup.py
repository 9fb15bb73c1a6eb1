"""The command `ledger backup`: copies the ledger and verifies the copy."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli.options import (
    FILE,
    common,
    formats,
)
from ledger.cli.printing import emit, print_json
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
    ledger = Ledger(db)
    result = ledger.backup(file)
    if format == "json":
        print_json({"verdict": result.verdict, "result": result})
    else:
        events = counted(result.events, "event")
        emit(f"{file}: {counted(result.batches, 'batch', 'batches')}, {events}, verified")
        emit(f"head {result.head or 'none'}")
