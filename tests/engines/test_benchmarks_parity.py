"""The benchmark that holds a lake to its ledger tells whether they agree."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.parity import main
from tests.chronicle import Chronicle
from tests.engines.needs import needs_duckdb
from tests.strategies import small_file

pytestmark = needs_duckdb


@pytest.fixture
def chronicle(tmp_path: Path) -> Chronicle:
    """A ledger of two months."""
    chronicle = Chronicle(tmp_path)
    chronicle.deliver(small_file("contact_centers", None, ("CC1", "Boston")))
    chronicle.deliver(small_file("contact_centers", 202502, ("add", "CC2", "Atlanta")))
    return chronicle


def test_months_of_a_lake_that_agree_are_shown(
    chronicle: Chronicle, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, lake = str(chronicle.ledger.path), str(chronicle.folder / "lake")
    assert main([ledger, lake, "--engines", "duckdb"]) == 0
    _, _, *rows, _, told = capsys.readouterr().out.splitlines()
    assert told == "All agree."
    cells = [row.split(" | ") for row in rows]
    assert [(row[0], row[1]) for row in cells] == [
        ("| 202501", "sqlite"),
        ("| 202501", "duckdb"),
        ("| 202502", "sqlite"),
        ("| 202502", "duckdb"),
    ]
    assert cells[0][3:] == cells[1][3:] != cells[2][3:] == cells[3][3:]


def test_a_lake_that_differs_is_told(
    chronicle: Chronicle, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, lake = str(chronicle.ledger.path), chronicle.folder / "lake"
    chronicle.ledger.publish(lake)
    first, second = sorted((lake / "contact_centers_events").rglob("*.parquet"))
    shutil.copy(first, second)
    assert main([ledger, str(lake), "--engines", "duckdb", "--months", "202502"]) == 1
    assert capsys.readouterr().out.endswith("\nNot all agree.\n")
