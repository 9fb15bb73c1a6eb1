"""The commands that show that a ledger and what it gave are as they were."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli import completion
from ledger.cli.lakes import not_of_a_lake
from ledger.cli.notes import telling_progress
from ledger.cli.options import common, edition_options, formats, telling
from ledger.cli.printing import emit, emit_data, note, print_json, table
from ledger.errors import VerificationFailed
from ledger.ledger import Ledger
from ledger.text import counted, visible

if TYPE_CHECKING:
    from ledger.integrity.verify import Verification
    from ledger.lake.source import LakeVerification
    from ledger.model.documents import Document

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

out_option = click.option(
    "--out", type=FILE, help="The file to write to.  [default: standard output]"
)
sources_option = click.option(
    "--sources", type=FOLDER, help="The folder of the delivered files, to be read again."
)


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
    if lake is not None:
        not_of_a_lake(sources=sources, quick=quick)
        _verify_lake(lake, receipts, format, db)
        return
    with Ledger.open(db) as ledger, telling_progress("verify", "events") as progress:
        result = ledger.verify(receipts=receipts, sources=sources, quick=quick, progress=progress)
    if format != "json":
        for file in result.absent:
            note(f"{file.name} of batch {file.batch} is superseded and not among the sources")
    _print_verification(result, format, result.path, "Go on with a backup that verifies")


def _verify_lake(lake: str, receipts: tuple[Path, ...], format: str, db: Path) -> None:
    from ledger.engines.lakehouse import Lake

    # A lake that Spark records in has no ledger beside it; the verdict says what was compared.
    held_to = db if os.path.lexists(db) else None
    with telling_progress("verify", "events") as progress:
        result = Lake(lake).verify(held_to, receipts=receipts, progress=progress)
    _print_verification(result, format, result.root, "Publish the ledger to another folder")


def _print_verification(
    result: Verification | LakeVerification, format: str, place: Path, advice: str
) -> None:
    from ledger.integrity.verify import FAULTS_KEPT

    if format == "json":
        print_json({"verdict": result.verdict, "result": result})
    else:
        for fault in result.faults:
            emit(visible(str(fault)))
        if not result.faults:
            emit(
                f"{counted(result.batches, 'batch', 'batches')}, "
                f"{counted(result.events, 'event')}, head {result.head or 'none'}"
            )
            emit(f"{result.verdict}.")
    if result.faults:
        first = visible(str(result.faults[0]))
        more = " or more" if len(result.faults) == FAULTS_KEPT else ""
        raise VerificationFailed(
            f"{place} is not as it was recorded; the first of "
            f"{counted(len(result.faults), 'fault')}{more}: {first}. {advice}"
        )


@click.command()
@out_option
@common
def receipt(out: Path | None, db: Path) -> None:
    """Print what the ledger holds now, to be kept elsewhere.

    A few lines of JSON: the last batch, the number of events, the head. Keep it where those who can
    write to the ledger cannot: in a mail, on paper. With it `ledger verify --receipt` detects that
    the past was rewritten.
    """
    with Ledger.open(db) as ledger:
        _give(ledger.receipt(), out)


def _give(document: Document, out: Path | None) -> None:
    from ledger.integrity.documents import write_document

    if out is None:
        emit_data(document.text())
    else:
        write_document(out, document)
        note(f"written to {out}")


@click.command()
@click.argument("table", shell_complete=completion.tables)
@click.argument("key")
@edition_options
@out_option
@common
def prove(
    table: str, key: str, as_of: str | None, known_at: str | None, out: Path | None, db: Path
) -> None:
    """Prove to others what the ledger holds of a record.

    Writes the event that counts for the record of TABLE with this KEY, and the hashes that lead
    from it to the head: one for each doubling of the batch, some 20 for a million events.

    \b
      ledger prove interactions INT1003 --out INT1003.json
      ledger verify-proof INT1003.json receipt.json
    """
    with Ledger.open(db) as ledger:
        _give(ledger.prove(table, key, as_of=as_of, known_at=known_at), out)


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
    with Ledger.open() as ledger:
        proven = ledger.verify_proof(proof, receipt)
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


@click.command("verify-report")
@click.argument("report", type=FILE)
@click.argument("proof", type=FILE)
@click.option("--receipt", type=FILE, help="A receipt of the ledger.")
@sources_option
@formats("table", "json")
@telling
def verify_report(
    report: Path, proof: Path, receipt: Path | None, sources: Path | None, format: str
) -> None:
    """Verify a published report by its proof.

    The ledger is not read. REPORT is a support_report as `ledger report` wrote it, PROOF what
    --proof wrote with it. With --sources the report is computed again from the delivered files.
    Without them nothing binds its figures, and it is not proved. Which files were recorded, or
    taken back, is bound by --receipt alone: without it, the report is proved only if the proof
    leaves out no delivered file up to its month. Names the cells that were changed. Exits with 6
    where the report is changed or not proved.

    Of a receipt, batch, events, head and seal are checked, and not its tags: a proof has none.
    What the proof has of batches after the receipt is not used.

    \b
      ledger report --proof proof.json
      ledger verify-report report/support_report.csv proof.json --receipt R --sources data
    """
    with Ledger.open() as ledger:
        result = ledger.verify_report(report, proof, receipt=receipt, sources=sources)
    if format == "json":
        print_json({"verdict": result.verdict, "result": result})
    else:
        for difference in result.differences:
            emit(visible(f"{report}: {difference}"))
        if result.proved:
            emit(f"{counted(result.rows, 'row')}, head {result.head}")
            emit(f"{result.verdict}.")
    if not result.proved:
        raise VerificationFailed(visible(f"{report}: {result.verdict}"))


@click.command()
@click.argument("file", type=FILE)
@formats("table", "json")
@common
def backup(file: Path, format: str, db: Path) -> None:
    """Copy the ledger as it is now to FILE, and verify the copy.

    Safe while somebody records. There must be no such file yet.
    """
    with Ledger.open(db) as ledger:
        result = ledger.backup(file)
    if format == "json":
        print_json({"verdict": result.verdict, "result": result})
    else:
        events = counted(result.events, "event")
        emit(f"{file}: {counted(result.batches, 'batch', 'batches')}, {events}, verified")
        emit(f"head {result.head or 'none'}")
