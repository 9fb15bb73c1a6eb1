"""Proofs that an event is part of a ledger, to be checked with a receipt and without the ledger.

A proof has the event, the hashes that lead from it to the root of its batch, the record of that
batch, and the digests of the batches after it: these lead to the head in a receipt of that batch or
of a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ledger.errors import VerificationFailed, WrongUsage
from ledger.integrity.chain import links
from ledger.integrity.ledger_target import event_chunks, stored_records
from ledger.model.dataset import Column, DataSet, Table
from ledger.model.digest import (
    BatchContents,
    Digest,
    FileContents,
    batch_digest,
    leaves,
    next_head,
)
from ledger.model.documents import Count, Document, Number, Part
from ledger.model.merkle import audit_path, root_over
from ledger.model.presentation import Facts
from ledger.model.receipt import Receipt
from ledger.model.records import File
from ledger.model.tabular import Tabular
from ledger.store.event_store import Store


class ProvenEvent(Part, frozen=True, kw_only=True):
    """An event: what its leaf binds, its cells by column."""

    event_id: Number
    table: str
    file: Number
    line: Number
    action: str
    cells: dict[str, str | None]


class EventProof(Document, frozen=True, kw_only=True, tag="ledger-event-proof-1"):
    """A proof that an event is part of a ledger.

    Attributes:
        event: the event.
        path: the hashes that lead from its leaf to the root of its batch, the nearest one first.
        batch: the batch that recorded it.
        files: the files of that batch, in order.
        events: the number of events of the batch.
        head_before: the head before that batch.
        later: the digests of the batches after it, in order.
    """

    event: ProvenEvent
    path: list[Digest]
    batch: BatchContents
    files: list[FileContents]
    events: Count
    head_before: Digest
    later: list[Digest]

    @property
    def file(self) -> FileContents:
        """The file that delivered the event.

        Raises:
            VerificationFailed: the batch has no such file.
        """
        event = self.event
        for file in self.files:
            if (file.file, file.table) == (event.file, event.table):
                return file
        raise VerificationFailed(f"the proof has no file {event.file} of {event.table}")

    def to_dict(self) -> dict[str, Any]:
        """The event with its cells, and where it comes from."""
        return {
            "table": self.event.table,
            **self.event.cells,
            "action": self.event.action,
            "month": self.batch.month,
            "batch": self.batch.batch,
            "line": self.event.line,
            "file_sha256": self.file.sha256,
        }

    def tabular(self) -> Tabular:
        """The event with its cells, and where it comes from: a row for each fact."""
        columns = (Column("name", "Of the fact."), Column("value", "What it is."))
        return Tabular("event", columns, list(self.to_dict().items()), "name")

    def parts(self) -> Iterator[Facts | str]:
        """The event with its cells, where it comes from, and what is proved."""
        yield Facts([(name, str(fact or "")) for name, fact in self.to_dict().items()])
        yield "This event is part of the ledger that the receipt is of."


def prove_event(store: Store, dataset: DataSet, table: Table, event_id: int) -> EventProof:
    """Prove an event of a table; the events of its batch are read once.

    Args:
        store: the ledger with the event.
        dataset: the tables.
        table: of the event.
        event_id: of the event.
    """
    chain = [*links(stored_records(store))]
    sql = f"SELECT file, line, action, {', '.join(table.column_names)} FROM {table.events}"
    ((number, line, action, *cells),) = store.rows(f"{sql} WHERE event_id = ?", (event_id,))
    (link,) = [link for link in chain for file in link.files if file.file == number]
    files = link.files
    before = sum(file.rows for file in files if file.file < number)
    (first,) = [file.first_event for file in files if file.file == number]
    index = before + event_id - (first or event_id)
    return EventProof(
        event=ProvenEvent(
            event_id=event_id,
            table=table.name,
            file=number,
            line=line,
            action=action,
            cells=dict(zip(table.column_names, cells, strict=True)),
        ),
        path=[one.hex() for one in audit_path(_leaves(store, dataset, files), index)],
        batch=link.batch.contents,
        files=[file.contents for file in files],
        events=link.batch.events,
        head_before=link.head_before,
        later=[later.digest(later.batch.root) for later in chain[link.batch.batch :]],
    )


def _leaves(store: Store, dataset: DataSet, files: Iterable[File]) -> Iterator[bytes]:
    for file in files:
        for chunk in event_chunks(store, dataset, file):
            yield from chunk.leaves(file.table_name)


def check_event_proof(proof: EventProof, receipt: Receipt, dataset: DataSet) -> None:
    """Check an event against a receipt by its proof.

    What the proof has of batches after the receipt is not used. The seal and the tags of a receipt
    are not checked, as the proof of an event has no times, names of files, or tags.

    Args:
        proof: of the event.
        receipt: of the batch that recorded it or of a later one.
        dataset: the tables, for the names of the cells.

    Raises:
        VerificationFailed: the event is not part of the ledger that the receipt is of.
        WrongUsage: the receipt is of an earlier batch, or of a later one than the proof leads to.
    """
    event, table = proof.event, dataset.table(proof.event.table)
    if list(event.cells) != list(table.column_names):
        raise VerificationFailed(f"the cells of the proof are not the columns of {table.name}")
    file = proof.file
    last = proof.batch.batch + len(proof.later)
    if not proof.batch.batch <= receipt.batch <= last:
        raise WrongUsage(
            f"the proof leads from batch {proof.batch.batch} to batch {last}, and the receipt is "
            f"of batch {receipt.batch}; take a receipt of one of these, or prove the event again"
        )
    before = sum(other.rows for other in proof.files[: proof.files.index(file)])
    cells = event.cells.values()
    record = (event.event_id, event.table, event.file, event.line, event.action, *cells)
    (leaf,) = leaves([record])
    index = before + event.event_id - (file.first_event or 0)
    path = [bytes.fromhex(one) for one in proof.path]
    root = root_over(leaf, index, proof.events, path)
    if root is None:
        raise VerificationFailed("the path of the proof does not lead from this event to a root")
    digest = batch_digest(proof.batch, proof.files, proof.events, root.hex())
    head = next_head(proof.head_before, digest)
    for later in proof.later[: receipt.batch - proof.batch.batch]:
        head = next_head(head, later)
    if head != receipt.head:
        raise VerificationFailed(
            f"the proof leads to the head {head}, and the receipt has {receipt.head}: "
            "the event of the proof is not part of that ledger"
        )
    # The numbers of events of other batches are not in the proof.
    if receipt.events < proof.events or (receipt.batch == 1 and receipt.events != proof.events):
        raise VerificationFailed(
            f"the receipt has {receipt.events} events, and batch {proof.batch.batch} alone has "
            f"{proof.events}: the receipt was edited; take the one that was kept"
        )
