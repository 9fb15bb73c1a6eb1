"""The command `ledger retract`: takes a file recorded by mistake out of the figures."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import completion, console
from ledger.cli.options import (
    common,
    dry_run_option,
    formats,
)
from ledger.ledger import Ledger
from ledger.model.periods import spans
from ledger.text import counted


@click.command()
@click.argument("table", shell_complete=completion.tables)
@click.argument("month", metavar="YYYYMM", shell_complete=completion.months)
@click.option("--reason", metavar="TEXT", required=True, help="Why, to be kept with the batch.")
@formats("table", "json")
@dry_run_option
@common
def retract(table: str, month: str, reason: str, format: str, dry_run: bool, db: Path) -> None:
    """Take a file recorded by mistake out of force.

    The file of TABLE for a month, with nothing in its place: its events stay in the ledger and no
    longer count.

    \b
      ledger retract agents 202503 --reason "was that of another client"
    """
    ledger = Ledger(db)
    done = ledger.retract(table, month, reason, dry_run=dry_run)
    receipt = None if dry_run else ledger.receipt()
    if format == "json":
        console.write_json({**done.to_dict(), "receipt": receipt})
        return
    rows = counted(done.file.rows, "row")
    now = "would no longer count" if dry_run else "no longer counts"
    console.write(f"{done.file.name} of batch {done.file.batch}, with {rows}, {now}.")
    console.write(f"This restates {spans(done.restates)}.")
    if receipt:
        console.write(f"batch {done.batch.batch}, head {done.batch.head}")
        console.write(f"receipt {receipt.line()}")
