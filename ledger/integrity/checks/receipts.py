"""The records of a ledger or lake, checked against receipts that were kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.integrity.chain import RecordSet
from ledger.integrity.fault import Fault, FaultKind
from ledger.model.digest import GENESIS
from ledger.model.receipt import Receipt


def check_receipt(
    records: RecordSet, receipt: Receipt, where: str, name: str = "ledger"
) -> Iterator[Fault]:
    """Check records against a receipt.

    Args:
        records: of a ledger or lake.
        receipt: of these records, now or at an earlier time.
        where: the place from which the receipt was read.
        name: what has the records, in words: `ledger`, `lake` or `proof`.
    """
    if receipt.batch > len(records.batches):
        last = len(records.batches)
        message = f"it is of batch {receipt.batch}, and the {name} ends with {last}"
        yield Fault(FaultKind.RECEIPT, where, message)
        return
    yield from check_chain(records, receipt, where, name)
    seals = [GENESIS, *(tag.seal for tag in records.tags)]
    if receipt.tags >= len(seals) or seals[receipt.tags] != receipt.tag_seal:
        message = f"the first {receipt.tags} tags are not those that it covers"
        yield Fault(FaultKind.RECEIPT, where, message)


def check_chain(records: RecordSet, receipt: Receipt, where: str, name: str) -> Iterator[Fault]:
    """Check batches against the head, the events and the seal of a receipt of one of them."""
    batch = records.batches[receipt.batch - 1]
    events = sum(earlier.events for earlier in records.batches[: receipt.batch])
    if batch.head != receipt.head:
        message = f"another head: batch {receipt.batch} or one before it was rewritten"
        yield Fault(FaultKind.RECEIPT, where, message)
    elif events != receipt.events:
        message = f"it has {receipt.events} events, and the {name} had {events} then"
        yield Fault(FaultKind.RECEIPT, where, message)
    elif batch.seal != receipt.seal:
        message = "another seal: a time of recording or the name of a file was rewritten"
        yield Fault(FaultKind.RECEIPT, where, f"{message} in batch {receipt.batch} or before it")
