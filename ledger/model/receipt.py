"""Receipts: what a ledger holds after a batch, in a few figures to be kept elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.model.digest import GENESIS, Digest
from ledger.model.documents import Count, Document, Number
from ledger.model.records import Batch, Tag


class Receipt(Document, frozen=True, kw_only=True, tag="ledger-receipt-1"):
    """What a ledger holds after a batch. Whoever has it knows that ledger again.

    Attributes:
        batch: the last one.
        events: how many are recorded, those of superseded files too.
        head: the digest of all contents.
        seal: the digest of that, and of times and file names.
        tags: how many names of editions were given.
        tag_seal: the digest of these.
    """

    batch: Number
    events: Count
    head: Digest
    seal: Digest
    tags: Count
    tag_seal: Digest


def receipt_of(batches: Sequence[Batch], tags: Sequence[Tag]) -> Receipt:
    """The receipt of a ledger with these records.

    Args:
        batches: all of them, in order; one at least.
        tags: likewise.
    """
    return Receipt(
        batch=batches[-1].batch,
        events=sum(batch.events for batch in batches),
        head=batches[-1].head,
        seal=batches[-1].seal,
        tags=len(tags),
        tag_seal=tags[-1].seal if tags else GENESIS,
    )
