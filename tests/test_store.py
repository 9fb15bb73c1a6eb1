"""The ledger's file: its schema, what cannot be changed in it, and what it refuses to open."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

import pytest

from ledger import Ledger, LedgerBusy, NoLedger, RecoveryNeeded, StorageFailed, VerificationFailed
from ledger.datasets.support.description import SUPPORT
from ledger.model.dataset import Table, Type
from ledger.store import database as ledger_store
from ledger.store.event_store import Store, discard_if_empty
from ledger.store.schema import APPLICATION_ID, USER_VERSION
from tests.strategies import DeliveredFile, small_file, write_data_folder

ROOT = Path(__file__).parent.parent
EVENT_TABLES = tuple(table.events for table in SUPPORT.tables)
RECORDS = ("batches", "files", "tags", *EVENT_TABLES)

FILES = (
    small_file("agents", None, ("A1", "Ada", "CC1", "2021-03-15", "CAT1")),
    small_file("contact_centers", None, ("CC1", "Boston")),
    small_file("service_categories", None, ("CAT1", "Refunds", "Billing")),
    small_file("interactions", None, ("INT1", "2025-01-05T10:00:00Z", "phone")),
    small_file("contact_centers", 202502, ("update", "CC1", "Boston MA")),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger in which something is recorded and projected; nothing stands beside it."""
    folder = tmp_path / "in use"
    write_data_folder(tmp_path / "data", FILES)
    folder.mkdir()
    ledger = Ledger(folder / "ledger.db")
    ledger.ingest(tmp_path / "data")
    ledger.project()
    ledger.tag("signed")
    return ledger.path


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of somebody with any client of SQLite."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


# Append-only


FAR_AHEAD = "2999-01-01T00:00:00.000000Z"


def last_row(connection: sqlite3.Connection, table: str) -> dict[str, Any]:
    """The last row of a table, without what is generated."""
    names = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    sql = f"SELECT {', '.join(names)} FROM {table} ORDER BY 1 DESC LIMIT 1"
    return dict(zip(names, connection.execute(sql).fetchone(), strict=True))


def insert(
    connection: sqlite3.Connection, table: str, verb: str = "INSERT OR REPLACE", **changes: Any
) -> None:
    """Insert a copy of the last row of a table, with some values changed."""
    record = {**last_row(connection, table), **changes}
    names = list(last_row(connection, table))
    marks = ", ".join(f":{name}" for name in names)
    connection.execute(f"{verb} INTO {table} ({', '.join(names)}) VALUES ({marks})", record)


@pytest.mark.parametrize("table", RECORDS)
def test_no_recorded_row_can_be_updated(connection: sqlite3.Connection, table: str) -> None:
    for name in last_row(connection, table):
        with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
            connection.execute(f"UPDATE OR REPLACE {table} SET {name} = {name}")


@pytest.mark.parametrize("table", RECORDS)
def test_no_recorded_row_can_be_deleted(connection: sqlite3.Connection, table: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        connection.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("table", RECORDS)
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "INSERT OR IGNORE", "REPLACE", "INSERT"])
def test_no_recorded_row_can_be_replaced(
    connection: sqlite3.Connection, table: str, verb: str
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=f"{table} is append-only"):
        insert(connection, table, verb, recorded_at=FAR_AHEAD)


