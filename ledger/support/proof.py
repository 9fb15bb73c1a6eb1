"""Proofs of a published report: checked against the delivered files, without the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from ledger.audit.chain import ChainBatch, chain_of, check_chain, follow, month_of
from ledger.audit.originals import Originals
from ledger.audit.rebuilding import rebuilt
from ledger.audit.receipts import Receipt
from ledger.dataset import DataSet
from ledger.documents import Document, Number
from ledger.editions import choose_edition
from ledger.errors import VerificationFailed, WrongUsage
from ledger.export import Sheet, read_sheet
from ledger.forms import Values, number
from ledger.months import Month
from ledger.names import Names
from ledger.projection import store_projection
from ledger.store import Batch, File, Store
from ledger.support.report import REPORT_COLUMNS, Report, read_rows
from ledger.words import counted

IDENTITY = 3
"""So many columns tell the rows of a report apart: month, contact centre, department."""


class ReportProof(Document, frozen=True, kw_only=True, tag="ledger-report-proof-1"):
    """What a report was computed from.

    Attributes:
        as_of: the month, YYYYMM as a number.
        batch: known-at, the last batch taken into account.
        names: whether the labels are those of the edition or of each row's month.
        chain: the records of all batches of the ledger, those after `batch` too.
        rows: of the report, in the order of its columns.
    """

    as_of: Number
    batch: Number
    names: Names
    chain: list[ChainBatch]
    rows: list[tuple[str, str, str, int, int, float]]


@dataclass(frozen=True, slots=True)
class ReportVerification:
    """What came out when a published report was held to its proof.

    Attributes:
        as_of: the month.
        batch: known-at.
        names: whether the labels are those of the edition or of each row's month.
        head: the head after that batch, as the proof has it.
        rows: how many rows the report has.
        anchored: whether a receipt agrees.
        compared: how many delivered files it was computed from again; None where none were given.
        differences: the cells and rows that are not what they should be.
        apostrophes: how many texts have one before them as of `--spreadsheet-safe`, and are else
            what they should be.
    """

    as_of: Month
    batch: int
    names: Names
    head: str
    rows: int
    anchored: bool
    compared: int | None
    differences: tuple[str, ...]
    apostrophes: int = 0

    @property
    def verdict(self) -> str:
        """The outcome in a sentence, without its full stop."""
        names = ", with the names of each row's month" if self.names is Names.AS_WAS else ""
        of = f"as of {self.as_of}, batch {self.batch}{names}"
        if self.apostrophes:
            of += f", but for an apostrophe before {counted(self.apostrophes, 'text')}"
        if self.differences:
            return f"the report is not the one {of}: {self.differences[0]}"
        if self.compared is None:
            return f"the report is what its proof says {of}; not compared with the delivered files"
        anchor = "anchored by a receipt" if self.anchored else "not anchored"
        return f"the report is what {self.compared} delivered files give {of}; {anchor}"


def prove_report(store: Store, report: Report) -> ReportProof:
    """Say what a report was computed from."""
    return ReportProof(
        as_of=report.edition.as_of.number,
        batch=report.edition.batch,
        names=report.names,
        chain=chain_of(store),
        rows=[astuple(row) for row in report.rows],
    )


def check_report(
    path: Path,
    proof: ReportProof,
    dataset: DataSet,
    receipt: Receipt | None = None,
    originals: Originals | None = None,
) -> ReportVerification:
    """Hold a published report to its proof, to a receipt, and to the delivered files.

    Args:
        path: the report, in any of the formats in which it is written.
        proof: made with it.
        dataset: the tables.
        receipt: of the ledger; None leaves it unanchored.
        originals: the delivered files, from which the report is computed again; None holds it to
            what the proof says of its rows.

    Raises:
        VerificationFailed: the proof or a delivered file is not what it should be, or the report
            cannot be read.
        WrongUsage: the receipt is of no batch that the proof leads to.
    """
    as_of = month_of(proof.as_of)
    batches, files = follow(proof.chain)
    if proof.batch > len(batches):
        raise VerificationFailed(f"the proof has no batch {proof.batch}")
    if receipt:
        check_chain(batches, proof.batch, receipt)
    published = read_sheet(path, REPORT_COLUMNS)
    rows: Sequence[Values] = proof.rows
    by, compared = "its proof", None
    if originals:
        rows, compared = _computed(proof, dataset, batches, files, originals)
        by = "the delivered files"
    differences, apostrophes = _compared(published, rows, by), 0
    if differences and path.suffix.lower() == ".csv":
        # It may have been written with `--spreadsheet-safe`, which changes texts in one way alone.
        safe = Sheet(path.stem, REPORT_COLUMNS, rows).safe_rows()
        others = _compared(published, [*safe], by)
        if len(others) < len(differences):
            differences, apostrophes = others, safe.apostrophes
    return ReportVerification(
        as_of=as_of,
        batch=proof.batch,
        names=proof.names,
        head=batches[proof.batch - 1].head,
        rows=len(published),
        anchored=receipt is not None,
        compared=compared,
        differences=tuple(differences),
        apostrophes=apostrophes,
    )


def _computed(
    proof: ReportProof,
    dataset: DataSet,
    batches: Sequence[Batch],
    files: Sequence[File],
    originals: Originals,
) -> tuple[list[Values], int]:
    """Compute the rows from the delivered files, and say from how many."""
    as_of = Month(proof.as_of)
    with rebuilt(dataset, batches, files, originals, (as_of, proof.batch)) as (store, count):
        try:
            edition = choose_edition(store, as_of, proof.batch)
        except WrongUsage as error:
            raise VerificationFailed(f"the proof is of no edition: {error}") from None
        store_projection(store, dataset, edition)
        return [astuple(row) for row in read_rows(store, proof.names)], count


def _compared(published: Sequence[Values], expected: Sequence[Values], by: str) -> list[str]:
    """Tell what differs, as `_differences` does, and the order where it is that alone."""
    if [*map(_texts, published)] == [*map(_texts, expected)]:
        return []
    differences = [*_differences(published, expected, by)]
    return differences or [f"its rows are in another order than by {by}"]


def _differences(published: Sequence[Values], expected: Sequence[Values], by: str) -> Iterator[str]:
    """Tell the cells and rows of a report that are not those expected.

    Args:
        published: the rows of the report.
        expected: those that it should have.
        by: whom.
    """
    rows = [(place, _texts(row)) for place, row in enumerate(published, start=1)]
    missing = {row[:IDENTITY]: row for row in map(_texts, expected)}
    strangers = []
    for place, row in rows:
        same = missing.pop(row[:IDENTITY], None)
        if same is None:
            strangers.append((place, row))
        else:
            yield from _cells(place, row, same, by)
    if len(strangers) == len(missing):
        # Where none is more or less, a label was changed.
        for (place, row), other in zip(strangers, missing.values(), strict=True):
            yield from _cells(place, row, other, by)
        return
    for place, row in strangers:
        yield f"row {place} ({', '.join(row[:IDENTITY])}) is not there by {by}"
    for row in missing.values():
        yield f"the row {', '.join(row)} is missing by {by}"


def _cells(place: int, row: Sequence[str], other: Sequence[str], by: str) -> Iterator[str]:
    for column, cell, right in zip(REPORT_COLUMNS, row, other, strict=True):
        if cell != right:
            yield f"row {place}, {column.name}: {cell!r}, by {by} {right!r}"


def _texts(row: Values) -> tuple[str, ...]:
    return tuple(str(number(value)) for value in row)
