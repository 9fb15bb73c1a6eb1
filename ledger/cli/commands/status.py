"""The command `ledger status`: says where the ledger stands."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.options import common, formats
from ledger.ledger import Ledger


@click.command()
@formats("table", "json")
@common
def status(format: str, db: Path) -> None:
    """Tell where the ledger stands.

    Its months, its events, of which month the stored projection is, and its head.
    """
    ledger = Ledger(db)
    console.show(ledger.status(), format)