def test_no_recorded_row_can_be_upserted(connection: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(
            "INSERT INTO agents_events (event_id, file, line, action, agent_id) "
            "SELECT event_id, file, line, action, agent_id FROM agents_events WHERE true "
            "ON CONFLICT (event_id) DO UPDATE SET action = 'delete'"
        )


def test_a_file_is_superseded_once(connection: sqlite3.Connection) -> None:
    insert(connection, "files", file=6, supersedes=5)
    with pytest.raises(sqlite3.IntegrityError, match="superseded once"):
        insert(connection, "files", file=7, supersedes=5)


def test_the_time_of_recording_increases(connection: sqlite3.Connection) -> None:
    (last,) = connection.execute("SELECT max(recorded_at) FROM batches").fetchone()
    for moment in (last, "2000-01-01T00:00:00.000000Z"):
        with pytest.raises(sqlite3.IntegrityError, match="must increase"):
            insert(connection, "batches", batch=3, recorded_at=moment)
    insert(connection, "batches", batch=3, recorded_at=FAR_AHEAD)


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("batches", {"batch": 3, "month": 202513}),
        ("batches", {"batch": 3, "head": "abc"}),
        ("batches", {"batch": 3, "gap": 2}),
        ("batches", {"batch": 3, "recorded_at": "2999-01-01 00:00:00"}),
        ("files", {"file": 6, "kind": "other"}),
        ("files", {"file": 6, "supersedes": 7}),
        ("files", {"file": 6, "first_event": None}),
        ("files", {"file": 6, "month": 202503}),
        ("files", {"file": 6, "sha256": None}),
        ("files", {"file": 6, "kind": "retraction"}),
        ("tags", {"tag": 2, "name": "1st"}),
        ("tags", {"tag": 2, "name": ""}),
        ("tags", {"tag": 2, "name": "other", "tagged_at": "2999-01-01"}),
        ("tags", {"tag": 2, "name": "other", "seal": "abc"}),
        ("batches", {"batch": 3, "root": "abc"}),
        ("files", {"file": 6, "digest": "abc"}),
        ("contact_centers_events", {"event_id": 202502000000000}),
        ("contact_centers_events", {"event_id": 202502000000009, "action": "Add"}),
        ("contact_centers_events", {"event_id": 202502000000009, "line": 1}),
        ("contact_centers_events", {"event_id": 202502000000009, "contact_center_id": ""}),
        ("contact_centers_events", {"event_id": 202502000000009, "contact_center_id": None}),
    ],
)
def test_a_record_that_makes_no_sense_is_refused(
    connection: sqlite3.Connection, table: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="constraint failed"):
        insert(connection, table, **{"recorded_at": FAR_AHEAD, **changes})


# The schema and the description

SQL_TYPES = {Type.NUMBER: "REAL"}


def columns_of(connection: sqlite3.Connection, table: str) -> list[tuple[str, str, int]]:
    """Name, type and place in the primary key of each column that is not generated."""
    info = connection.execute(f"PRAGMA table_info({table})")
    return [(name, type_, key) for _, name, type_, _, _, key in info]


@pytest.mark.parametrize("table", SUPPORT.tables, ids=lambda table: table.name)
def test_events_hold_the_cells_of_the_description_as_text(
    connection: sqlite3.Connection, table: Table
) -> None:
    assert columns_of(connection, table.events) == [
        ("event_id", "INTEGER", 1),
        ("file", "INTEGER", 0),
        ("line", "INTEGER", 0),
        ("action", "TEXT", 0),
        *((name, "TEXT", 0) for name in table.column_names),
    ]


@pytest.mark.parametrize("table", SUPPORT.tables, ids=lambda table: table.name)
def test_projected_tables_hold_the_columns_of_the_description_typed(
    connection: sqlite3.Connection, table: Table
) -> None:
    delivered = [
        (column.name, SQL_TYPES.get(column.type, "TEXT"), int(column.name == table.key))
        for column in table.columns
    ]
    derived = [column.name for column in table.derived]
    columns = columns_of(connection, table.name)
    assert columns[: len(delivered)] == delivered
    assert [name for name, _, _ in columns[len(delivered) :]] == derived


@pytest.mark.parametrize("table", SUPPORT.tables, ids=lambda table: table.name)
def test_events_are_indexed_by_key_alone(connection: sqlite3.Connection, table: Table) -> None:
    indexes = connection.execute(f"PRAGMA index_list({table.events})").fetchall()
    assert [name for _, name, *_ in indexes] == [f"{table.events}_by_key"]
    keys = connection.execute(f"PRAGMA index_info({table.events}_by_key)").fetchall()
    assert [name for _, _, name in keys] == [table.key]


def test_the_view_of_events_joins_all_tables(connection: sqlite3.Connection) -> None:
    joined = connection.execute("SELECT event_id, table_name, key, month FROM events").fetchall()
    single = [
        (event, table.name, key, 202502 if event >= 202502 * 10**9 else 202501)
        for table in SUPPORT.tables
        for event, key in connection.execute(f"SELECT event_id, {table.key} FROM {table.events}")
    ]
    assert joined == single
    assert {name for _, name, *_ in joined} == {table.name for table in SUPPORT.tables}


def test_summaries_and_views_are_those_of_the_description(connection: sqlite3.Connection) -> None:
    for summary in SUPPORT.summaries:
        names = [name for name, _, _ in columns_of(connection, summary.name)]
        selected = connection.execute(
            summary.select.replace("FROM interactions", "FROM main.interactions")
        )
        assert [name for name, *_ in selected.description] == names
    views = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")
    assert {name for (name,) in views} == {"events", *(view.name for view in SUPPORT.views)}
    for view in SUPPORT.views:
        names = [name for name, _, _ in columns_of(connection, view.name)]
        assert names == [*view.identity, *view.values]


