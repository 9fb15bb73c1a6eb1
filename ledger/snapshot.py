"""What a ledger gives of one edition, and of two side by side."""

from __future__ import annotations

import os
import weakref
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ledger.datasets.support.measures import month_label
from ledger.errors import WrongUsage
from ledger.model.dataset import DataSet, Table
from ledger.model.editions import EditionName
from ledger.model.periods import Month, Quarter
from ledger.model.tabular import Tabular, Values
from ledger.replay.editions import last_event
from ledger.replay.labels import Names, labelled_columns, parse_names
from ledger.replay.replay import Replay
from ledger.store.database import Record, storable
from ledger.store.event_store import Store

if TYPE_CHECKING:
    from ledger.backends.protocols import EditionReader
    from ledger.datasets.support.answers import Answers
    from ledger.datasets.support.bridge import Bridge, Cause
    from ledger.datasets.support.explain import Explanation
    from ledger.datasets.support.report import Report
    from ledger.datasets.support.report_proof import ReportProof
    from ledger.integrity.proofs import EventProof
    from ledger.lineage.diff import Diff, RowChange
    from ledger.lineage.findings import Checked
    from ledger.lineage.history import History
    from ledger.model.presentation import Part
    from ledger.model.progress import Progress
    from ledger.outputs.manifest import Export, ExportedFile

PathLike = str | os.PathLike[str]
Item = TypeVar("Item")


