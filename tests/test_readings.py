"""A delivered cell is read as a value, or told to have none; nothing is guessed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger import Ledger
from ledger.delivery.cell_values import CellReader, TypedValue
from ledger.model.dataset import Column, Table, Type

VISITS = Table(
    "visits",
    (
        Column("visit_id", "The key."),
        Column("day", "A day.", Type.DATE),
        Column("at", "A moment.", Type.TIMESTAMP),
        Column("remark", "A text."),
        Column("minutes", "A number.", Type.NUMBER),
    ),
)
PLACE = {column.name: place for place, column in enumerate(VISITS.columns)}

thorough = settings(deadline=None, max_examples=300)

moments = st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 31), timezones=st.just(UTC))
offsets = st.integers(-(24 * 60 - 1), 24 * 60 - 1)
timestamp_like = st.from_regex(
    r"\A(19[67][0-9]|20[0-9]{2}|0000|9999)-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]Z\Z"
)
date_like = st.from_regex(r"\A(000[0-9]|19[0-9]{2}|20[0-9]{2})-[01][0-9]-[0-3][0-9]\Z")
regular_numbers = st.from_regex(r"\A-?([0-9]{1,15}|[0-9]{1,11}\.[0-9]{1,4})\Z")
number_like = st.from_regex(r"\A[+-]?[0-9]{0,22}(\.[0-9]{0,8})?([eE][+-]?[0-9]{1,3})?\Z")
near_misses = st.text(st.sampled_from("0123456789+-.,:_TZtze ١NaInf\n"), max_size=22)


def readings_of(
    column: str, cell: str | None, reader: CellReader | None = None
) -> list[TypedValue]:
    cells: list[str | None] = [None] * len(VISITS.columns)
    cells[PLACE[column]] = cell
    return [*readings_of_row(cells, reader or CellReader(VISITS))]


def readings_of_row(cells: Sequence[str | None], reader: CellReader) -> Iterator[TypedValue]:
    return (reading for _, reading in reader.irregular([[cell] for cell in cells]))


def with_offset(moment: datetime, minutes: int) -> str:
    """A moment as somebody writes it whose clock is that many minutes before UTC."""
    return moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat()


def in_utc(moment: datetime) -> str:
    return f"{moment.replace(microsecond=0).isoformat()[:19]}Z"


def is_number(text: str) -> bool:
    """Whether `float` reads a text, and not by its peculiarities: `1_000`, ` 1`, `١`, `nan`."""
    try:
        float(text)
    except ValueError:
        return False
    return set(text) <= set("0123456789+-.eE")


# Regular cells -----------------------------------------------------------------------------------


@pytest.mark.parametrize("column", [column.name for column in VISITS.columns])
def test_a_blank_cell_needs_no_reading(column: str) -> None:
    assert readings_of(column, None) == []


def test_a_text_needs_no_reading() -> None:
    assert readings_of("remark", "2025-02-30") == []
    assert readings_of("visit_id", "NaN") == []


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("day", "2024-02-29"),
        ("day", "0001-01-01"),
        ("day", "9999-12-31"),
        ("at", "1970-01-01T00:00:00Z"),
        ("at", "2024-02-29T23:59:59Z"),
        ("at", "9999-12-31T23:59:59Z"),
        ("minutes", "14"),
        ("minutes", "14.0"),
        ("minutes", "-0"),
        ("minutes", "007"),
    ],
)
def test_a_regular_cell_needs_no_reading(column: str, cell: str) -> None:
    assert readings_of(column, cell) == []


@given(timestamp_like)
@example("1969-12-31T23:59:59Z")
@example("2025-02-29T00:00:00Z")
@thorough
def test_a_timestamp_is_regular_where_datetime_reads_it(cell: str) -> None:
    try:
        moment = datetime.strptime(cell, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        assert readings_of("at", cell) == [TypedValue("at", None, "bad-timestamp")]
    else:
        early = moment < datetime(1970, 1, 1, tzinfo=UTC)
        assert readings_of("at", cell) == (
            [TypedValue("at", None, "out-of-range")] if early else []
        )


@given(moments)
@thorough
def test_every_second_of_utc_since_1970_is_regular(moment: datetime) -> None:
    assert readings_of("at", moment.strftime("%Y-%m-%dT%H:%M:%SZ")) == []


@given(date_like)
@thorough
def test_a_date_is_regular_where_date_reads_it(cell: str) -> None:
    try:
        date.fromisoformat(cell)
    except ValueError:
        assert readings_of("day", cell) == [TypedValue("day", None, "bad-date")]
    else:
        assert readings_of("day", cell) == []


@given(number_like | near_misses)
@example("9223372036854775807")
@example("9223372036854774784")
@example("1e18")
@example("1e309")
@example("NaN")
@thorough
def test_a_number_is_read_as_the_nearest_double_where_it_is_within_range(cell: str) -> None:
    if not is_number(cell):
        assert readings_of("minutes", cell) == [TypedValue("minutes", None, "bad-number")]
    elif abs(Fraction(cell)) >= 2**63:
        assert readings_of("minutes", cell) == [TypedValue("minutes", None, "out-of-range")]
    else:
        expected = [TypedValue("minutes", float(cell), "converted")]
        assert readings_of("minutes", cell) in ([], expected)


@pytest.mark.parametrize(
    "cell",
    ["+7", ".5", "5.", "1.5E-3", "1e-400", "12.333333333333334", "936.500788", "1234567890123456",
     # The double nearest to it is the limit, 2^63; the number itself is below.
     "9223372036854775807", "-9223372036854775807"],
)  # fmt: skip
def test_another_number_is_read_as_the_nearest_double(cell: str) -> None:
    assert readings_of("minutes", cell) == [TypedValue("minutes", float(cell), "converted")]


@pytest.mark.parametrize("cell", ["14", "14.0", "-3.25", "007", "0.0001", "999999999999999"])
def test_a_number_of_few_digits_is_regular(cell: str) -> None:
    assert readings_of("minutes", cell) == []


@given(st.lists(regular_numbers, min_size=20, max_size=40))
@settings(deadline=None, max_examples=200)
@example(["936.5007", "0.0001", "99999999999.9999", "-8.4"])
def test_a_plain_cast_reads_a_regular_number_exactly(cells: Sequence[str]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for cell in cells:
            assert readings_of("minutes", cell) == []
            (value,) = connection.execute("SELECT CAST(? AS DOUBLE)", (cell,)).fetchone()
            assert value == float(cell)


# Irregular cells ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        *(("day", cell, "bad-date") for cell in [
            "2025-02-30", "2023-02-29", "2025-13-01", "2025-00-10", "20250101", "2025-W01-1",
            "2025-1-1", "01/02/2025", "2025-01-01T00:00:00Z", "0000-01-01", "٢٠٢٥-٠١-٠١", "NA",
            "2025-01-01\n", "-2025-01-01", "12025-01-01"]),
        *(("at", cell, "bad-timestamp") for cell in [
            "2025-02-30T10:00:00Z", "2025-02-05T24:00:00Z", "2025-02-05T10:60:00Z",
            "2025-02-05T10:00:60Z", "2025-W06-3T10:00:00Z", "2025-02-05 10:00:00Z",
            "2025-02-05t10:00:00z", "2025-02-05T10:00Z", "2025-02-05", "20250205T100000Z",
            "2025-02-05T10:00:00.Z", "2025-02-05T10:00:00.1234567Z", "2025-02-05T10:00:00+24:00",
            "2025-02-05T10:00:00+05:60", "2025-02-05T10:00:00+0500", "2025-02-05T10:00:00 Z",
            "2025-02-05T10:00:00Z\n", "٢025-02-05T10:00:00Z", "2025-02-30T10:00:00+01:00",
            "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01", "tomorrow"]),
        *(("at", cell, "no-offset") for cell in [
            "2025-02-05T10:00:00", "2025-02-05T10:00:00.5", "2025-02-30T10:00:00"]),
        *(("at", cell, "out-of-range") for cell in [
            "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:59:59+01:00",
            "0001-01-01T00:00:00Z"]),
        *(("minutes", cell, "bad-number") for cell in [
            "1,000", "1,5", "NaN", "nan", "inf", "-Infinity", "1_000", "١٢٣", "14 min", "0x10", ".",
            "+", "e5", "1e", "1e+", "--1", "1 000", "1.2.3", "\u00a01", "1\n", "½"]),
        *(("minutes", cell, "out-of-range") for cell in [
            "1e309", "-1e309", "9223372036854775808", "-9223372036854775808", "1" * 400, "1e19",
            "9223372036854775807.5e1"]),
    ],
)  # fmt: skip
def test_a_cell_without_a_value_is_told_why(column: str, cell: str, code: str) -> None:
    assert readings_of(column, cell) == [TypedValue(column, None, code)]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("2025-02-05T13:00:00+00:00", "2025-02-05T13:00:00Z"),
        ("2025-02-05T13:00:00-00:00", "2025-02-05T13:00:00Z"),
        ("2025-02-05T08:00:00-05:00", "2025-02-05T13:00:00Z"),
        ("2025-03-01T00:15:00+05:45", "2025-02-28T18:30:00Z"),
        ("2024-12-31T23:59:59-00:01", "2025-01-01T00:00:59Z"),
        ("2025-02-05T13:00:00.5Z", "2025-02-05T13:00:00.5Z"),
        ("2025-02-05T13:00:00.250000Z", "2025-02-05T13:00:00.25Z"),
        ("2025-02-05T13:00:00.000Z", "2025-02-05T13:00:00Z"),
        ("2025-02-05T13:00:00.000001-23:59", "2025-02-06T12:59:00.000001Z"),
        ("1969-12-31T19:00:00-05:00", "1970-01-01T00:00:00Z"),
        # Both sides of both changes of the clock in New York.
        ("2025-03-09T01:59:59-05:00", "2025-03-09T06:59:59Z"),
        ("2025-03-09T03:00:00-04:00", "2025-03-09T07:00:00Z"),
        ("2025-11-02T01:59:59-04:00", "2025-11-02T05:59:59Z"),
        ("2025-11-02T01:00:00-05:00", "2025-11-02T06:00:00Z"),
    ],
)
def test_a_timestamp_written_in_another_way_is_converted(cell: str, value: str) -> None:
    assert readings_of("at", cell) == [TypedValue("at", value, "converted")]


@given(moments, offsets)
@thorough
def test_a_timestamp_with_any_offset_is_the_same_moment(moment: datetime, minutes: int) -> None:
    (reading,) = readings_of("at", with_offset(moment, minutes))
    assert isinstance(reading.value, str)
    assert datetime.fromisoformat(reading.value) == moment
    assert reading.code == "converted"
    # It is written in one way only, and the seconds of that are a regular cell.
    assert reading.value.endswith("Z")
    assert not reading.value.endswith("0Z") or "." not in reading.value
    assert readings_of("at", reading.value[:19] + "Z") == []


def test_the_days_of_utc_are_kept_of_timestamps_that_have_a_value() -> None:
    reader = CellReader(VISITS)
    for cell in (
        *("2025-02-05T13:00:00Z", "2025-02-05T14:00:00Z", "2025-02-28T23:30:00-05:00"),
        *("2025-02-07T00:00:00.5Z", "2025-02-30T00:00:00Z", "2025-02-08T24:00:00Z"),
        *("1969-12-31T00:00:00Z", "2025-02-09T10:00:00", "tomorrow"),
    ):
        readings_of("at", cell, reader)
    readings_of("day", "2025-02-10", reader)
    assert reader.utc_days == {"2025-02-05", "2025-03-01", "2025-02-07"}


def test_a_known_day_does_not_make_a_bad_time_good() -> None:
    reader = CellReader(VISITS)
    assert readings_of("at", "2025-02-05T13:00:00Z", reader) == []
    assert readings_of("at", "2025-02-05T13:00:60Z", reader) == [
        TypedValue("at", None, "bad-timestamp")
    ]


def test_each_irregular_cell_of_a_row_has_its_reading() -> None:
    cells = ["v1", "2025-02-30", "2025-02-05T08:00:00-05:00", "NaN", "1,000"]
    assert list(readings_of_row(cells, CellReader(VISITS))) == [
        TypedValue("day", None, "bad-date"),
        TypedValue("at", "2025-02-05T13:00:00Z", "converted"),
        TypedValue("minutes", None, "bad-number"),
    ]


any_cell = st.none() | st.one_of(
    timestamp_like, date_like, regular_numbers, number_like, near_misses, moments.map(in_utc)
)


@given(st.lists(st.lists(any_cell, min_size=5, max_size=5), min_size=1, max_size=6))
@example(
    [["v", None, text, None, None] for text in ("2025-02-05T13:00:00Z", "2025-02-05T24:00:00Z")]
)
# A cell that holds a line end is as two: it must not pass for two regular ones.
@example([["v", None, "2025-02-05T13:00:00Z\n2025-02-05T13:00:00Z", None, None]])
@thorough
def test_rows_read_together_are_read_as_each_alone(rows: list[list[str | None]]) -> None:
    together, alone = CellReader(VISITS), CellReader(VISITS)
    found = sorted(
        (row, reading.column, repr(reading))
        for row, reading in together.irregular(list(zip(*rows, strict=True)))
    )
    expected = sorted(
        (place, reading.column, repr(reading))
        for place, cells in enumerate(rows)
        for reading in readings_of_row(cells, alone)
    )
    assert found == expected
    if not found:
        assert together.utc_days == alone.utc_days


def test_a_cell_without_a_value_is_recorded_and_told(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "initial"
    folder.mkdir(parents=True)
    (folder / "agents.csv").write_text(
        "agent_id,full_name,contact_center_id,hire_date,category_id\n"
        "A1,Ada,,2021-03-15,\n"
        "A2,Bob,,2025-02-30,\n"
    )
    ledger = Ledger(tmp_path / "ledger.db")
    (month,) = ledger.ingest(tmp_path / "data", initial_month="202501")
    told = [(f.file, f.line, f.key, f.column, f.code) for f in month.first_findings]
    assert told == [("initial/agents.csv", 3, "A2", "hire_date", "bad-date")]
    ledger.project()
    with closing(sqlite3.connect(ledger.path)) as connection:
        delivered = connection.execute("SELECT hire_date FROM agents_events ORDER BY 1").fetchall()
        typed = connection.execute("SELECT hire_date FROM agents ORDER BY agent_id").fetchall()
    assert delivered == [("2021-03-15",), ("2025-02-30",)]
    assert typed == [("2021-03-15",), (None,)]
