"""The records of a ledger as a value: which files count, and which edition a name means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Month, WrongUsage
from ledger.model.digest import GENESIS
from ledger.model.editions import Edition, EditionName
from ledger.model.records import RETRACTION, Batch, File, Records, Tag

MONTHS = [Month(number) for number in (202411, 202412, 202501, 202502, 202503)]
TABLES = ("agents", "interactions")

Plan = list[tuple[int, list[tuple[str, bool, int]]]]
"""Of each batch the place of its month, and its files: table, whether it retracts, rows."""

plans: st.SearchStrategy[Plan] = st.lists(
    st.tuples(
        st.integers(0, len(MONTHS) - 1),
        st.lists(
            st.tuples(st.sampled_from(TABLES), st.booleans(), st.integers(0, 2)),
            min_size=1,
            max_size=2,
            unique_by=lambda file: file[0],
        ),
    ),
    min_size=1,
    max_size=7,
)


def records_of(plan: Plan) -> Records:
    records = Records((), (), ())
    for number, (place, planned) in enumerate(plan, start=1):
        month = MONTHS[place]
        files: list[File] = []
        for table, retracts, rows in planned:
            last = records.last().get((table, month))
            if retracts and (last is None or last.kind == RETRACTION):
                continue
            files.append(
                File(
                    file=len(records.files) + len(files) + 1,
                    batch=number,
                    table_name=table,
                    month=month,
                    kind=RETRACTION if retracts else "delta",
                    name=f"{table}_{month}",
                    sha256=None if retracts else GENESIS,
                    bytes=0,
                    rows=0 if retracts else rows,
                    first_event=None,
                    last_event=None,
                    supersedes=last.file if last else None,
                    digest=GENESIS,
                )
            )
        batch = Batch(
            batch=number,
            month=month,
            recorded_at=f"2025-04-{number:02}T09:00:00.000000Z",
            reason=None,
            gap=False,
            late=False,
            correction=False,
            events=sum(file.rows for file in files),
            root=GENESIS,
            head=f"{number:064x}",
            seal=GENESIS,
        )
        records = records.with_batch(batch, files)
    return records


def counting(records: Records, batch: int) -> set[int]:
    """The numbers of the files that count, by what the records say of each alone."""
    known = [file for file in records.files if file.batch <= batch]
    superseded = {file.supersedes for file in known}
    return {f.file for f in known if f.kind != RETRACTION and f.file not in superseded}


def editions(records: Records) -> list[Edition]:
    """Every edition that there is."""
    found = []
    for batch in records.batches:
        for month in MONTHS:
            try:
                found.append(records.edition(EditionName(month, batch.batch)))
            except WrongUsage:
                continue
    return found


@given(plan=plans)
def test_the_effective_files_are_those_that_nothing_known_supersedes(plan: Plan) -> None:
    records = records_of(plan)
    for batch in records.batches:
        effective = records.effective(batch.batch)
        assert {file.file for file in effective.values()} == counting(records, batch.batch)
        assert all(place == (f.table_name, f.month) for place, f in effective.items())
    assert records.effective() == records.effective(len(records.batches))


@given(plan=plans)
def test_the_last_record_of_a_place_is_the_one_with_the_greatest_number(plan: Plan) -> None:
    records = records_of(plan)
    for batch in records.batches:
        for (table, month), last in records.last(batch.batch).items():
            same = [f for f in records.files if (f.table_name, f.month) == (table, month)]
            assert last.file == max(f.file for f in same if f.batch <= batch.batch)


@given(plan=plans)
def test_files_with_rows_that_count_in_one_of_two_editions_alone_moved(plan: Plan) -> None:
    records = records_of(plan)
    numbered = {file.file: file for file in records.files}

    def counted(edition: Edition) -> set[int]:
        numbers = counting(records, edition.batch)
        return {n for n in numbers if numbered[n].month <= edition.as_of and numbered[n].rows}

    for before in editions(records):
        for after in editions(records):
            moved = records.moved(before, after)
            assert {file.file for file in moved} == counted(before) ^ counted(after)


@given(plan=plans)
def test_an_edition_is_of_a_month_between_the_first_and_the_latest_that_count(plan: Plan) -> None:
    records = records_of(plan)
    numbered = {file.file: file for file in records.files}
    expected = set()
    for batch in records.batches:
        months = {numbered[n].month for n in counting(records, batch.batch)}
        if months:
            expected |= {
                (month, batch.batch, month.number not in {m.number for m in months})
                for month in min(months).until(max(months))
            }
    found = editions(records)
    assert {(e.as_of, e.batch, e.as_of in e.missing) for e in found} == expected
    assert all(e.head == records.batches[e.batch - 1].head for e in found)


@given(plan=plans)
def test_the_edition_before_lacks_the_last_batch_that_concerns_it(plan: Plan) -> None:
    records = records_of(plan)
    for edition in editions(records):
        before = records.before(edition)
        concerned = [
            b.batch
            for b in records.batches
            if b.batch <= edition.batch and b.month <= edition.as_of
        ]
        if before is None:
            then = records.months(concerned[-1] - 1)
            assert not then or min(then) > edition.as_of
        else:
            assert before.batch == concerned[-1] - 1
            assert before.as_of == min(edition.as_of, max(records.months(before.batch)))


@given(plan=plans)
def test_a_tag_names_its_month_and_batch_unless_another_month_is_asked_for(plan: Plan) -> None:
    records = records_of(plan)
    for edition in editions(records):
        tag = Tag(1, "signed", edition.as_of, edition.batch, "2025-05-01T00:00:00Z", GENESIS)
        tagged = records.with_tag(tag)
        assert tagged.edition(EditionName.parse("signed")) == edition
        assert tagged.edition(EditionName.parse(edition.name)) == edition
        first = min(records.months(edition.batch))
        assert tagged.edition(EditionName(first, "signed")).as_of == first


def test_no_records_have_no_edition_and_say_where_they_were_read() -> None:
    with pytest.raises(WrongUsage, match=r"nothing is recorded in there\.db"):
        Records((), (), (), "there.db").edition()


def test_records_are_the_same_wherever_they_were_read() -> None:
    assert Records((), (), (), "ledger.db") == Records((), (), (), "lake")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("202503", EditionName(Month(202503))),
        ("2025-03", EditionName(Month(202503))),
        ("2", EditionName(None, "2")),
        ("signed", EditionName(None, "signed")),
        ("202502@2", EditionName(Month(202502), "2")),
        ("@202503", EditionName(None, "202503")),
        ("", EditionName(None, "")),
    ],
)
def test_a_name_is_a_month_a_known_at_or_both(text: str, name: EditionName) -> None:
    assert EditionName.parse(text) == name
