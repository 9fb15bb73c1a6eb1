"""What is told besides a result: of which edition it speaks."""

from __future__ import annotations

from ledger.book import Ledger
from ledger.editions import Edition
from ledger.months import spans
from ledger.printing import is_verbose, note


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
