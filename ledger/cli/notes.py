"""What stands beside a result: which edition it is of, and what became of files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.cli.console import is_verbose, note, write_data
from ledger.model.editions import Edition, EditionName
from ledger.model.periods import spans
from ledger.text import counted

if TYPE_CHECKING:
    from ledger.model.documents import Document
    from ledger.outputs.manifest import ExportedFile
    from ledger.snapshot import Comparison, Snapshot


def note_edition(edition: Edition, what: str = "As of") -> None:
    """Name the edition that a result is of."""
    head = edition.head if is_verbose() else edition.head[:12]
    note(f"{what} {edition.as_of}, batch {edition.batch}, head {head}")
    if edition.missing:
        note(f"Nothing is recorded for {spans(edition.missing)}: a gap")


def note_editions(both: Comparison) -> None:
    """Name the two editions that are compared."""
    note_edition(both.before, "From")
    note_edition(both.after, "To")


def note_stored_edition(snapshot: Snapshot, asked: EditionName) -> None:
    """Name the edition that a result is of, and that of the stored projection if it is another.

    Args:
        snapshot: that gave the result.
        asked: the edition that the user named; where one was, the stored projection is not
            mentioned.
    """
    note_edition(snapshot.edition)
    stored = snapshot.stored
    if asked == EditionName() and stored and stored != snapshot.edition:
        note(
            f"The stored projection is another: as of {stored.as_of}, batch {stored.batch}. "
            "To renew it: ledger project"
        )


def note_apostrophes(files: Iterable[ExportedFile]) -> None:
    """Count the texts that a spreadsheet would have taken for formulas, if that was asked for."""
    counts = [file.apostrophes for file in files if file.apostrophes is not None]
    if counts:
        texts = counted(sum(counts), "text")
        note(f"Safe for spreadsheets: an apostrophe was put before {texts}.")


def write_or_print(document: Document, out: Path | None) -> None:
    """Write a document to a file, or print it."""
    from ledger.integrity.documents import write_document

    if out is None:
        write_data(document.text())
    else:
        write_document(out, document)
        note(f"written to {out}")
