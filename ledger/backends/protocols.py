"""What `Ledger` and `Snapshot` need of whatever keeps the events."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ledger.integrity.verify import Verification
from ledger.lake.source import LakeVerification
from ledger.model.dataset import DataSet, Table
from ledger.model.editions import Edition, EditionName
from ledger.model.progress import Progress
from ledger.model.records import Records
from ledger.model.tabular import Values
from ledger.outputs.formats import FileOptions
from ledger.outputs.manifest import ExportedFile
from ledger.recording.ingest import MonthIngest
from ledger.recording.ingest_options import IngestOptions
from ledger.replay.labels import Names
from ledger.replay.projection import Projected
from ledger.replay.replay import Replay


class EditionReader(Protocol):
    """Reads one edition, found once; each method raises WrongUsage where the backend cannot."""

    @property
    def path(self) -> Path:
        """The ledger's file."""

    @property
    def dataset(self) -> DataSet:
        """The tables."""

    @property
    def records(self) -> Records:
        """All that was recorded when they were last read."""

    @property
    def edition(self) -> Edition:
        """The edition."""

    @property
    def stored(self) -> Edition | None:
        """The edition of the projection that was stored when this one was found, or None."""

    def recorded(self) -> AbstractContextManager[Replay]:
        """The edition in a store that has the records, and perhaps no events."""

    def events(self, edition: Edition | None = None) -> AbstractContextManager[Replay]:
        """The edition, or another, in a store that has the events."""

    def projected(self) -> AbstractContextManager[Replay]:
        """The edition in a store that has the events and the projection."""

    def summaries(self, dataset: DataSet) -> AbstractContextManager[Replay]:
        """The edition in a store that has the summaries of a data set, and what they name."""

    def rows(self, table: Table, after: str = "") -> Generator[Values, None, None]:
        """Read the rows of a table, in the order of the key, that come after a key."""

    def write_tables(
        self,
        out_dir: Path,
        tables: Sequence[Table],
        names: Names | None,
        options: FileOptions,
        progress: Progress | None,
    ) -> list[ExportedFile]:
        """Write tables and their manifest into a folder; see `Snapshot.export`."""


class Backend(Protocol):
    """Keeps the events of a ledger; each method raises WrongUsage where it cannot."""

    @property
    def path(self) -> Path:
        """The ledger's file."""

    def at(self, name: EditionName) -> EditionReader:
        """Find the edition that a name means."""

    def ingest_months(
        self, options: IngestOptions, progress: Progress | None
    ) -> Iterator[MonthIngest]:
        """Record what is new in a data folder, and yield each month as soon as it is recorded."""

    def project(
        self,
        name: EditionName,
        out_dir: Path | None,
        progress: Progress | None,
        *,
        rebuild: bool,
        dry_run: bool,
    ) -> Projected:
        """Keep the projection of an edition; see `Ledger.project`."""

    def verify(
        self,
        receipts: Sequence[Path],
        sources: Path | None,
        progress: Progress | None,
        *,
        quick: bool,
    ) -> Verification | LakeVerification:
        """Verify that everything is as it was recorded; see `Ledger.verify`."""