class Snapshot:
    """A ledger in one edition, as `Ledger.at` gives it.

    All that it gives is of that edition, whatever is recorded meanwhile. Every method opens the
    ledger for as long as it takes. Of a lake, `explain`, `history`, `check`, `prove` and the page
    of a report raise `WrongUsage`.

    Attributes:
        dataset: its tables.
        edition: the edition.
        stored: the edition of the projection that was stored when this one was found, or None.
    """

    def __init__(self, reader: EditionReader, name: EditionName) -> None:
        """Give what a reader reads; the name is that by which its edition was found."""
        self.dataset = reader.dataset
        self.edition = reader.edition
        self.stored = reader.stored
        self._reader = reader
        self._name = name

    def report(self, *, names: str = Names.AS_IS) -> Report:
        """Compute the support report.

        Args:
            names: `as-is` for the names of this edition, `as-was` for those of each row's month.
        """
        from ledger.datasets.support.report import REPORTED, read_report

        kind = parse_names(names)
        with self._reader.summaries(REPORTED) as replay:
            return read_report(replay, kind)

    def answers(
        self,
        period: Quarter | str | None = None,
        *,
        names: str = Names.AS_IS,
        sensitivity: bool = False,
    ) -> Answers:
        """Answer the business questions for a quarter.

        Args:
            period: by default the quarter of the as-of month.
            names: `as-is` for the names of this edition, `as-was` for those of each month.
            sensitivity: give what comes out under every other reading of the data too; that an
                answer flips under one is always noted.

        Raises:
            WrongUsage: the quarter begins after the as-of month.
        """
        from ledger.datasets.support.answers import answer_questions, asked_quarter

        chosen, kind = asked_quarter(period, self.edition), parse_names(names)
        with self._reader.summaries(self.dataset) as replay:
            return answer_questions(replay, chosen, kind, sensitivity=sensitivity)

    def explain(
        self,
        month: Month | str,
        center: str | None = None,
        department: str | None = None,
        *,
        measure: str | None = None,
        names: str = Names.AS_IS,
    ) -> Explanation:
        """Show the events that make a figure of the support report.

        Args:
            month: of the report; or `Unknown`.
            center: a contact centre's name, as in the report; None for all of them.
            department: a department, as in the report; None for all of them.
            measure: `total_interactions`, `total_calls` or `total_call_duration`, to have what is
                part of that alone; None for every interaction.
            names: `as-is` for the names of this edition, `as-was` for those of the month.

        Raises:
            WrongUsage: the report has no such figure.
            VerificationFailed: the stored projection does not agree with the events.
        """
        from ledger.datasets.support.explain import explain_figure

        label, kind = month_label(month), parse_names(names)
        with self._reader.projected() as replay:
            return explain_figure(replay, label, center, department, measure, kind)

    def history(self, table: str, key: str) -> History:
        """Read what happened to a record: every event, what came of it, and what it changed.

        Where the edition was found without an as-of month, events of later months belong to it too
        if they were known then.

        Args:
            table: of the record.
            key: of the record.

        Raises:
            WrongUsage: there is no such table, or no event of such a key by then.
        """
        from ledger.lineage.history import read_history

        chosen, records, edition = self.dataset.table(table), self._reader.records, self.edition
        widest = edition
        latest = records.edition(EditionName(None, edition.batch))
        if self._name.as_of is None and edition == latest:
            # What was retracted since may be of a later month than any that counts.
            last = max(f.month for f in records.files if f.batch <= edition.batch)
            widest = replace(edition, as_of=last)
        with self._reader.events(widest) as replay:
            return read_history(replay, chosen, storable(key), edition)

    def check(self, *, fail_on: Collection[str] = ()) -> Checked:
        """Inspect every event that counts, and report what is unexpected.

        Args:
            fail_on: codes of findings that `Checked.failed` counts; `any` for all of them.

        Raises:
            WrongUsage: there is no such code.
        """
        from ledger.lineage.findings import check_edition

        with self._reader.events() as replay:
            return check_edition(replay, fail_on)

    def state(self, table: str, *, after: str = "", most: int) -> list[Record]:
        """The rows of a table, in the order of the key.

        Args:
            table: of the rows; their columns are the delivered ones, in order.
            after: the key after which they begin; by default with the first.
            most: how many, at the most.

        Raises:
            WrongUsage: there is no such table.
        """
        rows = self._reader.rows(self.dataset.table(table), storable(after))
        with closing(rows):
            return [tuple(row) for row in islice(rows, most)]

    def table(self, name: str) -> Tabular:
        """A table with described columns; its rows are read whenever they are iterated.

            march.table("interactions").to_pandas()

        Args:
            name: of the table; its columns are the delivered ones, in order.

        Raises:
            WrongUsage: there is no such table.
        """
        table = self.dataset.table(name)
        rows = _TableRows(self._reader, table)
        return Tabular(name, labelled_columns(table, None), rows, table.key, self.dataset.zone)

    def export(
        self,
        out_dir: PathLike = "output",
        *,
        format: str = "csv",
        names: str | None = None,
        tables: Sequence[str] = (),
        spreadsheet_safe: bool = False,
        bom: bool = False,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> Export:
        """Write `<table>_final.<format>` for each table, and `datapackage.json` beside them.

        Of `xlsx`, one workbook `customer-support_final.xlsx` with a sheet for each table, and a
        last one, `about`, on what they are as of. Of a lake, a workbook and a dry run are refused,
        and Spark writes each table as a folder of parts.

        Args:
            out_dir: made where there is none.
            format: `csv`, `json`, `parquet`, or `xlsx`, which needs the extra `excel`.
            names: `as-is` or `as-was`: name beside each key the row that it refers to, as it
                stands in this edition or as it stood in the month of the row. By default, not.
            tables: only these; by default all.
            spreadsheet_safe: of `csv`, put an apostrophe before each text that a spreadsheet would
                take for a formula. By default, texts are exact.
            bom: of `csv`, begin each file with a byte order mark, by which Excel knows UTF-8.
            dry_run: write to a folder that is thrown away.
            progress: is called with how many rows are written, of how many if these are stored.

        Raises:
            WrongUsage: there is no such format or table; the format cannot have the rows, or needs
                a package that is not installed.
            StorageFailed: the folder cannot be written; what was there before is whole.
        """
        from ledger.outputs.formats import FileOptions, check_format
        from ledger.outputs.manifest import Export

        options = FileOptions(format, spreadsheet_safe, bom, dry_run)
        check_format(options)
        labelled = None if names is None else parse_names(names)
        every = [table.name for table in self.dataset.tables]
        chosen = [self.dataset.table(name) for name in dict.fromkeys(tables or every)]
        written = self._reader.write_tables(Path(out_dir), chosen, labelled, options, progress)
        return Export(self.edition, tuple(written))

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
            WrongUsage: there is no such format, it needs a package that is not installed, or it is
                not one for spreadsheets; or the report is of another edition.
            VerificationFailed: for a page, the projection does not agree with the events.
            StorageFailed: the folder cannot be written; what was there before is whole.
        """
        from ledger.datasets.support.report import write_report
        from ledger.outputs.formats import PAGE, FileOptions, check_format
        from ledger.outputs.table_files import write_page

        self._check_own(report)
        options = FileOptions(format, spreadsheet_safe, bom, dry_run)
        check_format(options, page=True)
        if format == PAGE:
            name = f"{report.sheet.name}.{PAGE}"
            text = self._page(report)
            return write_page(Path(out_dir), name, text, len(report.rows), options)
        return write_report(report, self.dataset, Path(out_dir), options)

    def prove_report(self, report: Report) -> ReportProof:
        """Say what a report was computed from, to be handed out with it.

        Raises:
            WrongUsage: the report is of another edition.
        """
        from ledger.datasets.support.report_proof import prove_report

        self._check_own(report)
        with self._reader.recorded() as replay:
            return prove_report(replay.store, report)

    def prove(self, table: str, key: str) -> EventProof:
        """Prove that the event which counts for a record is part of the ledger.

        Args:
            table: of the record.
            key: of the record.

        Raises:
            WrongUsage: there is no such table, or no event of such a key counts.
        """
        from ledger.integrity.proofs import prove_event

        chosen = self.dataset.table(table)
        with self._reader.events() as replay:
            ((event_id,),) = replay.rows(last_event(chosen, "?", "event"), (key,))
            if event_id is None:
                raise WrongUsage(
                    f"no event of {table} {key!r} counts as of {self.edition.as_of}, "
                    f"batch {self.edition.batch}; see: ledger history"
                )
            return prove_event(replay.store, self.dataset, chosen, event_id)

    def _check_own(self, report: Report) -> None:
        if report.edition != self.edition:
            raise WrongUsage(
                f"the report is of the edition {report.edition.name}, not of {self.edition.name}; "
                "take that of the same snapshot"
            )

    def _page(self, report: Report) -> str:
        """The page of a report."""
        from ledger.datasets.support.page.document import report_page
        from ledger.datasets.support.page.page_data import Changes, read_evidence
        from ledger.datasets.support.page.provenance import CAUSES_SHOWN

        with self._reader.projected() as replay:
            evidence = read_evidence(replay, report)
        before = self._reader.records.before(self.edition)
        if before is None:
            return report_page(evidence, None)
        names = (EditionName(e.as_of, e.batch) for e in (before, self.edition))
        with Comparison(self._reader.path, self.dataset, *names) as both:
            causes = tuple(both.bridge_causes(most=CAUSES_SHOWN))
            changes = Changes(both.bridge(), causes)
        return report_page(evidence, changes)


@dataclass(frozen=True, slots=True)
class _TableRows:
    """The rows of a table, read again each time."""

    reader: EditionReader
    table: Table

    def __iter__(self) -> Iterator[Values]:
        return self.reader.rows(self.table)


class Comparison:
    """Two editions side by side, as `Ledger.compare` gives them.

    It keeps both in one open store until it is closed: whoever records waits for that, at the
    commit. It is asked one thing at a time: a question ends what is still being read for the one
    before.

    Attributes:
        before: the one.
        after: the other.
    """

    def __init__(
        self, path: Path, dataset: DataSet, before: EditionName, after: EditionName
    ) -> None:
        """Put two editions side by side.

        Raises:
            WrongUsage: there is no such edition.
            LedgerError: as the ledger cannot be read.
        """
        from ledger.lineage.diff import build_side_by_side

        self._reading: weakref.ref[Generator[object, None, None]] | None = None
        with ExitStack() as opened:
            store = opened.enter_context(Store.for_reading(path))
            opened.enter_context(store.snapshot())
            records = store.records()
            self._before, self._after = (
                Replay(store, dataset, records, records.edition(name)) for name in (before, after)
            )
            build_side_by_side(self._before, self._after)
            self._close = weakref.finalize(self, opened.pop_all().close)
        self.before = self._before.edition
        self.after = self._after.edition

    def close(self) -> None:
        """Let go of the ledger, and end what is still being read."""
        self._end_reading()
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def diff(self) -> Diff:
        """Count in how many rows and cells the editions differ, in each table and in the report."""
        from ledger.lineage.diff import count_differences

        self._end_reading()
        return count_differences(self._before, self._after)

    def diff_rows(self) -> Iterator[RowChange]:
        """Yield the rows in which the editions differ, cell by cell.

        Ordered by table, the report last, and by key. Applied to the one they give the other.
        """
        from ledger.lineage.diff import differing_rows

        return self._read(differing_rows(self._after))

    def bridge(self, month: Month | str | None = None) -> Bridge:
        """Reconcile the support reports of the editions: why each figure moved, step by step.

        Args:
            month: of the report, or `Unknown`, to keep to; by default all.

        Raises:
            WrongUsage: neither report has the month.
            VerificationFailed: the stored projection does not agree with the events.
        """
        from ledger.datasets.support.bridge import read_bridge

        self._end_reading()
        return read_bridge(self._before, self._after, _label(month))

    def bridge_causes(
        self, month: Month | str | None = None, *, most: int | None = None
    ) -> Iterator[Cause]:
        """Yield what is behind each step of the bridge, with the events that did it.

        Args:
            month: of the report, or `Unknown`, to keep to; by default all.
            most: so many interactions at the most for each step; by default all.

        Raises:
            WrongUsage: neither report has the month.
        """
        from ledger.datasets.support.bridge import read_causes

        return self._read(read_causes(self._before, self._after, _label(month), most))

    def _read(self, items: Generator[Item, None, None]) -> Iterator[Item]:
        self._end_reading()
        self._reading = weakref.ref(items)
        return self._kept(items)

    def _kept(self, items: Generator[Item, None, None]) -> Generator[Item, None, None]:
        """Yield the items; the comparison is not closed as long as they are read."""
        yield from items

    def _end_reading(self) -> None:
        items = self._reading() if self._reading else None
        if items is not None:
            items.close()


def _label(month: Month | str | None) -> str | None:
    return None if month is None else month_label(month)


@dataclass(frozen=True, slots=True)
class Differences:
    """The differences of two editions in every form; each is read when it is asked for."""

    comparison: Comparison

    def to_dict(self) -> dict[str, Any]:
        """How far the editions differ, and an iterator over the rows that do."""
        return {**self.comparison.diff().to_dict(), "rows": self.comparison.diff_rows()}

    def tabular(self) -> Tabular:
        """The cells in which the editions differ."""
        from ledger.lineage.diff import cell_differences

        return cell_differences(self.comparison.diff_rows())

    def parts(self) -> Iterable[Part]:
        """How far the editions differ."""
        yield self.comparison.diff().tabular()


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The bridge between two editions and its causes in every form, read when it is asked for.

    Attributes:
        comparison: of the editions.
        month: of the report; None for all.
        measure: for the rows of the report; None for the first that moved.
    """

    comparison: Comparison
    month: Month | str | None
    measure: str | None

    def to_dict(self) -> dict[str, Any]:
        """The bridge, and an iterator over all causes."""
        bridge = self.comparison.bridge(self.month).to_dict()
        return {**bridge, "causes": self.comparison.bridge_causes(self.month)}

    def tabular(self) -> Tabular:
        """The causes."""
        from ledger.datasets.support.bridge_tables import cause_table

        return cause_table(self.comparison.bridge_causes(self.month))

    def parts(self) -> Iterable[Part]:
        """The bridge of the total, that of each row that moved, and the first causes."""
        from ledger.datasets.support.bridge_tables import CAUSES_SHOWN, draw_bridge, draw_causes

        bridge = self.comparison.bridge(self.month)
        yield from draw_bridge(bridge, self.measure)
        causes = self.comparison.bridge_causes(self.month, most=CAUSES_SHOWN)
        yield from draw_causes(bridge, causes)
