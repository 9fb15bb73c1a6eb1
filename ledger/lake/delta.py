"""A lake of Delta tables: one for each relation, and append-only.

The files of events are those of a lake of plain Parquet, with the log of the table beside them.
Each append is a transaction of its table, and carries the head and the number of its batch as
`(app_id, version)` (https://github.com/delta-io/delta/blob/master/PROTOCOL.md, "Transaction
Identifiers"): so a writer that adds a batch of which a part exists already adds only the rest. The
table of batches is appended to last, and readers ignore rows that belong to no batch in it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError
from deltalake.transaction import AddAction

from ledger.errors import LedgerDamaged, StorageFailed, VerificationFailed
from ledger.files.atomic import sync
from ledger.lake.files import move, read_parquet
from ledger.lake.layout import BatchContent, Layout
from ledger.lake.relations import (
    BATCHES,
    CLOCK,
    FILES,
    READINGS,
    TAGS,
    arrow_table,
    columns_of,
    event_schema,
    record_row,
    schema,
)
from ledger.model.dataset import Table
from ledger.model.documents import parse_json
from ledger.model.periods import Month
from ledger.model.records import Batch, File, Records, Tag
from ledger.store.event_store import Kept, record_of

_APPEND_ONLY: Mapping[str, str | None] = {"delta.appendOnly": "true"}
_MONTH = pa.field("month", pa.string())


class DeltaLayout(Layout):
    """A lake of Delta tables."""

    name = "delta"

    def records(self) -> Records:
        """The records of the lake."""
        batches = self._recorded(BATCHES, Batch)
        last = len(batches)
        return Records(
            tuple(batches),
            tuple(file for file in self._recorded(FILES, File) if file.batch <= last),
            tuple(tag for tag in self._recorded(TAGS, Tag) if tag.batch <= last),
        )

    def commit(self, draft: Path, content: BatchContent, staged: Mapping[File, Path]) -> None:
        """Add a batch whose events are written already; its record is added last."""
        batch = content.batch
        once = Transaction(batch.head, batch.batch)
        self._check_begun(content.files[0], once)
        for file, path in staged.items():
            self._append_events(file, path, once)
        tables: dict[str, Callable[[], pa.Table]] = {
            FILES: partial(arrow_table, FILES, map(record_row, content.files)),
            READINGS: content.readings,
            CLOCK: content.clock,
            BATCHES: partial(arrow_table, BATCHES, [record_row(batch)]),
        }
        for relation, rows in tables.items():
            self._append(relation, once, rows())

    def add_tags(self, tags: Sequence[Tag]) -> None:
        """Add names of editions, those after the last."""
        for tag in tags:
            row = arrow_table(TAGS, [record_row(tag)])
            self._append(TAGS, Transaction(tag.seal, tag.tag), row)

    def event_files(
        self, table: Table, records: Records, last_month: Month | None = None
    ) -> Sequence[Path]:
        """The files of Parquet that contain the events of a table."""
        last = records.files[-1].file if records.files else 0
        return [
            self.root / table.events / unquote(action["path"])
            for action in self._actions(table.events)
            if action["min.file"] <= last
            and (last_month is None or action["partition.month"] <= str(last_month))
        ]

    def files_of(self, relation: str, records: Records) -> Sequence[Path]:
        """The files of Parquet that contain the rows of `readings` or `clock`."""
        return [self.root / relation / unquote(a["path"]) for a in self._actions(relation)]

    def shares(
        self, relation: str, records: Records
    ) -> Sequence[tuple[Sequence[Batch], Sequence[Path]]]:
        """The files of `files_of`, by the batches whose rows they contain."""
        return [(records.batches, self.files_of(relation, records))]

    def is_begun(self, records: Records) -> bool:
        """Whether files of `files_of` may contain rows of a batch that is not finished."""
        return any(file.batch > len(records.batches) for file in self._recorded(FILES, File))

    def misplaced(self, records: Records) -> Iterator[tuple[Path, str]]:
        """Yield each path where readers find less or more than what is recorded, and a message."""
        tags = self._recorded(TAGS, Tag)
        # Read after the tags: a concurrent writer adds batches first.
        last = len(self._recorded(BATCHES, Batch))
        for tag in tags:
            if tag.batch > last:
                yield self.root / TAGS, f"{tag.name} is of batch {tag.batch}, which is missing"
        for table in self.dataset.tables:
            recorded = {
                self.events_path(file): file
                for file in records.files
                if file.table_name == table.name and file.rows
            }
            listed = {
                self.root / table.events / unquote(action["path"]): action
                for action in self._actions(table.events)
            }
            for path, file in recorded.items():
                if path not in listed:
                    yield path, "its table does not have it"
                elif not _is_of(listed[path], file):
                    yield path, "its entry in the table differs from its record"
            for path in self.event_files(table, records):
                if path not in recorded:
                    yield path, "its table has it, but no record of a file does"

    def _append_events(self, file: File, path: Path, once: Transaction) -> None:
        """Add the file with the events of a delivered file to its table, unless it was added."""
        table = self.dataset.table(file.table_name)
        existing = self._table(table.events)
        if existing and existing.transaction_version(once.app_id) is not None:
            self._settle(table.events)
            return
        place = self.events_path(file)
        move({path: place})
        made, types = place.stat(), event_schema(table).append(_MONTH)
        action = AddAction(
            path=place.relative_to(self.root / table.events).as_posix(),
            size=made.st_size,
            partition_values={"month": str(file.month)},
            modification_time=made.st_mtime_ns // 10**6,
            data_change=True,
            stats=_stats(file),
        )
        with self._translated(table.events):
            if existing is None:
                existing = DeltaTable.create(
                    self.root / table.events,
                    types,
                    partition_by=["month"],
                    configuration=_APPEND_ONLY,
                )
                self._settle(table.events)
            existing.create_write_transaction(
                [action],
                "append",
                types,
                partition_by=["month"],
                commit_properties=CommitProperties(app_transactions=[once]),
            )
        self._settle(table.events)

    def _append(self, relation: str, once: Transaction, rows: pa.Table) -> None:
        """Append rows to a table, unless they were appended already."""
        existing = self._table(relation)
        if existing is None or existing.transaction_version(once.app_id) is None:
            with self._translated(relation):
                write_deltalake(
                    existing or self.root / relation,
                    rows,
                    mode="append",
                    configuration=None if existing else _APPEND_ONLY,
                    commit_properties=CommitProperties(app_transactions=[once]),
                    writer_properties=WriterProperties(compression="ZSTD"),
                )
        self._settle(relation)

    def _settle(self, relation: str) -> None:
        """Wait until the last version of a table is on disk; Delta itself does not wait.

        A version that existed before is synced too: its writer may have been killed first.
        """
        table = self._table(relation)
        if table is None:
            return
        folder, log = self.root / relation, self.root / relation / "_delta_log"
        version = f"{table.version():020}"
        with self._translated(relation):
            lines = (log / f"{version}.json").read_text(encoding="utf-8").splitlines()
            added = [line["add"]["path"] for line in map(parse_json, lines) if "add" in line]
        files = [folder / unquote(path) for path in added]
        files += [path for path in log.iterdir() if path.name.startswith((version, "_last"))]
        for path in (*files, *{path.parent for path in files}, folder, self.root):
            sync(path)

    def _check_begun(self, first: File, once: Transaction) -> None:
        """Check that the lake has no part of a batch that another ledger began.

        Args:
            first: the first file of the batch that is to follow.
            once: the transaction of that batch, which all parts of it carry.

        Raises:
            VerificationFailed: the lake has such a part.
        """
        for relation in (*(table.events for table in self.dataset.tables), FILES):
            last = max((action["max.file"] for action in self._actions(relation)), default=0)
            existing = self._table(relation)
            version = existing.transaction_version(once.app_id) if existing else None
            if last >= first.file and version is None:
                raise VerificationFailed(
                    f"{self.root / relation} has file {last}, of a batch that another ledger "
                    "began and did not finish; publish to another folder"
                )

    def _recorded(self, relation: str, kind: type[Kept]) -> list[Kept]:
        types = schema(columns_of(relation))
        paths = [self.root / relation / unquote(a["path"]) for a in self._actions(relation)]
        rows = [row for path in paths for row in read_parquet(path, types).to_pylist()]
        found = [record_of(kind, row, self.root / relation) for row in rows]
        return sorted(found, key=lambda record: int(getattr(record, types.names[0])))

    def _actions(self, relation: str) -> list[dict[str, Any]]:
        """The files of a table, with the statistics of each."""
        table = self._table(relation)
        if table is None:
            return []
        with self._translated(relation):
            found: list[dict[str, Any]] = pa.table(table.get_add_actions(flatten=True)).to_pylist()
        return sorted(found, key=lambda action: str(action["path"]))

    def _table(self, relation: str) -> DeltaTable | None:
        folder = self.root / relation
        with self._translated(relation):
            return DeltaTable(folder) if DeltaTable.is_deltatable(str(folder)) else None

    @contextmanager
    def _translated(self, relation: str) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, KeyError, ValueError) as error:
            raise LedgerDamaged(
                f"{self.root / relation} is not a table of a lake: {error}; restore the lake"
            ) from error
        except (DeltaError, OSError) as error:
            raise StorageFailed(
                f"{self.root / relation} cannot be read or written: {error}; run the command again"
            ) from error


def _is_of(action: Mapping[str, Any], file: File) -> bool:
    """Whether the entry of a file in a table agrees with its record."""
    found = [action.get(name) for name in _FACTS]
    ends = [file.first_event, file.last_event, file.file, file.file]
    return found == [str(file.month), file.rows, *ends]


_FACTS = (
    *("partition.month", "num_records"),
    *("min.event_id", "max.event_id", "min.file", "max.file"),
)


def _stats(file: File) -> str:
    """The statistics for Delta of the file with the events of a delivered file."""
    least = {"event_id": file.first_event, "file": file.file}
    most = {"event_id": file.last_event, "file": file.file}
    counts = {"numRecords": file.rows, "minValues": least, "maxValues": most}
    return json.dumps({**counts, "nullCount": dict.fromkeys(least, 0)})
