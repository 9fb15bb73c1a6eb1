"""The command `ledger receipt`: prints what the ledger holds."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli.notes import write_or_print
from ledger.cli.options import (
    common,
    out_option,
)
from ledger.ledger import Ledger


@click.command()
@out_option
@common
def receipt(out: Path | None, db: Path) -> None:
    """Print what the ledger holds now, to be kept elsewhere.

    A few lines of JSON: the last batch, the number of events, the head. Keep it where those who can
    write to the ledger cannot: in a mail, on paper. With it `ledger verify --receipt` detects that
    the past was rewritten.
    """
    ledger = Ledger(db)
    write_or_print(ledger.receipt(), out)
