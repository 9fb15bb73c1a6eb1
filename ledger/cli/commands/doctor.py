"""The command `ledger doctor`: says whether all that the ledger needs is there."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.options import common, formats
from ledger.ledger import Ledger


@click.command()
@click.option(
    "--recover",
    is_flag=True,
    help="First undo what an interrupted writer left beside the ledger, on a verified copy first.",
)
@formats("table", "json")
@common
def doctor(recover: bool, format: str, db: Path) -> None:
    """Tell whether all that the ledger needs is there.

    What is installed, which commands need more, what the terminal shows, and whether the ledger
    is there, can be read and written, and has records that agree with each other. To look at
    every event: ledger verify. Exits with 0 where nothing is wrong, also without a ledger.

    A command that reads refuses a ledger beside which a writer that was interrupted left a journal
    (exit code 5), and changes nothing. The next command that records recovers it; --recover does
    so at once, and leaves all as it is where a recovered copy does not verify, where the journal
    names a super-journal, a file that SQLite would delete, or where it is no regular file.
    """
    ledger = Ledger(db)
    found = ledger.diagnose(encoding=sys.stdout.encoding, recover=recover)
    console.show(found, format)
    if found.error:
        raise found.error
