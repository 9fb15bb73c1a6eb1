"""The command `ledger answers`: answers the business questions."""

from __future__ import annotations

import click

from ledger.cli import console
from ledger.cli.markdown import write_markdown
from ledger.cli.notes import note_stored_edition
from ledger.cli.options import (
    common,
    edition_options,
    formats,
    lake_options,
    names_option,
)
from ledger.ledger import Ledger
from ledger.model.editions import EditionName
from ledger.replay.labels import Names


@click.command()
@edition_options
@click.option("--period", metavar="YYYYQn", help="The quarter.  [default: that of the as-of month]")
@names_option("The names of this edition, or of each month.", Names.AS_IS.value)
@click.option(
    "--sensitivity", is_flag=True, help="Show what comes out under every reading of the data."
)
@lake_options()
@formats("table", "json", "markdown")
@common
def answers(
    edition: EditionName,
    names: str,
    period: str | None,
    sensitivity: bool,
    ledger: Ledger,
    format: str,
) -> None:
    """Answer the business questions, with the evidence.

    How many interactions each contact centre had, which month was the highest, which centre has
    the longest average call, why, and which measure to use instead.

    Months may go by interaction_start or by timestamp, in New York's time, in UTC, or in EST all
    year; the length of a call may be its duration, start to end, or start to resolution; centres
    may be named as they are or as they were. An answer that another of these readings would change
    says so.
    """
    snapshot = ledger.at(edition)
    result = snapshot.answers(period, names=names, sensitivity=sensitivity)
    note_stored_edition(snapshot, edition)
    if format == "markdown":
        write_markdown(result.parts(full=True))
    else:
        console.show(result, format)
