"""The command `ledger publish`: writes the event log to a lake."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli.notes import telling_progress
from ledger.cli.options import common, formats
from ledger.cli.printing import emit, print_json
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
    with telling_progress("publish", "events") as progress:
        done = ledger.publish(lake, layout=layout, progress=progress)
    if format == "json":
        print_json(done)
        return
    if done.batches:
        what = f"{counted(done.events, 'event')} of {counted(done.files, 'file')}"
        emit(f"{what} written in {counted(len(done.batches), 'batch', 'batches')}.")
    elif not done.tags:
        emit("Nothing new.")
    if done.tags:
        emit(f"{counted(done.tags, 'tag')} written.")
    emit(f"{lake} holds {counted(done.held, 'batch', 'batches')}, head {done.head or 'none'}")
