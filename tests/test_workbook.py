"""Workbooks: what a spreadsheet reads is what was exported, to the last character and digit."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Ledger, StorageFailed, WrongUsage
from ledger.datasets.support.description import SUPPORT
from ledger.files.atomic import complete_files
from ledger.model.dataset import Column
from ledger.model.tabular import Tabular, Values
from ledger.outputs import xlsx as workbook
from ledger.outputs.xlsx import ABOUT, LONGEST_TEXT, Workbook, write_workbook
from tests.commands import DATA, run_ledger
from tests.strategies import DeliveredFile, write_data_folder
from tests.test_export import COLUMNS, rows_of_values

ODD_TEXTS = (
    *("=1+1", "+1", "-1", "@x", "'x", "007", "1e5", "TRUE", "#N/A", "2025-01-05", "http://x.org"),
    *("mailto:x@y", "internal:a!A1", "{=1}", "<r>", "a & b < c", '"', " x ", "a\nb", "\t", "\r\n"),
    *("\x07", "\x1f", "\x7f", "\x85", "\u2028", "\ufffe", "\uffff", "_x0041_"),
    *("_x0041", "x0041_", "_x00e9__x0007_", "日本", "😀", "é", "=" * 300, "x" * 500),
)
NEVER_EXACT = (
    "<r>x</r>",
    "_x005F_x0041_",
    "<r></r>",
    "_x0041_x0042_",
    "_x0041\x07",
    "_x0041\ufffe",
    "<r>\n</r>",
)

pieces = st.sampled_from(
    ["_x0041_", "_x0041", "x0041_", "_", "\x07", "<r>", "</r>", "&", "\r", "a"]
)
texts = st.lists(pieces, min_size=1, max_size=6).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1
)


def write(folder: Path, *rows: Values, columns: tuple[Column, ...] = COLUMNS) -> Path:
    book = Workbook(
        "book", "A title", "a & b", [("as of", "202501")], [Tabular("t", columns, rows)]
    )
    return write_book(folder, book)


def write_book(folder: Path, book: Workbook) -> Path:
    with complete_files(folder) as draft:
        file, _ = write_workbook(draft, book)
    return folder / file.path.name


def opened(path: Path) -> Any:
    return openpyxl.load_workbook(path)


def meant(value: Any) -> Any:
    """What a cell says to a spreadsheet, which reads `_x0007_` as the standard has it."""
    if isinstance(value, str):
        return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), value)
    return value


def cells(path: Path, sheet: str = "t") -> list[list[Any]]:
    rows = opened(path)[sheet].iter_rows(min_row=2)
    return [[meant(cell.value) for cell in row] for row in rows]


def as_exported(cell: Any) -> Any:
    """A cell as the value of a row: dates and times as texts again, by the look of the cell."""
    if isinstance(cell.value, datetime) and cell.number_format == "yyyy-mm-dd":
        return cell.value.date().isoformat()
    if isinstance(cell.value, datetime):
        offset = re.fullmatch(r'yyyy-mm-dd hh:mm:ss" ([+-]\d\d:\d\d)"', cell.number_format)
        assert offset
        return f"{cell.value.isoformat()}{offset[1]}"
    return meant(cell.value)


@settings(deadline=None, max_examples=30)
@given(rows=rows_of_values)
def test_what_a_spreadsheet_reads_is_what_was_exported(rows: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        page = opened(write(Path(folder), *rows))["t"]
    read = [tuple(map(as_exported, row)) for row in page.iter_rows(min_row=2)]
    # No digits of more than a double holds are lost: such a count is a text.
    assert read == [
        tuple(str(v) if isinstance(v, int) and float(v) != v else v for v in row) for row in rows
    ]


@settings(deadline=None, max_examples=80)
@given(text=texts)
def test_a_text_is_exact_or_refused(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = write(Path(folder), ("k", text, None, None, None, None))
        except WrongUsage:
            assert re.search(r"<r>|_x0041", text)
            return
        assert cells(path)[0][1] == text


def test_texts_are_texts(tmp_path: Path) -> None:
    path = write(tmp_path, *((text, None, None, None, None, None) for text in ODD_TEXTS))
    page = opened(path)["t"]
    assert [meant(row[0].value) for row in page.iter_rows(min_row=2)] == [*ODD_TEXTS]
    assert {cell.data_type for cell in page["A"]} == {"s"}
    assert not [cell for cell in page["A"] if cell.hyperlink]


@pytest.mark.parametrize("text", NEVER_EXACT)
def test_a_text_that_would_not_be_exact_is_refused_with_its_place(
    tmp_path: Path, text: str
) -> None:
    write(tmp_path, ("a", "before", None, None, None, None))
    before = (tmp_path / "book.xlsx").read_bytes()
    rows = [("a", "x", None, None, None, None), ("b", text, None, None, None, None)]
    with pytest.raises(WrongUsage, match=r"^t, row 2 \(b\), text: this text .* csv or parquet"):
        write(tmp_path, *rows)
    assert (tmp_path / "book.xlsx").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["book.xlsx"]


@pytest.mark.parametrize("character", ["x", "é", "😀"])
def test_the_longest_text_is_written_and_a_longer_one_refused(
    tmp_path: Path, character: str
) -> None:
    units = len(character.encode("utf-16-le")) // 2
    longest = character * (LONGEST_TEXT // units)
    assert cells(write(tmp_path, (longest, *[None] * 5)))[0][0] == longest
    with pytest.raises(WrongUsage, match=r"id: 3276[89] characters, and a cell stores 32767;"):
        write(tmp_path, (longest + character, *[None] * 5))


def test_more_rows_than_a_sheet_has_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 4)
    row = ("a", None, None, None, None, None)
    write(tmp_path, *[row] * 3)
    before = (tmp_path / "book.xlsx").read_bytes()
    with pytest.raises(WrongUsage, match="t has more than 3 rows, too many for a workbook; write"):
        write(tmp_path, *[row] * 4)
    assert (tmp_path / "book.xlsx").read_bytes() == before


def test_a_sheet_of_too_many_bytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 2000)
    with pytest.raises(WrongUsage, match="too many for a workbook"):
        write(tmp_path, ("a" * 3000, None, None, None, None, None))
    assert not [*tmp_path.iterdir()]


def failing_rows() -> Iterator[Values]:
    yield ("a", None, None, None, None, None)
    raise OSError(28, "No space left on device")


def test_a_failure_leaves_the_earlier_workbook_whole(tmp_path: Path) -> None:
    before = write(tmp_path, ("a", *[None] * 5)).read_bytes()
    book = Workbook("book", "", "", [], [Tabular("t", COLUMNS, failing_rows())])
    with pytest.raises(StorageFailed, match="No space left"):
        write_book(tmp_path, book)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the size of files")
@pytest.mark.parametrize("rows", [1, 100])
def test_a_disk_that_is_full_is_told_and_leaves_nothing(tmp_path: Path, rows: int) -> None:
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, limits[1]))
    try:
        with pytest.raises(StorageFailed, match="File too large"):
            write(tmp_path, *[("a" * 100, *[None] * 5)] * rows)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not [*tmp_path.iterdir()]


def test_nothing_is_written_outside_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    write(tmp_path / "out", ("a", *[None] * 5))
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "book.xlsx"]


@pytest.mark.parametrize(
    ("text", "is_date"),
    [
        ("1900-03-01", True),
        ("9999-12-31", True),
        ("2024-02-29", True),
        ("1900-02-28", False),
        ("0001-01-01", False),
        ("10000-01-01", False),
        ("20250105", False),
        ("2025-W01-1", False),
    ],
)
def test_a_day_is_a_date_where_every_spreadsheet_shows_it(
    tmp_path: Path, text: str, is_date: bool
) -> None:
    cell = opened(write(tmp_path, ("k", None, text, None, None, None)))["t"]["C2"]
    assert cell.is_date == is_date
    assert as_exported(cell) == text


@pytest.mark.parametrize(
    ("text", "is_date"),
    [
        ("2025-01-05T08:00:00-05:00", True),
        ("9999-12-31T23:59:59+00:00", True),
        ("1900-02-28T23:59:59-05:00", False),
        ("2025-01-05T08:00:00.5-05:00", False),
        ("2025-01-05T08:00:00.123456-05:00", False),
        ("2025-01-05T08:00:00", False),
        ("2025-01-05 08:00:00-05:00", False),
    ],
)
def test_a_time_is_one_to_calculate_with_where_it_is_exact(
    tmp_path: Path, text: str, is_date: bool
) -> None:
    cell = opened(write(tmp_path, ("k", None, None, text, None, None)))["t"]["D2"]
    assert cell.is_date == is_date
    assert as_exported(cell) == text


def test_the_hour_that_occurs_twice_is_told_apart(tmp_path: Path) -> None:
    twice = ("2025-11-02T01:30:00-04:00", "2025-11-02T01:30:00-05:00")
    page = opened(write(tmp_path, *(("k", None, None, text, None, None) for text in twice)))["t"]
    assert page["D2"].value == page["D3"].value == datetime(2025, 11, 2, 1, 30)
    assert [as_exported(cell) for cell in (page["D2"], page["D3"])] == [*twice]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf"), 2**53 + 1])
def test_what_is_no_number_of_a_spreadsheet_is_text(tmp_path: Path, number: float) -> None:
    path = write(tmp_path, ("k", None, None, None, number, None))
    assert cells(path)[0][4] == str(number)


@settings(deadline=None, max_examples=30)
@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_keeps_all_of_its_digits(number: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), ("k", None, None, None, number, None))
        content = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml").decode()
    written = re.findall(r"<v>(.*?)</v>", content)
    assert [float(text) for text in written] == [number]


def test_a_sheet_is_made_to_be_read(tmp_path: Path) -> None:
    rows = [("k", "x" * 90, "2025-01-05", None, 1.5, 2), ("l", "y", None, None, 2.5, 3)]
    page = opened(write(tmp_path, *rows))["t"]
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == "A1:F3"
    assert page.print_title_rows == "$1:$1"
    assert page.page_setup.orientation == "landscape"
    assert page.sheet_properties.pageSetUpPr.fitToPage
    assert page.page_setup.fitToHeight == 0
    assert all(cell.font.bold for cell in page[1])
    assert [cell.alignment.horizontal for cell in page[1]] == [*[None] * 4, *["right"] * 2]
    assert page.column_dimensions["B"].width < 65 < len(rows[0][1])
    assert page.column_dimensions["C"].width > 10
    assert page.oddFooter.left.text == "a && b"


PROGRAM = """
import sys
from pathlib import Path
from ledger import Ledger
Ledger(sys.argv[1]).export(sys.argv[2], format="xlsx")
"""


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """A ledger of all sample data."""
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "ledger.db")
    ledger.ingest(DATA)
    return ledger


BOOK = "customer-support_final.xlsx"


def test_the_same_edition_gives_the_same_bytes_anywhere_and_at_any_time(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.at("202502").export(tmp_path / "here", format="xlsx")
    rebuilt = Ledger(tmp_path / "again.db")
    rebuilt.ingest(DATA)
    rebuilt.project("202502")
    rebuilt.at("202502").export(tmp_path / "again", format="xlsx")
    arguments = ("export", "--format", "xlsx", "--as-of", "202502", "--db", ledger.path)
    for zone in ("Asia/Tokyo", "America/New_York"):
        ran = run_ledger(
            *arguments, "--out-dir", zone[:4], cwd=tmp_path, TZ=zone, PYTHONHASHSEED="7"
        )
        assert ran.code == 0
    monkeypatch.setattr("time.time", lambda: 4e9)
    ledger.at("202502").export(tmp_path / "later", format="xlsx")
    written = {path: path.read_bytes() for path in tmp_path.rglob("*.xlsx")}
    assert len(written) == 5
    assert len(set(written.values())) == 1
    with zipfile.ZipFile(tmp_path / "here" / BOOK) as file:
        assert {info.date_time[0] for info in file.infolist()} == {1980}


def test_the_workbook_has_the_rows_of_the_other_formats(ledger: Ledger, tmp_path: Path) -> None:
    for names in (None, "as-was"):
        ledger.at().export(tmp_path, format="json", names=names)
        (file,) = ledger.at().export(tmp_path, format="xlsx", names=names).files
        book = opened(file.path)
        assert book.sheetnames == [*(table.name for table in SUPPORT.tables), ABOUT]
        count = 0
        for table in SUPPORT.tables:
            text = (tmp_path / f"{table.name}_final.json").read_text(encoding="utf-8")
            records = json.loads(text)
            header, *rows = book[table.name].iter_rows()
            names_of_columns = [cell.value for cell in header]
            assert [
                dict(zip(names_of_columns, map(as_exported, r), strict=True)) for r in rows
            ] == (records)
            count += len(rows)
        assert file.rows == count
        assert file.sha256 == hashlib.sha256(file.path.read_bytes()).hexdigest()


def test_the_manifest_names_the_sheet_of_each_table(ledger: Ledger, tmp_path: Path) -> None:
    (file,) = ledger.at().export(tmp_path, format="xlsx", tables=["agents", "interactions"]).files
    manifest = json.loads((tmp_path / "datapackage.json").read_text(encoding="utf-8"))
    book = opened(file.path)
    assert book.sheetnames == ["agents", "interactions", ABOUT]
    for resource in manifest["resources"]:
        page = book[resource["dialect"]["sheetName"]]
        assert resource["path"] == file.path.name == BOOK
        assert (resource["bytes"], resource["hash"]) == (file.bytes, f"sha256:{file.sha256}")
        assert resource["format"] == "xlsx"
        assert resource["mediatype"].endswith("spreadsheetml.sheet")
        assert resource["rows"] == page.max_row - 1
        assert [field["name"] for field in resource["schema"]["fields"]] == [
            cell.value for cell in page[1]
        ]
        assert "encoding" not in resource


def about(path: Path) -> list[tuple[Any, Any]]:
    return [*opened(path)[ABOUT].iter_rows(values_only=True)]


def test_the_last_sheet_says_what_the_others_are_as_of(ledger: Ledger, tmp_path: Path) -> None:
    done = ledger.at("202502").export(tmp_path, format="xlsx", names="as-is")
    told = about(tmp_path / BOOK)
    facts = dict(told)
    assert told[0] == (SUPPORT.title, None)
    assert facts["as of"] == "202502"
    assert facts["known at"] == f"batch {done.edition.batch}"
    assert facts["head"] == done.edition.head
    assert facts["names"].startswith("as-is: ")
    assert "America/New_York" in facts["times"]
    assert facts["agents"] == "9 rows"
    for table in SUPPORT.tables:
        for column in table.columns:
            assert (column.name, column.description) in told


def test_a_report_as_a_workbook(ledger: Ledger, tmp_path: Path) -> None:
    ran = run_ledger("report", "--format", "xlsx", "--db", ledger.path, cwd=tmp_path)
    assert ran.code == 0
    path = tmp_path / "report" / "support_report.xlsx"
    report = ledger.at().report()
    assert opened(path).sheetnames == ["support_report", ABOUT]
    rows = [[meant(value) for value in row] for row in cells(path, "support_report")]
    assert rows == [[*row] for row in report.sheet.rows]
    assert ran.out == run_ledger("report", "--db", ledger.path, cwd=tmp_path).out
    facts = about(path)
    assert [text for name, text in facts if name == "note"] == [f"{n}." for n in report.notes]
    assert "times" not in dict(facts)


def test_a_gap_is_told(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    header = ("contact_center_id", "contact_center_name", "location")
    first = DeliveredFile("contact_centers", None, header, (("C1", "Boston", "MA"),))
    later = DeliveredFile(
        "contact_centers", 202503, ("action", *header), (("add", "C2", "<r>", "x"),)
    )
    write_data_folder(tmp_path / "data", [first, later])
    ledger.ingest(tmp_path / "data", initial_month="202501", allow_gap=True)
    ledger.at().export(tmp_path, format="xlsx")
    assert dict(about(tmp_path / BOOK))["gap"] == "Nothing is recorded for 202502."


@pytest.mark.parametrize("command", ["export", "report"])
@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_without_the_package_nothing_is_written(
    ledger: Ledger, tmp_path: Path, command: str, dry_run: list[str]
) -> None:
    (tmp_path / "absent").mkdir()
    (tmp_path / "absent" / "xlsxwriter.py").write_text("raise ImportError")
    ran = run_ledger(
        *(command, "--format", "xlsx", "--out-dir", "out", *dry_run, "--db", ledger.path),
        cwd=tmp_path,
        PYTHONPATH=str(tmp_path / "absent"),
    )
    assert ran.code == 2
    assert "package xlsxwriter; install with: pip install 'month-ledger[excel]'" in ran.err
    assert not ran.out
    assert not (tmp_path / "out").exists()


def test_a_dry_run_writes_nothing(ledger: Ledger, tmp_path: Path) -> None:
    done = ledger.at().export(tmp_path / "out", format="xlsx", dry_run=True)
    assert done.files[0].path == tmp_path / "out" / BOOK
    assert not (tmp_path / "out").exists()
