"""The layout of a lake on disk: the interface of all layouts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ledger.errors import LedgerBusy, StorageFailed
from ledger.files.atomic import draft_folder
from ledger.files.locks import locked
from ledger.lake.files import file_name, write_events
from ledger.model.dataset import DataSet, Table
from ledger.model.periods import Month
from ledger.model.records import Batch, File, Records, Tag

MARKER = "lake.json"
"""The file by which a folder is recognised as a lake."""

ROWS_AT_ONCE = 65_536
"""Events of a row group: small enough that a reader can skip groups that it does not need."""


@dataclass(frozen=True, slots=True)
class BatchContent:
    """A batch to be put into a lake.

    Attributes:
        batch: its record.
        files: the records of its files, in order.
        events: gives the events of a file, by row groups.
        readings: gives the readings of its irregular cells; called after `events`.
        clock: gives the local time of days that no batch before had; called after `events`.
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
        dataset: whose events it contains.
    """

    name: str

    def __init__(self, root: Path, dataset: DataSet) -> None:
        """Name a lake; see `open_lake` and `make_lake`."""
        self.root = root
        self.dataset = dataset

    @abstractmethod
    def records(self) -> Records:
        """The records of the lake.

        Raises:
            LedgerDamaged: the records cannot be those of a lake.
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
        """Add a batch whose events are written already; its record is added last.

        Args:
            draft: the folder with the drafts of the events, within the lake.
            content: the batch; its `events` are not called.
            staged: the draft of the events of each file.
        """

    @abstractmethod
    def add_tags(self, tags: Sequence[Tag]) -> None:
        """Add names of editions, those after the last; to be called within `writing`."""

    @abstractmethod
    def event_files(
        self, table: Table, records: Records, last_month: Month | None = None
    ) -> Sequence[Path]:
        """The files of Parquet with the events of a table; see `events_path` for their names.

        Args:
            table: whose events they are.
            records: as read before. The result may include files of batches that were added since,
                or files with events of these.
            last_month: leave out later months; None for no limit.
        """

    @abstractmethod
    def files_of(self, relation: str, records: Records) -> Sequence[Path]:
        """The files of Parquet that contain the rows of `readings` or `clock`."""

    @abstractmethod
    def shares(
        self, relation: str, records: Records
    ) -> Sequence[tuple[Sequence[Batch], Sequence[Path]]]:
        """The files of `files_of`, by the batches whose rows they contain."""

    @abstractmethod
    def is_begun(self, records: Records) -> bool:
        """Whether files of `files_of` may contain rows of a batch that is not finished."""

    @abstractmethod
    def misplaced(self, records: Records) -> Iterator[tuple[Path, str]]:
        """Yield each path where readers find less or more than what is recorded, and a message."""

    def events_path(self, file: File) -> Path:
        """The path of the events of a file, whether they are written or not."""
        table = self.dataset.table(file.table_name)
        return self.root / table.events / f"month={file.month}" / file_name(file.file)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the lake against other writers, while it is read and added to.

        Raises:
            LedgerBusy: another process writes to the lake.
            StorageFailed: the lake cannot be written.
        """
        try:
            with locked(self.root / MARKER, wait=False):
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
