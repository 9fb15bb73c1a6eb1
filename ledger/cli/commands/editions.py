"""The command `ledger editions`: shows which batch restated which month."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.options import common, formats
from ledger.ledger import Ledger


@click.command()
@formats(*console.ROW_FORMATS)
@common
def editions(format: str, db: Path) -> None:
    """Show which batch restated the report of which month.

    A line for each batch and a column for each month: `first` where the month was first reported,
    `changed` where the batch changed its report, `same` where it did not. In the other formats with
    the SHA-256 of support_report.csv of each edition, and its tags.
    """
    from ledger.datasets.support.restatements import restatement_listing

    ledger = Ledger(db)
    batches = [entry.batch for entry in ledger.log()]
    console.show(restatement_listing(ledger.editions(), batches), format)
