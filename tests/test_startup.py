"""What a command imports: nothing heavy before it is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ledger
from tests.commands import DATA, PYTHON, run, run_ledger

LOADED = """
import json, sys
from ledger.cli import main
try:
    main(sys.argv[1:], standalone_mode=False)
finally:
    sys.stderr.write(json.dumps(sorted(sys.modules)))
"""
"""Run a command, and tell on standard error which modules were imported by its end."""

HEAVY = {
    "altair",
    "asyncio",
    "datasette",
    "dateutil",
    "deltalake",
    "duckdb",
    "hypothesis",
    "jinja2",
    "numpy",
    "pandas",
    "pendulum",
    "pluggy",
    "pyarrow",
    "pyspark",
    "sqlite_utils",
    "xlsxwriter",
}


def imported(tmp_path: Path, *arguments: str) -> set[str]:
    ran = run(PYTHON, "-c", LOADED, *arguments, cwd=tmp_path)
    return set(json.loads(ran.err.splitlines()[-1]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a ledger whose projection is stored."""
    run_ledger("ingest", "--data-dir", DATA, cwd=tmp_path)
    run_ledger("project", cwd=tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", ["--help", "status"])
def test_a_light_command_imports_nothing_heavy(folder: Path, command: str) -> None:
    modules = imported(folder, command)
    assert "click" in modules
    assert modules.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "command", [("ingest", "--data-dir", str(DATA)), ("report",), ("answers",), ("export",)]
)
def test_a_month_goes_by_without_what_is_heavy(folder: Path, command: tuple[str, ...]) -> None:
    modules = imported(folder, *command)
    assert modules.isdisjoint({"pyarrow", "pandas", "numpy", "sqlite_utils", "pendulum"})


def test_every_public_name_is_found_where_it_is_said_to_be() -> None:
    assert set(ledger._MODULES) == set(ledger.__all__)
    for name, module in ledger._MODULES.items():
        found = getattr(ledger, name)
        assert found.__module__ == f"ledger.{module}"
    assert set(ledger.__all__) <= set(dir(ledger))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        ledger.__getattr__("Nothing")
