"""A lake of Delta as whoever reads Delta finds it: tables to which is only ever appended."""

from __future__ import annotations

import errno
import importlib
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from ledger import Ledger, StorageFailed
from ledger.datasets.support.description import SUPPORT
from ledger.lake.folder import VERSION, make_lake
from tests.attacks.scene import Scene, prepare
from tests.chronicle import Plan, beginning, carry_out, few_examples, plans
from tests.lake.lakes import (
    RECORDS,
    RELATIONS,
    TABLES,
    Row,
    assert_same,
    lake_of,
    ledger_rows,
    publish,
    read,
    records_of,
    rows_of,
    tree,
    verify,
)

deltalake = pytest.importorskip(
    "deltalake", reason="it is not there; install with: pip install 'month-ledger[lake]'"
)
delta: Any = importlib.import_module("ledger.lake.delta")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    scene = prepare(tmp_path_factory.mktemp("scene"))
    publish(Ledger(scene.ledger), scene.folder / "lake", "delta")
    return scene


@pytest.fixture
def scene(prepared: Scene, tmp_path: Path) -> Scene:
    return prepared.copy(tmp_path / "copy")


@pytest.fixture
def lake(scene: Scene) -> Path:
    return scene.folder / "lake"


def table_of(lake: Path, relation: str) -> Any:
    return deltalake.DeltaTable(str(lake / relation))


def files_of(lake: Path, relation: str) -> list[Path]:
    """The files that a table has, by its own log."""
    uris = table_of(lake, relation).file_uris()
    return sorted(Path(unquote(urlsplit(str(uri)).path)) for uri in uris)


def delta_rows(lake: Path, relation: str) -> list[Row]:
    found: list[Row] = []
    for path in files_of(lake, relation):
        found += [tuple(row.values()) for row in read(path).to_pylist()]
    return sorted(found, key=lambda row: row[:2])


