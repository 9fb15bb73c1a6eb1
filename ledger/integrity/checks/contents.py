"""What was recorded: every event, file, batch and tag, held to the digests.

Events are hashed again, one after the other, and the chain is followed from its beginning. Where a
head does not agree, the marks of the events and the digests of the files' records tell where.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, repeat
from math import inf

from ledger.errors import StorageFailed
from ledger.integrity.checks.derived import ReadingsCheck
from ledger.integrity.fault import Fault, FaultKind, Recorded, Subject
from ledger.model.dataset import DataSet
from ledger.model.digest import (
    GENESIS,
    MARK_BYTES,
    batch_digest,
    file_digest,
    leaves,
    next_head,
    next_seal,
    next_tag_seal,
)
from ledger.model.merkle import MerkleTree
from ledger.model.records import Batch, File
from ledger.store.database import Record
from ledger.store.event_store import MARKS_AT_ONCE, Store

_CHANGED = "it is not as it was recorded"
_NO_HASH = b""
_TEXT = frozenset((str, type(None)))


def check_contents(subject: Subject, readings: ReadingsCheck | None) -> Iterator[Fault]:
    """Hold every event, file and batch to the digests, and the chain to its beginning.

    Args:
        subject: the ledger.
        readings: is shown every event, to hold the readings to it; None leaves that out.
    """
    head = seal = GENESIS
    for batch in subject.batches:
        files = [file for file in subject.files if file.batch == batch.batch]
        yield from _check_batch(subject, batch, files, (head, seal), readings)
        head, seal = batch.head, batch.seal
    yield from _check_strays(subject)


def _check_batch(
    subject: Subject,
    batch: Batch,
    files: list[File],
    before: tuple[str, str],
    readings: ReadingsCheck | None,
) -> Iterator[Fault]:
    tree = MerkleTree()
    events = [fault for file in files for fault in _check_events(subject, file, tree, readings)]
    records = [
        Fault(FaultKind.FILE, _place(file), "its record is not as it was recorded")
        for file in files
        if file_digest(file.contents, file.name) != file.digest
    ]
    root = tree.root().hex()
    digest = batch_digest(batch.contents, [f.contents for f in files], batch.events, root)
    names = [file.name for file in files]
    own = []
    if next_head(before[0], digest) != batch.head:
        yield from events
        if not events and not records:
            own.append("its record, its head, or a file or event of it is not as it was recorded")
    elif events:
        # The contents are those that the head binds: so the marks were changed.
        yield Fault(
            FaultKind.DERIVED, "event_marks", f"not those of the events of batch {batch.batch}"
        )
    if not events and batch.events != tree.count:
        own.append(f"it says that it has {batch.events} events, and has {tree.count}")
    if not events and root != batch.root:
        own.append("its root is not that of its events")
    yield from records
    if not (events or records or own) and next_seal(
        before[1], batch.head, batch.recorded_at, names
    ) != (batch.seal):
        own.append("its time of recording, its seal, or the order of its files was changed")
    yield from (Fault(FaultKind.BATCH, str(batch.batch), message) for message in own[:1])


def _check_events(
    subject: Subject, file: File, tree: MerkleTree, readings: ReadingsCheck | None
) -> Iterator[Fault]:
    """Add the leaves of a file's events to the tree, and tell the first one that has changed."""
    known = file.table_name in [table.name for table in subject.dataset.tables]
    if file.first_event is None or file.last_event is None or not known:
        return
    fault, expected = None, file.first_event
    if readings:
        readings.begin(file)
    try:
        for rows in event_chunks(subject.store, subject.dataset, file):
            hashes = event_leaves(file, rows)
            tree.add(hashes)
            fault = fault or first_fault(subject.store, file, expected, rows, hashes)
            expected = rows[-1][0] + 1
            if readings:
                readings.see([row for row, hashed in zip(rows, hashes, strict=True) if hashed])
            subject.advance(len(rows))
    except StorageFailed as error:
        expected = _first_unreadable(subject, file, expected)
        fault = fault or event_fault(file, expected, None, f"it cannot be read: {error}")
    if fault is None and expected <= file.last_event:
        fault = event_fault(file, expected, None, "it is missing")
    if fault:
        yield fault
    if readings:
        readings.end()


