"""The ledger's SQLite file as a backend."""

from __future__ import annotations

import os
import weakref
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.errors import LedgerDamaged, WrongUsage
from ledger.files.atomic import folder_or_scratch
from ledger.model.dataset import DataSet, Table
from ledger.model.editions import Edition, EditionName
from ledger.model.tabular import Tabular, Values
from ledger.replay.labels import Names, labelled_columns
from ledger.replay.replay import Replay, stored_edition
from ledger.store.event_store import Store, discard_if_empty

if TYPE_CHECKING:
    from ledger.integrity.verify import Verification
    from ledger.model.progress import Progress
    from ledger.outputs.formats import FileOptions
    from ledger.outputs.manifest import ExportedFile
    from ledger.recording.ingest import MonthIngest
    from ledger.recording.ingest_options import IngestOptions
    from ledger.replay.projection import Projected


class FileBackend:
    """Keeps everything in one file of SQLite, opened for as long as each method takes.

    Attributes:
        path: of the file; it is made by the first recording.
        dataset: its tables.
    """

    def __init__(self, path: Path, dataset: DataSet) -> None:
        """Name the file."""
        self.path = path
        self.dataset = dataset

    def at(self, name: EditionName) -> FileReader:
        """Find the edition that a name means."""
        return FileReader(self.path, self.dataset, name)

    def ingest_months(
        self, options: IngestOptions, progress: Progress | None = None
    ) -> Iterator[MonthIngest]:
        """Record what is new in a data folder, and yield each month as soon as it is recorded."""
        from ledger.recording.backend import StoreBackend
        from ledger.recording.ingest import dated_deliveries, ingest_months

        options = options.checked(self.dataset)
        deliveries = options.deliveries(self.dataset)
        with self._writing(options.dry_run) as store:
            backend = StoreBackend(store, self.dataset)
            dated = dated_deliveries(backend.records(), self.dataset, deliveries, options)
            yield from ingest_months(backend, self.dataset, dated, options, progress)

    def project(
        self,
        name: EditionName,
        out_dir: Path | None = None,
        progress: Progress | None = None,
        *,
        rebuild: bool = False,
        dry_run: bool = False,
    ) -> Projected:
        """Store the projection of an edition in the place of the one before.

        Raises:
            WrongUsage: a folder is named, or there is no such edition.
        """
        from ledger.model.progress import Tally
        from ledger.replay.incremental import update_projection
        from ledger.replay.projection import Projected, store_projection

        if out_dir:
            raise WrongUsage(
                "--out-dir goes with --lake; files of a ledger's tables: ledger export"
            )
        with recording(self.path, dry_run) as store:
            records = store.records()
            replay = Replay(store, self.dataset, records, records.edition(name))
            fill = store_projection if rebuild else update_projection
            tally = Tally(len(self.dataset.tables) + len(self.dataset.summaries), progress)
            with store.ticking(tally.tell if progress else None):
                rows = fill(replay, tally.advance)
        return Projected(replay.edition, rows)

    def verify(
        self,
        receipts: Sequence[Path] = (),
        sources: Path | None = None,
        progress: Progress | None = None,
        *,
        quick: bool = False,
    ) -> Verification:
        """Verify the file, every event and every record."""
        from ledger.integrity.checks.delivered import DeliveredFiles
        from ledger.integrity.documents import read_document
        from ledger.integrity.verify import unreadable, verify_store
        from ledger.model.receipt import Receipt

        anchors = [(path, read_document(path, Receipt)) for path in receipts]
        originals = None if sources is None else DeliveredFiles(sources, self.dataset)
        try:
            with Store.for_reading(self.path) as store, store.snapshot():
                return verify_store(
                    store, self.dataset, anchors, originals, quick=quick, progress=progress
                )
        except LedgerDamaged as error:
            return unreadable(self.path, error, quick=quick)

    @contextmanager
    def _writing(self, dry_run: bool) -> Iterator[Store]:
        """A store to record in; a ledger made for nothing is removed again."""
        made = not os.path.exists(self.path)
        with folder_or_scratch(self.path.parent, dry_run and made) as folder:
            path = folder / self.path.name
            try:
                with Store.for_writing(path, create=True) as store:
                    if dry_run:
                        with store.rehearsal():
                            yield store
                    else:
                        yield store
            finally:
                if made and os.path.exists(path):
                    discard_if_empty(path)


