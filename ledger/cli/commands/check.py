"""The command `ledger check`: reports what is unexpected in the deliveries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli import completion
from ledger.cli.notes import tell_edition
from ledger.cli.options import common, edition_options, formats
from ledger.cli.printing import (
    ROW_FORMATS,
    Styled,
    emit,
    print_json,
    print_rows,
)
from ledger.errors import FindingsFound
from ledger.ledger import Ledger
from ledger.model.editions import EditionName
from ledger.model.plain import plain
from ledger.text import counted, listed, visible

if TYPE_CHECKING:
    from ledger.lineage.findings import Checked


@click.command()
@edition_options
@click.option(
    "--fail-on",
    metavar="CODE",
    shell_complete=completion.codes,
    multiple=True,
    help="Exit with 3 where there is a finding of this code, or any; may be repeated.",
)
@formats(*ROW_FORMATS)
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
    tell_edition(result.edition)
    _print_check(result, format)
    if result.failed:
        told = listed(f"{count} {code}" for code, count in result.failed.items())
        raise FindingsFound(f"there are findings to fail on: {told}")


def _print_check(result: Checked, format: str) -> None:
    if format == "json":
        print_json(result)
    elif format == "table":
        for finding in result.findings:
            place, _, message = visible(str(finding)).partition(f" {finding.code}: ")
            emit(f"{place} ", Styled(finding.code, "code"), f": {message}")
        emit("")
        print_rows(format, ("code", "findings"), sorted(result.counts.items()))
        emit(f"{counted(len(result.findings), 'finding')} in {counted(result.events, 'event')}.")
    else:
        columns = ("code", "file", "line", "key", "column", "value", "message")
        rows = [[plain(getattr(f, column)) for column in columns] for f in result.findings]
        print_rows(format, columns, rows)
