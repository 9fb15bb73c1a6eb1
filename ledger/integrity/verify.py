"""Verifies a ledger: its file, its contents, what is computed from them, and its anchors.

Without an anchor, a receipt or the delivered files, one can only tell that a ledger agrees with
itself: whoever rewrites all of it, digests too, leaves it so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ledger.errors import StorageFailed
from ledger.integrity.checks.contents import check_contents, check_tags
from ledger.integrity.checks.delivered import DeliveredFiles, OriginalsCheck
from ledger.integrity.checks.derived import ReadingsCheck, check_projection
from ledger.integrity.checks.records import check_records
from ledger.integrity.checks.schema import check_schema, check_storage, has_sound_tables
from ledger.integrity.fault import Fault, FaultKind, Subject
from ledger.integrity.receipts import check_receipt
from ledger.model.dataset import DataSet
from ledger.model.progress import Progress
from ledger.model.receipt import Receipt
from ledger.model.records import File
from ledger.store.event_store import Store

FAULTS_KEPT = 100

Check = Callable[[], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found.

    Attributes:
        path: the ledger's file.
        batches: how many are recorded.
        events: how many are recorded.
        head: the head after the last batch, or None.
        quick: whether what is computed from the events was left out.
        anchored: up to which batch a receipt agrees; 0 where there is none.
        compared: how many delivered files were read again; None where none were given.
        absent: the files out of force that were not among these.
        faults: what is not as it was recorded, the first hundred of it; nothing where all is well.
    """

    path: Path
    batches: int
    events: int
    head: str | None
    quick: bool
    anchored: int
    compared: int | None
    absent: tuple[File, ...]
    faults: tuple[Fault, ...]

    @property
    def verdict(self) -> str:
        """The outcome in a sentence, without its full stop."""
        if self.faults:
            return f"the ledger is not as it was recorded: {self.faults[0]}"
        anchors = []
        if self.anchored:
            of = "" if self.anchored == self.batches else f" of {self.batches}"
            anchors.append(f"anchored by a receipt up to batch {self.anchored}{of}")
        if self.compared is not None:
            anchors.append(f"compared with the {self.compared} delivered files")
        return f"internally consistent; {', '.join(anchors) or 'not anchored'}"


def verify_store(
    store: Store,
    dataset: DataSet,
    receipts: Sequence[tuple[Path, Receipt]] = (),
    delivered: DeliveredFiles | None = None,
    *,
    quick: bool = False,
    progress: Progress | None = None,
) -> Verification:
    """Verify an open ledger; to be called within a snapshot or a transaction.

    Args:
        store: the ledger.
        dataset: its description.
        receipts: to hold it to, each with where it was read.
        delivered: the delivered files, to hold it to.
        quick: leave out what is computed from the events.
        progress: is told how many of how many events are done.
    """
    faults = _run([lambda: check_schema(store)], store)
    try:
        if not has_sound_tables(store):
            raise StorageFailed("its tables are not those of the schema: nothing more was verified")
        faults += _run([lambda: check_storage(store)], store)
        subject = Subject(store, dataset, store.batches(), store.files(), store.tags(), progress)
    except StorageFailed as error:
        return _nothing_read(store.path, [*faults, _unreadable(store.path, error)], quick=quick)
    subject.expect(quick=quick)
    readings = None if quick else ReadingsCheck(subject)
    files = OriginalsCheck(delivered) if delivered else None
    checks: list[Check] = [lambda: check_contents(subject, readings), lambda: check_tags(subject)]
    checks.append(lambda: check_records(subject))
    checks += [_receipt_check(subject, path, receipt) for path, receipt in receipts]
    if files:
        checks.append(lambda: files.check(subject))
    faults += _run(checks, store)
    # What is computed from events that were changed tells nothing.
    if readings and not any(fault.kind in (FaultKind.STORAGE, FaultKind.EVENT) for fault in faults):
        faults += _run([readings.check, lambda: check_projection(subject)], store)
    agreeing = [receipt.batch for _, receipt in receipts] if not faults else []
    return Verification(
        path=store.path,
        batches=len(subject.batches),
        events=subject.events,
        head=subject.batches[-1].head if subject.batches else None,
        quick=quick,
        anchored=max(agreeing, default=0),
        compared=files.compared if files else None,
        absent=tuple(files.absent) if files else (),
        faults=tuple(faults[:FAULTS_KEPT]),
    )


def unreadable(path: Path, error: StorageFailed, *, quick: bool) -> Verification:
    """What a verification found that could not so much as open the ledger."""
    return _nothing_read(path, [_unreadable(path, error)], quick=quick)


def _receipt_check(subject: Subject, path: Path, receipt: Receipt) -> Check:
    return lambda: check_receipt(subject, str(path), receipt)


def _run(checks: Iterable[Check], store: Store) -> list[Fault]:
    """Run checks, one after the other, and give the first hundred faults."""
    return [*islice((fault for check in checks for fault in _faults(check, store)), FAULTS_KEPT)]


def _faults(check: Check, store: Store) -> Iterator[Fault]:
    """Run a check; that the file cannot be read is a fault too."""
    try:
        yield from check()
    except StorageFailed as error:
        yield _unreadable(store.path, error)


def _unreadable(path: Path, error: StorageFailed) -> Fault:
    return Fault(FaultKind.STORAGE, str(path), str(error).removeprefix(f"{path}: "))


def _nothing_read(path: Path, faults: Iterable[Fault], *, quick: bool) -> Verification:
    return Verification(path, 0, 0, None, quick, 0, None, (), tuple(faults))
