"""A lake, and an engine that replays it, as the backend of a ledger."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn

from ledger.errors import WrongUsage
from ledger.extras import needed
from ledger.lake.folder import discard_if_empty, lake_folder, make_lake, open_lake
from ledger.lake.records import known_records, records_store
from ledger.model.dataset import DataSet, Table
from ledger.model.editions import Edition, EditionName
from ledger.model.tabular import Values
from ledger.replay.labels import Names, labelled_columns, labelled_select, labelling
from ledger.replay.replay import Replay

if TYPE_CHECKING:
    from ledger.engines.base import Engine, EngineTable
    from ledger.engines.lake_replay import LakeReplay
    from ledger.engines.projection_files import LakeProjection
    from ledger.lake.layout import Layout
    from ledger.lake.source import LakeVerification
    from ledger.model.progress import Progress
    from ledger.outputs.formats import FileOptions
    from ledger.outputs.manifest import ExportedFile
    from ledger.recording.ingest import MonthIngest
    from ledger.recording.ingest_options import IngestOptions

ENGINES = ("duckdb", "spark")

_PATTERNS = frozenset("*?[]{}\\=")


class LakeBackend:
    """Keeps the events in a lake, and replays them by an engine, started for each method.

    What comes out is what a ledger of the same events gives, byte for byte.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        dataset: DataSet,
        engine: str = "duckdb",
        *,
        master: str | None = None,
        remote: str | None = None,
        published_from: Path | None = None,
    ) -> None:
        """Name a lake and an engine; the arguments are those of `Ledger.of_lake`.

        Raises:
            WrongUsage: there is no such engine, or the folder has a name that engines cannot take.
        """
        self.root = lake_folder(os.fspath(root)).absolute()
        self.dataset = dataset
        self._engine, self._master, self._remote = engine, master, remote
        self._published_from = published_from
        if engine not in ENGINES:
            raise WrongUsage(f"there is no engine {engine!r}; there are {', '.join(ENGINES)}")
        if engine != "spark" and (master or remote):
            raise WrongUsage("--master and --remote are of Spark: say --engine spark")
        _check_name(self.root)

    @property
    def path(self) -> Path:
        """There is no file.

        Raises:
            WrongUsage: always.
        """
        refuse(self.root)

    def at(self, name: EditionName) -> LakeReader:
        """Find the edition that a name means."""
        return LakeReader(self, name)

    def ingest_months(
        self, options: IngestOptions, progress: Progress | None = None
    ) -> Iterator[MonthIngest]:
        """Record what is new in a data folder in the lake, by Spark, and yield each month.

        The lake is created if it does not exist. The rules and the heads are those of a ledger. The
        recorded values are not checked for findings. The folder and the files are paths or `file:`
        URIs, which all machines see.

        Raises:
            WrongUsage: the engine is not Spark, or findings are to be refused.
            LedgerError: as of `Ledger.ingest`.
        """
        if self._engine != "spark":
            raise WrongUsage(
                "it is Spark that records in a lake: say --engine spark; or record in a ledger, "
                "and then: ledger publish"
            )
        needed("spark")
        options = options.checked(self.dataset)
        deliveries = options.deliveries(self.dataset, lake_folder)
        from ledger.engines.spark.ingest import ingest_to_lake
        from ledger.engines.spark.session import spark_session

        with (
            self._recording(options.dry_run) as lake,
            spark_session(self._master, self._remote) as session,
        ):
            yield from ingest_to_lake(session, lake, deliveries, options, progress)

    def project(
        self,
        name: EditionName,
        out_dir: Path | None = None,
        progress: Progress | None = None,
        *,
        rebuild: bool = False,
        dry_run: bool = False,
    ) -> LakeProjection:
        """Replay the lake, and write the tables, the report and the answers into a folder.

        Writes `<table>.parquet` for each table, typed as in a ledger, a file or a folder of files;
        `support_report.csv`, `support_answers.json`, and `projection.json`, which says of what
        edition they are.

        Raises:
            WrongUsage: no folder is named, it has a name that engines cannot take, or the tables
                are there already as folders; there is no such edition.
            StorageFailed: the lake cannot be read, or the folder cannot be written.
        """
        from ledger.engines.projection_files import write_projection

        not_of_a_lake(rebuild=rebuild, dry_run=dry_run)
        if out_dir is None:
            raise WrongUsage("say where the tables of the lake go: --out-dir FOLDER")
        # The tables are read again where they are written, for the totals.
        _check_name(out_dir.absolute())
        with self.at(name).replay() as replay:
            return write_projection(replay, self.dataset, out_dir)

    def verify(
        self,
        receipts: Sequence[Path] = (),
        sources: Path | None = None,
        progress: Progress | None = None,
        *,
        quick: bool = False,
    ) -> LakeVerification:
        """Verify that the lake is as it was published: every event, reading and record.

        No engine is started.
        """
        from ledger.integrity.documents import read_document
        from ledger.lake.source import verify_lake
        from ledger.model.receipt import Receipt
        from ledger.store.event_store import Store

        not_of_a_lake(sources=sources, quick=quick)
        anchors = [(path, read_document(path, Receipt)) for path in receipts]
        lake = open_lake(self.root, self.dataset)
        if self._published_from is None:
            return verify_lake(lake, self.dataset, None, anchors, progress)
        with Store.for_reading(self._published_from) as store, store.snapshot():
            return verify_lake(lake, self.dataset, store, anchors, progress)

    @contextmanager
    def started(self) -> Iterator[Engine]:
        """The engine.

        Raises:
            WrongUsage: its packages are not installed.
        """
        needed(self._engine)
        if self._engine == "duckdb":
            from ledger.engines.duckdb import duck_engine

            with duck_engine() as engine:
                yield engine
        else:
            from ledger.engines.spark.engine import SparkEngine
            from ledger.engines.spark.session import spark_session

            with spark_session(self._master, self._remote) as session:
                yield SparkEngine(session)

    @contextmanager
    def _recording(self, dry_run: bool) -> Iterator[Layout]:
        """The lake to record in; one made for nothing is removed again."""
        from ledger.lake.layout import MARKER

        made = not os.path.exists(self.root / MARKER)
        if made and dry_run:
            # Where the workers see it, as they write drafts there.
            with TemporaryDirectory(dir=self.root.parent) as folder:
                yield make_lake(Path(folder), self.dataset)
            return
        lake = make_lake(self.root, self.dataset)
        try:
            yield lake
        finally:
            if made:
                discard_if_empty(lake)


