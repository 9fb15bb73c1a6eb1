"""How a lake is laid out on disk: what every layout can do, and which one a folder has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ledger.errors import LedgerBusy, StorageFailed
from ledger.files.atomic import draft_folder, sole_writer
from ledger.lake.files import file_name, write_events
from ledger.model.dataset import DataSet, Table
from ledger.model.periods import Month
from ledger.model.records import Batch, File, Records, Tag

MARKER = "lake.json"
"""The file by which a folder is known as a lake."""

ROWS_AT_ONCE = 65_536
"""Events of a row group: few enough to be passed over where none of them is asked for."""


@dataclass(frozen=True, slots=True)
class BatchContent:
    """A batch to be put into a lake.

    Attributes:
        batch: its record.
        files: the records of its files, in order.
        events: gives the events of a file, by row groups.
        readings: gives how its irregular cells were read; asked for after the events.
        clock: gives the local time of days that no batch before had; likewise.
    """

    batch: Batch
    files: tuple[File, ...]
    events: Callable[[File], pa.RecordBatchReader]
    readings: Callable[[], pa.Table]
    clock: Callable[[], pa.Table]


class Layout(ABC):
    """A lake on disk.

    Attributes:
        name: of the layout, `parquet` or `delta`.
        root: the lake's folder.
        dataset: whose events it holds.
    """

    name: str

    def __init__(self, root: Path, dataset: DataSet) -> None:
        """Name a lake; see `open_lake` and `make_lake`."""
        self.root = root
        self.dataset = dataset

    @abstractmethod
    def records(self) -> Records:
        """What it holds.

        Raises:
            LedgerDamaged: it holds what no lake can hold.
        """

    def add_batch(self, content: BatchContent) -> None:
        """Add a batch, the one after the last; readers see all of it or nothing.

        To be called within `writing`.
        """
        with draft_folder(self.root) as draft:
            staged = {
                file: write_events(draft / file_name(file.file), content.events(file))
                for file in content.files
                if file.rows
            }
            self.commit(draft, content, staged)

    @abstractmethod
    def commit(self, draft: Path, content: BatchContent, staged: Mapping[File, Path]) -> None:
        """Put a batch whose events are written into its place, its record last.

        Args:
            draft: the folder in which they are, within the lake.
            content: the batch; its events are not asked for.
            staged: where those of each file are.
        """

    @abstractmethod
    def add_tags(self, tags: Sequence[Tag]) -> None:
        """Add names of editions, those after the last; to be called within `writing`."""

    @abstractmethod
    def event_files(
        self, table: Table, records: Records, last_month: Month | None = None
    ) -> Sequence[Path]:
        """The files of Parquet that hold the events of a table; see `events_path` for their names.

        Args:
            table: whose events they are.
            records: as read before. Files of batches that were added since may be among them, and
                so may be events of these.
            last_month: leave out what is of later months; None for nothing.
        """

    @abstractmethod
    def files_of(self, relation: str, records: Records) -> Sequence[Path]:
        """The files of Parquet that hold the rows of `readings` or `clock`."""

    @abstractmethod
    def shares(
        self, relation: str, records: Records
    ) -> Sequence[tuple[Sequence[Batch], Sequence[Path]]]:
        """The files of `files_of`, by the batches whose rows they hold and no others."""

    @abstractmethod
    def is_begun(self, records: Records) -> bool:
        """Whether files of `files_of` may hold rows of a batch that is not finished."""

    @abstractmethod
    def misplaced(self, records: Records) -> Iterator[tuple[Path, str]]:
        """Where readers would not find what is recorded, or more than that: a path, and how."""

    def events_path(self, file: File) -> Path:
        """Where the events of a file are, or go to."""
        table = self.dataset.table(file.table_name)
        return self.root / table.events / f"month={file.month}" / file_name(file.file)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep others from writing, from when it is read what is there to when more is added.

        Raises:
            LedgerBusy: another process writes to the lake.
            StorageFailed: the lake cannot be written.
        """
        try:
            with sole_writer(self.root / MARKER):
                yield
        except BlockingIOError as error:
            raise LedgerBusy(
                f"another process is writing to the lake {self.root}; try again when it is done"
            ) from error
        except (OSError, pa.ArrowException) as error:
            what = getattr(error, "strerror", None) or error
            raise StorageFailed(
                f"the lake {self.root} cannot be written: {what}; the batches in it are whole"
            ) from error
