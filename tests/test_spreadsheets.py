"""Texts that a spreadsheet would take for formulas: exact by default, harmless where one asks."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger, WrongUsage
from ledger.model.dataset import Column, Type
from ledger.model.tabular import Tabular
from ledger.outputs.csv import SafeRows
from tests.commands import run_ledger
from tests.strategies import DeliveredFile, write_data_folder
from tests.written_tables import write

COLUMNS = (
    Column("id", "A key."),
    Column("text", "A text."),
    Column("day", "A day.", Type.DATE),
    Column("moment", "A moment.", Type.TIMESTAMP),
    Column("number", "A number.", Type.NUMBER),
)
MARKS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
FORMULAS = (
    *(f"{blank}{mark}1+1" for mark in MARKS for blank in ("", " ", "\u00a0", "\u3000", "\u200b ")),
    *("\tx", "\rx", "\nx", "=", "-", "\ufeff=1", '=HYPERLINK("http://x","y")', "+49 30 123"),
)
HARMLESS = ("Boston", "a=b", "1+1", "x@y", "'=1", "–1", "", " x", "7", "١-")


def safe(*texts: str | None) -> tuple[list[Any], int]:
    """What becomes of texts, and how many were changed."""
    table = Tabular("t", COLUMNS, [("k", text, None, None, None) for text in texts])
    rows = SafeRows(table)
    return [row[1] for row in rows], rows.apostrophes


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_may_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe(text) == ([f"'{text}"], 1)


@pytest.mark.parametrize("text", HARMLESS)
def test_any_other_text_is_exact(text: str) -> None:
    assert safe(text, None) == ([text, None], 0)


@given(st.lists(st.text()))
def test_all_texts_come_back_by_taking_the_apostrophes_off(texts: list[str]) -> None:
    changed, count = safe(*texts)
    pairs = list(zip(changed, texts, strict=True))
    assert all(new in (old, f"'{old}") for new, old in pairs)
    assert count == sum(new != old for new, old in pairs)
    assert not [new for new, _ in pairs if new.lstrip().startswith((*MARKS, "\t", "\r"))]


def test_numbers_dates_and_times_are_never_touched(tmp_path: Path) -> None:
    row = ("-k", "-1", "-001-01-01", "+2025-02-05T08:00:00-05:00", -1.5)
    table = Tabular("t", COLUMNS, [row])
    (file,) = write(tmp_path, [table], spreadsheet_safe=True)
    (line,) = file.path.read_text().splitlines()[1:]
    assert line == "'-k,'-1,-001-01-01,+2025-02-05T08:00:00-05:00,-1.5"
    assert file.apostrophes == 2


HEADER = ("contact_center_id", "contact_center_name", "location")
CENTERS = DeliveredFile(
    "contact_centers", None, HEADER, (("@CC1", "=cmd|'/c calc'!A1", "-"), ("CC2", "Boston", "x"))
)
CALL = DeliveredFile(
    "interactions",
    None,
    (
        "interaction_id",
        "timestamp",
        "channel",
        "category_id",
        "agent_id",
        "contact_center_id",
        "interaction_start",
        "agent_resolution_timestamp",
        "interaction_end",
        "call_duration_minutes",
        "satisfaction_rating",
    ),
    (("I1", "", "phone", "", "", "@CC1", "2025-01-05T10:00:00Z", "", "", "-2", ""),),
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger with names that are formulas, and a call of less than no time."""
    write_data_folder(tmp_path / "data", [CENTERS, CALL])
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(tmp_path / "data", initial_month="202501")
    return ledger


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


