"""The command `ledger export`: writes the tables as files."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import completion, console
from ledger.cli.notes import note_apostrophes, note_stored_edition
from ledger.cli.options import (
    FILE_FORMATS,
    bom_option,
    common,
    dry_run_option,
    edition_options,
    folder_option,
    lake_options,
    names_option,
    spreadsheet_option,
)
from ledger.ledger import Ledger
from ledger.model.editions import EditionName


@click.command()
@edition_options
@click.option(
    "--format",
    type=click.Choice(FILE_FORMATS),
    default="csv",
    show_default=True,
    help="The format of the files.",
)
@names_option("Name what the keys of interactions refer to, in columns of its own.", None)
@folder_option("--out-dir", "output", "The folder to write to.")
@click.option(
    "--table",
    "tables",
    envvar="LEDGER_EXPORT_TABLE",
    multiple=True,
    shell_complete=completion.tables,
    help="Only this table; may be repeated.",
)
@lake_options(without=["dry_run"])
@spreadsheet_option
@bom_option
@dry_run_option
@common
def export(
    edition: EditionName,
    names: str | None,
    format: str,
    out_dir: Path,
    tables: tuple[str, ...],
    ledger: Ledger,
    spreadsheet_safe: bool,
    bom: bool,
    dry_run: bool,
) -> None:
    """Write the tables as of a month as files, with a manifest.

    Writes <table>_final.<format> for each table, in the order of its key, and datapackage.json
    with the schema, rows and digests of these files. Of xlsx, writes one workbook with a sheet for
    each table. Files that are there are replaced when all are complete.

    With --engine spark each table is a folder of parts, in order. Those of csv and json are, one
    after the other, the bytes of the one file: cat part-*.
    """
    snapshot = ledger.at(edition)
    with console.progress("export", "rows") as progress:
        done = snapshot.export(
            out_dir,
            format=format,
            names=names,
            tables=tables,
            spreadsheet_safe=spreadsheet_safe,
            bom=bom,
            dry_run=dry_run,
            progress=progress,
        )
    note_stored_edition(snapshot, edition)
    if dry_run:
        console.note("Dry run: nothing is written.")
    note_apostrophes(done.files)
    console.show(done, "table")
