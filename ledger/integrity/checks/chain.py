"""The chains: the records of files and batches, and the tags, each bound to the one before it."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.integrity.chain import RecordSet
from ledger.integrity.fault import Fault, FaultKind, file_fault
from ledger.integrity.target import BatchScan
from ledger.model.digest import GENESIS, file_digest, next_tag_seal


def check_file_records(scan: BatchScan) -> Iterator[Fault]:
    """Check the record of each file against its digest."""
    for file in scan.link.files:
        if file_digest(file.contents, file.name) != file.digest:
            yield file_fault(file, "its record is not as it was recorded")


def check_head(scan: BatchScan) -> Iterator[Fault]:
    """Check that the records and events of a batch lead to its head."""
    if not scan.agrees:
        message = "its record, its head, or the record of a file is not as it was recorded"
        yield Fault(FaultKind.BATCH, str(scan.link.batch.batch), message)


def check_seal(scan: BatchScan) -> Iterator[Fault]:
    """Check that the head, the time and the names of the files of a batch lead to its seal."""
    if not scan.link.leads_to_seal:
        message = "its time of recording, its seal, or the order of its files was changed"
        yield Fault(FaultKind.BATCH, str(scan.link.batch.batch), message)


def check_tags(records: RecordSet) -> Iterator[Fault]:
    """Check that the tags lead to their seals."""
    heads = {batch.batch: batch.head for batch in records.batches}
    seal = GENESIS
    for tag in records.tags:
        head = heads.get(tag.batch, GENESIS)
        named = (tag.name, tag.as_of.number, tag.batch, tag.tagged_at)
        if next_tag_seal(seal, head, *named) != tag.seal:
            message = "it is not as it was given, or one before it was removed"
            yield Fault(FaultKind.TAG, tag.name, message)
        seal = tag.seal