def test_every_table_is_strict(connection: sqlite3.Connection) -> None:
    strict = {
        name: bool(strict)
        for _, name, type_, _, _, strict in connection.execute("PRAGMA table_list")
        if type_ == "table" and not name.startswith("sqlite_")
    }
    assert strict == dict.fromkeys(strict, True)
    assert strict.keys() >= {*RECORDS, "readings", "clock", "projection_of"}


def test_the_file_says_that_it_is_a_ledger(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert connection.execute("PRAGMA user_version").fetchone() == (USER_VERSION,)
    assert APPLICATION_ID.to_bytes(4, "big") == b"LDGR"


def test_the_schema_at_the_root_is_the_one_that_is_executed(connection: sqlite3.Connection) -> None:
    text = resources("ledger").joinpath("store/schema.sql").read_bytes()
    assert (ROOT / "schema.sql").read_bytes() == text
    objects = "SELECT type, name, sql FROM sqlite_schema ORDER BY name"
    with closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(text.decode())
        assert connection.execute(objects).fetchall() == fresh.execute(objects).fetchall()


# Files that are no ledger


def test_a_missing_file_is_told_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for opened in (Store.for_reading, Store.for_writing):
        with pytest.raises(NoLedger, match="there is no ledger"):
            opened(path)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="File name too long"):
        Store.for_reading(tmp_path / ("x" * 300))


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.symlink_to(tmp_path / "nowhere.db")
    with pytest.raises(StorageFailed, match="a link that leads nowhere"):
        Store.for_writing(path, create=True)


def test_a_ledger_is_made_where_files_cannot_be_linked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)
    with Store.for_writing(tmp_path / "ledger.db", create=True) as store:
        assert store.batches() == []


@pytest.mark.parametrize("name", ["support_totals", "readings", "agents"])
def test_a_ledger_that_lacks_a_part_is_told_as_damaged(
    path: Path, connection: sqlite3.Connection, name: str
) -> None:
    connection.execute(f"DROP TABLE {name}")
    ledger = Ledger(path)
    with pytest.raises(StorageFailed, match="a part of the ledger is missing"):
        ledger.at().report() if name == "support_totals" else ledger.project(rebuild=True)


@pytest.mark.parametrize(
    "tampering",
    [
        "DROP TRIGGER agents_events_no_update",
        "CREATE TRIGGER planted AFTER INSERT ON files BEGIN DELETE FROM clock; END",
        "PRAGMA writable_schema = ON; "
        "UPDATE sqlite_schema SET sql = replace(sql, 'BEFORE', 'AFTER') "
        "WHERE name = 'batches_no_delete'",
    ],
)
def test_nothing_is_recorded_where_the_triggers_are_not_those_of_the_schema(
    path: Path, connection: sqlite3.Connection, tampering: str
) -> None:
    connection.executescript(tampering)
    ledger = Ledger(path)
    for write in (ledger.project, lambda: ledger.tag("other")):
        with pytest.raises(VerificationFailed, match=r"dropped, altered or planted.*ledger verify"):
            write()
    assert len(ledger.at("202501").report().rows) == 1


def test_a_ledger_in_a_missing_folder_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match=r"cannot be made: No such file or directory"):
        Store.for_writing(tmp_path / "missing" / "ledger.db", create=True)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def a_text(path: Path) -> None:
    path.write_text("agent_id,full_name\n" * 100)


def a_folder(path: Path) -> None:
    path.mkdir()


def another_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE agents (agent_id TEXT)")


