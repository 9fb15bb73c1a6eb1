"""Publishes a ledger to a lake: the batches, and names of editions, that it has not yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from ledger.errors import VerificationFailed
from ledger.lake.arrow import EventFile, clock_table, days_of, readings_table
from ledger.lake.files import read_parquet
from ledger.lake.layout import ROWS_AT_ONCE, BatchContent, Layout
from ledger.lake.relations import CLOCK, columns_of, schema
from ledger.model.dataset import DataSet
from ledger.model.progress import Advance, Progress, Tally
from ledger.model.records import Batch, File, Records
from ledger.store.event_store import Store


@dataclass(frozen=True, slots=True)
class Published:
    """What was published.

    Attributes:
        layout: of the lake.
        batches: those that are new there, in order.
        files: how many files these have.
        events: how many events these have.
        tags: how many names of editions are new there.
        held: how many batches the lake holds now.
        head: after the last of them, or None.
    """

    layout: str
    batches: tuple[Batch, ...]
    files: int
    events: int
    tags: int
    held: int
    head: str | None


def publish_store(
    store: Store, dataset: DataSet, lake: Layout, progress: Progress | None = None
) -> Published:
    """Add to a lake what a ledger holds and the lake does not; to be called within a snapshot.

    Args:
        store: the ledger.
        dataset: its description.
        lake: the lake.
        progress: is told how many events of how many are written.

    Raises:
        VerificationFailed: the lake holds something else than this ledger.
        LedgerBusy: another process writes to the lake.
        StorageFailed: the lake cannot be written; the batches before are whole.
    """
    batches, files, tags = store.batches(), store.files(), store.tags()
    with lake.writing():
        known = lake.records()
        check_same(store, lake, known)
        new = batches[len(known.batches) :]
        days = known_days(lake, known) if new else set()
        tally = Tally(sum(batch.events for batch in new), progress)
        for batch in new:
            of_batch = tuple(file for file in files if file.batch == batch.batch)
            lake.add_batch(_content(store, dataset, batch, of_batch, days, tally.advance))
        new_tags = tags[len(known.tags) :]
        lake.add_tags(new_tags)
    return Published(
        layout=lake.name,
        batches=tuple(new),
        files=sum(file.batch > len(known.batches) for file in files),
        events=sum(batch.events for batch in new),
        tags=len(new_tags),
        held=len(batches),
        head=batches[-1].head if batches else None,
    )


def check_same(store: Store, lake: Layout, known: Records) -> None:
    """See that a lake holds the beginning of a ledger, or all of it.

    Raises:
        VerificationFailed: it holds more, or something else.
    """
    batches, tags = store.batches(), store.tags()
    if len(known.batches) > len(batches) or len(known.tags) > len(tags):
        raise VerificationFailed(
            f"the lake {lake.root} goes on to batch {len(known.batches)} with {len(known.tags)} "
            f"tags, and the ledger {store.path} ends with batch {len(batches)} and {len(tags)}; "
            "name the ledger that was published there, or another folder"
        )
    for held, ours in zip(known.batches, batches, strict=False):
        if held.seal != ours.seal:
            raise VerificationFailed(
                f"batch {held.batch} of the lake {lake.root} has the head {held.head}, and that of "
                f"the ledger {store.path} has {ours.head}: it is another one, or was recorded at "
                "another time; publish to another folder"
            )
    for named, tag in zip(known.tags, tags, strict=False):
        if named.seal != tag.seal:
            raise VerificationFailed(
                f"the lake {lake.root} has the tag {named.name} where the ledger {store.path} has "
                f"{tag.name}, or of another edition; publish to another folder"
            )


def known_days(lake: Layout, records: Records) -> set[str]:
    """The days of UTC of which a lake has the local time."""
    types = schema(columns_of(CLOCK))
    days: set[str] = set()
    for path in lake.files_of(CLOCK, records):
        days |= days_of(read_parquet(path, types))
    return days


def _content(
    store: Store,
    dataset: DataSet,
    batch: Batch,
    files: tuple[File, ...],
    days: set[str],
    advance: Advance,
) -> BatchContent:
    """What is added of a batch; the days that it brings are added to those known."""
    written: dict[int, EventFile] = {}

    def events(file: File) -> pa.RecordBatchReader:
        made = written[file.file] = EventFile(dataset.table(file.table_name), file.file)
        return pa.RecordBatchReader.from_batches(
            made.schema, _batches(store, dataset, file, made, advance)
        )

    def clock() -> pa.Table:
        new = set().union(*(made.utc_days for made in written.values())) - days
        days.update(new)
        return clock_table(new, dataset.zone)

    def readings() -> pa.Table:
        return readings_table(row for made in written.values() for row in made.readings)

    return BatchContent(batch, files, events, readings, clock)


def _batches(
    store: Store, dataset: DataSet, file: File, made: EventFile, advance: Advance
) -> Iterator[pa.RecordBatch]:
    """The events of a file of the ledger, a row group at a time."""
    table = dataset.table(file.table_name)
    sql = f"""
        SELECT event_id, line, action, {", ".join(table.column_names)} FROM {table.events}
        WHERE event_id BETWEEN ? AND ? ORDER BY event_id
    """
    for rows in store.chunks(sql, (file.first_event, file.last_event), ROWS_AT_ONCE):
        events, lines, actions, *columns = zip(*rows, strict=True)
        yield made.batch(events, lines, actions, columns)
        advance(len(rows))
