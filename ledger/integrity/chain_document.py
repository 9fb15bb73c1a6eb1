"""The records of a ledger's batches and files, as a document that can be followed to its head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.errors import VerificationFailed, WrongUsage
from ledger.integrity.chain import links
from ledger.integrity.checks.receipts import check_chain
from ledger.integrity.checks.records import check_records
from ledger.integrity.ledger_target import stored_records
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
        contents: what the head binds of the batch itself.
        files: in order.
        events: the number of events of the files.
        root: of the Merkle tree over the events.
        recorded_at: when the batch was recorded, in UTC.
    """

    contents: BatchContents
    files: list[ChainFile]
    events: Count
    root: Digest
    recorded_at: str


def chain_of(store: Store) -> list[ChainBatch]:
    """The records of all batches of a ledger."""
    return [
        ChainBatch(
            contents=link.batch.contents,
            files=[ChainFile(contents=file.contents, name=file.name) for file in link.files],
            events=link.batch.events,
            root=link.batch.root,
            recorded_at=link.batch.recorded_at,
        )
        for link in links(stored_records(store))
    ]


@dataclass(frozen=True, slots=True)
class Chain:
    """The records of a chain as the ledger has them; see `ledger.integrity.chain.RecordSet`.

    Attributes:
        dataset: the ledger's description.
        batches: in order, with the heads and seals to which the chain leads.
        files: in order.
        tags: none, as a chain has no tags.
    """

    dataset: DataSet
    batches: list[Batch]
    files: list[File]
    tags: tuple[Tag, ...] = ()

    def up_to(self, batch: int) -> Chain:
        """The chain without the batches after this one."""
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
    chain = Chain(dataset, *_follow(links))
    for fault in check_records(chain):
        raise VerificationFailed(
            f"the proof has records that no ledger has: {fault}; ask for the proof that was made "
            "with the report"
        )
    return chain


def _follow(chain: Sequence[ChainBatch]) -> tuple[list[Batch], list[File]]:
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
        WrongUsage: the number is no month.
    """
    return Month.parse(f"{number:06}")


def check_against_receipt(chain: Chain, needed: int, receipt: Receipt) -> None:
    """Check the batches of a chain against a receipt: its head, events and seal.

    The tags of a receipt are not checked, as a chain has no tags.

    Args:
        chain: as `read_chain` returns it.
        needed: the batch that the receipt has to cover.
        receipt: of that batch or of a later one.

    Raises:
        VerificationFailed: they are not those of the ledger that the receipt is of.
        WrongUsage: the receipt is of an earlier batch, or of one that is not in the chain.
    """
    last = len(chain.batches)
    if not needed <= receipt.batch <= last:
        raise WrongUsage(
            f"the proof is of batch {needed} and its chain ends with batch {last}, and the receipt "
            f"is of batch {receipt.batch}; take a receipt between these, or make the proof again"
        )
    for fault in check_chain(chain, receipt, "the receipt", "proof"):
        raise VerificationFailed(
            f"the proof is not of the ledger that the receipt is of: {fault.where} has "
            f"{fault.message}"
        )