def test_an_export_is_exact_unless_it_is_asked_to_be_safe(ledger: Ledger, tmp_path: Path) -> None:
    ran = run_ledger("export", "--out-dir", "exact", cwd=tmp_path)
    assert ran.code == 0
    assert "apostrophe" not in ran.err
    exact = (tmp_path / "exact" / "contact_centers_final.csv").read_text()
    assert rows_of(exact) == [["@CC1", "=cmd|'/c calc'!A1", "-"], ["CC2", "Boston", "x"]]
    assert "spreadsheetSafe" not in (tmp_path / "exact" / "datapackage.json").read_text()

    ran = run_ledger("export", "--out-dir", "safe", "--spreadsheet-safe", cwd=tmp_path)
    assert ran.code == 0
    assert "an apostrophe was put before 4 texts" in ran.err
    safe = (tmp_path / "safe" / "contact_centers_final.csv").read_text()
    assert rows_of(safe) == [["'@CC1", "'=cmd|'/c calc'!A1", "'-"], ["CC2", "Boston", "x"]]
    (call,) = rows_of((tmp_path / "safe" / "interactions_final.csv").read_text())
    assert (call[5], call[9]) == ("'@CC1", "-2")
    manifest = json.loads((tmp_path / "safe" / "datapackage.json").read_text())
    told = {r["name"]: r["spreadsheetSafe"]["apostrophes"] for r in manifest["resources"]}
    assert [told[f"{table.name}_final"] for table in ledger.dataset.tables] == [0, 3, 0, 1]


def test_a_report_is_exact_unless_it_is_asked_to_be_safe(ledger: Ledger, tmp_path: Path) -> None:
    exact = run_ledger("report", "--format", "csv", cwd=tmp_path)
    assert rows_of(exact.out)[0][1] == "=cmd|'/c calc'!A1"
    path = tmp_path / "report" / "support_report.csv"
    assert exact.out.splitlines() == path.read_text().splitlines()

    safe = run_ledger("report", "--format", "csv", "--spreadsheet-safe", cwd=tmp_path)
    assert "an apostrophe was put before 1 text." in safe.err
    assert rows_of(safe.out) == [["2025-01", "'=cmd|'/c calc'!A1", "Unknown", "1", "1", "-2"]]
    assert safe.out.splitlines() == path.read_text().splitlines()


def test_csv_begins_with_a_byte_order_mark_where_one_asks_for_it(
    ledger: Ledger, tmp_path: Path
) -> None:
    options = ("--spreadsheet-safe", "--format", "csv")
    for command in ("export", "report"):
        plain = run_ledger(command, *options, "--out-dir", "plain", cwd=tmp_path)
        marked = run_ledger(command, *options, "--bom", "--out-dir", "marked", cwd=tmp_path)
        assert (plain.code, marked.code) == (0, 0)
        # A terminal or a program needs no mark.
        assert not marked.out.startswith("\ufeff")
        assert (plain.out == marked.out) == (command == "report")
    files = [*(tmp_path / "plain").glob("*.csv")]
    assert len(files) == 5
    for file in files:
        content = (tmp_path / "marked" / file.name).read_bytes()
        assert content == b"\xef\xbb\xbf" + file.read_bytes()
    manifest = json.loads((tmp_path / "marked" / "datapackage.json").read_text())
    for resource in manifest["resources"]:
        content = (tmp_path / "marked" / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


@pytest.mark.parametrize("command", ["export", "report"])
@pytest.mark.parametrize("format", ["json", "parquet", "xlsx"])
@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_a_byte_order_mark_is_for_csv_alone(
    ledger: Ledger, tmp_path: Path, command: str, format: str, dry_run: list[str]
) -> None:
    before = sorted(tmp_path.iterdir())
    ran = run_ledger(command, "--bom", "--format", format, *dry_run, cwd=tmp_path)
    assert ran.code == 2
    assert f"a byte order mark is for csv alone, not for {format}" in ran.err
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("command", ["export", "report"])
@pytest.mark.parametrize("format", ["json", "parquet", "xlsx"])
@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_other_formats_are_for_no_spreadsheet(
    ledger: Ledger, tmp_path: Path, command: str, format: str, dry_run: list[str]
) -> None:
    before = sorted(tmp_path.iterdir())
    ran = run_ledger(command, "--spreadsheet-safe", "--format", format, *dry_run, cwd=tmp_path)
    assert ran.code == 2
    assert "in csv alone" in ran.err
    assert sorted(tmp_path.iterdir()) == before
    with pytest.raises(WrongUsage):
        ledger.at().export(tmp_path / "out", format=format, spreadsheet_safe=True)
