"""Receipts: what a ledger holds after a batch, in a few lines to be kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.integrity.fault import Fault, FaultKind, Recorded
from ledger.model.digest import GENESIS
from ledger.model.receipt import Receipt


def check_receipt(
    recorded: Recorded, where: str, receipt: Receipt, what: str = "ledger"
) -> Iterator[Fault]:
    """Hold a ledger, or what was published of it, to a receipt.

    Args:
        recorded: its records.
        where: the receipt was read.
        receipt: of this ledger, at an earlier time or now.
        what: has these records, as people call it.
    """
    if receipt.batch > len(recorded.batches):
        last = len(recorded.batches)
        message = f"it is of batch {receipt.batch}, and the {what} ends with {last}"
        yield Fault(FaultKind.RECEIPT, where, message)
        return
    batch = recorded.batches[receipt.batch - 1]
    events = sum(earlier.events for earlier in recorded.batches[: receipt.batch])
    if batch.head != receipt.head:
        message = f"another head: batch {receipt.batch} or one before it was rewritten"
        yield Fault(FaultKind.RECEIPT, where, message)
    elif events != receipt.events:
        message = f"it speaks of {receipt.events} events, and the {what} had {events} then"
        yield Fault(FaultKind.RECEIPT, where, message)
    elif batch.seal != receipt.seal:
        message = "another seal: a time of recording or the name of a file was rewritten"
        yield Fault(FaultKind.RECEIPT, where, f"{message} in batch {receipt.batch} or before it")
    seals = [GENESIS, *(tag.seal for tag in recorded.tags)]
    if receipt.tags >= len(seals) or seals[receipt.tags] != receipt.tag_seal:
        yield Fault(FaultKind.RECEIPT, where, f"other tags than the {receipt.tags} that it knows")
