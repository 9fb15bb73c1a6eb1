"""The order of the records: each follows on those before it as in every ledger.

The digests bind each record, but not that they make sense together: in a chain that was rewritten
as a whole, two files may claim the same event.
"""

from __future__ import annotations

from collections.abc import Iterator

from ledger.integrity.chain import DescribedRecords
from ledger.integrity.fault import Fault, FaultKind, file_fault
from ledger.model.dataset import Kind
from ledger.model.periods import Month
from ledger.model.records import File
from ledger.store.event_store import EVENTS_PER_MONTH


def check_records(records: DescribedRecords) -> Iterator[Fault]:
    """Check that batches, files and tags follow on each other."""
    yield from _check_batches(records)
    yield from _check_files(records)
    for number, tag in enumerate(records.tags, start=1):
        if tag.tag != number:
            yield Fault(FaultKind.TAG, tag.name, f"it is tag {tag.tag}, and {number} would follow")


def _check_batches(records: DescribedRecords) -> Iterator[Fault]:
    before = ""
    for number, batch in enumerate(records.batches, start=1):
        where = str(batch.batch)
        if batch.batch != number:
            yield Fault(FaultKind.BATCH, where, f"batch {number} would follow")
        if batch.recorded_at <= before:
            yield Fault(FaultKind.BATCH, where, "it is not of a later time than the one before it")
        before = batch.recorded_at


def _check_files(records: DescribedRecords) -> Iterator[Fault]:
    months = {batch.batch: batch.month for batch in records.batches}
    tables = [table.name for table in records.dataset.tables]
    last_file: dict[tuple[str, Month], int] = {}
    last_event: dict[Month, int] = {}
    extract: Month | None = None
    for number, file in enumerate(records.files, start=1):
        place = (file.table_name, file.month)
        first = last_event.get(file.month, file.month.number * EVENTS_PER_MONTH) + 1
        if file.kind == Kind.INITIAL:
            extract = extract or file.month
        message = None
        if file.file != number:
            message = f"it is file {file.file}, and {number} would follow"
        elif file.table_name not in tables:
            message = f"there is no table {file.table_name!r}"
        elif months.get(file.batch) != file.month:
            message = f"it is of {file.month}, and its batch of another month"
        elif _is_out_of_sequence(file, extract):
            message = f"a file {file.kind} of {file.month} cannot follow an extract of {extract}"
        elif file.supersedes != last_file.get(place):
            message = "it supersedes another file than the last one of its table and month"
        elif (file.first_event, file.last_event) != _span(first, file.rows):
            message = f"its {file.rows} events would follow from {first} on"
        if message:
            yield file_fault(file, message)
        last_file[place] = file.file
        last_event[file.month] = first + file.rows - 1


def _is_out_of_sequence(file: File, extract: Month | None) -> bool:
    """Whether an extract is of another month than the first one, or a delta of none after that."""
    if file.kind == Kind.DELTA:
        return extract is None or file.month <= extract
    return file.kind == Kind.INITIAL and file.month != extract


def _span(first: int, rows: int) -> tuple[int | None, int | None]:
    return (first, first + rows - 1) if rows else (None, None)
