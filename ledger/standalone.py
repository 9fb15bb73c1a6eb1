"""What needs no ledger: to lay out a data folder, and to verify proofs that were handed out."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.datasets.support.description import SUPPORT

if TYPE_CHECKING:
    from ledger.datasets.support.report_proof import ReportVerification
    from ledger.delivery.scaffold import DataFolder
    from ledger.integrity.proofs import EventProof

PathLike = str | os.PathLike[str]


def lay_out(folder: PathLike = "data", *, dry_run: bool = False) -> DataFolder:
    """Make a data folder, or what is missing of one, with a template of each file.

    Args:
        folder: made where there is none; whatever is there is left as it is.
        dry_run: only say what would be made.

    Raises:
        StorageFailed: the folder cannot be written.
    """
    from ledger.delivery import scaffold

    return scaffold.lay_out(Path(folder), SUPPORT, dry_run=dry_run)


def verify_proof(proof: PathLike, receipt: PathLike) -> EventProof:
    """Check an event against a receipt, both given as files.

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
    check_event_proof(proven, read_document(Path(receipt), Receipt), SUPPORT)
    return proven


def verify_report(
    report: PathLike,
    proof: PathLike,
    *,
    receipt: PathLike | None = None,
    sources: PathLike | None = None,
) -> ReportVerification:
    """Check a published report against its proof.

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
    from ledger.integrity.checks.delivered import DeliveredFiles
    from ledger.integrity.documents import read_document
    from ledger.model.receipt import Receipt

    proven = read_document(Path(proof), ReportProof)
    anchor = None if receipt is None else read_document(Path(receipt), Receipt)
    originals = None if sources is None else DeliveredFiles(Path(sources), SUPPORT)
    return check_report(Path(report), proven, SUPPORT, anchor, originals)
