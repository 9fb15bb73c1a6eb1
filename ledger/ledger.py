"""`Ledger`: what a user can do with a ledger, one method each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ledger.datasets.support.description import SUPPORT
from ledger.errors import LedgerDamaged, VerificationFailed, WrongUsage
from ledger.model.dataset import DataSet, Table
from ledger.model.editions import Edition, EditionName, KnownAt
from ledger.model.periods import Month, Quarter, as_month, as_month_or_none
from ledger.model.records import Tag
from ledger.outputs.manifest import draft_or_folder, manifest_of, write_tables
from ledger.replay.editions import last_event
from ledger.replay.labels import Names, labelled_columns, parse_names
from ledger.replay.replay import Replay, stored_edition
from ledger.store.database import Record, storable
from ledger.store.event_store import Store, discard_if_empty
from ledger.store.user_query import Parameters, user_query

if TYPE_CHECKING:
    from ledger.datasets.support.answers import Answers
    from ledger.datasets.support.bridge import Bridge, Cause
    from ledger.datasets.support.explain import Explanation
    from ledger.datasets.support.report import Report
    from ledger.datasets.support.report_proof import ReportProof, ReportVerification
    from ledger.datasets.support.restatements import Restatement
    from ledger.delivery.scaffold import LaidOut
    from ledger.integrity.doctor import Diagnosis
    from ledger.integrity.proofs import EventProof
    from ledger.integrity.verify import Verification
    from ledger.lake.publish import Published
    from ledger.lineage.diff import Diff, RowChange
    from ledger.lineage.history import History
    from ledger.model.progress import Progress, Tally
    from ledger.model.receipt import Receipt
    from ledger.outputs.export import ExportedFile, Sheet
    from ledger.recording.corrections import Retraction
    from ledger.recording.ingest import MonthIngest
    from ledger.results import Checked, Export, LogEntry, Projected, Query, Status
    from ledger.snapshot import Comparison

PathLike = str | os.PathLike[str]


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

    def lay_out(self, folder: PathLike = "data", *, dry_run: bool = False) -> LaidOut:
        """Make a data folder, or what is missing of one, with a template of each file.

        Args:
            folder: made where there is none; whatever is there is left as it is.
            dry_run: only say what would be made.

        Raises:
            StorageFailed: the folder cannot be written.
        """
        from ledger.delivery.scaffold import lay_out

        return lay_out(Path(folder), self.dataset, dry_run=dry_run)

    def ingest(
        self,
        data: PathLike = "data",
        *,
        files: Sequence[PathLike] = (),
        months: Sequence[Month | str] = (),
        initial_month: Month | str | None = None,
        allow_gap: bool = False,
        late: bool = False,
        correct: str | None = None,
        refuse: Collection[str] = (),
        expect_rows: Mapping[str, int] | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
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
            correct: a file may come in the place of a recorded one of its table and month, whose
                events then no longer count; the text says why, and is kept with the batch.
            refuse: codes of findings that refuse a month; `any` for all of them.
            expect_rows: by table, how many rows its new file must have; of a table named, no more
                than one file may be new.
            dry_run: only say what would happen.
            progress: is told how many bytes of how many are read.

        Returns:
            what became of each month, in order.

        Raises:
            InputRefused: files are malformed, or have findings that are refused; the months
                before theirs stay recorded.
            SequenceBroken: files do not follow on what is recorded; likewise.
            WrongUsage: there is nothing to ingest; a correction has no reason; or it cannot be
                told which file is to have the number of rows expected.
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
                correct=correct,
                refuse=refuse,
                expect_rows=expect_rows,
                dry_run=dry_run,
                progress=progress,
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
        correct: str | None = None,
        refuse: Collection[str] = (),
        expect_rows: Mapping[str, int] | None = None,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Iterator[MonthIngest]:
        """As `ingest`, but yield each month as soon as it is recorded."""
        from ledger.delivery.discovery import find_deliveries, read_names
        from ledger.recording.ingest import ingest_months, permitted, with_months

        allowed = permitted(
            self.dataset, allow_gap=allow_gap, late=late, correct=correct, refuse=refuse,
            expect_rows=expect_rows,
        )  # fmt: skip
        if files:
            deliveries = read_names([Path(file) for file in files], self.dataset)
        else:
            deliveries = find_deliveries(Path(data), self.dataset)
        chosen, extract = [as_month(month) for month in months], as_month_or_none(initial_month)
        with self._writing(dry_run) as store:
            dated = with_months(store, self.dataset, deliveries, extract, chosen)
            yield from ingest_months(store, self.dataset, dated, allowed, progress)

    def publish(
        self, lake: PathLike, *, layout: str | None = None, progress: Progress | None = None
    ) -> Published:
        """Add to a lake what is recorded and not there yet: batch by batch, whole or not at all.

        Args:
            lake: its folder, made where there is none: a path, or a `file:` URI.
            layout: `parquet`, or `delta`, which needs the extra `lake`; by default that of the
                lake, or `parquet`.
            progress: is told how many events of how many are written.

        Raises:
            WrongUsage: the folder holds something else, or the lake is of another layout.
            VerificationFailed: the lake holds something else than this ledger.
            LedgerBusy: another process is writing to the lake.
            StorageFailed: the lake cannot be written; the batches in it are whole.
        """
        from ledger.lake.folder import lake_folder, make_lake
        from ledger.lake.publish import publish_store

        with Store.for_reading(self.path) as store, store.snapshot():
            there = make_lake(lake_folder(lake), self.dataset, layout)
            return publish_store(store, self.dataset, there, progress)

    def retract(
        self, table: str, month: Month | str, reason: str, *, dry_run: bool = False
    ) -> Retraction:
        """Take the file of a table and month out of force, with nothing in its place.

        Its events stay, and no longer count.

        Args:
            table: whose file it is.
            month: of the file.
            reason: why, to be kept with the batch.
            dry_run: only say what would happen.

        Raises:
            WrongUsage: there is no such file in force, or the reason is blank.
        """
        from ledger.recording.corrections import given_reason, retract

        chosen = self.dataset.table(table)
        with self._recording(dry_run) as store:
            return retract(store, chosen, as_month(month), given_reason(reason))

    def tag(
        self,
        name: str,
        *,
        as_of: Month | str | None = None,
        known_at: KnownAt | None = None,
        dry_run: bool = False,
    ) -> Tag:
        """Give an edition a name, which then goes wherever a batch goes. It cannot be moved.

        Args:
            name: letters, digits, `.`, `_` and `-`, a letter first.
            as_of: by default the latest month known then.
            known_at: by default the last batch.
            dry_run: only say what would happen.

        Raises:
            WrongUsage: the name is that of another edition, or cannot be one.
        """
        from ledger.recording.tags import record_tag

        with self._recording(dry_run) as store:
            records = store.records()
            edition = records.edition(EditionName(as_month_or_none(as_of), known_at))
            return record_tag(store, records, name, edition)

    def tags(self) -> list[Tag]:
        """The names of editions, in the order in which they were given."""
        with Store.for_reading(self.path) as store:
            return store.tags()

    def project(
        self,
        as_of: Month | str | None = None,
        *,
        known_at: KnownAt | None = None,
        rebuild: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Projected:
        """Store the projection as of a month in the ledger, in the place of the one before.

        It is brought up to date from that, which gives the same as to replay every event.

        Args:
            as_of: by default the latest month known then.
            known_at: the batch, moment or tag up to which batches are taken into account; by
                default the last batch.
            rebuild: replay every event, whatever is stored.
            dry_run: compute it, and leave the stored one as it is.
            progress: is told how many of how many tables and summaries are done; the same again
                and again while one of them takes long.

        Raises:
            WrongUsage: the month lies outside of what is recorded.
            LedgerError: as the ledger cannot be read or written.
        """
        from ledger.model.progress import Tally
        from ledger.replay.incremental import update_projection
        from ledger.replay.projection import store_projection
        from ledger.results import Projected

        with self._recording(dry_run) as store:
            replay = self._replay(store, EditionName(as_month_or_none(as_of), known_at))
            fill = store_projection if rebuild else update_projection
            tally = Tally(len(self.dataset.tables) + len(self.dataset.summaries), progress)
            with store.ticking(tally.tell if progress else None):
                rows = fill(replay, tally.advance)
        return Projected(replay.edition, rows)

    def export(
        self,
        out_dir: PathLike = "output",
        *,
        format: str = "csv",
        as_of: Month | str | None = None,
        known_at: KnownAt | None = None,
        names: str | None = None,
        tables: Sequence[str] = (),
        spreadsheet_safe: bool = False,
        bom: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Export:
        """Write `<table>_final.<format>` for each table, and `datapackage.json` beside them.

        Of `xlsx`, one workbook `customer-support_final.xlsx` with a sheet for each table, and a
        last one, `about`, on what they are as of.

        Args:
            out_dir: made where there is none.
            format: `csv`, `json`, `parquet`, or `xlsx`, which needs the extra `excel`.
            as_of: by default the latest month known then.
            known_at: by default the last batch.
            names: `as-is` or `as-was`: name beside each key the row that it refers to, as it
                stands in this edition or as it stood in the month of the row. By default, not.
            tables: only these; by default all.
            spreadsheet_safe: of `csv`, put an apostrophe before each text that a spreadsheet would
                take for a formula. By default, texts are exact.
            bom: of `csv`, begin each file with a byte order mark, by which Excel knows UTF-8.
            dry_run: write to a folder that is thrown away.
            progress: is told how many rows are written, of how many if these are stored.

        Raises:
            WrongUsage: there is no such format, table or month; the format cannot hold the rows,
                or needs a package that is not there.
            StorageFailed: the folder cannot be written; what was there before is whole.
        """
        from ledger.model.progress import Tally
        from ledger.outputs.export import check_format
        from ledger.outputs.xlsx import workbook_of
        from ledger.results import Export

        check_format(format, spreadsheet_safe=spreadsheet_safe, bom=bom)
        labelled = None if names is None else parse_names(names)
        every = [table.name for table in self.dataset.tables]
        chosen = [self.dataset.table(name) for name in dict.fromkeys(tables or every)]
        with Store.for_reading(self.path) as store:
            with store.snapshot():
                replay = self._replay(store, EditionName(as_month_or_none(as_of), known_at))
                edition, stored = replay.edition, replay.stored_rows
            tally = Tally(sum(stored.get(table.name, 0) for table in chosen), progress)
            manifest = manifest_of(self.dataset, edition, labelled)
            sheets = _sheets(replay, chosen, labelled, format, tally)
            book = workbook_of(
                f"{self.dataset.name}_final", self.dataset, edition, sheets, labelled
            )
            written = write_tables(
                Path(out_dir), book, format, self.dataset.zone, manifest,
                spreadsheet_safe=spreadsheet_safe, bom=bom, dry_run=dry_run,
            )  # fmt: skip
        return Export(edition, tuple(written))

    def report(
        self,
        as_of: Month | str | None = None,
        *,
        known_at: KnownAt | None = None,
        names: str = Names.AS_IS,
    ) -> Report:
        """Compute the support report.

        Args:
            as_of: by default the latest month known then.
            known_at: by default the last batch.
            names: `as-is` for the names of this edition, `as-was` for those of each row's month.

        Raises:
            WrongUsage: the month lies outside of what was recorded.
        """
        from ledger.datasets.support.report import REPORTED, read_report

        with self._summaries(as_of, known_at, REPORTED) as replay:
            return read_report(replay, parse_names(names))

    def write_report(
        self,
        report: Report,
        out_dir: PathLike = "report",
        *,
        format: str = "csv",
        spreadsheet_safe: bool = False,
        bom: bool = False,
        dry_run: bool = False,
    ) -> ExportedFile:
        """Write a report as `support_report.<format>`.

        Of `xlsx`, a workbook with the report, and a sheet `about` on what it is as of, with its
        notes. Of `html`, a page with its pictures, the answers, what changed since the edition
        before, and for every figure the rows of files that make it.

        Args:
            report: as `report` gives it.
            out_dir: made where there is none.
            format: of the file, as for `export`.
            spreadsheet_safe: as for `export`.
            bom: as for `export`.
            dry_run: write to a folder that is thrown away.

        Raises:
            WrongUsage: there is no such format, it needs a package that is not there, or it is not
                one for spreadsheets.
            VerificationFailed: for a page, the projection does not agree with the events.
            StorageFailed: the folder cannot be written; what was there before is whole.
        """
        from ledger.datasets.support.report import write_report
        from ledger.outputs.export import PAGE, check_format, write_text

        check_format(format, spreadsheet_safe=spreadsheet_safe, bom=bom, page=True)
        if format == PAGE:
            page = self._page(report)
            name = f"{report.sheet.name}.{PAGE}"
            with draft_or_folder(Path(out_dir), dry_run) as folder:
                written = write_text(folder, name, page, len(report.rows))
            return replace(written, path=Path(out_dir) / written.path.name)
        return write_report(
            report, self.dataset, Path(out_dir), format,
            spreadsheet_safe=spreadsheet_safe, bom=bom, dry_run=dry_run,
        )  # fmt: skip

    def _page(self, report: Report) -> str:
        """The page of a report."""
        from ledger.datasets.support.page.document import report_page
        from ledger.datasets.support.page.page_data import Changes, read_evidence
        from ledger.datasets.support.page.provenance import CAUSES_SHOWN

        edition = report.edition
        with self._reading(edition.as_of, edition.batch) as replay:
            evidence = read_evidence(replay, report)
            before = replay.records.before(edition)
        if before is None:
            return report_page(evidence, None)
        with self.compare(before.name, edition.name) as both:
            causes = tuple(both.bridge_causes(most=CAUSES_SHOWN))
            changes = Changes(both.bridge(), causes)
        return report_page(evidence, changes)

    def answers(
        self,
        period: Quarter | str | None = None,
        *,
        as_of: Month | str | None = None,
        known_at: KnownAt | None = None,
        names: str = Names.AS_IS,
        sensitivity: bool = False,
    ) -> Answers:
        """Answer the business questions for a quarter.

        Args:
            period: by default the quarter of the as-of month.
            as_of: by default the latest month known then.
            known_at: by default the last batch.
            names: `as-is` for the names of this edition, `as-was` for those of each month.
            sensitivity: give what comes out under every other reading of the data too; that an
                answer flips under one is always noted.

        Raises:
            WrongUsage: the quarter begins after the as-of month, or that lies outside of what is
                recorded.
        """
        from ledger.datasets.support.answers import answer_questions, asked_quarter

        with self._summaries(as_of, known_at, self.dataset) as replay:
            chosen, kind = asked_quarter(period, replay.edition), parse_names(names)
            return answer_questions(replay, chosen, kind, sensitivity=sensitivity)

    def state(
        self,
        table: str,
        *,
        as_of: Month | str | None = None,
        known_at: KnownAt | None = None,
        after: str = "",
        most: int,
    ) -> list[Record]:
        """The rows of a table as they stand in an edition, in the order of the key.

        Args:
            table: of the rows; their columns are the delivered ones, in order.
            as_of: by default the latest month known then.
            known_at: by default the last batch.
            after: the key after which they begin; by default with the first.
            most: how many, at the most.

        Raises:
            WrongUsage: there is no such table, or the month lies outside of what is recorded.
        """
        from ledger.replay.paging import EditionRows

        chosen = self.dataset.table(table)
        with Store.for_reading(self.path) as store:
            with store.snapshot():
                replay = self._replay(store, EditionName(as_month_or_none(as_of), known_at))
            select = partial(replay.labelled, chosen, None)
            rows = iter(EditionRows(replay, chosen, select, storable(after)))
            with closing(rows):
                return list(islice(rows, most))

    def history(
        self,
        table: str,
        key: str,
        *,
        as_of: Month | str | None = None,
        known_at: KnownAt | None = None,
    ) -> History:
        """Tell what happened to a record: every event, what came of it, and what it changed.

        Args:
            table: of the record.
            key: of the record.
            as_of: events up to this month; by default all that were known then.
            known_at: by default the last batch.

        Raises:
            WrongUsage: there is no such table, or no event of such a key by then.
        """
        from ledger.lineage.history import read_history

        chosen = self.dataset.table(table)
        with self._events(as_of, known_at) as replay:
            records, edition = replay.records, replay.edition
            if as_of is None and edition == records.edition(EditionName(None, edition.batch)):
                # What was retracted since may be of a later month than any that counts.
                latest = max(f.month for f in records.files if f.batch <= edition.batch)
                later = replace(edition, as_of=latest)
                replay = Replay(replay.store, self.dataset, records, later)
            return read_history(replay, chosen, storable(key), edition)

    def explain(
        self,
        month: Month | str,
        center: str | None = None,
        department: str | None = None,
        *,
        measure: str | None = None,
        as_of: Month | str | None = None,
        known_at: KnownAt | None = None,
        names: str = Names.AS_IS,
    ) -> Explanation:
        """Show the events that make a figure of the support report.

        Args:
            month: of the report; or `Unknown`.
            center: a contact centre's name, as in the report; None for all of them.
            department: likewise.
            measure: `total_interactions`, `total_calls` or `total_call_duration`, to have what is
                part of that alone; None for every interaction.
            as_of: by default the latest month known then.
            known_at: by default the last batch.
            names: `as-is` for the names of this edition, `as-was` for those of the month.

        Raises:
            WrongUsage: the report has no such figure.
            VerificationFailed: the stored projection does not agree with the events.
        """
        from ledger.datasets.support.explain import explain_figure
        from ledger.datasets.support.measures import month_label

        label = month_label(month)
        with self._reading(as_of, known_at) as replay:
            return explain_figure(replay, label, center, department, measure, parse_names(names))

    def check(
        self,
        *,
        as_of: Month | str | None = None,
        known_at: KnownAt | None = None,
        fail_on: Collection[str] = (),
    ) -> Checked:
        """Look at every event that counts, and tell what is odd.

        Args:
            as_of: by default the latest month known then.
            known_at: by default the last batch.
            fail_on: codes of findings for which `Checked.failed` tells; `any` for all of them.

        Raises:
            WrongUsage: the month lies outside of what was recorded; or there is no such code.
        """
        from ledger.lineage.findings import chosen_codes, edition_findings
        from ledger.results import Checked

        refused = chosen_codes(self.dataset, fail_on)
        with self._events(as_of, known_at) as replay:
            edition = replay.edition
            findings = tuple(edition_findings(replay))
            events = sum(file.rows for file in replay.records.effective_in(edition))
        found = Counter(finding.code for finding in findings)
        failed = {code: count for code, count in sorted(found.items()) if code in refused}
        return Checked(edition, events, found, findings, failed)

    def diff(self, before: Month | str, after: Month | str) -> Diff:
        """Count in how many rows and cells two editions differ, in each table and in the report.

        Args:
            before: the one edition: an as-of month, a batch, a moment or a tag, or a month as it
                was known then: `202502`, `2`, `2025-04-01T09:30:00Z`, `signed`, `202502@2`.
            after: the other.

        Raises:
            WrongUsage: there is no such edition.
        """
        with self.compare(before, after) as both:
            return both.diff()

    def diff_rows(self, before: Month | str, after: Month | str) -> Iterator[RowChange]:
        """Yield the rows in which two editions differ, cell by cell.

        Ordered by table, the report last, and by key. Applied to the one they give the other.

        Args:
            before: the one edition, as for `diff`.
            after: the other.

        Raises:
            WrongUsage: there is no such edition.
        """
        with self.compare(before, after) as both:
            yield from both.diff_rows()

    def bridge(
        self, before: Month | str, after: Month | str, *, month: Month | str | None = None
    ) -> Bridge:
        """Reconcile the support reports of two editions: why each figure moved, step by step.

        Args:
            before: the edition from which, as for `diff`.
            after: the edition to which.
            month: of the report, or `Unknown`, to keep to; by default all.

        Raises:
            WrongUsage: there is no such edition, or neither report has the month.
            VerificationFailed: the stored projection does not agree with the events.
        """
        with self.compare(before, after) as both:
            return both.bridge(month)

    def bridge_causes(
        self,
        before: Month | str,
        after: Month | str,
        *,
        month: Month | str | None = None,
        most: int | None = None,
    ) -> Iterator[Cause]:
        """Yield what is behind each step of a bridge, with the events that did it.

        Args:
            before: the edition from which, as for `diff`.
            after: the edition to which.
            month: of the report, or `Unknown`, to keep to; by default all.
            most: so many interactions at the most for each step; by default all.

        Raises:
            WrongUsage: there is no such edition, or neither report has the month.
        """
        with self.compare(before, after) as both:
            yield from both.bridge_causes(month, most=most)

    @contextmanager
    def compare(self, before: Month | str, after: Month | str) -> Iterator[Comparison]:
        """Put two editions side by side, to ask for more than one thing of them.

        Args:
            before: the one edition, as for `diff`.
            after: the other.

        Raises:
            WrongUsage: there is no such edition.
        """
        from ledger.lineage.diff import build_side_by_side
        from ledger.snapshot import Comparison

        with Store.for_reading(self.path) as store, store.snapshot():
            records = store.records()
            first, second = (
                Replay(
                    store,
                    self.dataset,
                    records,
                    records.edition(EditionName.parse(str(name))),
                )
                for name in (before, after)
            )
            build_side_by_side(first, second)
            with closing(Comparison(first, second)) as both:
                yield both

    def editions(self) -> list[Restatement]:
        """For each batch and each month known after it: whether the report was restated."""
        from ledger.datasets.support.restatements import read_restatements

        with Store.for_reading(self.path) as store, store.snapshot():
            return list(read_restatements(store, store.records()))

    @contextmanager
    def query(self, sql: str, parameters: Parameters = ()) -> Iterator[Query]:
        """Run a query in SQL on the tables of the ledger, to be read within a `with` statement.

        It can read, and nothing else. Who records meanwhile waits until it is left.

        Args:
            sql: one statement, for SQLite.
            parameters: the values for its `?`, or by name those for its `:name`.

        Returns:
            its columns and rows, of which no more than one is held at a time.

        Raises:
            WrongUsage: it is no query, would do more than read, or fails; also while its rows are
                read.
        """
        from ledger.results import Query

        with Store.for_query(self.path) as store, store.snapshot():
            projection = stored_edition(store, store.records())
            with user_query(store, sql, parameters) as (columns, rows):
                yield Query(columns, rows, projection)

    def log(self) -> list[LogEntry]:
        """All batches with their files, in the order in which they were recorded."""
        from ledger.results import LogEntry

        with Store.for_reading(self.path) as store, store.snapshot():
            files = store.files()
            return [
                LogEntry(batch, tuple(file for file in files if file.batch == batch.batch))
                for batch in store.batches()
            ]

    def status(self) -> Status:
        """Where the ledger stands."""
        from ledger.results import Status

        with Store.for_reading(self.path) as store, store.snapshot():
            records = store.records()
            batches, files, counting = records.batches, records.files, records.effective()
            months = {month for _, month in counting}
            first, latest = min(months, default=None), max(months, default=None)
            span = first.until(latest) if first and latest else ()
            events = {
                table.name: sum(file.rows for file in files if file.table_name == table.name)
                for table in self.dataset.tables
            }
            by_month: Counter[Month] = Counter()
            for file in sorted(files, key=lambda file: file.month):
                by_month[file.month] += file.rows
            return Status(
                path=self.path,
                bytes=self.path.stat().st_size,
                batches=len(batches),
                first_month=first,
                latest_month=latest,
                missing_months=tuple(month for month in span if month not in months),
                events=events,
                events_by_month=dict(by_month),
                superseded=sum(events.values()) - sum(f.rows for f in counting.values()),
                projection=stored_edition(store, records),
                head=batches[-1].head if batches else None,
            )

    def stored_edition(self) -> Edition | None:
        """The edition of the projection stored in the ledger, or None."""
        with Store.for_reading(self.path) as store:
            return stored_edition(store, store.records())

    def diagnose(self, *, encoding: str | None = None, recover: bool = False) -> Diagnosis:
        """Look whether all that the ledger needs is there: what is installed, and its file.

        Args:
            encoding: of the terminal, to be looked at too.
            recover: first undo what an interrupted writer left beside the file, where a copy on
                which that was done verifies.
        """
        from ledger.integrity.doctor import diagnose
        from ledger.store.recovery import recover_ledger

        def check(copy: Path) -> None:
            found = Ledger(copy).verify()
            if found.faults:
                raise VerificationFailed(
                    f"{self.path} is not recovered, for of the recovered copy: {found.verdict}; "
                    "restore the ledger from a backup"
                )

        needed = partial(recover_ledger, self.path, check) if recover else None
        return diagnose(self.path, self.dataset, encoding, needed)

    def verify(
        self,
        *,
        receipts: Sequence[PathLike] = (),
        sources: PathLike | None = None,
        quick: bool = False,
        progress: Progress | None = None,
    ) -> Verification:
        """Look whether the ledger is what was recorded: its file, every event, every record.

        Args:
            receipts: files with receipts of it, to hold it to.
            sources: the folder of the delivered files, to be read again and held to the events.
            quick: leave out what is computed from the events: readings, local time, projection.
            progress: is told how many of how many events are done.

        Returns:
            what was found; all is well where it has no faults.

        Raises:
            WrongUsage: a file is no receipt, or there is no such folder.
            LedgerError: as the ledger or a delivered file cannot be read.
        """
        from ledger.integrity.checks.delivered import Originals
        from ledger.integrity.documents import read_document
        from ledger.integrity.verify import unreadable, verify_store
        from ledger.model.receipt import Receipt

        anchors = [(Path(path), read_document(Path(path), Receipt)) for path in receipts]
        originals = None if sources is None else Originals(Path(sources), self.dataset)
        try:
            with Store.for_reading(self.path) as store, store.snapshot():
                return verify_store(
                    store, self.dataset, anchors, originals, quick=quick, progress=progress
                )
        except LedgerDamaged as error:
            return unreadable(self.path, error, quick=quick)

    def receipt(self) -> Receipt:
        """What the ledger holds now, in a few figures to be kept elsewhere.

        Raises:
            WrongUsage: nothing is recorded yet.
        """
        from ledger.model.receipt import receipt_of

        with Store.for_reading(self.path) as store, store.snapshot():
            batches, tags = store.batches(), store.tags()
        if not batches:
            raise WrongUsage(f"nothing is recorded in {self.path}; start with: ledger ingest")
        return receipt_of(batches, tags)

    def prove(
        self,
        table: str,
        key: str,
        *,
        as_of: Month | str | None = None,
        known_at: KnownAt | None = None,
    ) -> EventProof:
        """Prove that the event which counts for a record is part of the ledger.

        Args:
            table: of the record.
            key: of the record.
            as_of: by default the latest month known then.
            known_at: by default the last batch.

        Raises:
            WrongUsage: there is no such table, or no event of such a key counts then.
        """
        from ledger.integrity.proofs import prove_event

        chosen = self.dataset.table(table)
        with self._events(as_of, known_at) as replay:
            ((event_id,),) = replay.rows(last_event(chosen, "?", "event"), (key,))
            if event_id is None:
                raise WrongUsage(
                    f"no event of {table} {key!r} counts as of {replay.edition.as_of}, "
                    f"batch {replay.edition.batch}; see: ledger history"
                )
            return prove_event(replay.store, self.dataset, chosen, event_id)

    def verify_proof(self, proof: PathLike, receipt: PathLike) -> EventProof:
        """Check an event against a receipt, both given as files; the ledger is not read.

        Of the receipt, batch, head and events are checked, as far as the proof has them.

        Returns:
            the proof, with the event.

        Raises:
            VerificationFailed: the event is not part of the ledger that the receipt is of.
            WrongUsage: a file is not what it should be, or the two are of different batches.
        """
        from ledger.integrity.documents import read_document
        from ledger.integrity.proofs import EventProof, check_event_proof
        from ledger.model.receipt import Receipt

        proven = read_document(Path(proof), EventProof)
        check_event_proof(proven, read_document(Path(receipt), Receipt), self.dataset)
        return proven

    def prove_report(self, report: Report) -> ReportProof:
        """Say what a report was computed from, to be handed out with it."""
        from ledger.datasets.support.report_proof import prove_report

        with Store.for_reading(self.path) as store, store.snapshot():
            return prove_report(store, report)

    def verify_report(
        self,
        report: PathLike,
        proof: PathLike,
        *,
        receipt: PathLike | None = None,
        sources: PathLike | None = None,
    ) -> ReportVerification:
        """Check a published report against its proof; the ledger is not read.

        Args:
            report: the file, `support_report.csv`, say.
            proof: the file that was made with it.
            receipt: a file with a receipt of the ledger, of the batch of the report or a later one.
            sources: the folder of the delivered files, to compute the report from again; without
                it the report is not proved.

        Returns:
            what was found; whether the report is what the files give is its `proved`, and whether
            a receipt binds which files were recorded its `anchored`.

        Raises:
            VerificationFailed: the proof or a delivered file is not what it should be, or the
                report cannot be read.
            WrongUsage: a file is not what it should be, or there is no such folder.
        """
        from ledger.datasets.support.report_proof import ReportProof, check_report
        from ledger.integrity.checks.delivered import Originals
        from ledger.integrity.documents import read_document
        from ledger.model.receipt import Receipt

        proven = read_document(Path(proof), ReportProof)
        anchor = None if receipt is None else read_document(Path(receipt), Receipt)
        originals = None if sources is None else Originals(Path(sources), self.dataset)
        return check_report(Path(report), proven, self.dataset, anchor, originals)

    def backup(self, path: PathLike) -> Verification:
        """Copy the ledger as it is now, and verify the copy before it gets its name.

        Args:
            path: of the copy; there must be no such file.

        Raises:
            WrongUsage: there is one.
            VerificationFailed: the copy is not as it was recorded, as the ledger then.
            StorageFailed: it cannot be written.
        """
        from ledger.store.backup import back_up

        found: list[Verification] = []

        def check(copy: Path) -> None:
            found.append(Ledger(copy).verify())
            if found[0].faults:
                raise VerificationFailed(
                    f"no backup is made, for {found[0].verdict}; see: ledger verify"
                )

        with Store.for_reading(self.path) as store:
            back_up(store, Path(path), check)
        return replace(found[0], path=Path(path))

    @contextmanager
    def _writing(self, dry_run: bool) -> Iterator[Store]:
        """A store to record in; a ledger made for nothing is removed again."""
        made = not os.path.exists(self.path)
        with draft_or_folder(self.path.parent, dry_run and made) as folder:
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
    def _recording(self, dry_run: bool) -> Iterator[Store]:
        """A store within one transaction, undone where nothing is to change."""
        with (
            Store.for_writing(self.path) as store,
            store.rehearsal() if dry_run else store.transaction(),
        ):
            yield store

    def _replay(self, store: Store, name: EditionName) -> Replay:
        records = store.records()
        return Replay(store, self.dataset, records, records.edition(name))

    @contextmanager
    def _events(self, as_of: Month | str | None, known_at: KnownAt | None) -> Iterator[Replay]:
        """An edition in a store, for those who need no projection."""
        with Store.for_reading(self.path) as store, store.snapshot():
            yield self._replay(store, EditionName(as_month_or_none(as_of), known_at))

    @contextmanager
    def _reading(self, as_of: Month | str | None, known_at: KnownAt | None) -> Iterator[Replay]:
        """As `_events`, in a store that has the projection of the edition."""
        from ledger.replay.incremental import ensure_projection

        with self._events(as_of, known_at) as replay:
            ensure_projection(replay)
            yield replay

    @contextmanager
    def _summaries(
        self, as_of: Month | str | None, known_at: KnownAt | None, dataset: DataSet
    ) -> Iterator[Replay]:
        """As `_reading`, for those who read the summaries of a projection alone."""
        from ledger.replay.incremental import ensure_summaries

        with self._events(as_of, known_at) as whole:
            replay = Replay(whole.store, dataset, whole.records, whole.edition)
            ensure_summaries(replay)
            yield replay


def _sheets(
    replay: Replay, tables: Sequence[Table], names: Names | None, format: str, tally: Tally
) -> list[Sheet]:
    """Tables of an edition, to be written in a format; the tally is told of the rows read."""
    from ledger.outputs.export import WORKBOOK, Sheet
    from ledger.replay.paging import EditionRows

    # In a workbook, the name of the file ends so.
    end = "" if format == WORKBOOK else "_final"
    sheets = []
    for table in tables:
        select = partial(replay.labelled, table, names)
        rows = EditionRows(replay, table, select, advance=tally.advance)
        columns = labelled_columns(table, names)
        sheets.append(Sheet(f"{table.name}{end}", columns, rows, table.key))
    return sheets
