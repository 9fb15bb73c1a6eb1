"""What the doctor says of an installation, and of ledgers that are well and are not."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from importlib import metadata
from pathlib import Path

import pytest

from ledger import Ledger, VerificationFailed, WrongUsage
from ledger.errors import LedgerError
from ledger.extras import EXTRAS, Extra
from ledger.integrity.doctor import State
from ledger.store.event_store import Store
from tests.commands import DATA, PYTHON, run, run_ledger


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A ledger of all sample data, projected."""
    path = tmp_path / "ledger.db"
    Ledger(path).ingest(DATA)
    Ledger(path).project()
    return path


def examined(path: Path) -> dict[str, tuple[State, str, str | None]]:
    found = Ledger(path).diagnose(encoding="utf-8").examined
    return {one.what: (one.state, one.found, one.advice) for one in found}


def wrong_with(path: Path) -> LedgerError:
    """What is wrong with a ledger, which must be the last thing that is told of it."""
    found = Ledger(path).diagnose()
    assert found.error
    assert found.examined[-1].state is State.WRONG
    assert found.examined[-1].found == str(found.error)
    return found.error


def edit(path: Path, *statements: str) -> None:
    """Change what triggers protect, and put these back."""
    with closing(sqlite3.connect(path)) as connection:
        sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        triggers = connection.execute(sql).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, text in triggers:
            connection.execute(text)
        connection.commit()


def test_all_is_well_with_a_sound_ledger(db: Path) -> None:
    ran = run_ledger("doctor", cwd=db.parent)
    assert (ran.code, ran.err) == (0, "")
    assert "3 batches, 62 events; the last of 202503" in ran.out
    assert "wrong" not in ran.out
    told = json.loads(run_ledger("doctor", "--json", cwd=db.parent).out)
    assert told["healthy"] is True
    assert {one["state"] for one in told["examined"]} <= {"ok", "note"}
    assert Ledger(db).diagnose().error is None


def test_it_names_the_versions_that_are_installed(db: Path) -> None:
    found = examined(db)
    assert found["month-ledger"][1] == metadata.version("month-ledger")
    assert found["SQLite"][1] == sqlite3.sqlite_version
    for package in ("click", "msgspec", "pendulum", "pyarrow", "sqlite-utils", "rich"):
        assert f"{package} {metadata.version(package)}" in found["packages"][1]
    assert "pytest" not in found["packages"][1]


def test_a_ledger_that_is_not_there_yet_is_no_error(tmp_path: Path) -> None:
    ran = run_ledger("doctor", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert "there is none at ledger.db" in ran.out
    assert "ledger init" in ran.out
    assert not list(tmp_path.iterdir())


def test_an_extra_that_is_missing_is_told_with_its_commands(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = Extra("maps", ("click", "no_such_package"), ("report --format map", "chart"))
    monkeypatch.setitem(EXTRAS, "maps", absent)
    state, found, advice = examined(db)["extra maps"]
    assert (state, found) == (State.NOTE, "not installed: no_such_package")
    assert advice == "for `ledger report --format map` and `ledger chart`: " + absent.install
    assert Ledger(db).diagnose().error is None


def test_a_package_that_is_missing_is_an_error(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["click>=8", "no-such<2", 'x; extra == "y"']
    monkeypatch.setattr(metadata, "requires", lambda _: lines)
    error = Ledger(db).diagnose().error
    assert isinstance(error, WrongUsage)
    assert "not installed: no-such; install with: pip install no-such" in str(error)


def test_a_terminal_that_lacks_characters_is_told(db: Path) -> None:
    ran = run_ledger("doctor", cwd=db.parent, PYTHONIOENCODING="ascii")
    assert ran.code == 0
    assert "ascii, which lacks characters" in ran.out
    assert "PYTHONUTF8=1" in ran.out
    assert examined(db)["terminal"][0] is State.GOOD


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP VIEW support_report", "view support_report: it is missing"),
        ("CREATE TABLE mine (a)", "table mine: it does not belong to a ledger"),
        ("UPDATE batches SET reason = 'x' WHERE batch = 2", "batch 2: its head is not that of"),
        (
            "UPDATE files SET sha256 = lower(hex(randomblob(32))) WHERE file = 1",
            "batch 1: its head",
        ),
        ("UPDATE batches SET batch = 9 WHERE batch = 3", "batch 9: batch 3 would follow"),
    ],
)
def test_what_is_not_as_it_was_recorded_fails(db: Path, statement: str, message: str) -> None:
    edit(db, statement)
    error = wrong_with(db)
    assert isinstance(error, VerificationFailed)
    assert message in str(error)
    ran = run_ledger("doctor", "--json", cwd=db.parent)
    assert ran.code == 6
    assert json.loads(ran.out)["healthy"] is False
    assert "see: ledger verify --db " in ran.err


def test_a_projection_that_is_behind_is_told(db: Path) -> None:
    assert examined(db)["projection"][0] is State.GOOD
    Ledger(db).project("202502")
    assert examined(db)["projection"][2] == "to renew it: ledger project"
    edit(db, "DELETE FROM projection_of")
    assert examined(db)["projection"][2] == "to store one: ledger project"


def test_a_ledger_without_records_is_told(tmp_path: Path) -> None:
    db = tmp_path / "ledger.db"
    Store.for_writing(db, create=True).close()
    assert examined(db)["records"][1:] == ("nothing is recorded", "start with: ledger ingest")


def test_a_journal_and_a_full_disk_are_told(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "journal" not in examined(db)
    assert examined(db)["disk"][0] is State.GOOD
    Path(f"{db}-journal").write_bytes(b"")
    usage = shutil.disk_usage(db.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    found = examined(db)
    assert "another process is recording, or the journal is empty" in found["journal"][1]
    assert found["disk"][:2] == (State.NOTE, "1,000 bytes free")


def test_a_place_that_cannot_be_written_is_told(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert examined(db)["writing"][0] is State.GOOD
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != db)
    assert examined(db)["writing"][1] == "the ledger or its folder is read-only"


def test_nothing_heavy_is_imported(db: Path) -> None:
    names = {package for extra in EXTRAS.values() for package in extra.packages}
    heavy = sorted({"pyarrow", "pandas", "numpy", "sqlite_utils", "pendulum", *names})
    code = (
        "import sys\nfrom ledger.cli import main\nmain(['doctor'], standalone_mode=False)\n"
        f"print('loaded', sorted(set({heavy}) & set(sys.modules)))"
    )
    assert run(PYTHON, "-c", code, cwd=db.parent).out.endswith("loaded []\n")
