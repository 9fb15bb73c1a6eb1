"""`Lake`: what a user can do with the event log as a lake, one method each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ledger.datasets.support.description import SUPPORT
from ledger.engines.projection_files import LakeProjection
from ledger.errors import WrongUsage
from ledger.extras import needed
from ledger.model.dataset import DataSet
from ledger.model.editions import EditionName, KnownAt
from ledger.model.periods import Month, Quarter, as_month_or_none
from ledger.outputs.manifest import Export
from ledger.replay.labels import (
    Names,
    labelled_columns,
    labelled_select,
    labelling,
    parse_names,
)
from ledger.replay.replay import Replay

if TYPE_CHECKING:
    from ledger.datasets.support.answers import Answers
    from ledger.datasets.support.report import Report
    from ledger.datasets.support.report_proof import ReportProof
    from ledger.engines.base import Engine, EngineTable
    from ledger.engines.lake_replay import LakeReplay
    from ledger.lake.layout import Layout
    from ledger.lake.source import LakeVerification
    from ledger.model.dataset import Table
    from ledger.model.progress import Progress
    from ledger.outputs.manifest import ExportedFile
    from ledger.recording.ingest import MonthIngest
    from ledger.recording.ingest_options import IngestOptions

ENGINES = ("duckdb", "spark")

_PATTERNS = frozenset("*?[]{}\\=")


class Lake:
    """The event log as a lake, and an engine that replays it.

    What comes out is what a ledger of the same events gives, byte for byte. Months are given as
    `Month`, or as text: `202503` or `2025-03`. Every method starts the engine, and raises
    `LedgerError` alone for what is not a bug.
    """

    def __init__(
        self,
        root: str | Path,
        engine: str = "duckdb",
        *,
        master: str | None = None,
        remote: str | None = None,
    ) -> None:
        """Name a lake's folder; `Ledger.publish` makes it.

        Args:
            root: a path, or a `file:` URI.
            engine: `duckdb`, or `spark`; each needs the extra of its name.
            master: of Spark: `local[*]`, `spark://…`, `yarn`, `k8s://…`; by default this machine.
            remote: in its place a server of Spark Connect, `sc://…`.

        Raises:
            WrongUsage: there is no such engine, or the folder has a name that engines cannot take.
        """
        from ledger.lake.folder import lake_folder

        self.root = lake_folder(root).absolute()
        self.dataset = SUPPORT
        self._engine, self._master, self._remote = engine, master, remote
        if engine not in ENGINES:
            raise WrongUsage(f"there is no engine {engine!r}; there are {', '.join(ENGINES)}")
        if engine != "spark" and (master or remote):
            raise WrongUsage("--master and --remote are of Spark: say --engine spark")
        _check_name(self.root)

    def ingest_months(
        self, options: IngestOptions, progress: Progress | None = None
    ) -> Iterator[MonthIngest]:
        """Record what is new in a data folder in the lake, by Spark, and yield each month.

        The lake is created if it does not exist. The rules are those of `Ledger.ingest`, and the
        heads are those that a ledger of the same files has. The recorded values are not checked
        for findings.

        Args:
            options: as for `Ledger.ingest_months`, but no finding can be refused. The folder and
                the files are paths or `file:` URIs, which all machines see.
            progress: receives how many bytes of how many are recorded.

        Raises:
            WrongUsage: the engine is not Spark, or findings are to be refused.
            LedgerError: as of `Ledger.ingest`.
        """
        from ledger.lake.folder import lake_folder

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
        out_dir: str | Path,
        as_of: Month | str | None = None,
        *,
        known_at: KnownAt | None = None,
    ) -> LakeProjection:
        """Replay the lake, and write the tables, the report and the answers.

        Writes `<table>.parquet` for each table, typed as in a ledger, a file or a folder of files;
        `support_report.csv`, `support_answers.json`, and `projection.json`, which says of what
        edition they are.

        Args:
            out_dir: made where there is none.
            as_of: by default the latest month known then.
            known_at: by default the last batch.

        Raises:
            WrongUsage: there is no such edition; the folder has a name that engines cannot take, or
                the tables are there already as folders.
            StorageFailed: the lake cannot be read, or the folder cannot be written.
        """
        from ledger.engines.projection_files import write_projection

        # The tables are read again where they are written, for the totals.
        _check_name(Path(out_dir).absolute())
        with self._replay(as_of, known_at) as replay:
            return write_projection(replay, self.dataset, Path(out_dir))

    def export(
        self,
        out_dir: str | Path = "output",
        *,
        format: str = "csv",
        as_of: Month | str | None = None,
        known_at: KnownAt | None = None,
        names: str | None = None,
        tables: Sequence[str] = (),
        spreadsheet_safe: bool = False,
        bom: bool = False,
    ) -> Export:
        """Write the tables as `Ledger.export` does; Spark writes each as a folder of parts.

        The parts of CSV and JSON, one after the other, are the bytes of the one file.

        Args:
            out_dir: made where there is none.
            format: `csv`, `json` or `parquet`.
            as_of: by default the latest month known then.
            known_at: by default the last batch.
            names: `as-is` or `as-was`: name what the keys refer to, in columns of its own.
            tables: only these; by default all.
            spreadsheet_safe: as for `Ledger.export`; not on Spark.
            bom: likewise.

        Raises:
            WrongUsage: there is no such format, table or edition; or a folder of parts is there.
            StorageFailed: the lake cannot be read, or the folder cannot be written.
        """
        from ledger.outputs.formats import WORKBOOK, FileOptions, check_format
        from ledger.outputs.manifest import Provenance

        if format == WORKBOOK:
            raise WrongUsage("a workbook is written from a ledger, not from a lake; choose csv")
        options = FileOptions(format, spreadsheet_safe, bom)
        check_format(options)
        labels = None if names is None else parse_names(names)
        every = [table.name for table in self.dataset.tables]
        chosen = [self.dataset.table(name) for name in dict.fromkeys(tables or every)]
        with self._replay(as_of, known_at) as replay:
            found = [_table(replay, self.dataset, table, labels) for table in chosen]
            name = f"{self.dataset.name}_final"
            provenance = Provenance(name, self.dataset, replay.edition, labels)
            written = replay.engine.write_tables(Path(out_dir), found, provenance, options)
            return Export(replay.edition, tuple(written))

    def report(
        self,
        as_of: Month | str | None = None,
        *,
        known_at: KnownAt | None = None,
        names: str = Names.AS_IS,
    ) -> Report:
        """Compute the support report; see `Ledger.report`.

        Raises:
            WrongUsage: there is no such edition.
            StorageFailed: the lake cannot be read.
        """
        from ledger.datasets.support.description import TOTALS
        from ledger.datasets.support.measures import NAMED
        from ledger.datasets.support.report import read_report

        kind = parse_names(names)
        reported = replace(self.dataset, summaries=(TOTALS,))
        with self._replay(as_of, known_at) as replay:
            replay.fill_summaries(reported)
            replay.fill_named(NAMED, reported)
            return read_report(replay.of_records, kind)

    def answers(
        self,
        period: Quarter | str | None = None,
        *,
        as_of: Month | str | None = None,
        known_at: KnownAt | None = None,
        names: str = Names.AS_IS,
        sensitivity: bool = False,
    ) -> Answers:
        """Answer the business questions; see `Ledger.answers`.

        Raises:
            WrongUsage: there is no such edition, or the quarter begins after it.
            StorageFailed: the lake cannot be read.
        """
        from ledger.datasets.support.answers import answer_questions, asked_quarter
        from ledger.datasets.support.measures import NAMED

        kind = parse_names(names)
        with self._replay(as_of, known_at) as replay:
            quarter = asked_quarter(period, replay.edition)
            replay.fill_summaries(self.dataset)
            replay.fill_named(NAMED, self.dataset)
            return answer_questions(replay.of_records, quarter, kind, sensitivity=sensitivity)

    def verify(
        self,
        ledger: str | Path | None = None,
        *,
        receipts: Sequence[str | Path] = (),
        progress: Progress | None = None,
    ) -> LakeVerification:
        """Verify that the lake is as it was published: every event, reading and record.

        No engine is started.

        Args:
            ledger: the file of the ledger to check it against, too; None for none.
            receipts: files with receipts, to check it against.
            progress: is called with how many of how many events are done.

        Returns:
            what was found; all is well where it has no faults.

        Raises:
            WrongUsage: there is no lake or no ledger, or a file is no receipt.
            LedgerError: as the ledger cannot be read.
        """
        from ledger.integrity.documents import read_document
        from ledger.lake.folder import open_lake
        from ledger.lake.source import verify_lake
        from ledger.model.receipt import Receipt
        from ledger.store.event_store import Store

        anchors = [(Path(path), read_document(Path(path), Receipt)) for path in receipts]
        lake = open_lake(self.root, self.dataset)
        if ledger is None:
            return verify_lake(lake, self.dataset, None, anchors, progress)
        with Store.for_reading(Path(ledger)) as store, store.snapshot():
            return verify_lake(lake, self.dataset, store, anchors, progress)

    def write_report(
        self,
        report: Report,
        out_dir: str | Path = "report",
        *,
        format: str = "csv",
        spreadsheet_safe: bool = False,
        bom: bool = False,
        dry_run: bool = False,
    ) -> ExportedFile:
        """As `Snapshot.write_report`, but no page.

        Raises:
            WrongUsage: there is no such format, it needs a package that is not installed, or it is
                not one for spreadsheets.
            StorageFailed: the folder cannot be written; what was there before is whole.
        """
        from ledger.datasets.support.report import write_report
        from ledger.outputs.formats import FileOptions, check_format

        options = FileOptions(format, spreadsheet_safe, bom, dry_run)
        check_format(options)
        return write_report(report, self.dataset, Path(out_dir), options)

    def prove_report(self, report: Report) -> ReportProof:
        """Say what a report was computed from, to be handed out with it."""
        from ledger.datasets.support.report_proof import prove_report
        from ledger.lake.folder import open_lake
        from ledger.lake.records import known_records, records_store

        with records_store(known_records(open_lake(self.root, self.dataset))) as store:
            return prove_report(store, report)

    @contextmanager
    def _recording(self, dry_run: bool) -> Iterator[Layout]:
        """The lake to record in; one made for nothing is removed again."""
        from ledger.lake.folder import discard_if_empty, make_lake
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

    @contextmanager
    def _replay(self, as_of: Month | str | None, known_at: KnownAt | None) -> Iterator[LakeReplay]:
        """The lake as an engine sees it, of an edition."""
        from ledger.engines.lake_replay import LakeReplay
        from ledger.lake.folder import open_lake
        from ledger.lake.records import known_records, records_store

        lake = open_lake(self.root, self.dataset)
        records = known_records(lake)
        with records_store(records) as store:
            edition = records.edition(EditionName(as_month_or_none(as_of), known_at))
            with self._started() as engine:
                yield LakeReplay(engine, lake, Replay(store, self.dataset, records, edition))

    @contextmanager
    def _started(self) -> Iterator[Engine]:
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


def _table(replay: LakeReplay, dataset: DataSet, table: Table, names: Names | None) -> EngineTable:
    """A table to be written, with its labels where one asks for names."""
    from ledger.engines.base import EngineTable

    named = labelling(dataset, table).values()
    labels = None if names is None else replay.labels(named, names)
    select = labelled_select(dataset, table, labels, replay.replayed(table), hint="")
    columns = labelled_columns(table, names)
    return EngineTable(f"{table.name}_final", columns, select, table.key)
