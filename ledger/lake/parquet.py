"""A lake of plain Parquet: a folder for each relation, in which a file never changes.

    lake.json
    interactions_events/month=202503/00000007.parquet    the events of file 7
    files/00000003.parquet                               the records of the files of batch 3
    readings/00000003.parquet, clock/00000003.parquet    the readings of its cells
    batches/00000003.parquet                             the record of batch 3: written last
    tags/00000001.parquet                                the first name of an edition

A batch exists once its record does: files without a record belong to a batch that was never
finished, and a writer that adds it again uses the same names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import astuple
from itertools import takewhile, zip_longest
from pathlib import Path

from ledger.errors import LedgerDamaged, StorageFailed
from ledger.files.atomic import draft_folder
from ledger.lake.files import file_name, move, read_parquet, write_table
from ledger.lake.layout import BatchContent, Layout
from ledger.lake.relations import (
    BATCHES,
    CLOCK,
    FILES,
    READINGS,
    TAGS,
    arrow_table,
    columns_of,
    record_row,
    schema,
)
from ledger.model.dataset import Table
from ledger.model.periods import Month
from ledger.model.records import Batch, File, Records, Tag
from ledger.store.event_store import Kept, record_of

_NAME = re.compile(r"\d{8}\.parquet", re.ASCII)


class ParquetLayout(Layout):
    """A lake of plain Parquet."""

    name = "parquet"

    def records(self) -> Records:
        """The records of the lake."""
        batches = self._numbered(BATCHES, Batch)
        # Each batch has files: without their records, its events would be missing.
        files = self._recorded(FILES, File, range(1, len(batches) + 1))
        tags = self._numbered(TAGS, Tag)
        known = (tag for tag in tags if tag.batch <= len(batches))
        return Records(tuple(batches), tuple(files), tuple(known))

    def commit(self, draft: Path, content: BatchContent, staged: Mapping[File, Path]) -> None:
        """Add a batch whose events are written already; its record is added last."""
        number = content.batch.batch
        tables = {
            FILES: arrow_table(FILES, map(record_row, content.files)),
            READINGS: content.readings(),
            CLOCK: content.clock(),
        }
        moves = {path: self.events_path(file) for file, path in staged.items()}
        for relation, table in tables.items():
            path = write_table(draft / f"{relation}.parquet", table)
            moves[path] = self._path(relation, number)
        move(moves)
        # Everything that the record refers to is on disk before the record gets its name.
        record = arrow_table(BATCHES, [record_row(content.batch)])
        move({write_table(draft / f"{BATCHES}.parquet", record): self._path(BATCHES, number)})

    def add_tags(self, tags: Sequence[Tag]) -> None:
        """Add names of editions, those after the last."""
        for tag in tags:
            table = arrow_table(TAGS, [record_row(tag)])
            with draft_folder(self.root) as draft:
                move({write_table(draft / file_name(tag.tag), table): self._path(TAGS, tag.tag)})

    def event_files(
        self, table: Table, records: Records, last_month: Month | None = None
    ) -> Sequence[Path]:
        """The files of Parquet that contain the events of a table."""
        return [
            self.events_path(file)
            for file in records.files
            if file.table_name == table.name
            and file.rows
            and (last_month is None or file.month <= last_month)
        ]

    def files_of(self, relation: str, records: Records) -> Sequence[Path]:
        """The files of Parquet that contain the rows of `readings` or `clock`."""
        return [self._path(relation, batch.batch) for batch in records.batches]

    def shares(
        self, relation: str, records: Records
    ) -> Sequence[tuple[Sequence[Batch], Sequence[Path]]]:
        """The files of `files_of`, by the batches whose rows they contain."""
        return [([batch], [self._path(relation, batch.batch)]) for batch in records.batches]

    def is_begun(self, records: Records) -> bool:
        """Whether files of `files_of` may contain rows of a batch that is not finished: never."""
        return False

    def misplaced(self, records: Records) -> Iterator[tuple[Path, str]]:
        """Yield each path where readers find less than what is recorded, and a message."""
        tags = self._numbered(TAGS, Tag)
        # Read after the tags: a concurrent writer adds batches first.
        last = len(self._numbers(BATCHES))
        for tag in tags:
            if tag.batch > last:
                yield self._path(TAGS, tag.tag), f"it is of batch {tag.batch}, which is missing"
        for relation in (BATCHES, TAGS):
            names = {name for name in self._names(relation) if _NAME.fullmatch(name)}
            first = file_name(len(self._numbers(relation)) + 1)
            for name in sorted(names)[-1:]:
                if name > first:
                    message = f"it is missing, and {name} exists: readers ignore what follows a gap"
                    yield self.root / relation / first, message

    def _path(self, relation: str, number: int) -> Path:
        return self.root / relation / file_name(number)

    def _numbered(self, relation: str, kind: type[Kept]) -> list[Kept]:
        """The records of a relation, each in a file of its number."""
        numbers = self._numbers(relation)
        found = self._recorded(relation, kind, numbers)
        for number, record in zip_longest(numbers, found):
            # The next records would otherwise be read as those of other numbers.
            if record is None or next(iter(astuple(record))) != number:
                path = self.root / relation
                raise LedgerDamaged(
                    f"{path} does not have the record of its number in each file; restore the lake"
                )
        return found

    def _recorded(self, relation: str, kind: type[Kept], numbers: Iterable[int]) -> list[Kept]:
        """The records in some files of a relation."""
        found: list[Kept] = []
        for path in (self._path(relation, number) for number in numbers):
            rows = read_parquet(path, schema(columns_of(relation))).to_pylist()
            found += [record_of(kind, row, path) for row in rows]
        return found

    def _numbers(self, relation: str) -> Sequence[int]:
        """The numbers of the files of a relation, up to the first gap."""
        names = self._names(relation)
        return [*takewhile(lambda n: file_name(n) in names, range(1, len(names) + 1))]

    def _names(self, relation: str) -> Set[str]:
        folder = self.root / relation
        try:
            return {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        except OSError as error:
            raise StorageFailed(f"{folder} cannot be read: {error.strerror}") from error
