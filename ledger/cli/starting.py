"""The commands for whoever begins, or does not know what is wrong."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from ledger.cli.options import common, dry_run_option, formats, telling
from ledger.cli.printing import emit, note, print_json, table
from ledger.ledger import Ledger


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
    done = Ledger.open().lay_out(folder, dry_run=dry_run)
    if format == "json":
        print_json(done)
    else:
        files = [(path, "made") for path in done.made] + [(path, "was there") for path in done.kept]
        emit(table(("file", ""), [(str(path), what) for path, what in sorted(files)]))
    if dry_run:
        note("Dry run: nothing was made.")
    else:
        note(f"Next: {folder / 'README.md'} says how to fill it, and then: {_ingest(folder)}")


def _ingest(folder: Path) -> str:
    named = "" if folder == Path("data") else f" --data-dir {shlex.quote(str(folder))}"
    return f"ledger ingest{named}"


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
    with Ledger.open(db) as ledger:
        found = ledger.diagnose(encoding=sys.stdout.encoding, recover=recover)
    if format == "json":
        print_json({"healthy": found.error is None, "examined": found.examined})
    else:
        rows = [(one.what, one.state.value, one.found) for one in found.examined]
        emit(table(("what", "state", "found"), rows))
        for one in found.examined:
            if one.advice:
                emit(f"{one.what}: {one.advice}")
    if found.error:
        raise found.error
