"""The command `ledger init`: lays out a data folder."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ledger.cli import console
from ledger.cli.options import dry_run_option, formats, telling
from ledger.standalone import lay_out


@click.command()
@click.argument(
    "folder", metavar="[DIR]", default="data", type=click.Path(file_okay=False, path_type=Path)
)
@formats("table", "json")
@dry_run_option
@telling
def init(folder: Path, format: str, dry_run: bool) -> None:
    """Lay out a data folder, with a template of each file.

    DIR, or data, gets initial/ and delta/, the header line of each file that belongs there as a
    template, and a README.md that says what to put into them. What is there already is left as it
    is. A template is no delivery: nothing is recorded before its copy has a name of its own.
    """
    done = lay_out(folder, dry_run=dry_run)
    console.show(done, format)
    if dry_run:
        console.note("Dry run: nothing was made.")
    else:
        console.note(
            f"Next: {folder / 'README.md'} says how to fill it, and then: {_ingest(folder)}"
        )


def _ingest(folder: Path) -> str:
    named = "" if folder == Path("data") else f" --data-dir {shlex.quote(str(folder))}"
    return f"ledger ingest{named}"
