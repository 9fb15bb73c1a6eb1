"""How a lake is laid out on disk: what every layout can do, and which one a folder has."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from ledger.dataset import DataSet, Table
from ledger.documents import parse_json
from ledger.drafts import draft_folder, put, sole_writer
from ledger.errors import LedgerBusy, LedgerDamaged, LedgerError, StorageFailed, WrongUsage
from ledger.extras import needed
from ledger.lake.files import file_name, write_events
from ledger.months import Month
from ledger.store import Batch, File, Tag

MARKER = "lake.json"
"""The file by which a folder is known as a lake."""

VERSION = 1
ROWS_AT_ONCE = 65_536
"""Events of a row group: few enough to be passed over where none of them is asked for."""


@dataclass(frozen=True, slots=True)
class Records:
    """What a lake holds: whole batches alone.

    Attributes:
        batches: in order.
        files: of these, in order.
        tags: of these, in order.
    """

    batches: tuple[Batch, ...]
    files: tuple[File, ...]
    tags: tuple[Tag, ...]


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


def lake_folder(place: str | os.PathLike[str]) -> Path:
    """The folder of a lake or of deliveries, given as a path or a `file:` URI.

    Raises:
        WrongUsage: it is a URI of something else.
    """
    text = str(place)
    parts = urlsplit(text)
    # One letter is a drive of Windows; of two slashes, a path keeps one.
    if len(parts.scheme) <= 1 or not text[len(parts.scheme) :].startswith(":/"):
        return Path(place)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise WrongUsage(
            f"{text}: a folder is named by its path or as file:///…; mount a bucket or HDFS as a "
            "folder that every machine has at the same path"
        )
    return Path(unquote(parts.path))


def open_lake(root: Path, dataset: DataSet) -> Layout:
    """The lake of a folder.

    Raises:
        WrongUsage: there is none, or it is of another data set, or the layout needs a package that
            is not there.
        StorageFailed: it cannot be read, or a newer version made it.
    """
    try:
        text = (root / MARKER).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        raise WrongUsage(f"there is no lake {root}; make one with: ledger publish {root}") from None
    except (OSError, ValueError) as error:
        raise StorageFailed(f"the lake {root} cannot be read: {error}") from error
    try:
        marker = parse_json(text)
        layout, version, name = marker["layout"], marker["version"], marker["dataset"]
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerDamaged(
            f"{root / MARKER} is not that of a lake: {error}; restore it"
        ) from error
    if version != VERSION or layout not in LAYOUTS:
        raise StorageFailed(f"{root} was made by a newer version of ledger; install that version")
    if name != dataset.name:
        raise WrongUsage(f"{root} is a lake of {name}, not of {dataset.name}; name another")
    return _layout(layout, root, dataset)


def make_lake(root: Path, dataset: DataSet, layout: str | None = None) -> Layout:
    """The lake of a folder, made where there is none.

    Args:
        root: made where it is not there; a folder that holds something else is left alone.
        dataset: whose events it is to hold.
        layout: `parquet` or `delta`; by default that of the lake that is there, or `parquet`.

    Raises:
        WrongUsage: the folder holds something else, or the lake there is of another layout.
        StorageFailed: it cannot be made.
    """
    if layout is not None and layout not in LAYOUTS:
        raise WrongUsage(f"there is no layout {layout!r}; there are {', '.join(LAYOUTS)}")
    made = None
    # Not `Path.exists`, which raises where one may not look.
    if not os.path.exists(root / MARKER):
        made = _layout(layout or "parquet", root, dataset)
        _mark(made)
    there = open_lake(root, dataset)
    if layout not in (None, there.name):
        raise WrongUsage(
            f"{root} is a lake of the layout {there.name}; name another folder for {layout}"
        )
    return there


def discard_if_empty(lake: Layout) -> None:
    """Remove a lake in which nothing was ever recorded, as one just made for a refused file.

    One to which another process writes meanwhile stays.
    """
    with suppress(LedgerError, OSError), lake.writing():
        if not lake.records().batches:
            (lake.root / MARKER).unlink()
            lake.root.rmdir()


def _mark(lake: Layout) -> None:
    marker = {"layout": lake.name, "version": VERSION, "dataset": lake.dataset.name}
    try:
        lake.root.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in lake.root.iterdir()}
        if MARKER not in names and any(not name.startswith(".") for name in names):
            raise WrongUsage(f"{lake.root} holds other files and is no lake; name another folder")
        with draft_folder(lake.root) as folder:
            (folder / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")
            put(folder / MARKER, lake.root / MARKER)
    except FileExistsError as error:
        # Another process made it meanwhile, or something that is no folder is in the way.
        if not lake.root.is_dir():
            raise StorageFailed(f"{lake.root} is no folder; name another") from error
    except OSError as error:
        raise StorageFailed(f"the lake {lake.root} cannot be made: {error.strerror}") from error


def _layout(name: str, root: Path, dataset: DataSet) -> Layout:
    if name == "delta":
        needed("lake")
        from ledger.lake.delta import DeltaLayout

        return DeltaLayout(root, dataset)
    from ledger.lake.parquet import ParquetLayout

    return ParquetLayout(root, dataset)


LAYOUTS = ("parquet", "delta")
