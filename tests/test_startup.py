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

OURS = {
    "--help": {
        *("__init__", "book", "dataset", "digest", "drafts", "editions", "errors", "months"),
        *("names", "outputs", "printing", "results", "store", "templates", "terminal", "words"),
        *("journal", "support", "support.description", "support.labels"),
        *("cli", "cli.comparing", "cli.group", "cli.integrity", "cli.options", "cli.overview"),
        *(
            "cli.completion",
            "cli.lakes",
            "cli.querying",
            "cli.recording",
            "cli.results",
            "cli.serving",
            "cli.starting",
        ),
        *("cli.telling", "cli.tracing"),
    },
}
OURS["status"] = OURS["--help"]


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
def test_of_the_package_only_what_the_command_needs(folder: Path, command: str) -> None:
    modules = imported(folder, command)
    ours = {name.removeprefix("ledger.") for name in modules if name.startswith("ledger.")}
    assert ours | {"__init__"} == OURS[command]


@pytest.mark.parametrize("command", ["--help", "status"])
def test_of_other_packages_two_alone(folder: Path, command: str) -> None:
    modules = {name.partition(".")[0] for name in imported(folder, command)}
    others = {"click", "hypothesis", "msgspec", "pandas", "pendulum", "pyarrow", "sqlite_utils"}
    others |= {
        "altair",
        "datasette",
        "dateutil",
        "deltalake",
        "duckdb",
        "jinja2",
        "numpy",
        "pluggy",
        "pyspark",
        "tabulate",
        "tqdm",
    }
    needed = {"click", "msgspec"} | ({"tabulate"} if command == "status" else set())
    assert modules & others == needed


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
