"""The faults that a verification finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ledger.model.records import File


class FaultKind(StrEnum):
    """The kind of a thing that is not as it was recorded."""

    OBJECT = "object"
    STORAGE = "storage"
    EVENT = "event"
    FILE = "file"
    BATCH = "batch"
    TAG = "tag"
    DERIVED = "derived"
    RECEIPT = "receipt"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Fault:
    """A thing that is not as it was recorded.

    Attributes:
        kind: of the thing.
        where: which thing: a table, a batch, a file with its line.
        message: what is wrong with it.
    """

    kind: FaultKind
    where: str
    message: str

    def __str__(self) -> str:
        kind = "" if self.kind is FaultKind.OBJECT else f"{self.kind} "
        return f"{kind}{self.where}: {self.message}"


def event_fault(file: File, event_id: int, line: int | None, message: str) -> Fault:
    """A fault of an event, which is named by its file, line, number and batch."""
    place = file.name if line is None else f"{file.name}:{line}"
    return Fault(FaultKind.EVENT, f"{place} (event {event_id}, batch {file.batch})", message)


def file_fault(file: File, message: str) -> Fault:
    """A fault of a file, or of its record."""
    return Fault(FaultKind.FILE, place_of(file), message)


def place_of(file: File) -> str:
    """The name of a file with its batch: a later batch may have a file of the same name."""
    return f"{file.name} (batch {file.batch})"