@contextmanager
def recording(path: Path, dry_run: bool) -> Iterator[Store]:
    """A ledger's store within one transaction, undone where nothing is to change."""
    with (
        Store.for_writing(path) as store,
        store.rehearsal() if dry_run else store.transaction(),
    ):
        yield store


class FileReader:
    """Reads one edition of a ledger's file.

    Every method opens the file for as long as it takes; the first one uses what was opened to find
    the edition.

    Attributes:
        path: of the file.
        dataset: its tables.
        records: all that was recorded when they were last read.
        edition: the edition.
        stored: the edition of the projection that was stored when this one was found, or None.
    """

    def __init__(self, path: Path, dataset: DataSet, name: EditionName) -> None:
        """Find the edition that a name means.

        Raises:
            WrongUsage: there is none.
            LedgerError: as the ledger cannot be read.
        """
        self.path = path
        self.dataset = dataset
        with ExitStack() as opened:
            store = opened.enter_context(Store.for_reading(path))
            with store.snapshot():
                self.records = store.records()
                self.edition = self.records.edition(name)
                self.stored = stored_edition(store, self.records)
            opened.pop_all()
        self._unused: Store | None = store
        self._close = weakref.finalize(self, store.close)

    def recorded(self) -> AbstractContextManager[Replay]:
        """The edition in a store."""
        return self.events()

    @contextmanager
    def events(self, edition: Edition | None = None) -> Iterator[Replay]:
        """The edition, or another, in a store, for those who need no projection."""
        with self._opened() as store, store.snapshot():
            yield self._replay(store, edition)

    @contextmanager
    def projected(self) -> Iterator[Replay]:
        """The edition in a store that has its projection: the stored one, or one built aside."""
        from ledger.replay.incremental import ensure_projection

        with self.events() as replay:
            ensure_projection(replay)
            yield replay

    @contextmanager
    def summaries(self, dataset: DataSet) -> Iterator[Replay]:
        """The edition in a store that has the summaries of a data set, and no more."""
        from ledger.replay.incremental import ensure_summaries

        with self._opened() as store, store.snapshot():
            replay = Replay(store, dataset, self.records, self.edition)
            ensure_summaries(replay)
            yield replay

    def rows(self, table: Table, after: str = "") -> Generator[Values, None, None]:
        """Read the rows of a table, in the order of the key, that come after a key."""
        from ledger.replay.paging import EditionRows

        with self._opened() as store:
            replay = self._replay(store)
            yield from EditionRows(replay, table, partial(replay.labelled, table, None), after)

    def write_tables(
        self,
        out_dir: Path,
        tables: Sequence[Table],
        names: Names | None,
        options: FileOptions,
        progress: Progress | None = None,
    ) -> list[ExportedFile]:
        """Write tables and their manifest into a folder."""
        from ledger.outputs.manifest import Provenance
        from ledger.outputs.table_files import write_tables

        provenance = Provenance(f"{self.dataset.name}_final", self.dataset, self.edition, names)
        with self._opened() as store:
            exported = _exported(self._replay(store), tables, names, options.format, progress)
            return write_tables(out_dir, exported, provenance, options, manifest=True)

    def _replay(self, store: Store, edition: Edition | None = None) -> Replay:
        return Replay(store, self.dataset, self.records, edition or self.edition)

    @contextmanager
    def _opened(self) -> Iterator[Store]:
        """The ledger, open to read and in no snapshot."""
        with self._unused or Store.for_reading(self.path) as store:
            if self._unused is None:
                with store.snapshot():
                    self.records = store.records()
            self._unused = None
            yield store


def _exported(
    replay: Replay,
    tables: Sequence[Table],
    names: Names | None,
    format: str,
    progress: Progress | None,
) -> Iterator[Tabular]:
    """Tables of an edition, as they are written in a format."""
    from ledger.model.progress import Tally
    from ledger.outputs.formats import WORKBOOK
    from ledger.replay.paging import EditionRows

    stored = replay.stored_rows
    tally = Tally(sum(stored.get(table.name, 0) for table in tables), progress)
    # The name of a workbook ends so, and not those of its sheets.
    end = "" if format == WORKBOOK else "_final"
    for table in tables:
        select = partial(replay.labelled, table, names)
        rows = EditionRows(replay, table, select, advance=tally.advance)
        yield Tabular(f"{table.name}{end}", labelled_columns(table, names), rows, table.key)
