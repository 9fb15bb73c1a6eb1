"""Backups: of one state, whatever is recorded meanwhile, and whole or not there at all."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from ledger import Ledger, StorageFailed, VerificationFailed, WrongUsage
from ledger.files.atomic import put
from ledger.store import backup as ledger_backup
from tests.attacks.scene import APRIL, Scene, prepare
from tests.attacks.shell import edit
from tests.commands import LEDGER, environment
from tests.strategies import small_file, write_data_folder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return prepare(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def scene(prepared: Scene, tmp_path: Path) -> Scene:
    return prepared.copy(tmp_path / "copy")


def test_a_backup_holds_the_same_and_is_verified(scene: Scene) -> None:
    ledger, path = Ledger(scene.ledger), scene.folder / "backup.db"
    result = ledger.backup(path)
    assert (result.path, result.faults, result.batches) == (path, (), 6)
    copy = Ledger(path)
    assert copy.receipt() == ledger.receipt()
    assert copy.status().projection == ledger.status().projection
    assert copy.verify(receipts=[scene.receipt], sources=scene.sources).faults == ()
    # And it is a ledger in which one can go on.
    copy.ingest(files=write_data_folder(scene.folder / "april", [APRIL]), allow_gap=True)
    assert (copy.receipt().batch, ledger.receipt().batch) == (7, 6)


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda p: p.symlink_to("nowhere")])
def test_what_is_there_is_not_replaced(scene: Scene, make: object) -> None:
    path = scene.folder / "backup.db"
    assert callable(make)
    make(path)
    before = sorted(os.listdir(scene.folder))
    with pytest.raises(WrongUsage, match="is there already; name another file"):
        Ledger(scene.ledger).backup(path)
    assert sorted(os.listdir(scene.folder)) == before


def test_a_file_that_appears_meanwhile_is_not_replaced(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = scene.folder / "backup.db"

    def somebody_was_first(draft: Path, target: Path) -> None:
        target.write_text("theirs", encoding="utf-8")
        put(draft, target)

    monkeypatch.setattr(ledger_backup, "put", somebody_was_first)
    with pytest.raises(WrongUsage, match="is there already"):
        Ledger(scene.ledger).backup(path)
    assert path.read_text(encoding="utf-8") == "theirs"


def test_a_backup_that_fails_leaves_nothing_behind(scene: Scene) -> None:
    edit(scene.ledger, "UPDATE agents_events SET full_name = 'Somebody'")
    before = sorted(os.listdir(scene.folder))
    with pytest.raises(VerificationFailed, match="no backup is made, for the ledger is not as"):
        Ledger(scene.ledger).backup(scene.folder / "backup.db")
    assert sorted(os.listdir(scene.folder)) == before


def test_a_folder_that_is_missing_is_told(scene: Scene) -> None:
    with pytest.raises(StorageFailed, match="cannot be written: No such file or directory"):
        Ledger(scene.ledger).backup(scene.folder / "missing" / "backup.db")


def test_a_backup_while_another_process_writes_is_of_one_state(scene: Scene) -> None:
    with closing(sqlite3.connect(scene.ledger, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE agents SET full_name = 'not committed'")
        result = Ledger(scene.ledger).backup(scene.folder / "backup.db")
        writer.execute("ROLLBACK")
    assert (result.faults, result.batches) == ((), 6)


def test_backups_while_months_are_recorded_are_whole(scene: Scene) -> None:
    months = [
        small_file("agents", month, ["update", "A1", f"Ann {month}"])
        for month in (*range(202504, 202513), *range(202601, 202604))
    ]
    write_data_folder(scene.folder / "next", months)
    command = [str(LEDGER), "ingest", "--db", str(scene.ledger), "--data-dir", "next"]
    with subprocess.Popen(
        command, cwd=scene.folder, env=environment(), stdout=subprocess.DEVNULL
    ) as process:
        made: list[int] = []
        while process.poll() is None or not made:
            result = Ledger(scene.ledger).backup(scene.folder / f"backup-{len(made)}.db")
            made.append(result.batches)
    assert process.returncode == 0
    assert made == sorted(made)
    assert Ledger(scene.ledger).verify().batches == 18