def a_newer_ledger(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {USER_VERSION + 1}")


def an_older_ledger(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {USER_VERSION - 1}")


FOREIGN = (
    (empty, "is an empty file, not a ledger"),
    (a_text, "is no SQLite database"),
    (a_folder, "is a folder"),
    (another_database, "but not a ledger"),
    (a_newer_ledger, "newer version"),
    (an_older_ledger, "before the first release"),
)


@pytest.mark.parametrize(("make", "message"), FOREIGN)
def test_no_ledger_is_told_and_left_as_it_is(tmp_path: Path, make: Any, message: str) -> None:
    path = tmp_path / "ledger.db"
    make(path)
    before = path.is_file() and path.read_bytes()
    with pytest.raises(StorageFailed, match=message):
        Store.for_reading(path)
    with pytest.raises(StorageFailed, match=message):
        Store.for_writing(path, create=True)
    assert (path.is_file() and path.read_bytes()) == before
    assert list(tmp_path.iterdir()) == [path]


# Making and removing


def test_a_ledger_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Store.for_writing(path, create=True).close()
    before = path.read_bytes()
    Store.for_writing(path, create=True).close()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_ledger_that_somebody_made_meanwhile_is_not_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists = iter([False, True])
    monkeypatch.setattr("ledger.store.database.os.path.exists", lambda _: next(exists))
    before = path.read_bytes()
    Store.for_writing(path, create=True).close()
    assert path.read_bytes() == before


def test_a_ledger_is_discarded_only_where_nothing_is_recorded(path: Path, tmp_path: Path) -> None:
    empty_ledger = tmp_path / "empty.db"
    Store.for_writing(empty_ledger, create=True).close()
    for ledger in (empty_ledger, path):
        discard_if_empty(ledger)
    assert not empty_ledger.exists()
    assert path.exists()


def test_nothing_is_written_to_a_ledger_that_was_removed(path: Path) -> None:
    with Store.for_writing(path) as store:
        path.unlink()
        with pytest.raises(NoLedger), store.transaction():
            raise AssertionError("not reached")
        assert not store.connection.in_transaction


# Others at work


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ledger_store.CONNECT, "timeout", 0.05)


@pytest.mark.usefixtures("impatient")
def test_a_second_writer_is_told_of_the_first(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    with Store.for_writing(path) as store:
        with (
            pytest.raises(LedgerBusy, match="another process holds a lock on"),
            store.transaction(),
        ):
            raise AssertionError("not reached")
        connection.execute("ROLLBACK")
        with store.transaction():
            pass


@pytest.mark.usefixtures("impatient")
def test_readers_see_the_last_batch_while_another_is_written(
    path: Path, connection: sqlite3.Connection
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    insert(connection, "batches", batch=3, recorded_at=FAR_AHEAD)
    assert Ledger(path).status().batches == 2
    connection.execute("COMMIT")
    assert Ledger(path).status().batches == 3


@pytest.mark.usefixtures("impatient")
def test_a_writer_that_readers_keep_from_committing_undoes_all(path: Path) -> None:
    with Store.for_reading(path) as reader, Store.for_writing(path) as writer:
        with reader.snapshot():
            assert len(reader.batches()) == 2
            with pytest.raises(LedgerBusy), writer.transaction():
                writer.execute("DELETE FROM clock")
            assert not writer.connection.in_transaction
        with writer.transaction():
            pass
        assert reader.has_clock("2025-01-05")


def test_a_snapshot_sees_one_state_throughout(path: Path, tmp_path: Path) -> None:
    with Store.for_reading(path) as store, store.snapshot():
        before = store.batches()
        with (
            pytest.raises(sqlite3.OperationalError),
            closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other,
        ):
            other.execute("DELETE FROM clock")
        assert store.batches() == before


def test_a_rehearsal_is_undone(path: Path) -> None:
    before = path.read_bytes()
    with Store.for_writing(path) as store, store.rehearsal():
        with store.transaction():
            store.execute("DELETE FROM clock")
        assert not store.has_clock("2025-01-05")
    assert path.read_bytes() == before


def test_what_was_interrupted_is_undone_by_the_next_writer(path: Path) -> None:
    before = path.read_bytes()
    killed = killed_while_writing(path)
    assert killed.read_bytes() != before
    with pytest.raises(RecoveryNeeded, match="ledger doctor --recover"):
        Store.for_reading(killed)
    with Store.for_writing(killed) as store:
        assert len(store.batches()) == 2
    assert killed.read_bytes() == before
    assert list(killed.parent.iterdir()) == [killed]


def killed_while_writing(path: Path) -> Path:
    """A copy of a ledger as it lies on the disk when its writer is killed in a transaction."""
    copy = path.parent.parent / "killed" / path.name
    copy.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # What does not fit into so small a cache is written before it is committed.
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM clock")
        connection.execute("DELETE FROM agents")
        for suffix in ("", "-journal"):
            shutil.copy(f"{path}{suffix}", f"{copy}{suffix}")
        connection.execute("ROLLBACK")
    return copy


# Reading


def test_reading_leaves_the_file_and_its_folder_as_they_are(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    ledger = Ledger(path)
    for as_of in ("202501", "202502"):
        ledger.at(as_of).export(tmp_path / "output")
        ledger.at(as_of).report()
        ledger.at(as_of).answers()
    ledger.log()
    ledger.status()
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_reading_store_cannot_write_to_the_ledger(path: Path) -> None:
    before = path.read_bytes()
    with Store.for_reading(path) as store:
        with pytest.raises(StorageFailed, match="read-only; nothing was recorded"):
            store.execute("DELETE FROM ledger.clock")
        with pytest.raises(StorageFailed, match="read-only; nothing was recorded"):
            store.insert("agents", ["agent_id"], [("A2",)])
    assert path.read_bytes() == before


def test_a_read_only_file_is_read_and_not_written(path: Path, tmp_path: Path) -> None:
    path.chmod(0o444)
    if os.access(path, os.W_OK):
        pytest.skip("this user may write what is read-only")
    assert Ledger(path).status().batches == 2
    assert Ledger(path).at("202501").report().edition.batch == 2
    write_data_folder(tmp_path / "data", [small_file("agents", 202502)])
    with pytest.raises(StorageFailed, match="read-only; nothing was recorded"):
        Ledger(path).ingest(tmp_path / "data")


@pytest.mark.parametrize(
    "name",
    [
        "a b.db",
        "100%.db",
        "%20.db",
        "what?.db",
        "?mode=memory",
        "#1.db",
        "Zürich 東京.db",
        "a'b;.db",
    ],
)
def test_any_name_that_a_file_can_have_will_do(tmp_path: Path, path: Path, name: str) -> None:
    folder = tmp_path / name.removesuffix(".db")
    folder.mkdir()
    ledger = Ledger(folder / name)
    ledger.ingest(tmp_path / "data")
    ledger.project("202501")
    assert ledger.status().batches == 2
    assert len(ledger.at("202502").report().rows) == 1
    assert list(folder.iterdir()) == [ledger.path]
    assert ledger.path.stat().st_size == path.stat().st_size


def test_damage_is_told(path: Path) -> None:
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(StorageFailed, match="damaged; restore it from a backup"):
        Ledger(path).status()


# Two at work, and other journals


def many_centers(month: int, count: int) -> DeliveredFile:
    """A delta of so many rows of some 160 bytes."""
    rows = [("add", f"N{number}", "x" * 100, "y" * 50) for number in range(count)]
    return small_file("contact_centers", month, *rows)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("kept", "waits"), [(None, False), (1024, True)])
def test_readers_wait_for_a_batch_only_where_it_is_too_large_for_memory(
    path: Path, tmp_path: Path, kept: int | None, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_data_folder(tmp_path / "data", [many_centers(202503, 20_000)])
    append_batch = Store.append_batch
    seen: list[int | None] = []

    def look(store: Store, *arguments: Any) -> None:
        try:
            seen.append(Ledger(path).status().batches)
        except LedgerBusy:
            seen.append(None)
        append_batch(store, *arguments)

    monkeypatch.setattr(Store, "append_batch", look)
    if kept:
        monkeypatch.setattr(ledger_store, "_TO_WRITE", [f"PRAGMA cache_spill = -{kept}"])
    Ledger(path).ingest(tmp_path / "data")
    assert seen == [None if waits else 2]
    assert Ledger(path).status().batches == 3


def test_a_ledger_with_another_journal_goes_back_to_write(
    path: Path, connection: sqlite3.Connection, tmp_path: Path
) -> None:
    assert connection.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
    connection.close()
    with pytest.raises(RecoveryNeeded):
        Ledger(path).status()
    write_data_folder(tmp_path / "data", [many_centers(202503, 1)])
    Ledger(path).ingest(tmp_path / "data")
    with Store.for_writing(path) as store:
        assert [*store.rows("PRAGMA journal_mode")] == [("delete",)]
        assert [*store.rows("PRAGMA synchronous")] == [(3,)]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.usefixtures("impatient")
def test_a_journal_that_another_process_uses_is_told_as_a_lock(
    path: Path, connection: sqlite3.Connection
) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("DELETE FROM clock")
    with pytest.raises(LedgerBusy):
        Store.for_writing(path)


def test_a_text_that_is_none_is_told_as_damage(path: Path, connection: sqlite3.Connection) -> None:
    connection.execute("DROP TRIGGER agents_events_no_update")
    connection.execute("UPDATE agents_events SET full_name = CAST(x'ff' AS TEXT)")
    with pytest.raises(StorageFailed, match="damaged; restore it from a backup"):
        Ledger(path).at().history("agents", "A1")
