"""What SQLite writes of the rows of an export, held to what Python writes of them."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger import Ledger
from ledger.datasets.support.description import SUPPORT
from ledger.model.dataset import Column, Table, Type
from ledger.model.tabular import Values
from ledger.outputs.csv import CsvText
from ledger.outputs.formats import FileOptions
from ledger.outputs.json import JsonText
from ledger.outputs.row_text import RowText
from ledger.outputs.table_files import table_writer
from ledger.replay import paging as ledger_pages
from ledger.replay.paging import EditionRows, Page, PagedRows, page_sql
from ledger.store.event_store import Store
from tests.commands import DATA
from tests.corpus.texts import ODD_TEXTS
from tests.replays import replay_of
from tests.written_tables import TABLE_FORMATS, ZONE

COLUMNS = (
    Column("id", "A key."),
    Column("number", "A number.", Type.NUMBER),
    Column("text", "A text."),
    Column("day", "A day.", Type.DATE),
    Column("moment", "A moment.", Type.TIMESTAMP),
    Column("count", "A count.", Type.INTEGER),
    Column("last", "Another text."),
)
AnyForm = type[CsvText] | type[JsonText]
FORMS: tuple[AnyForm, ...] = (CsvText, JsonText)
REGULAR = ("r", 14.5, "a", "2025-02-05", "2025-02-05T08:00:00-05:00", 7, "b")

# What the lines are made of, to be met in the texts.
MARKS = (
    *("\x1f", "\x1e", "\x1e\x1f", ",", '"', '""', '"""', "\\", "\n", "\r", "\r\n", ",\n", "null"),
    *('", "text": "', '"text": ', '", "day": ', ', "last": "', '"}', "%s", "'", '"1;2', "\x7f"),
)
texts = st.one_of(
    st.sampled_from([odd.kept for odd in ODD_TEXTS if len(odd.kept) < 300]),
    st.lists(st.sampled_from((*MARKS, "a", "é", "\U0001f600")), min_size=1).map("".join),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
)
numbers = st.one_of(
    st.floats(-(2.0**63), 2.0**63),
    st.integers(-(10**15), 10**15).map(lambda digits: digits / 10_000),
    st.integers(-(10**7), 10**7).map(lambda digits: digits / 100_000),
    st.integers(-(2**63), 2**63).map(float),
    st.sampled_from([0.0, -0.0, -0.5, 1e-4, 1e-5, 5e-324, 1e11, 99999999999.9999, 2.0**63]),
)
moments = st.datetimes(
    datetime(1970, 1, 2), datetime(9999, 12, 31, 23), timezones=st.just(UTC)
).map(lambda moment: moment.astimezone(ZoneInfo(ZONE)).isoformat())
odd_rows = st.tuples(
    texts,
    st.none() | numbers,
    st.none() | texts,
    st.none() | st.dates().map(date.isoformat),
    st.none() | moments,
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | texts,
)
rows_of_all_kinds = st.lists(st.one_of(st.just(REGULAR), odd_rows), max_size=40)


class Stored(PagedRows):
    """Rows in a table of SQLite, in their order."""

    def __init__(self, rows: Sequence[Values], size: int) -> None:
        self.rows = rows
        self.size = size
        self.db = sqlite3.connect(":memory:")
        names = [column.name for column in COLUMNS]
        types = {Type.NUMBER: "REAL", Type.INTEGER: "INTEGER"}
        cells = ", ".join(f"{c.name} {types.get(c.type, 'TEXT')}" for c in COLUMNS)
        self.db.execute(f"CREATE TABLE t (place INTEGER PRIMARY KEY, {cells}) STRICT")
        self.db.executemany(
            f"INSERT INTO t ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", rows
        )

    def __iter__(self) -> Iterator[Values]:
        return iter(self.rows)

    def pages(self, line: str, meanwhile: Callable[[], object]) -> Iterator[Page]:
        for start in range(0, len(self.rows), self.size):
            meanwhile()
            some = self.rows[start : start + self.size]
            # Backwards: it is the page that has them in order.
            chosen = (
                f"SELECT * FROM t WHERE place > {start} AND place <= {start + self.size} "
                "ORDER BY place DESC"
            )
            count, text = self.db.execute(page_sql(line, chosen, "place")).fetchone()
            assert count == len(some)
            yield Page(count, text, partial(list, some))


