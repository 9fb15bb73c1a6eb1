"""Why files that would be corrections are refused, and what they would change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ledger.errors import SequenceBroken
from ledger.model.dataset import Kind
from ledger.model.records import File
from ledger.recording.corrections import RowDifference
from ledger.text import counted


@dataclass(frozen=True, slots=True)
class OtherBytes:
    """A file with other bytes than the one that counts for its table and month.

    Attributes:
        path: the delivered file.
        recorded: the record of the file that counts.
        delivered: the record that the delivered file would have.
        difference: how the rows of the two differ, or None.
        continues: whether the delivered file begins with all of the recorded one.
    """

    path: Path
    recorded: File
    delivered: File
    difference: RowDifference | None
    continues: bool

    def __str__(self) -> str:
        before, after = self.recorded, self.delivered
        lines = [
            f"{self.path}: other bytes are recorded for {before.table_name} {before.month} "
            f"in batch {before.batch}",
            f"  recorded   SHA-256 {before.sha256}, {counted(before.rows, 'row')}",
            f"  delivered  SHA-256 {after.sha256}, {counted(after.rows, 'row')}",
            f"  rows       {self.difference}",
        ]
        if self.continues:
            lines.append("  the earlier delivery looks truncated: this one begins with all of it")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class SupersededBytes:
    """A file whose bytes were recorded for its table and month, and no longer count.

    Attributes:
        path: the delivered file.
        recorded: the record of the same bytes.
        successor: the record that superseded it, a file or a retraction; None where these bytes
            count, so that the delivered file changed while it was read.
    """

    path: Path
    recorded: File
    successor: File | None

    def __str__(self) -> str:
        if self.successor is None:
            return f"{self.path}: this file changed while it was read; ingest it again"
        same, successor = self.recorded, self.successor
        how = "superseded" if successor.kind in set(Kind) else "retracted"
        return (
            f"{self.path}: these bytes were recorded for {same.table_name} {same.month} in batch "
            f"{same.batch}, and {how} in batch {successor.batch}\n"
            f"  SHA-256    {same.sha256}, {counted(same.rows, 'row')}"
        )


class CorrectionRefused(SequenceBroken):
    """Files come in the place of recorded ones, which the caller does not allow.

    Attributes:
        conflicts: file by file, what is recorded and what is delivered.
    """

    def __init__(self, conflicts: Sequence[OtherBytes | SupersededBytes]) -> None:
        self.conflicts = tuple(conflicts)
        restores = any(isinstance(conflict, SupersededBytes) for conflict in conflicts)
        super().__init__("\n".join([*map(str, conflicts), _RESTORE if restores else _CORRECT]))


_CORRECT = 'To put it in the place of what is recorded, say --correct --reason "…"'
_RESTORE = (
    "Have the file that counts in its place, or leave it out with --months. "
    'Only to put these bytes back in force, say --correct --reason "…"'
)
