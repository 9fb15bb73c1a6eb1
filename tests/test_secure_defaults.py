"""What the ledger never does: run programs or code that it is given, or speak to a network."""

from __future__ import annotations

import ast
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ledger import Ledger, StorageFailed
from ledger.store.event_store import Store
from tests.commands import DATA
from tests.test_architecture import MODULES, ROOT

FORBIDDEN_MODULES = {
    *("subprocess", "multiprocessing", "pty", "ctypes", "cffi", "code", "runpy"),
    *("pickle", "marshal", "shelve", "dill", "joblib"),
    *("socket", "ssl", "asyncio", "urllib", "http", "ftplib", "smtplib", "requests", "httpx"),
}
EXCEPTIONS = {
    "ledger/lake/folder.py": {"urllib"},
    "ledger/lake/delta.py": {"urllib"},
    "ledger/web/app.py": {"socket"},
    "ledger/web/routes.py": {"asyncio", "urllib"},
}
"""What serves the ledger on this machine listens and waits; lakes are named by addresses, which are
taken apart and not opened."""

FORBIDDEN_CALLS = {
    *("eval", "exec", "compile", "__import__", "breakpoint", "input"),
    *("os.system", "os.popen", "os.fork", "os.startfile"),
    *("load_extension", "enable_load_extension"),
}


def imported(tree: ast.AST) -> set[str]:
    """The first words of the names of all modules that are imported."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


def called(tree: ast.AST) -> set[str]:
    """What is called: `eval`, `os.system`, and of methods the last word too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names.add(node.func.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names.add(ast.unparse(node.func))
            names.add(node.func.attr if node.func.attr != "compile" else "re.compile")
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_runs_what_it_is_given_or_speaks_to_a_network(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    exceptions = EXCEPTIONS.get(path.relative_to(ROOT).as_posix(), set())
    assert imported(tree) & FORBIDDEN_MODULES == exceptions
    assert not called(tree) & FORBIDDEN_CALLS
    assert not [name for name in called(tree) if name.startswith(("os.exec", "os.spawn"))]


@pytest.mark.parametrize(
    "code",
    [
        "import subprocess", "from urllib.request import urlopen", "import http.client",
        "def f(x):\n    return eval(x)", "os.system('ls')", "db.conn.enable_load_extension(True)",
    ],
)  # fmt: skip
def test_what_is_forbidden_would_be_found(code: str) -> None:
    tree = ast.parse(code)
    assert imported(tree) & FORBIDDEN_MODULES or called(tree) & FORBIDDEN_CALLS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of all sample data."""
    Ledger(tmp_path / "ledger.db").ingest(DATA)
    return tmp_path / "ledger.db"


@pytest.mark.parametrize("opened", [Store.for_reading, Store.for_writing])
def test_a_schema_is_not_trusted(path: Path, opened: Callable[[Path], Store]) -> None:
    with opened(path) as store:
        assert [*store.rows("PRAGMA trusted_schema")] == [(0,)]
        assert [*store.rows("PRAGMA foreign_keys")] == [(1,)]
        with pytest.raises(sqlite3.OperationalError, match="not authorized"):
            store.execute("SELECT load_extension('x')")


def test_a_ledger_is_opened_to_read_by_who_reads(path: Path) -> None:
    before = path.read_bytes()
    with Store.for_reading(path) as store:
        for statement in ("DELETE FROM ledger.clock", "CREATE TABLE ledger.x (y)"):
            with pytest.raises(StorageFailed, match="read-only"):
                store.execute(statement)
    assert path.read_bytes() == before


def test_what_was_planted_in_a_schema_is_not_run_by_an_export(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    ledger.at().export(tmp_path / "before")
    planted = Ledger(shutil.copy(path, tmp_path / "planted.db"))
    with closing(sqlite3.connect(planted.path, isolation_level=None)) as connection:
        connection.execute("DROP TABLE agents")
        connection.execute(
            "CREATE VIEW agents AS SELECT 'forged' AS agent_id, NULL AS full_name, "
            "NULL AS contact_center_id, NULL AS hire_date, NULL AS category_id"
        )
    planted.at().export(tmp_path / "after")
    for file in (tmp_path / "before").iterdir():
        assert (tmp_path / "after" / file.name).read_bytes() == file.read_bytes()
