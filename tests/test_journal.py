"""What lies beside the ledger's file: journals of the interrupted, and what somebody planted."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ledger import Ledger, RecoveryNeeded, StorageFailed
from ledger.backends.ledger_file import FileBackend
from ledger.integrity.verify import Verification
from ledger.store import database as ledger_store
from ledger.store.event_store import Store
from ledger.store.journal import MAGIC
from tests.commands import DATA, LEDGER, environment, invoke_ledger
from tests.test_every_command import COMMANDS, LOCKING, READING, carry_out, contents
from tests.test_store import killed_while_writing

HANGS_AFTER = 60

posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a ledger of all sample data, projected."""
    path = tmp_path_factory.mktemp("recorded") / "ledger.db"
    Ledger(path).ingest(DATA)
    Ledger(path).project("202502")
    return path


@pytest.fixture
def db(tmp_path: Path, recorded: Path) -> Path:
    """A ledger, alone in its folder."""
    folder = tmp_path / "ledger"
    folder.mkdir()
    return Path(shutil.copy(recorded, folder / "ledger.db"))


@pytest.fixture
def killed(db: Path) -> Path:
    """A ledger beside which an interrupted writer left a hot journal, alone in its folder."""
    return killed_while_writing(db)


def beside(path: Path, end: str) -> Path:
    return path.with_name(f"{path.name}{end}")


