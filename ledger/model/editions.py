"""Editions: the month described (as-of), and the last batch taken into account (known-at)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from ledger.errors import WrongUsage
from ledger.model.periods import Month, as_month_or_none

TAG_LENGTH = 80
_TAG = re.compile(rf"[A-Za-z][A-Za-z0-9._-]{{0,{TAG_LENGTH - 1}}}", re.ASCII)

KnownAt = int | str | datetime
"""The number of a batch, or a timestamp; or as text one of these, or a tag."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What a projection describes, and what was known then.

    Attributes:
        as_of: the month up to which events are replayed.
        batch: known-at, the last batch taken into account.
        head: the head of the ledger after that batch.
        missing: the months up to the as-of month, from the first recorded one on, of which nothing
            was recorded by then: gaps.
    """

    as_of: Month
    batch: int
    head: str
    missing: tuple[Month, ...]

    @property
    def name(self) -> str:
        """The name by which a user asks for it: `202503@2`."""
        return f"{self.as_of}@{self.batch}"

    @staticmethod
    def parse(text: str) -> EditionName:
        """Read how a user names an edition, `202503@signed`; see `EditionName.parse`."""
        return EditionName.parse(text)


@dataclass(frozen=True, slots=True)
class EditionName:
    """How a user names an edition; `Records.edition` finds the one that it names.

    Attributes:
        as_of: the month; None for that of the tag, where `known_at` is one, or else for the latest
            month known then.
        known_at: a batch, a timestamp or a tag; None for the last batch.
    """

    as_of: Month | None = None
    known_at: KnownAt | None = None

    @classmethod
    def parse(cls, text: str) -> EditionName:
        """Read an as-of month, a known-at, or both joined by `@`.

        `202503`, `2025-03`, `2`, `signed`, `2025-04-01`, `2025-04-01T09:30:00Z`, `202503@2`,
        `202503@signed`, `@202503` (the batch).

        Raises:
            WrongUsage: what stands before `@` is no month.
        """
        month, at, known_at = text.partition("@")
        if at:
            return cls(Month.parse(month) if month else None, known_at)
        try:
            return cls(Month.parse(text))
        except WrongUsage:
            return cls(None, text)


def edition_name(
    as_of: EditionName | Month | str | None = None, known_at: KnownAt | None = None
) -> EditionName:
    """The name of an edition as a caller gives it.

    Args:
        as_of: a month; or, without `known_at`, a text as `EditionName.parse` reads it.
        known_at: a batch, a timestamp or a tag.

    Raises:
        WrongUsage: the text is no month, or both say what was known.
    """
    if isinstance(as_of, EditionName):
        if known_at is not None:
            raise WrongUsage("an edition that is named in full takes no known-at")
        return as_of
    if isinstance(as_of, str) and known_at is None:
        return EditionName.parse(as_of)
    return EditionName(as_month_or_none(as_of), known_at)


def check_tag_name(name: str) -> None:
    """Check that a text can be a tag, so that it cannot be taken for a batch or a month.

    Raises:
        WrongUsage: it cannot.
    """
    if not _TAG.fullmatch(name):
        raise WrongUsage(
            f"{name!r} cannot be a tag: letters, digits, '.', '_' and '-', a letter first, "
            f"{TAG_LENGTH} in all"
        )
