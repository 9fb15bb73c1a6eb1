"""Results in every form: as JSON, as a table for programs, and as parts for people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger import Ledger
from ledger.model.presentation import Result
from tests.commands import DATA, invoke_ledger

RESULTS: dict[tuple[str, ...], Callable[[Ledger], Any]] = {
    ("history", "interactions", "INT1003"): lambda ledger: ledger.at().history(
        "interactions", "INT1003"
    ),
    ("explain", "--month", "2025-01"): lambda ledger: ledger.at().explain("2025-01"),
    ("check",): lambda ledger: ledger.at().check(),
    ("status",): lambda ledger: ledger.status(),
    ("answers", "--sensitivity"): lambda ledger: ledger.at().answers(sensitivity=True),
    ("verify",): lambda ledger: ledger.verify(),
    ("project", "--dry-run"): lambda ledger: ledger.project(dry_run=True),
}
"""Commands, and what they print."""


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    db = tmp_path_factory.mktemp("results") / "ledger.db"
    Ledger(db).ingest(DATA)
    return db


@pytest.mark.parametrize("command", RESULTS, ids=lambda command: command[0])
def test_to_dict_is_the_json_of_the_command(db: Path, command: tuple[str, ...]) -> None:
    result = RESULTS[command](Ledger(db))
    printed = invoke_ledger(*command, "--json", db=db).out
    assert json.loads(printed) == json.loads(json.dumps(result.to_dict()))


@pytest.mark.parametrize(
    "command",
    [("history", "interactions", "INT1003"), ("explain", "--month", "2025-01"), ("check",)],
)
def test_tabular_is_the_csv_of_the_command(db: Path, command: tuple[str, ...]) -> None:
    table = RESULTS[command](Ledger(db)).tabular()
    head, *rows = csv.reader(io.StringIO(invoke_ledger(*command, "--format", "csv", db=db).out))
    assert head == [column.name for column in table.columns]
    assert len(rows) == len(list(table.rows))
    assert rows


@pytest.mark.parametrize("command", RESULTS, ids=lambda command: command[0])
def test_every_column_of_a_result_is_described(db: Path, command: tuple[str, ...]) -> None:
    result: Result = RESULTS[command](Ledger(db))
    columns = result.tabular().columns
    assert all(column.description.endswith(".") for column in columns)
    assert len({column.name for column in columns}) == len(columns)
    assert list(result.parts())


def test_markup_in_delivered_text_is_shown_as_it_is(db: Path) -> None:
    ran = invoke_ledger("query", "SELECT '[bold]a[/bold]' AS \"[red]b\", ':smile:' AS c", db=db)
    assert ran.out.splitlines()[0].split() == ["[red]b", "c"]
    assert ran.out.splitlines()[2].split() == ["[bold]a[/bold]", ":smile:"]