def both_ways(rows: Sequence[Values], format: str, size: int = 1000) -> tuple[bytes, bytes]:
    """The bytes that come of pages of text, and of the values."""
    stored = Stored(rows, size)
    with closing(stored.db):
        from_pages, from_values = io.BytesIO(), io.BytesIO()
        write = table_writer(FileOptions(format), ZONE)
        counts = {write(from_pages, COLUMNS, stored), write(from_values, COLUMNS, rows)}
        assert counts == {len(rows)}
        return from_pages.getvalue(), from_values.getvalue()


@pytest.mark.parametrize("format", ["csv", "json"])
@settings(deadline=None)
@given(rows=rows_of_all_kinds, size=st.integers(1, 40))
@example(rows=[("\x1e", None, "\x1e", None, None, None, "\x1e")], size=1)
@example(rows=[("x", 1.0, 'x", "day": ', None, None, 1, "x")], size=1)
def test_pages_of_text_give_the_bytes_of_the_values(
    format: str, rows: list[Values], size: int
) -> None:
    from_pages, from_values = both_ways(rows, format, size)
    assert from_pages == from_values


@settings(deadline=None, max_examples=60)
@given(rows=rows_of_all_kinds, size=st.integers(1, 40))
@example(rows=[("\ufeffa", None, "NA", None, None, None, "\ufeff")], size=1)
def test_pages_of_text_give_the_table_of_the_values(rows: list[Values], size: int) -> None:
    from_pages, from_values = (
        pq.read_table(io.BytesIO(content)) for content in both_ways(rows, "parquet", size)
    )
    assert from_pages.equals(from_values, check_metadata=True)


@pytest.mark.parametrize("format", ["csv", "json"])
@pytest.mark.parametrize("mark", MARKS, ids=ascii)
def test_what_lines_are_made_of_may_stand_in_a_text(format: str, mark: str) -> None:
    for text in (mark, f"a{mark}", f"{mark}a", f"a{mark}b"):
        from_pages, from_values = both_ways(
            [REGULAR, ("k", 0.5, text, None, None, None, "a"), REGULAR], format
        )
        assert from_pages == from_values


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_every_odd_text_is_written_as_it_is(format: str) -> None:
    rows = [(f"{n}", None, odd.kept, None, None, None, odd.kept) for n, odd in enumerate(ODD_TEXTS)]
    from_pages, from_values = both_ways(rows, format)
    if format == "parquet":
        from_pages, from_values = (pq.read_table(io.BytesIO(c)) for c in (from_pages, from_values))
    assert from_pages == from_values


def text_of(form: RowText, number: float | None) -> str:
    with closing(sqlite3.connect(":memory:")) as db:
        columns = ", ".join("? AS " + column.name for column in COLUMNS)
        values = ("k", number, *[None] * (len(COLUMNS) - 2))
        return str(db.execute(f"SELECT {form.line} FROM (SELECT {columns})", values).fetchone()[0])


@given(number=numbers)
def test_sqlite_writes_a_number_of_four_decimals_as_python_does(number: float) -> None:
    cell = text_of(CsvText(COLUMNS), number).split("\x1f")[1]
    whole = number.is_integer()
    shown = str(int(number)) if whole else repr(number)
    few = abs(number) < 10**11 and len(shown.partition(".")[2]) <= 4 and "e" not in shown
    if few or (whole and -(2**63) <= number < 2**63):
        assert cell == shown
    else:
        assert cell.startswith('"')


class Counted:
    """The rows that a form writes from their values."""

    def __init__(self, patch: pytest.MonkeyPatch, form: AnyForm) -> None:
        self.rows: list[Values] = []
        plain: Callable[..., bytes] = form.from_values

        def counting(form: RowText, rows: Iterable[Values]) -> bytes:
            listed = list(rows)
            self.rows += listed
            return plain(form, listed)

        patch.setattr(form, "from_values", counting)


