"""Proofs of a published report: checked against the delivered files, without the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

from ledger.datasets.support.report import REPORT_COLUMNS, Report, read_rows
from ledger.errors import VerificationFailed, WrongUsage
from ledger.integrity.chain_document import (
    Chain,
    ChainBatch,
    chain_of,
    check_against_receipt,
    month_of,
    read_chain,
)
from ledger.integrity.checks.delivered import DeliveredFiles
from ledger.integrity.rebuild import rebuilt
from ledger.model.dataset import DataSet
from ledger.model.documents import Document, Number
from ledger.model.editions import EditionName
from ledger.model.periods import Month
from ledger.model.presentation import Verdict
from ledger.model.receipt import Receipt
from ledger.model.records import Records
from ledger.model.tabular import Tabular, Values, plain_number
from ledger.outputs.csv import SafeRows
from ledger.outputs.read_back import read_table
from ledger.replay.labels import Names
from ledger.replay.projection import store_projection
from ledger.replay.replay import Replay
from ledger.store.event_store import Store
from ledger.text import counted

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
class ReportVerification(Verdict):
    """What came out when a published report was checked against its proof.

    The delivered files alone bind the figures of a report; which files were recorded, and so the
    edition, is bound by a receipt alone.

    Attributes:
        as_of: the month.
        batch: known-at.
        names: whether the labels are those of the edition or of each row's month.
        head: the head after that batch, as the proof has it.
        rows: how many rows the report has.
        proved: whether it is what the delivered files give; never without these, and without a
            receipt only where the edition leaves none of them out.
        anchored: whether it is, and a receipt binds which files were recorded.
        batches: how many the proof has.
        receipt: the batch up to which a receipt agrees with the proof; None where none was given.
            Later batches of the proof are bound by nothing, and not used.
        compared: how many delivered files it was computed from again; None where none were given.
        differences: the cells and rows that are not what they should be.
        left_out: the delivered files up to the month that the edition of the proof leaves out, as
            after a retraction, where no receipt binds that.
        apostrophes: how many texts have one before them as of `--spreadsheet-safe`, and are else
            what they should be.
    """

    as_of: Month
    batch: int
    names: Names
    head: str
    rows: int
    proved: bool
    anchored: bool
    batches: int
    receipt: int | None
    compared: int | None
    differences: tuple[str, ...]
    left_out: tuple[str, ...] = ()
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
        upto = f"{self.receipt}" + (f" of {self.batches}" if self.receipt != self.batches else "")
        if self.compared is None:
            agreed = f"its rows agree with its proof {of}"
            missing = "the delivered files (--sources DIR)"
            if self.receipt is None:
                missing += " and a receipt (--receipt FILE)"
            else:
                agreed += f", and the proof with the receipt up to batch {upto}"
            return (
                f"the report is not proved: {agreed}, but nothing binds its figures; add {missing}"
            )
        if self.left_out:
            return (
                f"the report is not proved: its rows are what {self.compared} delivered files give "
                f"{of}, but the proof leaves out {self.left_out[0]}, and nothing binds that; "
                "add a receipt (--receipt FILE)"
            )
        anchor = f"anchored by a receipt up to batch {upto}"
        if self.receipt is None:
            anchor = "not anchored: that these files were recorded is claimed by the proof alone"
        return f"the report is what {self.compared} delivered files give {of}; {anchor}"

    @property
    def complaints(self) -> tuple[str, ...]:
        """The differences."""
        return self.differences

    @property
    def extent(self) -> str:
        """How many rows there are, and the head that they are proved by."""
        return f"{counted(self.rows, 'row')}, head {self.head}"


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
    delivered: DeliveredFiles | None = None,
) -> ReportVerification:
    """Check a published report against its proof, a receipt, and the delivered files.

    What the proof says of batches after the receipt is not used, nor of those after its own batch.

    Args:
        path: the report, in any of the formats in which it is written.
        proof: made with it.
        dataset: the tables.
        receipt: of the ledger; None leaves it unanchored.
        delivered: the delivered files, from which the report is computed again; without them it
            is not proved.

    Raises:
        VerificationFailed: the proof or a delivered file is not what it should be, or the report
            cannot be read.
        WrongUsage: the receipt is of no batch that the proof leads to.
    """
    as_of = month_of(proof.as_of)
    chain = read_chain(proof.chain, dataset)
    if proof.batch > len(chain.batches):
        raise VerificationFailed(f"the proof has no batch {proof.batch}")
    if receipt:
        check_against_receipt(chain, proof.batch, receipt)
    published = read_table(path, REPORT_COLUMNS)
    rows: Sequence[Values] = proof.rows
    by, compared = "its proof", None
    left_out: tuple[str, ...] = ()
    if delivered:
        rows, compared = _computed(proof, chain.up_to(proof.batch), delivered)
        by = "the delivered files"
        if receipt is None:
            left_out = _left_out(chain.up_to(proof.batch), delivered, as_of)
    differences, apostrophes = _compared(published, rows, by), 0
    if differences and path.suffix.lower() == ".csv":
        # It may have been written with `--spreadsheet-safe`, which changes texts in one way alone.
        safe = SafeRows(Tabular(path.stem, REPORT_COLUMNS, rows))
        others = _compared(published, [*safe], by)
        if len(others) < len(differences):
            differences, apostrophes = others, safe.apostrophes
    if not differences:
        for claimed in _compared(proof.rows, rows, by):
            raise VerificationFailed(f"the report is right, and its proof is not: {claimed}")
    proved = compared is not None and not differences and not left_out
    return ReportVerification(
        as_of=as_of,
        batch=proof.batch,
        names=proof.names,
        head=chain.batches[proof.batch - 1].head,
        rows=len(published),
        proved=proved,
        anchored=proved and receipt is not None,
        batches=len(chain.batches),
        receipt=receipt.batch if receipt else None,
        compared=compared,
        differences=tuple(differences),
        left_out=left_out,
        apostrophes=apostrophes,
    )


def _computed(
    proof: ReportProof, chain: Chain, delivered: DeliveredFiles
) -> tuple[list[Values], int]:
    """Compute the rows from the delivered files, and say from how many."""
    as_of = Month(proof.as_of)
    with rebuilt(chain, delivered, as_of) as (store, count):
        records = store.records()
        try:
            edition = records.edition(EditionName(as_of, proof.batch))
        except WrongUsage as error:
            raise VerificationFailed(f"the proof is of no edition: {error}") from None
        replay = Replay(store, chain.dataset, records, edition)
        store_projection(replay)
        return [astuple(row) for row in read_rows(replay, proof.names)], count


def _left_out(chain: Chain, delivered: DeliveredFiles, as_of: Month) -> tuple[str, ...]:
    """The delivered files that do not count in an edition, though they are not of later months."""
    counting = [
        file
        for file in Records((), tuple(chain.files), ()).effective().values()
        if file.month <= as_of
    ]
    return tuple(str(delivery.path) for delivery in delivered.left_out(counting, as_of))


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
    return tuple(str(plain_number(value)) for value in row)
