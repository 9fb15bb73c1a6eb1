"""The command `ledger explain`: shows what makes a figure."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.notes import note_edition
from ledger.cli.options import common, edition_options, formats, names_option
from ledger.datasets.support.measures import MEASURES
from ledger.ledger import Ledger
from ledger.model.editions import EditionName
from ledger.replay.labels import Names


@click.command()
@click.option("--month", required=True, help="Of the report: 2025-02, 202502 or Unknown.")
@click.option("--center", help="The contact centre's name, as in the report.  [default: all]")
@click.option("--department", help="As in the report.  [default: all]")
@click.option(
    "--measure",
    type=click.Choice(MEASURES),
    help="Only what is part of this measure.  [default: every interaction]",
)
@edition_options
@names_option("The names of this edition, or of each month.", Names.AS_IS.value)
@formats(*console.ROW_FORMATS)
@common
def explain(
    month: str,
    center: str | None,
    department: str | None,
    measure: str | None,
    edition: EditionName,
    names: str,
    format: str,
    db: Path,
) -> None:
    """Show what makes a figure of the report, with file and line.

    The interactions that are part of it, for each the event that counts, and the events that gave
    its contact centre and department their names. These events add up to the figure.

    \b
      ledger explain --month 2025-02 --center "Boston MA NE"
      ledger explain --month 2025-02 --center "Boston MA NE" --department Billing \\
                     --measure total_call_duration
    """
    snapshot = Ledger(db).at(edition)
    result = snapshot.explain(month, center, department, measure=measure, names=names)
    note_edition(result.edition)
    console.show(result, format)