@pytest.mark.parametrize("form", FORMS)
def test_only_odd_rows_are_written_from_their_values(
    form: AnyForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd: list[Values] = [
        ("o", 1.0, 'a "quoted" one', None, None, None, "x"),
        ("o", 0.1 + 0.2, None, None, None, 3, "a\nb"),
        ("o", -1 / 3, "\x1d", None, None, None, "\r\\"),
    ]
    rows: list[Values] = [REGULAR] * 500
    for place, row in zip((0, 100, 499), odd, strict=True):
        rows[place] = row
    stored, written = Stored(rows, 500), form(COLUMNS)
    whole = written.from_values(rows)
    counted = Counted(monkeypatch, form)
    with closing(stored.db):
        (page,) = stored.pages(written.line, lambda: None)
    assert written.from_page(page) == whole
    assert [*map(tuple, counted.rows)] == odd


@pytest.mark.parametrize("form", FORMS)
def test_a_page_of_regular_rows_is_never_taken_apart(
    form: AnyForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(RowText, "_from_lines")
    stored, written = Stored([REGULAR] * 500, 100), form(COLUMNS)
    with closing(stored.db):
        pages = [*stored.pages(written.line, lambda: None)]
    assert [written.from_page(page) for page in pages] == [written.from_values([REGULAR] * 100)] * 5


@pytest.mark.parametrize("format", ["csv", "json"])
def test_a_page_that_cannot_be_taken_apart_leaves_the_others(
    format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[Values] = [REGULAR] * 30
    rows[15] = ("o", 1e-7, "\x1e", None, None, None, "x")
    counted = Counted(monkeypatch, CsvText if format == "csv" else JsonText)
    stored = Stored(rows, 10)
    with closing(stored.db):
        table_writer(FileOptions(format), ZONE)(io.BytesIO(), COLUMNS, stored)
    header = 1 if format == "csv" else 0
    assert counted.rows[header:] == rows[10:20]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A ledger of all sample data, with its projection."""
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.db")
    ledger.ingest(DATA)
    ledger.project()
    return ledger


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("table", SUPPORT.tables, ids=lambda table: table.name)
def test_a_stored_table_is_read_by_its_key_and_never_sorted(
    ledger: Ledger, table: Table, form: AnyForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[str] = []
    longest_row = Store.longest_row

    def explained(store: Store, sql: str, most: int) -> Any:
        plans.extend(row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}"))
        return longest_row(store, sql, most)

    monkeypatch.setattr(Store, "longest_row", explained)
    with Store.for_reading(ledger.path) as store:
        replay = replay_of(store)
        rows = EditionRows(replay, table, partial(replay.labelled, table, None))
        assert sum(page.count for page in rows.pages(form(table.columns).line, lambda: None)) > 0
    key = f"SEARCH {table.name} USING PRIMARY KEY ({table.key}>? AND {table.key}<?)"
    assert key in plans
    assert not [step for step in plans if "TEMP B-TREE" in step or "MATERIALIZE" in step]


@pytest.mark.parametrize("format", TABLE_FORMATS)
@pytest.mark.parametrize("names", [None, "as-was"])
def test_a_page_too_long_for_one_text_is_written_from_its_values(
    ledger: Ledger, tmp_path: Path, format: str, names: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.at().export(tmp_path / "text", format=format, names=names)
    monkeypatch.setattr(ledger_pages, "LONGEST_TEXT", 1000)
    ledger.at().export(tmp_path / "values", format=format, names=names)
    for path in (tmp_path / "text").iterdir():
        assert path.read_bytes() == (tmp_path / "values" / path.name).read_bytes()


def test_a_text_that_is_too_long_once_may_be_read_otherwise(ledger: Ledger) -> None:
    long = "SELECT length(CAST(zeroblob(2000) AS TEXT) || 'x')"
    with Store.for_reading(ledger.path) as store:
        assert store.longest_row(long, 1000) is None
        assert next(store.rows(long)) is not None
