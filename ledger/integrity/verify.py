"""Verifies a ledger or a lake by a list of checks.

Without an anchor, a receipt or the delivered files, a verification can only show that a ledger is
consistent with itself: so is one that was rewritten as a whole, digests included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from ledger.errors import StorageFailed
from ledger.integrity.checks.chain import check_file_records, check_head, check_seal, check_tags
from ledger.integrity.checks.delivered import DeliveredFiles, DeliveredFilesCheck
from ledger.integrity.checks.derived import check_projection
from ledger.integrity.checks.events import (
    check_event_count,
    check_events,
    check_leaf_prefixes,
    check_root,
)
from ledger.integrity.checks.receipts import check_receipt
from ledger.integrity.checks.records import check_records
from ledger.integrity.checks.schema import check_schema, check_storage
from ledger.integrity.checks.strays import check_stray_events, check_stray_prefixes
from ledger.integrity.checks.typed_values import check_local_time, check_typed_values
from ledger.integrity.fault import Fault, FaultKind
from ledger.integrity.ledger_target import LedgerTarget
from ledger.integrity.scan import scan_batches
from ledger.integrity.target import BatchScan, VerificationTarget
from ledger.model.dataset import DataSet
from ledger.model.presentation import Verdict
from ledger.model.progress import Progress
from ledger.model.receipt import Receipt
from ledger.model.records import File
from ledger.store.event_store import Store
from ledger.text import counted

FAULTS_KEPT = 100

Target = TypeVar("Target", bound=VerificationTarget)
Checked = TypeVar("Checked", contravariant=True)


@dataclass(frozen=True, slots=True)
class Check(Generic[Checked]):
    """A named check.

    Attributes:
        name: of the check; never changes its meaning.
        run: reports the faults of a target, or of a batch.
        needs: the checks on which its result depends: it runs only if these found no fault; for a
            check of a batch, no fault in the same batch.
        cells: whether it needs the cells of all events to have been read.
    """

    name: str
    run: Callable[[Checked], Iterator[Fault]]
    needs: tuple[str, ...] = ()
    cells: bool = False


@dataclass(frozen=True, slots=True)
class Checks(Generic[Target]):
    """The checks of a verification, in the order in which they report faults.

    Attributes:
        storage: run before the records are read.
        placement: run before the events are read.
        batches: run batch by batch, while all events are read once.
        whole: run after that.
    """

    storage: tuple[Check[Target], ...]
    placement: tuple[Check[Target], ...]
    batches: tuple[Check[BatchScan], ...]
    whole: tuple[Check[Target], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all of them, in order."""
        before = [check.name for check in (*self.storage, *self.placement)]
        of_batches = [check.name for check in self.batches]
        return (*before, *of_batches, *(check.name for check in self.whole))

    def without(self, *names: str) -> Checks[Target]:
        """The same without some of them."""
        return Checks(
            tuple(check for check in self.storage if check.name not in names),
            tuple(check for check in self.placement if check.name not in names),
            tuple(check for check in self.batches if check.name not in names),
            tuple(check for check in self.whole if check.name not in names),
        )


BATCH_CHECKS: tuple[Check[BatchScan], ...] = (
    Check("events", check_events),
    Check("leaf-prefixes", check_leaf_prefixes),
    Check("file-records", check_file_records),
    Check("roots", check_root, needs=("events", "file-records")),
    Check("heads", check_head, needs=("events", "file-records", "roots")),
    Check("event-counts", check_event_count, needs=("events", "file-records", "roots", "heads")),
    Check(
        "seals",
        check_seal,
        needs=("events", "leaf-prefixes", "file-records", "roots", "heads", "event-counts"),
    ),
)

RECORD_CHECKS: tuple[Check[VerificationTarget], ...] = (
    Check("tags", check_tags),
    Check("records", check_records),
)

CELL_CHECKS: tuple[Check[VerificationTarget], ...] = (
    Check("typed-values", check_typed_values, needs=("storage", "events", "roots"), cells=True),
    Check("local-time", check_local_time, needs=("storage", "events", "roots"), cells=True),
)


def ledger_checks(
    receipts: Sequence[tuple[Path, Receipt]] = (),
    delivered: DeliveredFilesCheck | None = None,
    *,
    quick: bool = False,
) -> Checks[LedgerTarget]:
    """The checks of a ledger.

    Args:
        receipts: each with the path from which it was read.
        delivered: compares the delivered files.
        quick: leave out the checks of what is computed from the events.
    """
    whole: list[Check[LedgerTarget]] = [
        Check("stray-events", check_stray_events),
        Check("stray-prefixes", check_stray_prefixes),
        *RECORD_CHECKS,
    ]
    if receipts:
        whole.append(receipts_check(receipts))
    if delivered:
        whole.append(Check("delivered-files", delivered.check))
    if not quick:
        sound = ("storage", "events", "roots", "stray-events")
        whole += CELL_CHECKS
        whole.append(Check("projection", check_projection, needs=sound))
    storage: tuple[Check[LedgerTarget], ...] = (
        Check("schema", lambda target: check_schema(target.store)),
        Check("storage", lambda target: check_storage(target.store)),
    )
    return Checks(storage, (), BATCH_CHECKS, tuple(whole))


