"""The command `ledger prove`: proves what the ledger holds of a record."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import completion
from ledger.cli.notes import write_or_print
from ledger.cli.options import (
    common,
    edition_options,
    out_option,
)
from ledger.ledger import Ledger
from ledger.model.editions import EditionName


@click.command()
@click.argument("table", shell_complete=completion.tables)
@click.argument("key")
@edition_options
@out_option
@common
def prove(table: str, key: str, edition: EditionName, out: Path | None, db: Path) -> None:
    """Prove to others what the ledger holds of a record.

    Writes the event that counts for the record of TABLE with this KEY, and the hashes that lead
    from it to the head: one for each doubling of the batch, some 20 for a million events.

    \b
      ledger prove interactions INT1003 --out INT1003.json
      ledger verify-proof INT1003.json receipt.json
    """
    write_or_print(Ledger(db).at(edition).prove(table, key), out)
