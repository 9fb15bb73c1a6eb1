"""The command `ledger log`: lists the batches and their files."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.options import common, formats
from ledger.ledger import Ledger
from ledger.model.record_listings import log_listing


@click.command()
@formats(*console.ROW_FORMATS)
@common
def log(format: str, db: Path) -> None:
    """List the recorded batches and their files."""
    ledger = Ledger(db)
    console.show(log_listing(ledger.log()), format)