def receipts_check(receipts: Sequence[tuple[Path, Receipt]]) -> Check[VerificationTarget]:
    """The check of records against receipts, each with the path from which it was read."""

    def run(target: VerificationTarget) -> Iterator[Fault]:
        for path, receipt in receipts:
            yield from check_receipt(target, receipt, str(path), target.name)

    return Check("receipts", run)


def find_faults(target: Target, checks: Checks[Target]) -> list[tuple[str, Fault]]:
    """Run checks, and return the first hundred faults, each with the name of the check."""
    return [*islice(_faults(target, checks), FAULTS_KEPT)]


def _faults(target: Target, checks: Checks[Target]) -> Iterator[tuple[str, Fault]]:
    failed: set[str] = set()
    yield from _run(checks.storage, target, target, failed)
    try:
        target.load()
    except StorageFailed as error:
        yield "storage", target.storage_fault(error)
        return
    yield from _run(checks.placement, target, target, failed)
    cells = any(check.cells for check in checks.whole)
    try:
        for scan in scan_batches(target, cells=cells):
            target.scans.append(scan)
            of_batch: set[str] = set()
            yield from _run(checks.batches, scan, target, of_batch)
            failed |= of_batch
    except StorageFailed as error:
        failed.add("events")
        yield "events", target.storage_fault(error)
    yield from _run(checks.whole, target, target, failed)


def _run(
    checks: Iterable[Check[Checked]], of: Checked, target: VerificationTarget, failed: set[str]
) -> Iterator[tuple[str, Fault]]:
    """Run checks one after the other; those that find a fault are added to the failed ones."""
    for check in checks:
        if failed.intersection(check.needs):
            continue
        try:
            for fault in check.run(of):
                failed.add(check.name)
                yield check.name, fault
        except StorageFailed as error:
            failed.add(check.name)
            yield check.name, target.storage_fault(error)


@dataclass(frozen=True, slots=True)
class Verification(Verdict):
    """The result of a verification.

    Attributes:
        path: the ledger's file.
        batches: the number of recorded batches.
        events: the number of recorded events.
        head: the head after the last batch, or None.
        quick: whether the checks of what is computed from the events were left out.
        anchored: the last batch up to which a receipt agrees; 0 without a receipt.
        compared: the number of delivered files that were read again; None if none were given.
        absent: the superseded files that were not among these.
        faults: what is not as it was recorded, the first hundred; empty if everything is.
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
            anchors.append(anchor_text(self.anchored, self.batches))
        if self.compared is not None:
            anchors.append(f"compared with the {self.compared} delivered files")
        return f"internally consistent; {', '.join(anchors) or 'not anchored'}"

    @property
    def complaints(self) -> tuple[str, ...]:
        """The faults."""
        return tuple(map(str, self.faults))

    @property
    def place(self) -> Path:
        """Where the ledger is."""
        return self.path

    @property
    def advice(self) -> str:
        """What to do where it has faults."""
        return "Go on with a backup that verifies"

    @property
    def extent(self) -> str:
        """The amount of what is recorded."""
        batches = counted(self.batches, "batch", "batches")
        return f"{batches}, {counted(self.events, 'event')}, head {self.head or 'none'}"


def anchor_text(anchored: int, batches: int) -> str:
    """The part of a verdict on how far receipts agree."""
    of = "" if anchored == batches else f" of {batches}"
    return f"anchored by a receipt up to batch {anchored}{of}"


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
        receipts: to check it against, each with the path from which it was read.
        delivered: the delivered files, to compare it with.
        quick: leave out the checks of what is computed from the events.
        progress: is called with the number of events that are done, and the number of all.
    """
    target = LedgerTarget(store, dataset, passes=1 if quick else 2, progress=progress)
    files = DeliveredFilesCheck(delivered) if delivered else None
    found = find_faults(target, ledger_checks(receipts, files, quick=quick))
    return Verification(
        path=store.path,
        batches=len(target.batches),
        events=target.recorded_events,
        head=target.batches[-1].head if target.batches else None,
        quick=quick,
        anchored=last_anchored(receipts, found),
        compared=files.compared if files else None,
        absent=tuple(files.absent) if files else (),
        faults=tuple(fault for _, fault in found),
    )


def last_anchored(
    receipts: Iterable[tuple[Path, Receipt]], found: Sequence[tuple[str, Fault]]
) -> int:
    """The last batch up to which receipts agree; 0 if any fault was found."""
    return 0 if found else max((receipt.batch for _, receipt in receipts), default=0)


def unreadable(path: Path, error: StorageFailed, *, quick: bool) -> Verification:
    """The result of a verification that could not open the ledger."""
    fault = Fault(FaultKind.STORAGE, str(path), str(error).removeprefix(f"{path}: "))
    return Verification(path, 0, 0, None, quick, 0, None, (), (fault,))
