"""The command `ledger project`: stores the state as of a month."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.notes import note_edition
from ledger.cli.options import (
    common,
    dry_run_option,
    edition_options,
    formats,
    lake_options,
)
from ledger.ledger import Ledger
from ledger.model.editions import EditionName


@click.command()
@edition_options
@click.option(
    "--rebuild", is_flag=True, help="Replay every event, instead of those alone that moved."
)
@lake_options()
@click.option(
    "--out-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --lake: the folder to write to.",
)
@formats(*console.ROW_FORMATS)
@dry_run_option
@common
def project(
    edition: EditionName,
    rebuild: bool,
    ledger: Ledger,
    out_dir: Path | None,
    format: str,
    dry_run: bool,
) -> None:
    """Store the state as of a month as typed tables.

    The tables agents, contact_centers, service_categories and interactions and the view
    support_report are then there for any SQLite client. What was projected before is brought up to
    date, which gives the same rows as to replay every event.

    With --lake nothing is stored in the ledger: the tables are written to --out-dir as Parquet,
    and with them the report and the answers.
    """
    with console.progress("project", "steps") as progress:
        done = ledger.project(
            edition, out_dir=out_dir, rebuild=rebuild, dry_run=dry_run, progress=progress
        )
    if dry_run:
        console.note("Dry run: the stored projection is left as it is.")
    note_edition(done.edition)
    console.show(done, format)
    for file in done.written:
        console.note(f"written to {file}")
