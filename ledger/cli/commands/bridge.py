"""The command `ledger bridge`: says why the report moved."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import completion, console
from ledger.cli.notes import note_editions
from ledger.cli.options import common, formats
from ledger.datasets.support.measures import MEASURES
from ledger.ledger import Ledger


@click.command()
@click.option(
    "--from",
    "before",
    envvar="LEDGER_BRIDGE_FROM",
    metavar="A",
    required=True,
    shell_complete=completion.editions,
    help="The edition from which; as for ledger diff.",
)
@click.option(
    "--to",
    "after",
    envvar="LEDGER_BRIDGE_TO",
    metavar="B",
    required=True,
    shell_complete=completion.editions,
    help="The edition to which.",
)
@click.option("--month", help="Of the report: 2025-01, 202501 or Unknown.  [default: all]")
@click.option(
    "--measure",
    type=click.Choice(MEASURES),
    help="For the rows of the report.  [default: the first that moved]",
)
@formats(
    *console.ROW_FORMATS, help="How to print the result; csv and ndjson give the causes alone."
)
@common
def bridge(
    before: str, after: str, month: str | None, measure: str | None, format: str, db: Path
) -> None:
    """Tell why the report moved from one edition to another.

    As an accountant reconciles: opening + added − deleted ± moved to another month ± moved to
    another centre or department ± renamed ± changed channel ± changed duration = closing, and
    nothing remains. First for the total, then for each row of the report that moved, then the
    interactions and names behind each step, with file and line.

    \b
      ledger bridge --from 202501 --to 202502
      ledger bridge --from 202502@2 --to 202502 --month 2025-01 --measure total_calls
    """
    from ledger.snapshot import Reconciled

    with Ledger(db).compare(before, after) as both:
        note_editions(both)
        console.show(Reconciled(both, month, measure), format)
