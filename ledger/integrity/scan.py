"""One pass over all events, for the checks of batches and of typed values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from ledger.delivery.cell_values import CellReader, TypedValue
from ledger.errors import StorageFailed
from ledger.integrity.chain import links
from ledger.integrity.fault import Fault, FaultKind, event_fault
from ledger.integrity.target import BatchScan, EventChunk, FileScan, VerificationTarget
from ledger.model.digest import MARK_BYTES
from ledger.model.merkle import MerkleTree
from ledger.model.records import File

_TEXT = frozenset((str, type(None)))
_CHANGED = "it is not as it was recorded"


def scan_batches(target: VerificationTarget, *, cells: bool) -> Iterator[BatchScan]:
    """Read all events, batch by batch.

    Args:
        target: whose records are loaded.
        cells: whether typed values and days are computed from the cells, and compared.
    """
    for link in links(target):
        tree = MerkleTree()
        files = [file for file in link.files if target.has_events(file)]
        scans = [_FileReader(target, file, cells).scan(tree) for file in files]
        locations = [place for place in map(target.location, files) if place]
        yield BatchScan(link, scans, tree.count, tree.root().hex(), locations)


class _FileReader:
    """Reads the events of one file."""

    def __init__(self, target: VerificationTarget, file: File, cells: bool) -> None:
        self._target = target
        self._file = file
        self._expected = file.first_event or 0
        self._found = FileScan()
        self._values = _TypedValues(target, file) if cells else None

    def scan(self, tree: MerkleTree) -> FileScan:
        """Read all events, and add their leaves to a tree."""
        target, file, found = self._target, self._file, self._found
        end = (file.last_event or 0) + 1
        try:
            for chunk in target.events(file):
                self._read(chunk, tree)
        except StorageFailed as error:
            found.misplaced = found.misplaced or target.unreadable(file, self._expected, error)
        if found.misplaced is None and self._expected < end:
            found.misplaced = event_fault(file, self._expected, None, "it is missing")
        if found.misplaced is None and self._expected > end:
            message = "the record of its file has no such event"
            found.misplaced = event_fault(file, end, None, message)
        found.misplaced, found.altered = map(self._located, (found.misplaced, found.altered))
        if self._values:
            found.typed_value, found.days = self._values.end()
        return found

    def _read(self, chunk: EventChunk, tree: MerkleTree) -> None:
        hashes = chunk.leaves(self._file.table_name)
        tree.add(hashes)
        if self._found.misplaced is None:
            place = self._place_of_misplaced(chunk)
            if self._found.altered is None:
                self._compare_prefixes(chunk, hashes[:place])
            if self._values and place is None:
                self._values.compare(chunk)
        self._expected += len(chunk.events)
        self._target.progress.advance(len(chunk.events))

    def _place_of_misplaced(self, chunk: EventChunk) -> int | None:
        """Note the first event that cannot be one of the file, and give its place."""
        number, following = (
            self._file.file,
            range(self._expected, self._expected + len(chunk.events)),
        )
        types = set(chain.from_iterable(map(type, column) for column in chunk.cells))
        if types <= _TEXT and set(chunk.files) == {number} and [*chunk.events] == [*following]:
            return None
        for place, (expected, event, file, line, *cells) in enumerate(
            zip(following, chunk.events, chunk.files, chunk.lines, *chunk.cells, strict=True)
        ):
            message, known_line = None, None
            if event != expected:
                message = f"it is missing, and {event} in its place"
            elif file != number:
                message, known_line = f"it is recorded as one of file {file}", line
            elif not _TEXT.issuperset(map(type, cells)):
                message, known_line = "a cell of it is not text", line
            if message:
                self._found.misplaced = event_fault(self._file, expected, known_line, message)
                return place
        return None

    def _compare_prefixes(self, chunk: EventChunk, hashes: list[bytes]) -> None:
        """Note the first event whose leaf does not begin with the recorded prefix."""
        stored = self._target.leaf_prefixes(self._file, self._expected)
        if stored is None or b"".join([one[:MARK_BYTES] for one in hashes]) == stored:
            return
        for place, one in enumerate(hashes):
            if one[:MARK_BYTES] != stored[place * MARK_BYTES : (place + 1) * MARK_BYTES]:
                event, line = chunk.events[place], chunk.lines[place]
                self._found.altered = event_fault(self._file, event, line, _CHANGED)
                return

    def _located(self, fault: Fault | None) -> Fault | None:
        """Name the file in which an event is stored."""
        place = self._target.location(self._file)
        if fault is None or place is None or fault.kind is not FaultKind.EVENT:
            return fault
        return replace(fault, where=f"{fault.where} in {place}")


class _TypedValues:
    """Computes the typed values of a file from its cells, and compares the stored ones."""

    def __init__(self, target: VerificationTarget, file: File) -> None:
        self._target = target
        self._file = file
        self._reader = CellReader(target.dataset.table(file.table_name))
        self._fault: Fault | None = None
        self._stored = self._typed_values()

    def compare(self, chunk: EventChunk) -> None:
        """Compare the typed values of the next events."""
        for row, reading in sorted(self._reader.irregular(chunk.cells), key=_place):
            value = self._target.stored_value(reading.value)
            expected = (chunk.events[row], reading.column, value, reading.code)
            # Compared by their representation: 5 is not 5.0.
            if self._fault is None and repr(next(self._stored, None)) != repr(expected):
                self._note(expected[0])

    def end(self) -> tuple[Fault | None, set[str]]:
        """The first difference, and the days of UTC of all timestamps."""
        for event_id, *_ in self._stored:
            self._note(event_id)
        return self._fault, self._reader.utc_days

    def _typed_values(self) -> Iterator[tuple[object, ...]]:
        try:
            yield from self._target.typed_values(self._file)
        except StorageFailed as error:
            self._fault = self._fault or self._target.storage_fault(error)

    def _note(self, event_id: object) -> None:
        if self._fault:
            return
        place = self._target.typed_values_place(self._file)
        where = f"{place} of event {event_id} of {self._file.name}"
        message = "not the typed values of its cells"
        self._fault = Fault(FaultKind.DERIVED, where, message)


def _place(found: tuple[int, TypedValue]) -> tuple[int, str]:
    row, reading = found
    return row, reading.column
