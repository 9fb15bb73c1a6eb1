"""The command `ledger verify`: verifies the ledger or a lake."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.options import (
    FILE,
    common,
    formats,
    named_ledger,
    sources_option,
)
from ledger.errors import VerificationFailed
from ledger.text import counted, visible


@click.command()
@click.option(
    "--receipt",
    "receipts",
    type=FILE,
    multiple=True,
    help="A receipt that was kept elsewhere; may be repeated.",
)
@sources_option
@click.option(
    "--quick", is_flag=True, help="Leave out what is computed from the events: no replay."
)
@click.option("--lake", metavar="LAKE", help="Verify a lake, also against the ledger.")
@formats("table", "json")
@common
def verify(
    receipts: tuple[Path, ...],
    sources: Path | None,
    quick: bool,
    lake: str | None,
    format: str,
    db: Path,
) -> None:
    """Verify that the ledger is as it was recorded.

    SQLite's own checks; every table, index, trigger and view; every event, file, batch and tag
    against the digests; readings and projection against a fresh replay. Names the first thing that
    is not as it was, and exits with 6.

    Anybody who can write to the file can rewrite all of it, digests too. Only a receipt that was
    kept elsewhere, or the delivered files, can show that.

    With --lake, every event and record of a lake is checked against its digests and, if the ledger
    exists, against the ledger.

    \b
      ledger verify
      ledger verify --receipt 2025-03.json --sources data
      ledger verify --lake lake
    """
    from ledger.integrity.verify import FAULTS_KEPT

    ledger = named_ledger(db, lake)
    with console.progress("verify", "events") as progress:
        result = ledger.verify(receipts=receipts, sources=sources, quick=quick, progress=progress)
    if format != "json":
        for file in result.absent:
            console.note(
                f"{file.name} of batch {file.batch} is superseded and not among the sources"
            )
    console.show(result, format)
    if result.faults:
        first = visible(str(result.faults[0]))
        more = " or more" if len(result.faults) == FAULTS_KEPT else ""
        raise VerificationFailed(
            f"{result.place} is not as it was recorded; the first of "
            f"{counted(len(result.faults), 'fault')}{more}: {first}. {result.advice}"
        )
