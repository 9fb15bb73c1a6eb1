"""The records of a ledger's batches and files, as a document that can be followed to its head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import VerificationFailed, WrongUsage
from ledger.integrity.checks.records import check_records
from ledger.model.dataset import DataSet
from ledger.model.digest import (
    GENESIS,
    BatchContents,
    Digest,
    FileContents,
    batch_digest,
    file_digest,
    next_head,
    next_seal,
)
from ledger.model.documents import Count, Part
from ledger.model.periods import Month
from ledger.model.receipt import Receipt
from ledger.model.records import Batch, File, Tag
from ledger.store.event_store import Store


class ChainFile(Part, frozen=True, kw_only=True):
    """A file of a batch: what the head binds of it, and its name."""

    contents: FileContents
    name: str


class ChainBatch(Part, frozen=True, kw_only=True):
    """A batch with its files, and all that its head and seal bind.

    Attributes:
        contents: what the head binds of the batch besides its files and events.
        files: in order.
        events: how many events they gave.
        root: of the Merkle tree over these.
        recorded_at: when, in UTC.
    """

    contents: BatchContents
    files: list[ChainFile]
    events: Count
    root: Digest
    recorded_at: str


def chain_of(store: Store) -> list[ChainBatch]:
    """The records of all batches of a ledger."""
    files = store.files()
    return [
        ChainBatch(
            contents=batch.contents,
            files=[
                ChainFile(contents=file.contents, name=file.name)
                for file in files
                if file.batch == batch.batch
            ],
            events=batch.events,
            root=batch.root,
            recorded_at=batch.recorded_at,
        )
        for batch in store.batches()
    ]


@dataclass(frozen=True, slots=True)
class Chain:
    """The records of a chain as the ledger has them; see `ledger.integrity.fault.Recorded`.

    Attributes:
        dataset: the ledger's description.
        batches: in order, with the heads and seals to which the chain leads.
        files: in order.
        tags: none, for a chain has no tags.
    """

    dataset: DataSet
    batches: list[Batch]
    files: list[File]
    tags: tuple[Tag, ...] = ()

    def up_to(self, batch: int) -> Chain:
        """The same chain without the batches after one of them."""
        files = [file for file in self.files if file.batch <= batch]
        return Chain(self.dataset, self.batches[:batch], files)


def read_chain(links: Sequence[ChainBatch], dataset: DataSet) -> Chain:
    """Read a chain of a document, whose records must follow on each other as those of a ledger do.

    Args:
        links: the batches, as the document has them.
        dataset: the tables.

    Raises:
        VerificationFailed: the records cannot be those of a ledger.
        WrongUsage: one is of no month.
    """
    for link in links:
        if link.events != sum(file.contents.rows for file in link.files):
            raise VerificationFailed(
                f"batch {link.contents.batch} of the proof has another number of events than its "
                "files; ask for the proof that was made with the report"
            )
    chain = Chain(dataset, *follow(links))
    for fault in check_records(chain):
        raise VerificationFailed(
            f"the proof has records that no ledger has: {fault}; ask for the proof that was made "
            "with the report"
        )
    return chain


def follow(chain: Sequence[ChainBatch]) -> tuple[list[Batch], list[File]]:
    """The records of a chain as the ledger has them, with the heads and seals that they lead to.

    Raises:
        WrongUsage: one is of no month.
    """
    batches: list[Batch] = []
    files: list[File] = []
    head = seal = GENESIS
    for link in chain:
        contents = link.contents
        of_batch = [file.contents for file in link.files]
        head = next_head(head, batch_digest(contents, of_batch, link.events, link.root))
        seal = next_seal(seal, head, link.recorded_at, [file.name for file in link.files])
        flags = (contents.reason, contents.gap, contents.late, contents.correction)
        month = month_of(contents.month)
        record = (contents.batch, month, link.recorded_at, *flags)
        batches.append(Batch(*record, link.events, link.root, head, seal))
        files += [_file(contents.batch, file) for file in link.files]
    return batches, files


def _file(batch: int, file: ChainFile) -> File:
    contents = file.contents
    return File(
        file=contents.file,
        batch=batch,
        table_name=contents.table,
        month=month_of(contents.month),
        kind=contents.kind,
        name=file.name,
        sha256=contents.sha256,
        bytes=contents.bytes,
        rows=contents.rows,
        first_event=contents.first_event,
        last_event=contents.last_event,
        supersedes=contents.supersedes,
        digest=file_digest(contents, file.name),
    )


def month_of(number: int) -> Month:
    """The month of a number in a document.

    Raises:
        WrongUsage: it is none.
    """
    return Month.parse(f"{number:06}")


def check_chain(batches: Sequence[Batch], needed: int, receipt: Receipt) -> None:
    """Check the batches of a chain against a receipt: its head, events and seal.

    The tags of a receipt are not checked, for a chain has no tags.

    Args:
        batches: as `follow` gives them.
        needed: the batch that the receipt has to cover.
        receipt: of that batch or of a later one.

    Raises:
        VerificationFailed: they are not those of the ledger that the receipt is of.
        WrongUsage: the receipt is of an earlier batch, or of one that is not in the chain.
    """
    if not needed <= receipt.batch <= len(batches):
        raise WrongUsage(
            f"the proof is of batch {needed} and knows {len(batches)}, and the receipt is of batch "
            f"{receipt.batch}; take a receipt between these, or make the proof anew"
        )
    batch = batches[receipt.batch - 1]
    if batch.head != receipt.head:
        raise VerificationFailed(
            f"the proof leads to the head {batch.head}, and the receipt has {receipt.head}: "
            "it is not of the ledger that the receipt is of"
        )
    events = sum(earlier.events for earlier in batches[: receipt.batch])
    if events != receipt.events:
        raise VerificationFailed(
            f"the proof has {events} events up to batch {receipt.batch}, and the receipt "
            f"{receipt.events}: one of them was edited; take the receipt that was kept"
        )
    if batch.seal != receipt.seal:
        raise VerificationFailed(
            f"the proof leads to the seal {batch.seal}, and the receipt has {receipt.seal}: "
            "a time of recording or the name of a file is another"
        )
