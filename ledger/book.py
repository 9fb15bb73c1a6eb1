"""`Ledger`: what a user can do with a ledger, one method each."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ledger.dataset import Table
from ledger.deliveries import find_deliveries, read_names
from ledger.errors import WrongUsage
from ledger.export import WRITERS, ExportedFile, Sheet, write_sheets
from ledger.ingest import MonthIngest, Permissions, ingest_months, with_months
from ledger.months import Month, Quarter
from ledger.projection import (
    Edition,
    build_aside,
    choose_edition,
    store_projection,
    stored_edition,
)
from ledger.store import Batch, File, Store, discard_if_empty
from ledger.support.answers import Answers, answer_questions
from ledger.support.description import SUPPORT
from ledger.support.report import Report, read_report

PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Projected:
    """A projection stored in the ledger.

    Attributes:
        edition: of what it speaks.
        rows: the number of rows of each table.
    """

    edition: Edition
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Export:
    """Files that were written.

    Attributes:
        edition: of what they speak.
        files: in the order of the tables.
    """

    edition: Edition
    files: tuple[ExportedFile, ...]


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A batch with its files, in order."""

    batch: Batch
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Where a ledger stands.

    Attributes:
        path: its file.
        bytes: the size of that.
        batches: how many are recorded.
        first_month: the initial extract's, or None where nothing is recorded.
        latest_month: the latest recorded one, or None.
        missing_months: those between the two of which nothing is recorded.
        events: how many there are of each table.
        projection: the edition of the stored projection, or None.
        head: the head after the last batch, or None.
    """

    path: Path
    bytes: int
    batches: int
    first_month: Month | None
    latest_month: Month | None
    missing_months: tuple[Month, ...]
    events: dict[str, int]
    projection: Edition | None
    head: str | None


class Ledger:
    """A ledger file and all that can be done with it.

    Months are given as `Month`, or as text: `202503` or `2025-03`. Every method opens the file for
    as long as it takes and raises `LedgerError` alone for what is not a bug.
    """

    def __init__(self, path: PathLike) -> None:
        """Name the ledger's file; it is made by the first `ingest`."""
        self.path = Path(path)
        self.dataset = SUPPORT

    @classmethod
    def open(cls, path: PathLike = "ledger.db") -> Self:
        """Name the ledger's file, to be used in a `with` statement."""
        return cls(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open between the methods."""

    def ingest(
        self,
        data: PathLike = "data",
        *,
        files: Sequence[PathLike] = (),
        months: Sequence[Month | str] = (),
        initial_month: Month | str | None = None,
        allow_gap: bool = False,
        late: bool = False,
        dry_run: bool = False,
    ) -> list[MonthIngest]:
        """Record what is new in a data folder, month by month.

        Args:
            data: a folder with `initial/<table>.csv` and `delta/<table>_delta_<YYYYMM>.csv`.
            files: single files of such names, in the place of a folder.
            months: only these; the initial extract comes first on an empty ledger.
            initial_month: at whose end the initial extract was made; by default the month
                before the earliest delta.
            allow_gap: a month before a delivered one may be missing.
            late: a file may belong to a month before the latest recorded one.
            dry_run: only say what would happen.

        Returns:
            what became of each month, in order.

        Raises:
            InputRefused: files are malformed; the months before theirs stay recorded.
            SequenceBroken: files do not follow on what is recorded; likewise.
            WrongUsage: there is nothing to ingest.
            LedgerBusy: another process is writing.
            StorageFailed: the ledger cannot be made or written.
        """
        return list(
            self.ingest_months(
                data,
                files=files,
                months=months,
                initial_month=initial_month,
                allow_gap=allow_gap,
                late=late,
                dry_run=dry_run,
            )
        )

    def ingest_months(
        self,
        data: PathLike = "data",
        *,
        files: Sequence[PathLike] = (),
        months: Sequence[Month | str] = (),
        initial_month: Month | str | None = None,
        allow_gap: bool = False,
        late: bool = False,
        dry_run: bool = False,
    ) -> Iterator[MonthIngest]:
        """As `ingest`, but yield each month as soon as it is recorded."""
        if files:
            deliveries = read_names([Path(file) for file in files], self.dataset)
        else:
            deliveries = find_deliveries(Path(data), self.dataset)
        chosen, extract = [_month(month) for month in months], _optional(initial_month)
        with self._writing(dry_run) as store:
            dated = with_months(store, self.dataset, deliveries, extract, chosen)
            allowed = Permissions(allow_gap, late)
            yield from ingest_months(store, self.dataset, dated, allowed)

    def project(self, as_of: Month | str | None = None, *, dry_run: bool = False) -> Projected:
        """Store the projection as of a month in the ledger, in the place of the one before.

        Args:
            as_of: by default the latest recorded month.
            dry_run: compute it, and leave the stored one as it is.

        Raises:
            WrongUsage: the month lies outside of what is recorded.
            LedgerError: as the ledger cannot be read or written.
        """
        with Store.for_writing(self.path) as store:
            transaction = store.rehearsal if dry_run else store.transaction
            with transaction():
                edition = choose_edition(store, _optional(as_of))
                rows = store_projection(store, self.dataset, edition)
        return Projected(edition, rows)

    def export(
        self,
        out_dir: PathLike = "output",
        *,
        format: str = "csv",
        as_of: Month | str | None = None,
        tables: Sequence[str] = (),
        dry_run: bool = False,
    ) -> Export:
        """Write `<table>_final.<format>` for each table, and `datapackage.json` beside them.

        Args:
            out_dir: made where there is none.
            format: `csv`, `json` or `parquet`.
            as_of: by default the latest recorded month.
            tables: only these; by default all.
            dry_run: write to a folder that is thrown away.

        Raises:
            WrongUsage: there is no such format, table or month.
            StorageFailed: the folder cannot be written; what was there before is whole.
        """
        if format not in WRITERS:
            raise WrongUsage(f"there is no format {format!r}; there are {', '.join(WRITERS)}")
        names = tables or [table.name for table in self.dataset.tables]
        chosen = [self.dataset.table(name) for name in dict.fromkeys(names)]
        with (
            self._reading(_optional(as_of)) as (store, edition),
            _folder(Path(out_dir), dry_run) as folder,
            ExitStack() as open_rows,
        ):
            manifest = {
                "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
                "name": self.dataset.name,
                "title": self.dataset.title,
                "asOf": str(edition.as_of),
                "batch": edition.batch,
                "head": edition.head,
            }
            sheets = [
                Sheet(
                    f"{table.name}_final",
                    table.columns,
                    open_rows.enter_context(closing(store.rows(_select(table)))),
                    table.key,
                )
                for table in chosen
            ]
            written = write_sheets(folder, sheets, format, self.dataset.zone, manifest)
        files = (
            ExportedFile(Path(out_dir) / file.path.name, file.rows, file.bytes, file.sha256)
            for file in written
        )
        return Export(edition, tuple(files))

    def report(self, as_of: Month | str | None = None) -> Report:
        """Compute the support report, by default as of the latest recorded month.

        Raises:
            WrongUsage: the month lies outside of what is recorded.
        """
        with self._reading(_optional(as_of)) as (store, edition):
            return read_report(store, edition)

    def write_report(
        self, report: Report, out_dir: PathLike = "report", *, format: str = "csv"
    ) -> ExportedFile:
        """Write a report as `support_report.<format>`: `csv`, `json` or `parquet`.

        Raises:
            StorageFailed: the folder cannot be written; what was there before is whole.
        """
        if format not in WRITERS:
            raise WrongUsage(f"there is no format {format!r}; there are {', '.join(WRITERS)}")
        return write_sheets(Path(out_dir), [report.sheet], format, self.dataset.zone)[0]

    def answers(
        self, period: Quarter | str | None = None, *, as_of: Month | str | None = None
    ) -> Answers:
        """Answer the business questions for a quarter, by default that of the as-of month.

        Raises:
            WrongUsage: the quarter begins after the as-of month, or that lies outside of what is
                recorded.
        """
        quarter = Quarter.parse(period) if isinstance(period, str) else period
        with self._reading(_optional(as_of)) as (store, edition):
            chosen = quarter or edition.as_of.quarter
            if chosen > edition.as_of.quarter:
                raise WrongUsage(f"{chosen} begins after the as-of month {edition.as_of}")
            return answer_questions(store, edition, chosen)

    def log(self) -> list[LogEntry]:
        """All batches with their files, in the order in which they were recorded."""
        with Store.for_reading(self.path) as store, store.snapshot():
            files = store.files()
            return [
                LogEntry(batch, tuple(file for file in files if file.batch == batch.batch))
                for batch in store.batches()
            ]

    def status(self) -> Status:
        """Where the ledger stands."""
        with Store.for_reading(self.path) as store, store.snapshot():
            batches, files = store.batches(), store.files()
            months = {batch.month for batch in batches}
            first, latest = min(months, default=None), max(months, default=None)
            span = first.until(latest) if first and latest else ()
            events = {
                table.name: sum(file.rows for file in files if file.table_name == table.name)
                for table in self.dataset.tables
            }
            return Status(
                path=self.path,
                bytes=self.path.stat().st_size,
                batches=len(batches),
                first_month=first,
                latest_month=latest,
                missing_months=tuple(month for month in span if month not in months),
                events=events,
                projection=stored_edition(store),
                head=batches[-1].head if batches else None,
            )

    def stored_edition(self) -> Edition | None:
        """The edition of the projection stored in the ledger, or None."""
        with Store.for_reading(self.path) as store:
            return stored_edition(store)

    @contextmanager
    def _writing(self, dry_run: bool) -> Iterator[Store]:
        """A store to record in; a ledger made for nothing is removed again."""
        made = not os.path.exists(self.path)
        with _folder(self.path.parent, dry_run and made) as folder:
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
    def _reading(self, as_of: Month | None) -> Iterator[tuple[Store, Edition]]:
        """A store with the projection as of a month: the stored one if it is that, or one aside."""
        with Store.for_reading(self.path) as store, store.snapshot():
            edition = choose_edition(store, as_of)
            if stored_edition(store) != edition:
                build_aside(store, self.dataset, edition)
            yield store, edition


@contextmanager
def _folder(folder: Path, throw_away: bool) -> Iterator[Path]:
    if throw_away:
        with tempfile.TemporaryDirectory() as name:
            yield Path(name)
    else:
        yield folder


def _select(table: Table) -> str:
    columns = ", ".join(table.column_names)
    return f"SELECT {columns} FROM {table.name} ORDER BY {table.key}"


def _month(month: Month | str) -> Month:
    return Month.parse(month) if isinstance(month, str) else month


def _optional(month: Month | str | None) -> Month | None:
    return None if month is None else _month(month)