def actions(lake: Path, relation: str, kind: str) -> list[dict[str, Any]]:
    """The actions of a kind in the log of a table, in order."""
    found = []
    for path in sorted((lake / relation / "_delta_log").glob("*.json")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        found += [line[kind] for line in lines if kind in line]
    return found


def test_what_tables_hold_is_what_the_ledger_holds(scene: Scene, lake: Path) -> None:
    for relation in (*RELATIONS, *RECORDS):
        assert delta_rows(lake, relation) == ledger_rows(scene.ledger, relation), relation
    assert_same(lake, Ledger(scene.ledger))


@given(plans(most=2))
@settings(few_examples, max_examples=3)
def test_after_each_batch_or_at_the_end_the_tables_hold_the_same(plan: Plan) -> None:
    with beginning(plan) as chronicle:
        often, once = chronicle.folder / "often", chronicle.folder / "once"
        for _ in carry_out(plan, chronicle):
            publish(chronicle.ledger, often, "delta")
        publish(chronicle.ledger, once, "delta")
        for root in (often, once):
            assert verify(root, chronicle.ledger.path).faults == ()
            for relation in (*RELATIONS, *RECORDS):
                assert rows_of(root, relation) == ledger_rows(chronicle.ledger.path, relation)
        assert records_of(often) == records_of(once)


def test_nothing_that_is_in_a_table_may_leave_it(lake: Path) -> None:
    for relation in (*RELATIONS, *RECORDS):
        table = table_of(lake, relation)
        assert table.metadata().configuration == {"delta.appendOnly": "true"}
        assert actions(lake, relation, "remove") == []
        with pytest.raises(deltalake.exceptions.DeltaError):
            table.delete()


def test_once_more_makes_no_new_version(scene: Scene, lake: Path) -> None:
    before = {relation: table_of(lake, relation).version() for relation in (*RELATIONS, *RECORDS)}
    files = tree(lake)
    publish(Ledger(scene.ledger), lake)
    assert tree(lake) == files
    assert before == {relation: table_of(lake, relation).version() for relation in before}


def test_a_transaction_is_of_its_batch_or_tag(lake: Path) -> None:
    records = records_of(lake)
    batches = [(batch.head, batch.batch) for batch in records.batches]
    for relation in ("batches", "files", "readings", "clock"):
        found = [(txn["appId"], txn["version"]) for txn in actions(lake, relation, "txn")]
        assert found == batches
    for table in TABLES:
        found = [(txn["appId"], txn["version"]) for txn in actions(lake, f"{table}_events", "txn")]
        of_table = [file.batch for file in records.files if file.table_name == table and file.rows]
        assert found == [batches[batch - 1] for batch in of_table]
    found = [(txn["appId"], txn["version"]) for txn in actions(lake, "tags", "txn")]
    assert found == [(tag.seal, tag.tag) for tag in records.tags]


def test_files_of_events_are_those_of_their_months(lake: Path) -> None:
    records = records_of(lake)
    for table in SUPPORT.tables:
        recorded = [f for f in records.files if f.table_name == table.name and f.rows]
        expected = sorted(
            lake / table.events / f"month={file.month}" / f"{file.file:08}.parquet"
            for file in recorded
        )
        assert files_of(lake, table.events) == expected
        assert sorted(lake_of(lake).event_files(table, records)) == expected
        assert "month" not in pq.ParquetFile(expected[0]).schema_arrow.names
        assert table_of(lake, table.events).metadata().partition_columns == ["month"]
        names = [field.name for field in table_of(lake, table.events).schema().fields]
        assert names == ["event_id", "file", "line", "action", *table.column_names, "month"]
        months = {add["partitionValues"]["month"] for add in actions(lake, table.events, "add")}
        assert months == {str(file.month) for file in recorded}
        for month in {file.month for file in recorded}:
            up_to = [path for path in expected if path.parent.name <= f"month={month}"]
            assert sorted(lake_of(lake).event_files(table, records, month)) == up_to


def test_a_table_says_which_events_its_files_hold(lake: Path) -> None:
    for table in TABLES:
        for add in actions(lake, f"{table}_events", "add"):
            stats = json.loads(add["stats"])
            path = lake / f"{table}_events" / unquote(add["path"])
            found = read(path)
            events = found.column("event_id").to_pylist()
            assert stats["numRecords"] == len(events)
            assert stats["minValues"]["event_id"] == min(events)
            assert stats["maxValues"]["event_id"] == max(events)
            assert {stats[f"{end}Values"]["file"] for end in ("min", "max")} == {int(path.stem)}
            assert add["size"] == path.stat().st_size


def test_events_of_a_batch_that_was_only_begun_are_left_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, write = scene.folder / "begun", delta.write_deltalake

    def until_batch_4(table: Any, rows: Any, **named: Any) -> None:
        if "root" in rows.column_names and rows.column("batch")[0].as_py() == 4:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        write(table, rows, **named)

    with monkeypatch.context() as patched:
        patched.setattr(delta, "write_deltalake", until_batch_4)
        with pytest.raises(StorageFailed, match="batches cannot be read or written"):
            publish(Ledger(scene.ledger), root, "delta")
    records = records_of(root)
    assert (len(records.batches), {file.batch for file in records.files}) == (3, {1, 2, 3})
    last = records.files[-1].file
    for table in SUPPORT.tables:
        paths = lake_of(root).event_files(table, records)
        assert all(int(path.stem) <= last for path in paths)
    begun = {path for table in SUPPORT.tables for path in files_of(root, table.events)}
    assert any(int(path.stem) > last for path in begun)
    ends = f"checked against the ledger {scene.ledger} up to batch 3 of 6"
    assert verify(root, scene.ledger).verdict == f"internally consistent; {ends}"
    publish(Ledger(scene.ledger), root)
    assert_same(root, Ledger(scene.ledger))
    assert verify(root, scene.ledger).faults == ()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
@pytest.mark.parametrize("place", ["fsync", "replace", "events", "rows", "create"])
def test_what_the_disk_refuses_is_said_and_can_be_done_later(
    place: str, code: int, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    owner: Any
    owner, name = {
        "fsync": (os, "fsync"),
        "replace": (Path, "replace"),
        "events": (delta.DeltaTable, "create_write_transaction"),
        "rows": (delta, "write_deltalake"),
        "create": (delta.DeltaTable, "create"),
    }[place]
    root = scene.folder / "again"
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, failing)
        with pytest.raises(StorageFailed, match=os.strerror(code)):
            publish(Ledger(scene.ledger), root, "delta")
    assert records_of(root).batches == ()
    publish(Ledger(scene.ledger), root)
    assert_same(root, Ledger(scene.ledger))


def test_what_delta_cannot_read_is_no_traceback(scene: Scene, lake: Path) -> None:
    for relation in ("batches", "files", "tags"):
        log = max((lake / relation / "_delta_log").glob("*.json"))
        content = log.read_text()
        for broken in ("{", '{"add": {}}\n', "\0" * 9, '{"protocol": {"minReaderVersion": 99}}\n'):
            log.write_text(broken)
            with pytest.raises(StorageFailed, match=relation):
                records_of(lake)
        log.write_text(content)
    assert len(records_of(lake).batches) == 6


def test_each_version_is_on_disk_before_the_next_table_is_written(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = scene.folder / "synced"
    on_disk: set[str] = set()
    fsync = os.fsync

    def noted(handle: int) -> None:
        on_disk.add(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    write = delta.write_deltalake

    def checked(*arguments: Any, **named: Any) -> None:
        written = {str(path) for path in root.rglob("*") if path.is_file()}
        assert {path for path in written - on_disk if "lake.json" not in path} == set()
        write(*arguments, **named)

    if not Path("/proc/self/fd").exists():
        pytest.skip("the system does not tell which file a handle is of")
    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(delta, "write_deltalake", checked)
    publish(Ledger(scene.ledger), root, "delta")
    for path in root.rglob("*"):
        assert str(path) in on_disk or path.name == "lake.json", path


def test_a_lake_of_delta_is_marked_as_one(tmp_path: Path) -> None:
    make_lake(tmp_path / "lake", SUPPORT, "delta")
    marker = json.loads((tmp_path / "lake" / "lake.json").read_text())
    assert marker == {"layout": "delta", "version": VERSION, "dataset": SUPPORT.name}
    assert lake_of(tmp_path / "lake").name == "delta"
    assert records_of(tmp_path / "lake").batches == ()
