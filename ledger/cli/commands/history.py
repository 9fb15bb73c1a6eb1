"""The command `ledger history`: says what happened to a record."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import completion, console
from ledger.cli.notes import note_edition
from ledger.cli.options import common, edition_options, formats
from ledger.ledger import Ledger
from ledger.model.editions import EditionName


@click.command()
@click.argument("table", shell_complete=completion.tables)
@click.argument("key")
@edition_options
@formats(*console.ROW_FORMATS)
@common
def history(table: str, key: str, edition: EditionName, format: str, db: Path) -> None:
    """Tell what happened to a record, event by event.

    The record of TABLE with this KEY: every event, and what came of it. Each line is a cell that
    an event changed, as delivered.

    \b
      ledger history interactions INT1003
      ledger history contact_centers CC02 --as-of 202502
    """
    result = Ledger(db).at(edition).history(table, key)
    note_edition(result.edition)
    console.show(result, format)