class LakeReader:
    """Reads one edition of a lake by an engine.

    Attributes:
        dataset: the tables.
        records: what the lake held when the edition was found.
        edition: the edition.
        stored: None; a lake has no stored projection.
    """

    stored: Edition | None = None

    def __init__(self, backend: LakeBackend, name: EditionName) -> None:
        """Find the edition that a name means.

        Raises:
            WrongUsage: there is none, or the lake is empty.
            StorageFailed: the lake cannot be read.
        """
        self.dataset = backend.dataset
        self._backend = backend
        self._lake = open_lake(backend.root, backend.dataset)
        self.records = known_records(self._lake)
        self.edition = self.records.edition(name)

    @property
    def path(self) -> Path:
        """There is no file.

        Raises:
            WrongUsage: always.
        """
        refuse(self._backend.root)

    @contextmanager
    def recorded(self) -> Iterator[Replay]:
        """The edition in a store that has the records of the lake, and no events."""
        with records_store(self.records) as store:
            yield Replay(store, self.dataset, self.records, self.edition)

    def events(self, _: Edition | None = None) -> AbstractContextManager[Replay]:
        """The events stay in the lake.

        Raises:
            WrongUsage: always.
        """
        refuse(self._backend.root)

    def projected(self) -> AbstractContextManager[Replay]:
        """So does what they give.

        Raises:
            WrongUsage: always.
        """
        refuse(self._backend.root)

    @contextmanager
    def summaries(self, dataset: DataSet) -> Iterator[Replay]:
        """The edition in a store that has the summaries of a data set, and what they name."""
        from ledger.datasets.support.measures import NAMED

        # The whole of each summary, from all of the columns that it reads.
        summed = replace(self.dataset, summaries=dataset.summaries)
        with self.replay() as replay:
            replay.fill_summaries(summed)
            replay.fill_named(NAMED, summed)
            yield replay.of_records

    def rows(self, table: Table, after: str = "") -> Generator[Values, None, None]:
        """Read the rows of a table, in the order of the key, that come after a key."""
        key = table.column_names.index(table.key)
        with self.replay() as replay:
            for row in replay.engine.rows(self._engine_table(replay, table, None).select):
                if row[key] > after:
                    yield row

    def write_tables(
        self,
        out_dir: Path,
        tables: Sequence[Table],
        names: Names | None,
        options: FileOptions,
        progress: Progress | None = None,
    ) -> list[ExportedFile]:
        """Write tables and their manifest; Spark writes each table as a folder of parts.

        The parts of CSV and JSON, one after the other, are the bytes of the one file.

        Raises:
            WrongUsage: the format is not one of a lake's tables, it is to be a dry run, or a folder
                of parts is there.
            StorageFailed: the lake cannot be read, or the folder cannot be written.
        """
        from ledger.outputs.formats import WORKBOOK
        from ledger.outputs.manifest import Provenance

        not_of_a_lake(dry_run=options.dry_run)
        if options.format == WORKBOOK:
            raise WrongUsage("a workbook is written from a ledger, not from a lake; choose csv")
        provenance = Provenance(f"{self.dataset.name}_final", self.dataset, self.edition, names)
        with self.replay() as replay:
            found = [self._engine_table(replay, table, names) for table in tables]
            return replay.engine.write_tables(out_dir, found, provenance, options)

    @contextmanager
    def replay(self) -> Iterator[LakeReplay]:
        """The lake as an engine sees it."""
        from ledger.engines.lake_replay import LakeReplay

        with self.recorded() as of_records, self._backend.started() as engine:
            yield LakeReplay(engine, self._lake, of_records)

    def _engine_table(self, replay: LakeReplay, table: Table, names: Names | None) -> EngineTable:
        """A table to be read, with its labels where one asks for names."""
        from ledger.engines.base import EngineTable

        named = labelling(self.dataset, table).values()
        labels = None if names is None else replay.labels(named, names)
        select = labelled_select(self.dataset, table, labels, replay.replayed(table), hint="")
        columns = labelled_columns(table, names)
        return EngineTable(f"{table.name}_final", columns, select, table.key)


def refuse(root: Path) -> NoReturn:
    """Refuse what only a ledger's file gives.

    Raises:
        WrongUsage: always.
    """
    raise WrongUsage(
        f"{root} is a lake, and what was asked for is of a ledger, and not of a lake; "
        "use the ledger that was published there"
    )


def not_of_a_lake(**options: object) -> None:
    """Refuse options that have no meaning where a lake is read.

    Args:
        options: by name, whether each was given.

    Raises:
        WrongUsage: one was.
    """
    for name, given in options.items():
        if given:
            raise WrongUsage(f"--{name.replace('_', '-')} is of a ledger, and not of a lake")


def _check_name(folder: Path) -> None:
    """See that engines take the path of a folder for what it is.

    Raises:
        WrongUsage: they do not.
    """
    if not _PATTERNS.isdisjoint(folder.as_posix()):
        raise WrongUsage(
            f"{folder}: engines read * ? [ ] {{ }} \\ in a path as a pattern, and = as a "
            "column; give the folder another name"
        )
