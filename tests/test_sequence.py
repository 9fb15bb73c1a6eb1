"""What may follow on what, of records and deliveries alone: no file and no database is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ledger import File, IngestOptions, Month, SequenceBroken, WrongUsage
from ledger.datasets.support.description import SUPPORT
from ledger.delivery.discovery import Delivery
from ledger.model.dataset import Kind
from ledger.model.digest import FileContents
from ledger.model.merkle import MerkleTree
from ledger.model.records import RETRACTION, Records
from ledger.recording.batches import BatchEvents, Flags, next_batch, next_event, next_file
from ledger.recording.sequence import (
    MonthFiles,
    Place,
    check_expectation,
    classify,
    place_in_sequence,
    restated,
    with_months,
)

JANUARY, FEBRUARY, MARCH, APRIL = map(Month, (202501, 202502, 202503, 202504))
EMPTY = Records((), (), ())
OLD, NEW, OTHER = (f"{number:064x}" for number in (1, 2, 3))


def delivery(month: Month | None, table: str = "agents", kind: Kind = Kind.DELTA) -> Delivery:
    return Delivery(Path(f"{table}.csv"), SUPPORT.table(table), kind, month)


def extract(month: Month | None = None, table: str = "agents") -> Delivery:
    return delivery(month, table, Kind.INITIAL)


def recorded(records: Records, *files: Delivery, sha256: str | None = OLD) -> Records:
    """The records after a batch of files of one month; without a digest, their retraction."""
    month = files[0].month
    assert month
    number, last = next_file(records), records.last()
    contents = [
        FileContents(
            file=number + place,
            table=file.table.name,
            month=month.number,
            kind=file.kind.value if sha256 else RETRACTION,
            sha256=sha256,
            bytes=10,
            rows=1,
            first_event=next_event(records, month) + place,
            last_event=next_event(records, month) + place,
            supersedes=before.file if (before := last.get((file.table.name, month))) else None,
        )
        for place, file in enumerate(files)
    ]
    events = BatchEvents(len(files), MerkleTree().root().hex())
    names = [file.name for file in files]
    return records.with_batch(*next_batch(records, month, Flags(), contents, names, events))


STARTED = recorded(EMPTY, extract(JANUARY))
TWO_MONTHS = recorded(STARTED, delivery(FEBRUARY))
RETRACTED = recorded(TWO_MONTHS, delivery(FEBRUARY), sha256=None)


def classified(records: Records, file: Delivery, sha256: str = NEW) -> MonthFiles:
    return classify(records, [file], lambda _: sha256)


def number_of(files: MonthFiles) -> int | None:
    """The number of the file in whose place the only file comes."""
    superseded = files.superseded.get("agents")
    return superseded.file if superseded else None


# Classification


def test_a_file_without_a_record_is_new_and_is_not_read() -> None:
    def digest(_: Delivery) -> str:
        raise AssertionError("read")

    files = classify(STARTED, [delivery(FEBRUARY)], digest)
    assert (files.chosen, files.new) == ((delivery(FEBRUARY),),) * 2
    assert (files.recorded, files.corrections, files.superseded) == ((), (), {})


def test_the_same_bytes_are_recorded_already() -> None:
    files = classified(TWO_MONTHS, delivery(FEBRUARY), OLD)
    assert [file.file for file in files.recorded] == [2]
    assert files.chosen == ()


def test_other_bytes_are_a_correction() -> None:
    files = classified(TWO_MONTHS, delivery(FEBRUARY), NEW)
    assert files.corrections == files.chosen == (delivery(FEBRUARY),)
    assert files.new == ()
    assert number_of(files) == 2


@pytest.mark.parametrize(("sha256", "is_correction"), [(OLD, True), (NEW, False)])
def test_only_bytes_that_were_retracted_are_a_correction_of_a_retraction(
    sha256: str, is_correction: bool
) -> None:
    files = classified(RETRACTED, delivery(FEBRUARY), sha256)
    assert files.corrections == ((delivery(FEBRUARY),) if is_correction else ())
    assert files.new == (() if is_correction else (delivery(FEBRUARY),))
    assert number_of(files) == 3


def test_bytes_that_were_superseded_are_a_correction() -> None:
    records = recorded(TWO_MONTHS, delivery(FEBRUARY), sha256=NEW)
    assert classified(records, delivery(FEBRUARY), OLD).corrections == (delivery(FEBRUARY),)
    assert [file.file for file in classified(records, delivery(FEBRUARY), NEW).recorded] == [3]


def test_a_delta_of_the_month_of_the_extract_is_new_whatever_its_bytes() -> None:
    files = classified(STARTED, delivery(JANUARY), OLD)
    assert files.new == (delivery(JANUARY),)


# The place in the sequence


def place(
    records: Records, file: Delivery, *, allow_gap: bool = False, late: bool = False
) -> Place:
    month = file.month
    assert month
    return place_in_sequence(records, month, [file], IngestOptions(allow_gap=allow_gap, late=late))


def test_the_next_month_restates_nothing_and_misses_nothing() -> None:
    assert place(TWO_MONTHS, delivery(MARCH)) == Place()


@pytest.mark.parametrize("records", [EMPTY, recorded(EMPTY, extract(FEBRUARY))])
def test_a_delta_comes_after_the_extract(records: Records) -> None:
    with pytest.raises(SequenceBroken):
        place(records, delivery(FEBRUARY))


def test_a_gap_must_be_allowed() -> None:
    with pytest.raises(SequenceBroken):
        place(TWO_MONTHS, delivery(APRIL))
    assert place(TWO_MONTHS, delivery(APRIL), allow_gap=True) == Place(missing=(MARCH,))


def test_a_late_file_of_a_recorded_month_must_be_allowed() -> None:
    late = delivery(FEBRUARY, "contact_centers")
    records = recorded(TWO_MONTHS, delivery(MARCH))
    with pytest.raises(SequenceBroken):
        place(records, late)
    assert place(records, late, late=True) == Place(restates=(MARCH,))


def test_a_gap_is_filled_without_leave() -> None:
    records = recorded(TWO_MONTHS, delivery(APRIL))
    assert place(records, delivery(MARCH)) == Place(restates=(APRIL,))


def test_a_correction_restates_its_month_and_all_later_ones() -> None:
    records = recorded(TWO_MONTHS, delivery(MARCH))
    files = classified(records, delivery(FEBRUARY), NEW)
    assert restated(records, FEBRUARY, files, Place()) == (FEBRUARY, MARCH)


def test_what_comes_after_the_only_retracted_file_restates_its_month() -> None:
    files = classified(RETRACTED, delivery(FEBRUARY), NEW)
    assert restated(RETRACTED, FEBRUARY, files, Place()) == (FEBRUARY,)


# Months


def test_the_extract_is_of_the_month_before_the_earliest_delta() -> None:
    (dated,) = with_months(EMPTY, [extract()], FEBRUARY, IngestOptions())
    assert dated == extract(JANUARY)


def test_the_extract_is_of_the_recorded_month() -> None:
    (dated,) = with_months(STARTED, [extract()], APRIL, IngestOptions())
    assert dated == extract(JANUARY)


@pytest.mark.parametrize(
    ("records", "earliest", "named"),
    [(STARTED, None, FEBRUARY), (EMPTY, FEBRUARY, FEBRUARY), (EMPTY, FEBRUARY, MARCH)],
)
def test_a_month_of_the_extract_that_cannot_be_is_refused(
    records: Records, earliest: Month | None, named: Month
) -> None:
    with pytest.raises(SequenceBroken):
        with_months(records, [extract()], earliest, IngestOptions(initial_month=named))


def test_an_extract_without_any_month_is_refused() -> None:
    with pytest.raises(WrongUsage):
        with_months(EMPTY, [extract()], None, IngestOptions())


@pytest.mark.parametrize(("records", "months"), [(EMPTY, [JANUARY, MARCH]), (STARTED, [MARCH])])
def test_of_the_months_asked_for_the_extract_comes_first_on_an_empty_ledger(
    records: Records, months: list[Month]
) -> None:
    files = [extract(), delivery(FEBRUARY), delivery(MARCH)]
    dated = with_months(records, files, FEBRUARY, IngestOptions(months=[MARCH]))
    assert [file.month for file in dated] == months


def test_a_month_asked_for_without_a_file_is_refused() -> None:
    with pytest.raises(WrongUsage, match="202504"):
        with_months(STARTED, [delivery(FEBRUARY)], FEBRUARY, IngestOptions(months=[APRIL]))


# Expected rows


def test_rows_are_expected_of_one_new_file() -> None:
    files = [delivery(FEBRUARY), delivery(MARCH)]
    check_expectation(TWO_MONTHS, "agents", files, lambda _: OLD)
    with pytest.raises(WrongUsage, match="202502, 202503"):
        check_expectation(TWO_MONTHS, "agents", files, lambda _: NEW)
    with pytest.raises(WrongUsage, match="contact_centers"):
        check_expectation(TWO_MONTHS, "contact_centers", files, lambda _: OLD)


# The records of a batch


def test_events_and_files_are_numbered_on() -> None:
    assert next_file(EMPTY) == 1
    assert next_file(TWO_MONTHS) == 3
    assert next_event(EMPTY, MARCH) == MARCH.number * 10**9 + 1
    assert next_event(TWO_MONTHS, FEBRUARY) == FEBRUARY.number * 10**9 + 2


def test_a_batch_continues_the_chain() -> None:
    first, second = TWO_MONTHS.batches
    assert (first.batch, second.batch) == (1, 2)
    assert first.recorded_at < second.recorded_at
    assert len({first.head, second.head, first.seal, second.seal}) == 4
    file: File = replace(TWO_MONTHS.files[1], digest="")
    assert (file.batch, file.month, file.name) == (2, FEBRUARY, delivery(FEBRUARY).name)
