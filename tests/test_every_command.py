"""What every command does where the ledger is missing, no ledger, damaged, or read-only."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest

from ledger import Ledger
from ledger.cli import main
from ledger.store import database as ledger_store
from ledger.store.event_store import Store
from tests.commands import DATA, Ran, invoke_ledger
from tests.media import read_only
from tests.strategies import small_file, write_data_folder
from tests.test_store import FOREIGN, killed_while_writing

ARGUMENTS = {
    "ingest": ("--data-dir", "{data}"),
    "run": ("--data-dir", "{data}", "--out-dir", "{out}", "--report-dir", "{out}"),
    "export": ("--out-dir", "{out}"),
    "report": ("--out-dir", "{out}"),
    "history": ("interactions", "INT1003"),
    "explain": ("--month", "2025-01"),
    "diff": ("202501", "202502"),
    "bridge": ("--from", "202501", "--to", "202502"),
    "retract": ("agents", "202503", "--reason", "not ours"),
    "tag": ("signed",),
    "prove": ("interactions", "INT1003"),
    "backup": ("{data}/copy.db",),
    "publish": ("{out}/lake",),
    "query": ("SELECT * FROM interactions_events",),
}
"""What each command needs; the others need nothing."""

APART = ("init", "verify-proof", "verify-report", "serve")
"""Those that have to do with no ledger, and the one that does not end; see test_serving.py."""

COMMANDS = [name for name in main.commands if name not in APART]

MAKING = ("ingest", "run")
RECORDING = (*MAKING, "project", "retract", "tag")
LOCKING = RECORDING
READING = [name for name in COMMANDS if name not in LOCKING]

commands = pytest.mark.parametrize("command", COMMANDS)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a ledger of all sample data, projected."""
    path = tmp_path_factory.mktemp("recorded") / "ledger.db"
    Ledger(path).ingest(DATA)
    Ledger(path).project("202502")
    return path


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Where a ledger is to be, alone in its folder."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    return folder / "ledger.db"


def carry_out(command: str, db: Path, *options: str) -> Ran:
    """Run a command that writes, if it does, beside the ledger's folder; all it delivers is new."""
    data = db.parent.parent / "data"
    write_data_folder(data, [small_file("contact_centers", 202504, ("add", "CC99", "New"))])
    places = {"data": data, "out": db.parent.parent / "out"}
    arguments = [argument.format(**places) for argument in ARGUMENTS.get(command, ())]
    return invoke_ledger(command, *arguments, *options, db=db)


def contents(folder: Path) -> dict[str, bytes | None]:
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in (*MAKING, "doctor")])
def test_a_missing_ledger_is_wrong_usage_and_is_not_made(command: str, db: Path) -> None:
    ran = carry_out(command, db)
    assert ran.code == 2
    assert f"there is no ledger {db}; make one with: ledger ingest" in ran.err
    assert not contents(db.parent)


@commands
@pytest.mark.parametrize(("make", "message"), FOREIGN)
def test_what_is_no_ledger_is_told_and_left_as_it_is(
    command: str, make: Callable[[Path], None], message: str, db: Path
) -> None:
    make(db)
    before = contents(db.parent)
    ran = carry_out(command, db)
    assert ran.code == 5
    assert message in ran.err
    assert contents(db.parent) == before


def overwritten(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))


def cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(5 * 4096)


@commands
@pytest.mark.parametrize("damage", [overwritten, cut])
def test_a_damaged_ledger_is_told_and_left_as_it_is(
    command: str, damage: Callable[[Path], None], db: Path, recorded: Path
) -> None:
    shutil.copy(recorded, db)
    damage(db)
    before = contents(db.parent)
    ran = carry_out(command, db)
    assert ran.code == (6 if command == "verify" else 5)
    assert "damaged; restore it from a backup" in ran.err
    assert contents(db.parent) == before


@commands
def test_a_ledger_that_another_process_locks_is_read_and_not_written(
    command: str, db: Path, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ledger_store.CONNECT, "timeout", 0.05)
    shutil.copy(recorded, db)
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        ran = carry_out(command, db)
    assert ran.code == (4 if command in LOCKING else 0)
    assert (f"another process holds a lock on {db}" in ran.err) == (command in LOCKING)


@pytest.mark.parametrize("command", [*RECORDING, "export"])
def test_an_interruption_leaves_all_as_it_was(
    command: str, db: Path, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(recorded, db)
    carry_out("export", db)
    out = db.parent.parent / "out"
    before = contents(db.parent), contents(out)
    rows = Store.rows

    def interrupt(store: Store, sql: str, parameters: Sequence[object] = ()) -> object:
        # Late: what is recorded is about to be.
        if "'batch', head" in sql:
            raise KeyboardInterrupt
        return rows(store, sql, parameters)

    monkeypatch.setattr(Store, "rows", interrupt)
    # The files of an export are open then.
    monkeypatch.setattr(Store, "longest_row", Mock(side_effect=KeyboardInterrupt))
    ran = carry_out(command, db)
    assert ran.code == 130
    assert "Interrupted" in ran.err
    assert (contents(db.parent), contents(out)) == before


@pytest.mark.parametrize("command", READING)
def test_reading_leaves_the_ledger_and_its_folder_as_they_are(
    command: str, db: Path, recorded: Path
) -> None:
    shutil.copy(recorded, db)
    before = contents(db.parent)
    assert carry_out(command, db).code == 0
    assert contents(db.parent) == before


def test_a_read_only_medium_is_read_and_not_written(db: Path, recorded: Path) -> None:
    shutil.copy(recorded, db)
    before = contents(db.parent)
    with read_only(db.parent):
        for command in READING:
            assert carry_out(command, db).code == 0, command
        for command in RECORDING:
            ran = carry_out(command, db)
            assert ran.code == 5, command
            assert "the ledger is read-only; nothing was recorded" in ran.err, command
    assert contents(db.parent) == before


def test_what_was_interrupted_is_told_with_the_way_on_where_it_cannot_be_undone(
    recorded: Path, tmp_path: Path
) -> None:
    (tmp_path / "in use").mkdir()
    killed = killed_while_writing(Path(shutil.copy(recorded, tmp_path / "in use")))
    before = contents(killed.parent)
    with read_only(killed.parent):
        for command in COMMANDS:
            ran = carry_out(command, killed)
            assert ran.code == 5, command
            assert "copy it and the file beside it to where you may write" in ran.err, command
    assert contents(killed.parent) == before
    assert invoke_ledger("doctor", "--recover", db=killed).code == 0
    assert sorted(contents(killed.parent)) == ["ledger.db"]
    assert killed.read_bytes() == recorded.read_bytes()


def test_a_first_ledger_on_a_read_only_medium_cannot_be_made(db: Path) -> None:
    with read_only(db.parent):
        ran = invoke_ledger("ingest", "--data-dir", DATA, db=db)
    assert ran.code == 5
    assert "cannot be made: " in ran.err
    assert not contents(db.parent)


@pytest.mark.parametrize("command", ["export", "report"])
def test_an_output_folder_that_is_read_only_is_told(command: str, db: Path, recorded: Path) -> None:
    shutil.copy(recorded, db)
    out = db.parent.parent / "out"
    assert carry_out(command, db).code == 0
    before = contents(out)
    with read_only(out):
        ran = carry_out(command, db, "--as-of", "202501")
    assert ran.code == 5
    assert f"{out} cannot be written: " in ran.err
    assert "what was there before is unchanged" in ran.err
    assert contents(out) == before
