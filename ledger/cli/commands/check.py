"""The command `ledger check`: reports what is unexpected in the deliveries."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.cli import completion, console
from ledger.cli.notes import note_edition
from ledger.cli.options import common, edition_options, formats
from ledger.errors import FindingsFound
from ledger.ledger import Ledger
from ledger.model.editions import EditionName
from ledger.text import listed


@click.command()
@edition_options
@click.option(
    "--fail-on",
    metavar="CODE",
    shell_complete=completion.codes,
    multiple=True,
    help="Exit with 3 where there is a finding of this code, or any; may be repeated.",
)
@formats(*console.ROW_FORMATS)
@common
def check(edition: EditionName, fail_on: tuple[str, ...], format: str, db: Path) -> None:
    """Tell what is odd about the deliveries, with file and line.

    Odd values, actions out of turn, references that lead nowhere, keys that can be confused: all
    findings on all events that count. The codes are explained in docs/deliveries.md.

    \b
      ledger check
      ledger check --fail-on reference-never-seen --fail-on negative-duration
    """
    result = Ledger(db).at(edition).check(fail_on=fail_on)
    note_edition(result.edition)
    console.show(result, format)
    if result.failed:
        counts = listed(f"{count} {code}" for code, count in result.failed.items())
        raise FindingsFound(f"there are findings to fail on: {counts}")
