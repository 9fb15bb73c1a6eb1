"""What is told besides a result: of which edition it speaks, and how far a command is."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli import terminal
from ledger.cli.printing import QUIET, Styled, emit, emit_data, is_verbose, note
from ledger.model.editions import Edition, EditionName
from ledger.model.periods import spans
from ledger.text import counted

if TYPE_CHECKING:
    from ledger.model.documents import Document
    from ledger.model.progress import Progress
    from ledger.outputs.export import ExportedFile
    from ledger.snapshot import Comparison, Snapshot


def tell_reading(snapshot: Snapshot, asked: EditionName) -> None:
    """Say of what the result speaks, and where the stored projection speaks of something else.

    Args:
        snapshot: that was read.
        asked: the edition that the user named.
    """
    tell_edition(snapshot.edition)
    stored = snapshot.stored
    if asked == EditionName() and stored and stored != snapshot.edition:
        note(
            f"The stored projection is another: as of {stored.as_of}, batch {stored.batch}. "
            "To renew it: ledger project"
        )


def tell_edition(edition: Edition, what: str = "As of") -> None:
    """Say of what the result speaks, or of `what` it speaks."""
    head = edition.head if is_verbose() else edition.head[:12]
    note(f"{what} {edition.as_of}, batch {edition.batch}, head {head}")
    if edition.missing:
        note(f"Nothing is recorded for {spans(edition.missing)}: a gap")


def emit_bars(title: str, figures: Mapping[str, int]) -> None:
    """Print a bar for each name, on a terminal alone: a picture for people, and no result."""
    room = terminal.room(sys.stdout)
    if room and any(figures.values()):
        from ledger.cli.fitting import EIGHTHS, bars

        emit(f"\n{title}")
        for text, bar in bars(figures, room, blocks=terminal.can_show(EIGHTHS)):
            emit(text, Styled(bar, "bar"))


def telling_progress(label: str, unit: str) -> AbstractContextManager[Progress | None]:
    """Show how far a command is, on a terminal; `--quiet` silences it. See `terminal.progress`."""
    quiet = click.get_current_context().meta.get(QUIET)
    return nullcontext() if quiet else terminal.progress(label, unit)


def tell_apostrophes(files: Iterable[ExportedFile]) -> None:
    """Say how many texts a spreadsheet would have taken for formulas, where one asked for that."""
    counts = [file.apostrophes for file in files if file.apostrophes is not None]
    if counts:
        texts = counted(sum(counts), "text")
        note(f"Safe for spreadsheets: an apostrophe was put before {texts}.")


def tell_editions(both: Comparison) -> None:
    """Say which two editions are compared."""
    tell_edition(both.before, "From")
    tell_edition(both.after, "To")


def give(document: Document, out: Path | None) -> None:
    """Print a document, or write it to a file."""
    from ledger.integrity.documents import write_document

    if out is None:
        emit_data(document.text())
    else:
        write_document(out, document)
        note(f"written to {out}")
