"""The command `ledger report`: writes and prints the report."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.notes import note_apostrophes, note_stored_edition
from ledger.cli.options import (
    FILE_FORMATS,
    bom_option,
    common,
    dry_run_option,
    edition_options,
    folder_option,
    formats,
    lake_options,
    names_option,
    spreadsheet_option,
)
from ledger.ledger import Ledger
from ledger.model.editions import EditionName
from ledger.model.presentation import Bars, Note
from ledger.model.tabular import Tabular
from ledger.replay.labels import Names

PAGE = "html"


@click.command()
@edition_options
@formats(
    "table",
    *FILE_FORMATS,
    PAGE,
    help="Of the file and of what is printed; table writes CSV, html a page.",
)
@names_option("The names of this edition, or of each row's month.", Names.AS_IS.value)
@folder_option("--out-dir", "report", "The folder to write to.")
@click.option(
    "--proof",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what `ledger verify-report` needs to this file.",
)
@lake_options(without=[f"format {PAGE}"])
@spreadsheet_option
@bom_option
@dry_run_option
@common
def report(
    edition: EditionName,
    names: str,
    format: str,
    out_dir: Path,
    proof: Path | None,
    ledger: Ledger,
    spreadsheet_safe: bool,
    bom: bool,
    dry_run: bool,
) -> None:
    """Write and print the support report as of a month.

    Interactions, calls and minutes of calls by local month, contact centre and department, as
    support_report.csv or in the format asked for. Names are those of the as-of month, or those of
    each row's own month.
    """
    from ledger.integrity.documents import write_document
    from ledger.outputs.csv import SafeRows

    snapshot = ledger.at(edition)
    result = snapshot.report(names=names)
    note_stored_edition(snapshot, edition)
    written = snapshot.write_report(
        result,
        out_dir,
        format="csv" if format == "table" else format,
        spreadsheet_safe=spreadsheet_safe,
        bom=bom,
        dry_run=dry_run,
    )
    if not dry_run:
        console.note(f"written to {written.path}")
        if proof:
            write_document(proof, snapshot.prove_report(result))
            console.note(f"written to {proof}")
    note_apostrophes([written])
    sheet = result.sheet
    rows = SafeRows(sheet) if spreadsheet_safe and format == "csv" else sheet.rows
    printed = "table" if format in ("parquet", "xlsx", PAGE) else format
    console.show(Tabular(sheet.name, sheet.columns, rows, sheet.key), printed)
    if format == "table":
        by_month: Counter[str] = Counter()
        for row in result.rows:
            by_month[row.month] += row.total_interactions
        console.draw(Bars("interactions by month", by_month))
    for text in result.notes:
        console.draw(Note(text))