def first_fault(
    store: Store, file: File, expected: int, rows: Sequence[Record], hashes: Sequence[bytes]
) -> Fault | None:
    """Tell the first of some events that is not the one expected, or not as its mark has it.

    Args:
        store: the ledger that has the marks.
        file: of the events.
        expected: the first of them, with which a stretch of marks begins.
        rows: the events; of each first its number, then that of its file, then its line.
        hashes: of their leaves.
    """
    marks = b"".join(store.marks(expected))
    are_those = rows[0][0] == expected and rows[-1][0] - expected == len(rows) - 1
    if are_those and b"".join([hashed[:MARK_BYTES] for hashed in hashes]) == marks:
        return None
    for place, ((event_id, _, line, *_), hashed) in enumerate(zip(rows, hashes, strict=True)):
        if event_id != expected + place:
            return event_fault(file, expected + place, None, "it is missing")
        if hashed[:MARK_BYTES] != marks[place * MARK_BYTES : (place + 1) * MARK_BYTES]:
            return event_fault(file, event_id, line, _CHANGED)
    return None


def _first_unreadable(subject: Subject, file: File, expected: int) -> int:
    """The first event, from one on, that cannot be read: of several at once, one cannot tell."""
    query, (_, last) = _events_query(subject.dataset, file)
    try:
        for event_id, *_ in subject.store.rows(query, (expected, last)):
            expected = event_id + 1
    except StorageFailed:
        pass
    return expected


def event_chunks(store: Store, dataset: DataSet, file: File) -> Iterator[list[Record]]:
    """The events of a file, in order, as many at once as marks are kept for.

    Of each: `event_id`, file, line, action, then the cells.
    """
    return store.chunks(*_events_query(dataset, file), MARKS_AT_ONCE)


def _events_query(dataset: DataSet, file: File) -> tuple[str, tuple[int | None, int | None]]:
    table = dataset.table(file.table_name)
    sql = f"""
        SELECT event_id, file, line, action, {", ".join(table.column_names)} FROM {table.events}
        WHERE event_id BETWEEN ? AND ? ORDER BY event_id
    """
    return sql, (file.first_event, file.last_event)


def event_leaves(file: File, rows: Sequence[Record]) -> list[bytes]:
    """The hashes of events of a file; that of no event where one says that it is of another file.

    And where a cell is no text: a blob would be written as a text, and so could have the hash of
    that.
    """
    event_ids, files, lines, actions, *columns = zip(*rows, strict=True)
    hashes = leaves(zip(event_ids, repeat(file.table_name), files, lines, actions, *columns))
    types = set(chain.from_iterable(map(type, column) for column in columns))
    if types <= _TEXT and set(files) == {file.file}:
        return hashes
    return [
        hashed if row[1] == file.file and _TEXT.issuperset(map(type, row[4:])) else _NO_HASH
        for row, hashed in zip(rows, hashes, strict=True)
    ]


def _check_strays(subject: Subject) -> Iterator[Fault]:
    """Events, and marks of events, that are in no file."""
    for table in subject.dataset.tables:
        ranges = sorted(
            (file.first_event, file.last_event)
            for file in subject.files
            if file.table_name == table.name and file.first_event and file.last_event
        )
        gaps = pairwise([(-inf, -inf), *ranges, (inf, inf)])
        sql = f"""
            SELECT event_id, line FROM {table.events}
            WHERE event_id > ? AND event_id < ? ORDER BY event_id LIMIT 1
        """
        for (_, end), (start, _) in gaps:
            for event_id, line in subject.store.rows(sql, (end, start)):
                message = f"{event_id}, said to be of line {line}"
                yield Fault(FaultKind.EVENT, f"{table.events} {message}", "no file delivered it")
    sql = f"""
        SELECT coalesce(sum(length(marks)), 0) / {MARK_BYTES}, coalesce(min(length(marks)), 1) > 0
        FROM event_marks
    """
    if next(subject.store.rows(sql)) != (subject.events, True):
        yield Fault(FaultKind.DERIVED, "event_marks", "not as many as there are events")


def check_tags(recorded: Recorded) -> Iterator[Fault]:
    """Hold the names of editions to their chain."""
    heads = {batch.batch: batch.head for batch in recorded.batches}
    seal = GENESIS
    for tag in recorded.tags:
        head = heads.get(tag.batch, GENESIS)
        named = (tag.name, tag.as_of.number, tag.batch, tag.tagged_at)
        if next_tag_seal(seal, head, *named) != tag.seal:
            message = "it is not as it was given, or one before it was taken away"
            yield Fault(FaultKind.TAG, tag.name, message)
        seal = tag.seal


def event_fault(file: File, event_id: int, line: int | None, message: str) -> Fault:
    """What is wrong with an event, which is named by its file, line, number and batch."""
    place = file.name if line is None else f"{file.name}:{line}"
    return Fault(FaultKind.EVENT, f"{place} (event {event_id}, batch {file.batch})", message)


def _place(file: File) -> str:
    return f"{file.name} (batch {file.batch})"