def planted(path: Path, victim: Path) -> Path:
    """A journal beside a ledger that has no page, and names a file to be deleted."""
    name = os.fsencode(victim)
    header = MAGIC + struct.pack(">5I", 0, 1, path.stat().st_size // 4096, 512, 4096)
    named = struct.pack(">I", 2**30 // 4096 + 1) + name + struct.pack(">2I", len(name), sum(name))
    journal = beside(path, "-journal")
    journal.write_bytes(header.ljust(512, b"\0") + named + MAGIC)
    return journal


def refused(command: str, db: Path, *said: object) -> None:
    """Run a command, which must exit with 5, say something, and change nothing."""
    before = contents(db.parent)
    name, *options = command.split()
    ran = carry_out(name, db, *options)
    assert ran.code == 5, f"{command}: {ran}"
    for part in said:
        assert str(part) in ran.err, command
    assert contents(db.parent) == before, command


# A super-journal


def test_no_command_deletes_the_file_that_a_journal_names(db: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept", encoding="utf-8")
    journal = planted(db, victim)
    for command in (*COMMANDS, "doctor --recover"):
        refused(command, db, journal, "super-journal")
        assert victim.read_text(encoding="utf-8") == "kept", command


def test_a_journal_that_is_not_hot_may_name_no_file_either(db: Path, tmp_path: Path) -> None:
    journal = planted(db, tmp_path / "victim")
    journal.write_bytes(b"\0" * 28 + journal.read_bytes()[28:])
    for command in LOCKING:
        refused(command, db, journal, "super-journal")
    assert Ledger(db).status().batches == 3


def test_sqlite_deletes_the_file_that_such_a_journal_names(db: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("lost", encoding="utf-8")
    planted(db, victim)
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("SELECT * FROM batches")
    assert not victim.exists()


# A hot journal


def test_no_command_that_reads_rolls_a_journal_back(killed: Path) -> None:
    for command in READING:
        refused(command, killed, beside(killed, "-journal"), "ledger doctor --recover")


def test_a_reader_is_refused_by_an_error_of_its_own(killed: Path) -> None:
    with pytest.raises(RecoveryNeeded):
        Ledger(killed).status()


def test_the_next_writer_recovers(killed: Path, recorded: Path) -> None:
    assert carry_out("tag", killed).code == 0
    assert sorted(contents(killed.parent)) == ["ledger.db"]
    assert Ledger(killed).status().head == Ledger(recorded).status().head
    assert Ledger(killed).verify().faults == ()


def test_a_ledger_is_recovered_on_purpose(killed: Path, recorded: Path) -> None:
    ran = invoke_ledger("doctor", "--recover", "--json", db=killed)
    assert ran.code == 0
    examined = {one["what"]: one for one in json.loads(ran.out)["examined"]}
    assert examined["recovery"]["state"] == "ok"
    assert str(beside(killed, "-journal")) in examined["recovery"]["found"]
    assert sorted(contents(killed.parent)) == ["ledger.db"]
    assert killed.read_bytes() == recorded.read_bytes()


def test_nothing_is_recovered_where_nothing_was_left(db: Path, recorded: Path) -> None:
    ran = invoke_ledger("doctor", "--recover", db=db)
    assert ran.code == 0
    assert "nothing to recover" in ran.out
    assert db.read_bytes() == recorded.read_bytes()


def test_what_does_not_verify_is_not_recovered(db: Path) -> None:
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("UPDATE contact_centers SET contact_center_name = 'forged'")
        connection.commit()
    killed = killed_while_writing(db)
    before = contents(killed.parent)
    ran = invoke_ledger("doctor", "--recover", db=killed)
    assert ran.code == 6
    assert contents(killed.parent) == before


def test_what_another_process_changes_meanwhile_is_not_recovered(
    killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = FileBackend.verify

    def verify_and_change(backend: FileBackend) -> Verification:
        os.utime(killed, (0, 0))
        return verify(backend)

    monkeypatch.setattr(FileBackend, "verify", verify_and_change)
    before = contents(killed.parent)
    assert invoke_ledger("doctor", "--recover", db=killed).code == 4
    assert contents(killed.parent) == before


def test_a_journal_is_found_through_a_link_to_the_ledger(killed: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(killed)
    with pytest.raises(RecoveryNeeded, match=str(beside(killed, "-journal"))):
        Ledger(link).status()
    beside(killed, "-journal").unlink()
    beside(killed, "-journal").mkdir()
    with pytest.raises(StorageFailed, match=str(beside(killed, "-journal"))):
        Ledger(link).status()


def test_a_journal_that_somebody_is_writing_keeps_nobody_from_reading(db: Path) -> None:
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM clock")
        assert beside(db, "-journal").stat().st_size
        assert Ledger(db).status().batches == 3


@pytest.mark.parametrize("content", [b"", b"\0" * 512])
def test_a_journal_that_holds_nothing_is_left_alone(db: Path, content: bytes) -> None:
    beside(db, "-journal").write_bytes(content)
    before = contents(db.parent)
    assert carry_out("status", db).code == 0
    assert carry_out("doctor", db).code == 0
    assert contents(db.parent) == before


def test_a_journal_that_is_gone_when_sqlite_opens_it_is_not_taken_for_hot(db: Path) -> None:
    journal = beside(db, "-journal")
    journal.write_bytes(b"of a writer")
    hot = sqlite3.OperationalError("attempt to write a readonly database")
    hot.sqlite_errorcode = sqlite3.SQLITE_READONLY_ROLLBACK

    def read() -> str:
        if journal.exists():
            journal.unlink()
            raise hot
        return "read"

    assert ledger_store._seen(db, read) == "read"


@pytest.mark.parametrize("end", ["-journal", "-wal"])
def test_a_journal_of_another_ledger_is_not_taken_for_that_of_a_new_one(db: Path, end: str) -> None:
    db.unlink()
    beside(db, end).write_bytes(MAGIC)
    for command in ("ingest", "run"):
        refused(command, db, end)


def test_beside_an_empty_file_nothing_is_deleted(db: Path) -> None:
    db.write_bytes(b"")
    for end in ("-journal", "-wal"):
        beside(db, end).write_bytes(b"kept")
    for command in COMMANDS:
        refused(command, db)


# No regular files


def make_link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


@posix
@pytest.mark.parametrize("end", ["-journal", "-wal", "-shm"])
@pytest.mark.parametrize("make", [make_link, make_pipe, Path.mkdir])
def test_what_is_no_regular_file_is_refused(
    db: Path, end: str, make: Callable[[Path], None]
) -> None:
    make(beside(db, end))
    # By a process first, which does not wait for ever.
    done = subprocess.run(
        [str(LEDGER), "status", "--db", str(db)],
        env=environment(),
        capture_output=True,
        timeout=HANGS_AFTER,
        check=False,
    )
    assert done.returncode == 5
    for command in (*COMMANDS, "doctor --recover"):
        refused(command, db, beside(db, end))


# The write-ahead log


def logged(db: Path) -> Path:
    """A copy of a ledger whose last change stands in a write-ahead log that nobody took in."""
    copy = db.parent.parent / "logged" / db.name
    copy.parent.mkdir()
    with closing(sqlite3.connect(db, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("DELETE FROM clock WHERE false")
        connection.execute("PRAGMA user_version = 4")
        for end in ("", "-wal"):
            shutil.copy(beside(db, end), beside(copy, end))
    assert beside(copy, "-wal").stat().st_size
    return copy


def switched(db: Path) -> Path:
    """A ledger that is set to the write-ahead log, in which nothing stands."""
    with closing(sqlite3.connect(db)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    assert sorted(contents(db.parent)) == ["ledger.db"]
    return db


@pytest.mark.parametrize("make", [logged, switched])
def test_no_command_that_reads_makes_or_takes_in_a_write_ahead_log(
    db: Path, make: Callable[[Path], Path]
) -> None:
    path = make(db)
    for command in READING:
        refused(command, path, path.name, "ledger doctor --recover")


@pytest.mark.parametrize("make", [logged, switched])
def test_a_write_ahead_log_is_taken_in_on_purpose(db: Path, make: Callable[[Path], Path]) -> None:
    path = make(db)
    assert invoke_ledger("doctor", "--recover", db=path).code == 0
    assert sorted(contents(path.parent)) == ["ledger.db"]
    assert Ledger(path).verify().faults == ()


def test_to_read_a_ledger_leaves_the_locks_of_the_process_on_it(db: Path) -> None:
    with Store.for_writing(db) as store, store.rehearsal():
        Ledger(db).status()
        code = (
            "import sqlite3, sys\n"
            "connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
            "connection.execute('BEGIN IMMEDIATE')"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(db)], capture_output=True, check=False
        )
    assert b"database is locked" in done.stderr
