"""Ledgers of a version before: brought to the present one whole, or left as they are."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger import Ledger, LedgerError, StorageFailed, VerificationFailed
from ledger import upgrade as ledger_upgrade
from ledger.store.database import USER_VERSION, Store, expected_schema
from tests.attacks.shell import edit
from tests.commands import DATA, PYTHON, ROOT, run, run_ledger

LEDGERS = Path(__file__).parent / "ledgers"
DUMP = (LEDGERS / "version_2.sql").read_text(encoding="utf-8")
CORRECTION = DATA / "corrections" / "interactions_delta_202502.csv"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of version 2: three months of data/, a correction, three tags."""
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA synchronous = OFF; {DUMP}")
    return path


@pytest.fixture(params=[2, 3])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same of each older version, with its projection stored."""
    path = tmp_path / "ledger.db"
    dump = (LEDGERS / f"version_{request.param}.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA synchronous = OFF; {dump}")
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_is_refused_by_all_other_commands(path: Path) -> None:
    with pytest.raises(StorageFailed, match=r"make a copy of it, and then: ledger upgrade --db"):
        Ledger(path).status()


def test_heads_seals_and_figures_are_those_from_before(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        before = connection.execute("SELECT batch, head, seal FROM batches").fetchall()
        events = connection.execute("SELECT * FROM interactions_events").fetchall()
    done = Ledger(path).upgrade()
    assert (done.version, done.present, done.head) == (2, USER_VERSION, before[-1][1])
    with Store.for_reading(path) as store:
        assert [(b.batch, b.head, b.seal) for b in store.batches()] == before
        assert set(store.schema_objects()) == set(expected_schema())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM interactions_events").fetchall() == events


def test_it_is_the_ledger_that_the_same_files_give_today(path: Path, tmp_path: Path) -> None:
    upgraded, today = Ledger(path), Ledger(tmp_path / "today.db")
    upgraded.upgrade()
    today.ingest(DATA)
    today.ingest(files=[CORRECTION], correct="a call was missing")
    assert upgraded.receipt().head == today.receipt().head
    assert upgraded.report().rows == today.report().rows
    assert [tag.name for tag in upgraded.tags()] == ["signed-january", "signed", "later"]
    assert upgraded.tag("now").tag == 4
    assert upgraded.verify(sources=DATA).verdict == (
        "internally consistent; compared with the 12 delivered files"
    )


def test_it_is_sound_and_has_its_projection_whatever_the_version(older: Path) -> None:
    with closing(sqlite3.connect(older)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        projected = connection.execute("SELECT as_of, batch FROM projection_of").fetchall()
        rows = connection.execute("SELECT * FROM support_report").fetchall()
    ledger = Ledger(older)
    assert ledger.upgrade().version == version
    assert ledger.verify().faults == ()
    edition = ledger.stored_edition()
    assert ([(edition.as_of.number, edition.batch)] if edition else []) == projected
    with closing(sqlite3.connect(older)) as connection:
        assert connection.execute("SELECT * FROM support_report").fetchall() == rows
        with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed: action"):
            connection.execute(
                "INSERT INTO agents_events (event_id, file, line, action, agent_id) "
                "VALUES (202503000000999, 1, 2, 'put', 'A999')"
            )


def test_upgrading_again_changes_nothing(path: Path) -> None:
    Ledger(path).upgrade()
    before = digest(path)
    done = Ledger(path).upgrade()
    assert (done.version, done.present) == (USER_VERSION, USER_VERSION)
    assert digest(path) == before


def test_a_rehearsal_changes_nothing(path: Path) -> None:
    before = digest(path)
    assert Ledger(path).upgrade(dry_run=True).version == 2
    assert digest(path) == before


TAMPERING = {
    "a cell": "UPDATE agents_events SET full_name = 'Somebody' WHERE event_id = 202501000000002",
    "an event deleted": "DELETE FROM interactions_events WHERE event_id = 202502000000031",
    "an event added": "INSERT INTO agents_events (event_id, file, line, action, agent_id) "
    "VALUES (202503000000999, 1, 2, 'add', 'A999')",
    "a file": "UPDATE files SET sha256 = replace(sha256, '1', '2') WHERE file = 3",
    "a name": "UPDATE files SET name = 'delta/other.csv' WHERE file = 3",
    "a reason": "UPDATE batches SET reason = 'none' WHERE batch = 4",
    "a time": "UPDATE batches SET recorded_at = '2026-11-24T23:02:08.200000Z' WHERE batch = 2",
    "a head": "UPDATE batches SET head = replace(head, '1', '2') WHERE batch = 2",
    "a head that is none": "UPDATE batches SET head = replace(head, '1', 'x') WHERE batch = 2",
    "a seal": "UPDATE batches SET seal = replace(seal, '1', '2') WHERE batch = 4",
    "a batch deleted": "DELETE FROM batches WHERE batch = 2",
    "a tag of no batch": "UPDATE tags SET batch = 9 WHERE name = 'later'",
    "text that is no UTF-8": "UPDATE batches SET reason = CAST(x'c1ff' AS TEXT) WHERE batch = 4",
    "a flag": "UPDATE batches SET correction = 5 WHERE batch = 4",
    "a blank month": "UPDATE batches SET month = 0 WHERE batch = 4",
}


@pytest.mark.parametrize("script", TAMPERING.values(), ids=TAMPERING.keys())
def test_a_ledger_that_was_tampered_with_is_not_upgraded(path: Path, script: str) -> None:
    edit(path, script)
    before = digest(path)
    with pytest.raises(LedgerError) as raised:
        Ledger(path).upgrade()
    assert isinstance(raised.value, VerificationFailed | StorageFailed)
    assert digest(path) == before
    assert list(path.parent.iterdir()) == [path]


def test_a_planted_trigger_keeps_it_from_being_upgraded(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER planted AFTER INSERT ON agents BEGIN DELETE FROM clock; END"
        )
    before = digest(path)
    ran = run_ledger("upgrade", "--db", path, cwd=path.parent)
    assert (ran.code, ran.out) == (6, "")
    assert "not upgraded, for the ledger is not as it was recorded: trigger planted" in ran.err
    assert digest(path) == before


KILLED = """
import os, signal, sys
from ledger import Ledger
from ledger import upgrade
step = getattr(upgrade, sys.argv[2])
def killed(*arguments, **options):
    step(*arguments, **options)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(upgrade, sys.argv[2], killed)
Ledger(sys.argv[1]).upgrade()
"""


@pytest.mark.parametrize("step", ["_make_again", "_root", "verify_store"])
def test_a_killed_upgrade_leaves_the_ledger_of_before(path: Path, step: str) -> None:
    assert hasattr(ledger_upgrade, step)
    ran = run(PYTHON, "-c", KILLED, path, step, cwd=ROOT)
    assert ran.code == -9
    with pytest.raises(StorageFailed, match="by an older version"):
        Ledger(path).status()
    assert Ledger(path).upgrade().version == 2
    assert Ledger(path).verify().faults == ()


def test_what_is_too_old_or_too_new_or_no_ledger_is_told(path: Path) -> None:
    for version, message in ((1, "a much older version"), (9, "a newer version")):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        with pytest.raises(StorageFailed, match=message):
            Ledger(path).upgrade()
    path.write_text("no ledger", encoding="utf-8")
    with pytest.raises(StorageFailed, match="no SQLite database"):
        Ledger(path).upgrade()
