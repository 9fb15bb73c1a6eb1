"""The command `ledger verify-proof`: verifies a proof against a receipt."""

from __future__ import annotations

from pathlib import Path

import click

from ledger import standalone
from ledger.cli.options import (
    FILE,
    formats,
    telling,
)
from ledger.cli.printing import emit, print_json, table


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
    event, file = proven.event, proven.file
    facts = {
        "table": event.table,
        **event.cells,
        "action": event.action,
        "month": proven.batch.month,
        "batch": proven.batch.batch,
        "line": event.line,
        "file_sha256": file.sha256,
    }
    if format == "json":
        print_json(facts)
        return
    emit(table((), [(name, str(fact or "")) for name, fact in facts.items()]))
    emit("This event is part of the ledger that the receipt is of.")
