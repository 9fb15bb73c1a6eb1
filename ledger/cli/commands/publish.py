"""The command `ledger publish`: writes the event log to a lake."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.options import common, formats
from ledger.ledger import Ledger
from ledger.text import counted


@click.command()
@click.argument("lake", type=click.Path(path_type=str))
@click.option(
    "--layout",
    type=click.Choice(["parquet", "delta"]),
    help="Files of Parquet alone, or tables of Delta.  [default: that of the lake, or parquet]",
)
@formats("table", "json")
@common
def publish(lake: str, layout: str | None, format: str, db: Path) -> None:
    """Write the event log to a lake, which other engines read.

    LAKE is a folder of Parquet: for each table <table>_events/month=YYYYMM/, and batches, files,
    readings and clock. Only what is new is written, batch by batch: a reader sees whole batches,
    whenever this is interrupted, and publishing again does no harm.

    \b
      ledger publish lake
      ledger verify --lake lake
      ledger report --lake lake --engine duckdb
    """
    ledger = Ledger(db)
    with console.progress("publish", "events") as progress:
        done = ledger.publish(lake, layout=layout, progress=progress)
    console.show(done, format)
    if format == "table":
        held = counted(done.held, "batch", "batches")
        console.write(f"{lake} holds {held}, head {done.head or 'none'}")
