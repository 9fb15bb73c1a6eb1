"""The source of an event: the file, its line, its digest, and the batch that recorded it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ledger.model.dataset import Kind, Table
from ledger.model.periods import Month
from ledger.model.records import File
from ledger.replay.replay import Replay


@dataclass(frozen=True, slots=True)
class Source:
    """An event and its source.

    Attributes:
        event_id: its place in replay order.
        month: of its file.
        action: `add`, `update` or `delete`.
        file: the file's name, `delta/agents_delta_202502.csv`.
        line: the physical line in it.
        sha256: the digest of the file.
        batch: the batch that recorded it.
        superseded_in: the batch that superseded the file, or None.
        ambiguous: whether another file of the same name was recorded.
    """

    event_id: int
    month: Month
    action: str
    file: str
    line: int
    sha256: str
    batch: int
    superseded_in: int | None
    ambiguous: bool

    def __str__(self) -> str:
        """`delta/agents_delta_202502.csv:3`, with its batch if the name is ambiguous."""
        batch = f" (batch {self.batch})" if self.ambiguous else ""
        return f"{self.file}:{self.line}{batch}"


class Sources:
    """Finds the sources of events, as known in an edition."""

    def __init__(self, replay: Replay) -> None:
        """Note which files were known in the edition of a replay."""
        self._replay = replay
        files = [file for file in replay.records.files if file.batch <= replay.edition.batch]
        self._files = {file.file: file for file in files}
        self._successors = {file.supersedes: file for file in files if file.supersedes}
        self._names = Counter(file.name for file in files if file.kind in set(Kind))

    def file(self, number: int) -> File:
        """The record of a file."""
        return self._files[number]

    def successor(self, number: int) -> File | None:
        """The record that superseded a file: a file or a retraction; or None."""
        return self._successors.get(number)

    def superseded_in(self, number: int) -> int | None:
        """The batch that superseded a file, or None."""
        successor = self.successor(number)
        return successor.batch if successor else None

    def find(self, table: Table, event_id: int) -> Source:
        """The source of an event of a table."""
        sql = f"SELECT file, line, action FROM {table.events} WHERE event_id = ?"
        ((number, line, action),) = self._replay.store.rows(sql, (event_id,))
        return self.source(event_id, number, line, action)

    def source(self, event_id: int, number: int, line: int, action: str) -> Source:
        """The source of an event whose file number, line and action are known."""
        file = self._files[number]
        return Source(
            event_id=event_id,
            month=file.month,
            action=action,
            file=file.name,
            line=line,
            sha256=file.sha256 or "",
            batch=file.batch,
            superseded_in=self.superseded_in(number),
            ambiguous=self._names[file.name] > 1,
        )
