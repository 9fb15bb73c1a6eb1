"""Publishes a ledger to a lake: the batches and tags that the lake does not have yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from ledger.errors import VerificationFailed
from ledger.lake.arrow import EventFile, clock_table, days_of, readings_table
from ledger.lake.files import read_parquet
from ledger.lake.layout import ROWS_AT_ONCE, BatchContent, Layout
from ledger.lake.relations import CLOCK, columns_of, schema
from ledger.model.dataset import Column, DataSet, Type
from ledger.model.presentation import JsonObject, Part
from ledger.model.progress import Advance, Progress, Tally
from ledger.model.records import Batch, File, Records
from ledger.model.tabular import Tabular
from ledger.store.event_store import Store
from ledger.text import counted


@dataclass(frozen=True, slots=True)
class Published(JsonObject):
    """The result of publishing.

    Attributes:
        layout: of the lake.
        batches: those that are new in the lake, in order.
        files: the number of files of the new batches.
        events: the number of events of the new batches.
        tags: the number of new tags.
        held: the number of batches that the lake has now.
        head: the head after the last batch, or None.
    """

    layout: str
    batches: tuple[Batch, ...]
    files: int
    events: int
    tags: int
    held: int
    head: str | None

    def tabular(self) -> Tabular:
        """The batches that are new in the lake."""
        rows = [(batch.batch, str(batch.month), batch.events) for batch in self.batches]
        return Tabular("published", _COLUMNS, rows, "batch")

    def parts(self) -> Iterator[Part]:
        """What is new in the lake."""
        if self.batches:
            what = f"{counted(self.events, 'event')} of {counted(self.files, 'file')}"
            yield f"{what} written in {counted(len(self.batches), 'batch', 'batches')}."
        elif not self.tags:
            yield "Nothing new."
        if self.tags:
            yield f"{counted(self.tags, 'tag')} written."


_COLUMNS = (
    Column("batch", "The batch.", Type.INTEGER),
    Column("month", "Its month."),
    Column("events", "The number of its events.", Type.INTEGER),
)


def publish_store(
    store: Store, dataset: DataSet, lake: Layout, progress: Progress | None = None
) -> Published:
    """Add to a lake what only the ledger has; to be called within a snapshot.

    Args:
        store: the ledger.
        dataset: its description.
        lake: the lake.
        progress: is called with the number of events that are written, and the number of all.

    Raises:
        VerificationFailed: the lake is not the beginning of this ledger.
        LedgerBusy: another process writes to the lake.
        StorageFailed: the lake cannot be written; the batches before are complete.
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
    """Check that the records of a lake are the beginning of those of a ledger, or all of them.

    Raises:
        VerificationFailed: the lake has more records, or other ones.
    """
    batches, tags = store.batches(), store.tags()
    if len(known.batches) > len(batches) or len(known.tags) > len(tags):
        raise VerificationFailed(
            f"the lake {lake.root} goes on to batch {len(known.batches)} with {len(known.tags)} "
            f"tags, and the ledger {store.path} ends with batch {len(batches)} and {len(tags)}; "
            "name the ledger that was published there, or another folder"
        )
    for published, ours in zip(known.batches, batches, strict=False):
        if published.seal != ours.seal:
            raise VerificationFailed(
                f"batch {published.batch} of the lake {lake.root} has the head {published.head}, "
                f"and that of the ledger {store.path} has {ours.head}: it is another one, or was "
                "recorded at another time; publish to another folder"
            )
    for published_tag, tag in zip(known.tags, tags, strict=False):
        if published_tag.seal != tag.seal:
            raise VerificationFailed(
                f"the lake {lake.root} has the tag {published_tag.name} where the ledger "
                f"{store.path} has {tag.name}, or of another edition; publish to another folder"
            )


def known_days(lake: Layout, records: Records) -> set[str]:
    """The days of UTC whose local time is in a lake."""
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
    """The content of a batch for a lake; its new days are added to the known ones."""
    event_files: dict[int, EventFile] = {}

    def events(file: File) -> pa.RecordBatchReader:
        made = event_files[file.file] = EventFile(dataset.table(file.table_name), file.file)
        return pa.RecordBatchReader.from_batches(
            made.schema, _batches(store, dataset, file, made, advance)
        )

    def clock() -> pa.Table:
        new = set().union(*(made.utc_days for made in event_files.values())) - days
        days.update(new)
        return clock_table(new, dataset.zone)

    def readings() -> pa.Table:
        return readings_table(row for made in event_files.values() for row in made.readings)

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
