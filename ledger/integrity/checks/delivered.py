"""The delivered files, read again and held to what was recorded of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path

from ledger.delivery.csv_reader import read_blocks
from ledger.delivery.discovery import Delivery, OpenDelivery, delivered_files, digest_of
from ledger.errors import Problems, WrongUsage
from ledger.integrity.checks.contents import event_chunks
from ledger.integrity.fault import Fault, FaultKind, Subject
from ledger.model.dataset import DataSet, Kind
from ledger.model.records import File, Records
from ledger.store.database import Record


class Originals:
    """The files of a folder, found by what they are: table, kind, month and content."""

    def __init__(self, folder: Path, dataset: DataSet) -> None:
        """Read the digests of all delivered files below a folder.

        Raises:
            WrongUsage: there is no such folder.
            InputRefused: it or a file in it cannot be read.
        """
        if not folder.is_dir():
            raise WrongUsage(f"there is no folder {folder}; name that of the delivered files")
        self.folder = folder
        self._found: dict[tuple[str, str, int | None, str], Delivery] = {}
        for delivery in delivered_files(folder, dataset):
            month = delivery.month.number if delivery.month else None
            place = (delivery.table.name, delivery.kind.value, month, digest_of(delivery.path))
            self._found.setdefault(place, delivery)

    def find(self, file: File) -> Delivery | None:
        """The delivered file of a record, or None."""
        return self._found.get(_place(file))

    def unrecorded(self, files: Iterable[File]) -> Iterator[Delivery]:
        """The files in the folders `initial` and `delta` of which there is no record."""
        recorded = {_place(file) for file in files}
        for place, delivery in self._found.items():
            is_delivered = delivery.path.parent == self.folder / delivery.kind
            if is_delivered and place not in recorded:
                yield delivery


def _place(file: File) -> tuple[str, str, int | None, str]:
    month = None if file.kind == Kind.INITIAL else file.month.number
    return file.table_name, file.kind, month, file.sha256 or ""


@dataclass(slots=True)
class OriginalsCheck:
    """Holds every recorded file to the one that was delivered.

    Attributes:
        originals: the delivered files.
        compared: how many were compared.
        absent: the records out of force of which there is no file.
    """

    originals: Originals
    compared: int = 0
    absent: list[File] = field(default_factory=list)

    def check(self, subject: Subject) -> Iterator[Fault]:
        """Tell the first difference of each file; files that are missing, or not recorded."""
        effective = Records((), tuple(subject.files), ()).effective().values()
        counting = {file.file for file in effective}
        for file in subject.files:
            if file.kind not in set(Kind):
                continue
            delivery = self.originals.find(file)
            if delivery:
                self.compared += 1
                yield from _compare(subject, file, delivery)
            elif file.file in counting:
                message = (
                    f"no file of these bytes in {self.originals.folder}: SHA-256 {file.sha256}"
                )
                yield Fault(FaultKind.SOURCE, f"{file.name} (batch {file.batch})", message)
            else:
                self.absent.append(file)
        for delivery in self.originals.unrecorded(subject.files):
            yield Fault(FaultKind.SOURCE, str(delivery.path), "it is not recorded")


def _compare(subject: Subject, file: File, delivery: Delivery) -> Iterator[Fault]:
    """Read a delivered file again, and tell the first event that is not its row."""
    path = str(delivery.path)
    source = OpenDelivery(delivery.path)
    blocks = read_blocks(source.chunks(), delivery.table, delivery.kind, path, Problems())
    delivered = chain.from_iterable(
        zip(block.lines, block.actions, *block.columns, strict=True) for block in blocks
    )
    events = chain.from_iterable(event_chunks(subject.store, subject.dataset, file))
    recorded = (event[2:] for event in events)
    for row, event in zip_longest(delivered, recorded):
        if row != event:
            line = (row or event)[0]
            message = f"batch {file.batch} has it otherwise{_difference(delivery, row, event)}"
            yield Fault(FaultKind.SOURCE, f"{path}:{line}", message)
            return
    if source.size != file.bytes:
        yield Fault(FaultKind.SOURCE, path, f"batch {file.batch} says {file.bytes} bytes")


def _difference(delivery: Delivery, row: Record | None, event: Record | None) -> str:
    if row is None or event is None:
        return f": the row is {'not in the file' if row is None else 'not recorded'}"
    names = ("line", "action", *delivery.table.column_names)
    cells = zip(names, row, event, strict=True)
    name, cell, recorded = next(found for found in cells if found[1] != found[2])
    return f": {name} is {cell!r} in the file and {recorded!r} there"
