"""The delivered files, read again and compared with what was recorded of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path

from ledger.delivery.csv_reader import read_blocks
from ledger.delivery.discovery import Delivery, OpenDelivery, delivered_files, digest_of
from ledger.errors import Problems, WrongUsage
from ledger.integrity.fault import Fault, FaultKind, place_of
from ledger.integrity.target import VerificationTarget
from ledger.model.dataset import DataSet, Kind
from ledger.model.periods import Month
from ledger.model.records import File, Records
from ledger.store.database import Record


class DeliveredFiles:
    """The files of a folder, found by their table, kind, month and content."""

    def __init__(self, folder: Path, dataset: DataSet) -> None:
        """Read the digests of all delivered files below a folder.

        Raises:
            WrongUsage: the folder does not exist.
            InputRefused: the folder or a file in it cannot be read.
        """
        if not folder.is_dir():
            raise WrongUsage(f"there is no folder {folder}; name that of the delivered files")
        self.folder = folder
        self._found: dict[tuple[str, str, int | None, str], Delivery] = {}
        for delivery in delivered_files(folder, dataset):
            month = delivery.month.number if delivery.month else None
            place = (delivery.table.name, delivery.kind.value, month, digest_of(delivery.path))
            if place not in self._found or self._is_placed(delivery):
                self._found[place] = delivery

    def find(self, file: File) -> Delivery | None:
        """The delivered file of a record, or None."""
        return self._found.get(_place(file))

    def unrecorded(self, files: Iterable[File]) -> Iterator[Delivery]:
        """The files in the folders `initial` and `delta` that have no record."""
        recorded = {_place(file) for file in files}
        for place, delivery in self._found.items():
            if place not in recorded and self._is_placed(delivery):
                yield delivery

    def left_out(self, files: Iterable[File], as_of: Month) -> Iterator[Delivery]:
        """The files up to a month that are not among some records.

        A file outside `initial` and `delta` is left out if one in these folders, of the same table,
        kind and month, is among them: it may be an earlier version of that one.
        """
        recorded = {_place(file) for file in files}
        current = {
            place[:-1]
            for place, delivery in self._found.items()
            if place in recorded and self._is_placed(delivery)
        }
        for place, delivery in self._found.items():
            is_due = delivery.month is None or delivery.month <= as_of
            if is_due and place not in recorded and place[:-1] not in current:
                yield delivery

    def _is_placed(self, delivery: Delivery) -> bool:
        return delivery.path.parent == self.folder / delivery.kind


def _place(file: File) -> tuple[str, str, int | None, str]:
    month = None if file.kind == Kind.INITIAL else file.month.number
    return file.table_name, file.kind, month, file.sha256 or ""


@dataclass(slots=True)
class DeliveredFilesCheck:
    """Compares every recorded file with the one that was delivered.

    Attributes:
        delivered: the delivered files.
        compared: how many were compared; None before that.
        absent: the records of superseded files for which no file was delivered.
    """

    delivered: DeliveredFiles
    compared: int | None = None
    absent: list[File] = field(default_factory=list)

    def check(self, target: VerificationTarget) -> Iterator[Fault]:
        """Report the first difference of each file, and files that are missing or not recorded."""
        counting = {file.file for file in Records((), tuple(target.files), ()).effective().values()}
        self.compared = 0
        for file in target.files:
            if file.kind not in set(Kind):
                continue
            delivery = self.delivered.find(file)
            if delivery:
                self.compared += 1
                yield from _compare(target, file, delivery)
            elif file.file in counting:
                folder = self.delivered.folder
                message = f"no file of these bytes in {folder}: SHA-256 {file.sha256}"
                yield Fault(FaultKind.SOURCE, place_of(file), message)
            else:
                self.absent.append(file)
        for delivery in self.delivered.unrecorded(target.files):
            yield Fault(FaultKind.SOURCE, str(delivery.path), "it is not recorded")


def _compare(target: VerificationTarget, file: File, delivery: Delivery) -> Iterator[Fault]:
    """Read a delivered file again, and report the first event that is not its row."""
    path = str(delivery.path)
    source = OpenDelivery(delivery.path)
    blocks = read_blocks(source.chunks(), delivery.table, delivery.kind, path, Problems())
    delivered = chain.from_iterable(
        zip(block.lines, block.actions, *block.columns, strict=True) for block in blocks
    )
    events = target.events(file) if target.has_events(file) else iter(())
    recorded = chain.from_iterable(chunk.rows() for chunk in events)
    for row, event in zip_longest(delivered, recorded):
        if row != event:
            line = (row or event)[0]
            message = f"it differs from batch {file.batch}{_difference(delivery, row, event)}"
            yield Fault(FaultKind.SOURCE, f"{path}:{line}", message)
            return
    if source.size != file.bytes:
        yield Fault(FaultKind.SOURCE, path, f"batch {file.batch} has {file.bytes} bytes")


def _difference(delivery: Delivery, row: Record | None, event: Record | None) -> str:
    if row is None or event is None:
        return f": the row is {'not in the file' if row is None else 'not recorded'}"
    names = ("line", "action", *delivery.table.column_names)
    cells = zip(names, row, event, strict=True)
    name, cell, recorded = next(found for found in cells if found[1] != found[2])
    return f": {name} is {cell!r} in the file and {recorded!r} there"
