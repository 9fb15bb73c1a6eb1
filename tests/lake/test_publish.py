"""What is published is what is recorded, whenever and however often that is done."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from ledger import Ledger, LedgerBusy, StorageFailed, VerificationFailed, WrongUsage
from ledger.datasets.support.description import SUPPORT
from ledger.errors import LedgerDamaged
from ledger.lake import folder
from ledger.lake.folder import lake_folder, make_lake
from ledger.lake.layout import ROWS_AT_ONCE
from tests.attacks.scene import Scene, prepare
from tests.chronicle import Chronicle, Plan, beginning, carry_out, few_examples, plans
from tests.lake.lakes import (
    LAYOUTS,
    RECORDS,
    RELATIONS,
    TABLES,
    assert_same,
    lake_of,
    ledger_rows,
    publish,
    records_of,
    rows_of,
    tree,
    verify,
)
from tests.strategies import small_file, write_data_folder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return prepare(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def scene(prepared: Scene, tmp_path: Path) -> Scene:
    return prepared.copy(tmp_path / "copy")


def tag_what_there_is(chronicle: Chronicle) -> None:
    """Give a name, where there is anything to name."""
    if any(batch == chronicle.batches for _, batch in chronicle.editions()):
        chronicle.ledger.tag(f"after-{chronicle.batches}")


@given(plans())
@settings(few_examples, max_examples=10)
def test_after_each_batch_or_at_the_end_the_lake_is_the_ledger(plan: Plan) -> None:
    with beginning(plan) as chronicle:
        often, once = chronicle.folder / "often", chronicle.folder / "once"
        for _ in carry_out(plan, chronicle):
            publish(chronicle.ledger, often)
            tag_what_there_is(chronicle)
            assert_same_but_tags(often, chronicle)
        publish(chronicle.ledger, often)
        done = publish(chronicle.ledger, once)
        assert (done.layout, done.held, len(done.batches)) == (
            *("parquet", chronicle.batches, chronicle.batches),
        )
        assert done.events == sum(len(arrival.events) for arrival in chronicle.arrivals)
        assert_same(once, chronicle.ledger)
        assert tree(once) == tree(often)
        assert verify(once, chronicle.ledger.path).faults == ()


def assert_same_but_tags(root: Path, chronicle: Chronicle) -> None:
    for relation in (*RELATIONS, "batches", "files"):
        assert rows_of(root, relation) == ledger_rows(chronicle.ledger.path, relation), relation


@pytest.mark.parametrize("layout", LAYOUTS)
def test_all_of_a_ledger_in_which_everything_occurs(layout: str, scene: Scene) -> None:
    root = scene.folder / "lake"
    done = publish(Ledger(scene.ledger), root, layout)
    assert (len(done.batches), done.tags, done.held) == (6, 2, 6)
    assert_same(root, Ledger(scene.ledger))
    records = records_of(root)
    assert [batch.batch for batch in records.batches] == [1, 2, 3, 4, 5, 6]
    assert [tag.name for tag in records.tags] == ["first", "signed"]
    assert {row[2] for row in rows_of(root, "readings")} == {"2025-01-20T08:00:00Z", None}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_once_more_changes_nothing(layout: str, scene: Scene) -> None:
    root = scene.folder / "lake"
    publish(Ledger(scene.ledger), root, layout)
    before, times = tree(root), {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    done = publish(Ledger(scene.ledger), root)
    assert (done.batches, done.files, done.events, done.tags, done.held) == ((), 0, 0, 0, 6)
    assert tree(root) == before
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == times


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_lake_that_is_behind_is_brought_up(layout: str, scene: Scene) -> None:
    root = scene.folder / "lake"
    publish(Ledger(scene.folder / "old.db"), root, layout)
    before = tree(root)
    done = publish(Ledger(scene.ledger), root)
    assert [batch.batch for batch in done.batches] == [4, 5, 6]
    assert done.tags == 2 - len(Ledger(scene.folder / "old.db").tags())
    after = tree(root)
    assert {name: after[name] for name in before} == before
    assert_same(root, Ledger(scene.ledger))


def test_columns_have_the_types_of_the_ledger_and_the_month_is_a_folder(scene: Scene) -> None:
    root = scene.folder / "lake"
    publish(Ledger(scene.ledger), root)
    for table in SUPPORT.tables:
        for path in (root / table.events).rglob("*.parquet"):
            found = pq.ParquetFile(path).schema_arrow
            numbers = ("event_id", "file", "line")
            assert found.names == [*numbers, "action", *table.column_names]
            assert found.types == [pa.int64()] * 3 + [pa.string()] * (1 + len(table.column_names))
            (record,) = [f for f in records_of(root).files if f.file == int(path.stem)]
            assert path.parent.name == f"month={record.month}"
    readings = pq.ParquetFile(root / "readings" / "00000001.parquet").schema_arrow
    assert readings.types == [pa.int64(), pa.string(), pa.string(), pa.string()]


def test_row_groups_are_small_and_say_which_events_they_hold(tmp_path: Path) -> None:
    rows = [[f"C{number}", "Boston", "MA"] for number in range(ROWS_AT_ONCE + 10)]
    files = write_data_folder(tmp_path, [small_file("contact_centers", None, *rows)])
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(files=files, initial_month="202501")
    publish(ledger, tmp_path / "lake")
    path = tmp_path / "lake/contact_centers_events/month=202501/00000001.parquet"
    metadata = pq.ParquetFile(path).metadata
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [ROWS_AT_ONCE, 10]
    ends = [group.column(0).statistics for group in groups]
    start = 202501 * 10**9
    assert [(end.min, end.max) for end in ends] == [
        (start + 1, start + ROWS_AT_ONCE),
        (start + ROWS_AT_ONCE + 1, start + ROWS_AT_ONCE + 10),
    ]
    assert {group.column(c).compression for group in groups for c in range(7)} == {"ZSTD"}
    assert verify(tmp_path / "lake", ledger.path).faults == ()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("other", ["other.db", "old.db"])
def test_another_ledger_or_an_earlier_state_is_refused(
    layout: str, other: str, scene: Scene
) -> None:
    root = scene.folder / "lake"
    publish(Ledger(scene.ledger), root, layout)
    before = tree(root)
    with pytest.raises(VerificationFailed, match="another folder"):
        publish(Ledger(scene.folder / other), root)
    assert tree(root) == before


def test_a_ledger_of_other_batches_as_many_is_refused(tmp_path: Path) -> None:
    ledgers = []
    for name in ("one", "two"):
        data = write_data_folder(tmp_path / name, [small_file("agents", None, ["A1", name])])
        ledgers.append(Ledger(tmp_path / f"{name}.db"))
        ledgers[-1].ingest(files=data, initial_month="202501")
    publish(ledgers[0], tmp_path / "lake")
    before = tree(tmp_path / "lake")
    with pytest.raises(VerificationFailed, match=r"batch 1 of the lake .* has the head"):
        publish(ledgers[1], tmp_path / "lake")
    assert tree(tmp_path / "lake") == before


def test_another_tag_in_the_place_of_one_is_refused(scene: Scene) -> None:
    root, again = scene.folder / "lake", scene.folder / "again.db"
    shutil.copy(scene.ledger, again)
    Ledger(scene.ledger).tag("yes")
    Ledger(again).tag("no")
    publish(Ledger(scene.ledger), root)
    with pytest.raises(VerificationFailed, match=r"the tag yes where .* has no"):
        publish(Ledger(again), root)


def test_a_folder_that_holds_something_else_is_left_alone(scene: Scene) -> None:
    before = tree(scene.sources)
    with pytest.raises(WrongUsage, match="has other files and is no lake"):
        publish(Ledger(scene.ledger), scene.sources)
    assert tree(scene.sources) == before
    with pytest.raises(StorageFailed, match="is no folder"):
        publish(Ledger(scene.ledger), scene.receipt)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_lake_keeps_its_layout(layout: str, scene: Scene) -> None:
    root = scene.folder / "lake"
    publish(Ledger(scene.ledger), root, layout)
    before = tree(root)
    (other,) = {*folder.LAYOUTS} - {layout}
    with pytest.raises(WrongUsage, match=f"of the layout {layout}; name another folder"):
        publish(Ledger(scene.ledger), root, other)
    with pytest.raises(WrongUsage, match="unknown layout 'iceberg'; choose one of: parquet, delta"):
        publish(Ledger(scene.ledger), root, "iceberg")
    assert tree(root) == before


def marker(**changes: object) -> str:
    """What a lake is marked with, somewhat changed."""
    whole = {"layout": "parquet", "version": 1, "dataset": SUPPORT.name}
    return json.dumps({**whole, **changes})


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", LedgerDamaged, "is not the marker of a lake"),
        ("[]", LedgerDamaged, "is not the marker of a lake"),
        ("[" * 100_000, LedgerDamaged, "nested too deeply"),
        (marker().replace("{", '{"layout": "delta", ', 1), LedgerDamaged, "'layout' twice"),
        ('{"layout": "parquet"}', LedgerDamaged, "is not the marker of a lake"),
        (marker(version=2), StorageFailed, "a newer version"),
        (marker(layout="iceberg"), StorageFailed, "a newer version"),
        (marker(dataset="sales"), WrongUsage, "a lake of sales, not of customer-support"),
    ],
)
def test_what_marks_no_lake_is_refused(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    (tmp_path / "lake.json").write_text(text)
    with pytest.raises(error, match=message):
        make_lake(tmp_path, SUPPORT)
    assert tree(tmp_path) == {"lake.json": text.encode()}


def test_where_there_is_no_lake_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="make one with: ledger publish"):
        lake_of(tmp_path)
    assert lake_folder(f"file://{tmp_path}/a%20b") == tmp_path / "a b"
    with pytest.raises(WrongUsage, match="mount a bucket or HDFS"):
        lake_folder("s3://bucket/lake")


def test_a_layout_without_its_package_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "ledger.lake.delta", raising=False)
    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(WrongUsage, match=r"pip install 'month-ledger\[lake\]'"):
        make_lake(tmp_path / "lake", SUPPORT, "delta")
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_of_two_at_once_one_is_refused_and_nothing_is_harmed(layout: str, scene: Scene) -> None:
    root = scene.folder / "lake"
    publish(Ledger(scene.folder / "old.db"), root, layout)
    before = tree(root)
    with lake_of(root).writing():
        for ledger in (scene.ledger, scene.folder / "other.db"):
            with pytest.raises(LedgerBusy, match="another process is writing to the lake"):
                publish(Ledger(ledger), root)
    assert tree(root) == before
    publish(Ledger(scene.ledger), root)
    assert_same(root, Ledger(scene.ledger))


def test_whoever_makes_a_lake_at_the_same_time_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists = os.path.exists

    def too_early(path: Any) -> bool:
        monkeypatch.setattr(os.path, "exists", exists)
        make_lake(tmp_path, SUPPORT)
        return False

    monkeypatch.setattr(os.path, "exists", too_early)
    assert make_lake(tmp_path, SUPPORT).name == "parquet"
    assert [*tree(tmp_path)] == ["lake.json"]


Failing = Callable[..., Any]


def fails(code: int, after: int) -> Failing:
    """A function that fails as the operating system does, after so many calls that do nothing."""
    calls = iter(range(after))

    def failing(*_: Any, **__: Any) -> None:
        if next(calls, None) is None:
            raise OSError(code, os.strerror(code))

    return failing


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("place", ["fsync", "replace", "write", "mkdir"])
def test_what_the_disk_refuses_is_said_and_can_be_done_later(
    place: str, code: int, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = scene.folder / "lake"
    publish(Ledger(scene.folder / "old.db"), root)
    with monkeypatch.context() as patched:
        if place == "fsync":
            patched.setattr(os, "fsync", fails(code, 3))
        elif place == "replace":
            patched.setattr(Path, "replace", fails(code, 0))
        elif place == "write":
            patched.setattr(pq.ParquetWriter, "write_batch", fails(code, 0))
        else:
            patched.setattr(Path, "mkdir", fails(code, 0))
        with pytest.raises(StorageFailed, match=os.strerror(code)):
            publish(Ledger(scene.ledger), root)
    assert len(records_of(root).batches) == 3
    assert not [*root.glob(".ledger-draft-*")]
    publish(Ledger(scene.ledger), root)
    assert_same(root, Ledger(scene.ledger))


def test_a_lake_that_cannot_be_made_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "mkdir", fails(errno.EACCES, 0))
    with pytest.raises(StorageFailed, match="cannot be made: Permission denied"):
        make_lake(tmp_path / "lake", SUPPORT)


def test_a_ledger_that_cannot_be_read_meanwhile_is_what_is_said(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger.store.event_store import Store

    def broken(*_: Any) -> Any:
        raise LedgerDamaged("the ledger's file is damaged")
        yield

    monkeypatch.setattr(Store, "chunks", broken)
    with pytest.raises(LedgerDamaged, match="the ledger's file is damaged"):
        publish(Ledger(scene.ledger), scene.folder / "lake")


@pytest.mark.parametrize("relation", [name for name in RECORDS if name != "tags"])
def test_records_that_are_missing_or_no_records_are_no_lake(relation: str, scene: Scene) -> None:
    root = scene.folder / "lake"
    publish(Ledger(scene.ledger), root)
    path = root / relation / "00000002.parquet"
    for content in (b"", b"PAR1", path.read_bytes()[:-9]):
        path.write_bytes(content)
        with pytest.raises(LedgerDamaged, match="cannot be read"):
            records_of(root)
    pq.write_table(pa.table({"batch": ["2"]}), path)
    with pytest.raises(LedgerDamaged, match="does not have the columns"):
        records_of(root)
    path.unlink()
    if relation == "files":
        with pytest.raises(LedgerDamaged, match="cannot be read"):
            records_of(root)


def test_strays_are_read_by_nobody(scene: Scene) -> None:
    root = scene.folder / "lake"
    publish(Ledger(scene.ledger), root)
    known, events = records_of(root), lake_of(root)
    before = [events.event_files(SUPPORT.table(table), known) for table in TABLES]
    shutil.copy(root / "files/00000006.parquet", root / "files/00000007.parquet")
    shutil.copy(root / "readings/00000006.parquet", root / "readings/00000007.parquet")
    stray = root / "agents_events/month=202504/00000099.parquet"
    stray.parent.mkdir()
    stray.write_bytes(b"begun")
    (root / "notes.txt").write_text("mine")
    assert records_of(root) == known
    assert [events.event_files(SUPPORT.table(table), known) for table in TABLES] == before
    assert verify(root, scene.ledger).faults == ()
