"""What is told besides a result: of which edition it speaks, and how far a command is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from ledger.cli import terminal
from ledger.cli.printing import QUIET, Styled, emit, is_verbose, note
from ledger.ledger import Ledger
from ledger.model.editions import Edition
from ledger.model.periods import spans

if TYPE_CHECKING:
    from ledger.model.progress import Progress


def tell_reading(ledger: Ledger, edition: Edition, *chosen: str | None) -> None:
    """Say of what the result speaks, and where the stored projection speaks of something else.

    Args:
        ledger: that was read.
        edition: of which the result speaks.
        chosen: what the user said of it.
    """
    tell_edition(edition)
    stored = ledger.stored_edition()
    if not any(chosen) and stored and stored != edition:
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
