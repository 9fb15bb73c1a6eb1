"""The command `ledger verify-proof`: verifies a proof against a receipt."""

from __future__ import annotations

from pathlib import Path

import click

from ledger import standalone
from ledger.cli import console
from ledger.cli.options import (
    FILE,
    formats,
    telling,
)


@click.command("verify-proof")
@click.argument("proof", type=FILE)
@click.argument("receipt", type=FILE)
@formats("table", "json")
@telling
def verify_proof(proof: Path, receipt: Path, format: str) -> None:
    """Verify a proof of an event by a receipt.

    The ledger is not read. The receipt must be of the batch that recorded the event, or of a later
    one to which the proof leads. What the proof has of batches after the receipt is not used.

    Of a receipt, batch and head are checked, and that its events are no fewer than the proof has.
    Its seal and tags are not: the proof of one event has no times, names of files, or tags.
    """
    proven = standalone.verify_proof(proof, receipt)
    console.show(proven, format)
