"""Whatever is changed in a lake is found, and said where."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Ledger
from ledger.datasets.support.description import SUPPORT
from ledger.integrity import verify as verification
from ledger.integrity.documents import read_document
from ledger.integrity.verify import find_faults
from ledger.lake.folder import make_lake
from ledger.lake.relations import record_row
from ledger.lake.source import LakeTarget, lake_checks, verify_lake
from ledger.model.digest import batch_digest, file_digest, next_head, next_seal
from ledger.model.receipt import Receipt
from ledger.store.event_store import Store
from tests.attacks.scene import APRIL, LATE, Scene, prepare
from tests.attacks.shell import edit
from tests.chronicle import Plan, chronicle_of, few_examples, plans
from tests.lake.lakes import LAYOUTS, lake_of, publish, read, records_of, tree, verify
from tests.strategies import small_file, write_data_folder

FEBRUARY = "interactions_events/month=202502/00000006.parquet"
"""The events of file 6: three of batch 2, two lines each but the last."""
JANUARY = "interactions_events/month=202501/00000004.parquet"
NOT_OF_BATCH_2 = "batch 2: its events are not those that were recorded, in: "


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    scene = prepare(tmp_path_factory.mktemp("scene"))
    publish(Ledger(scene.ledger), scene.folder / "lake")
    return scene


@pytest.fixture
def scene(prepared: Scene, tmp_path: Path) -> Scene:
    return prepared.copy(tmp_path / "copy")


@pytest.fixture
def lake(scene: Scene) -> Path:
    return scene.folder / "lake"


def receipt_at(path: Path) -> tuple[Path, Receipt]:
    return path, read_document(path, Receipt)


def put(path: Path, table: pa.Table) -> None:
    """Write another table in the place of one."""
    pq.write_table(table, path)


def with_value(table: pa.Table, column: str, row: int, value: Any) -> pa.Table:
    """The same with another value in one cell."""
    place = table.column_names.index(column)
    values = table.column(column).to_pylist()
    values[row] = value
    return table.set_column(place, table.field(place), pa.array(values, table.field(place).type))


def changed(column: str, row: int, value: Any) -> Callable[[Path], None]:
    return lambda path: put(path, with_value(read(path), column, row, value))


def dropped(row: int) -> Callable[[Path], None]:
    def drop(path: Path) -> None:
        table = read(path)
        put(path, table.take([place for place in range(len(table)) if place != row]))

    return drop


def twice(path: Path) -> None:
    table = read(path)
    put(path, pa.concat_tables([table, table.slice(len(table) - 1)]))


def swapped(other: str) -> Callable[[Path], None]:
    def swap(path: Path) -> None:
        theirs = path.parents[len(path.parts) - path.parts.index("lake") - 2] / other
        first, second = path.read_bytes(), theirs.read_bytes()
        path.write_bytes(second)
        theirs.write_bytes(first)

    return swap


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def garbled(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8:40] = bytes(32)
    path.write_bytes(content)


def renamed(path: Path) -> None:
    table = read(path)
    put(path, table.rename_columns(["number", *table.column_names[1:]]))


def retyped(path: Path) -> None:
    table = read(path)
    put(path, table.set_column(2, "line", table.column("line").cast(pa.int32())))


def other_digest(path: Path, column: str) -> None:
    value = read(path).column(column)[0].as_py()
    changed(column, 0, value[:-1] + ("1" if value[-1] == "0" else "0"))(path)


def digest(column: str) -> Callable[[Path], None]:
    return lambda path: other_digest(path, column)


def emptied(path: Path) -> None:
    put(path, read(path).slice(0, 0))


def reversed_rows(path: Path) -> None:
    table = read(path)
    put(path, table.take(list(range(len(table)))[::-1]))


EVENT = "event delta/interactions_delta_202502.csv"
FILE = "file delta/interactions_delta_202502.csv (batch 2)"

DAMAGE: list[tuple[str, Callable[[Path], None], str, str]] = [
    # Which file, what is done to it, what is said without the ledger, and with it.
    (FEBRUARY, changed("channel", 0, "email"), NOT_OF_BATCH_2, f"{EVENT}:2 (event 202502000000002"),
    (FEBRUARY, changed("channel", 1, None), NOT_OF_BATCH_2, f"{EVENT}:3 (event 202502000000003"),
    (FEBRUARY, changed("action", 2, "add"), NOT_OF_BATCH_2, f"{EVENT}:4 (event 202502000000004"),
    (FEBRUARY, changed("line", 2, 9), NOT_OF_BATCH_2, f"{EVENT}:9 (event 202502000000004"),
    (FEBRUARY, changed("file", 1, 5), "it is recorded as one of file 5", "of file 5"),
    (FEBRUARY, changed("event_id", 1, 7), "it is missing, and 7 in its place", EVENT),
    (FEBRUARY, changed("event_id", 0, None), "it is missing, and None in its place", EVENT),
    (FEBRUARY, dropped(0), f"{EVENT} (event 202502000000002, batch 2) in {FEBRUARY}", "is missing"),
    (FEBRUARY, dropped(2), "(event 202502000000004, batch 2)", "it is missing"),
    (FEBRUARY, emptied, "(event 202502000000002, batch 2)", "it is missing"),
    (FEBRUARY, twice, "it is missing, and 202502000000004 in its place", EVENT),
    (FEBRUARY, reversed_rows, "it is missing, and 202502000000004 in its place", EVENT),
    (FEBRUARY, swapped(JANUARY), "it is missing, and 202501000000007 in its place", EVENT),
    (FEBRUARY, cut, FILE, f"{FEBRUARY} cannot be read"),
    (FEBRUARY, garbled, FILE, f"{FEBRUARY} cannot be read"),
    (FEBRUARY, Path.unlink, f"{FILE}: ", f"{FEBRUARY} cannot be read"),
    (FEBRUARY, renamed, FILE, "does not have the columns"),
    (FEBRUARY, retyped, FILE, "does not have the columns"),
    (
        "readings/00000001.parquet",
        changed("value", 0, "x"),
        "derived readings/00000001",
        "typed values of its cells",
    ),
    (
        "readings/00000001.parquet",
        changed("code", 0, "x"),
        "event 202501000000008",
        "typed values of its cells",
    ),
    (
        "readings/00000001.parquet",
        changed("event_id", 0, None),
        "readings/00000001",
        "event 202501000000008",
    ),
    (
        "readings/00000001.parquet",
        dropped(0),
        "readings/00000001",
        "not the typed values of its cells",
    ),
    ("readings/00000001.parquet", twice, "readings/00000001", "not the typed values of its cells"),
    (
        "readings/00000002.parquet",
        swapped("readings/00000001.parquet"),
        "00000001",
        "typed values of its cells",
    ),
    ("readings/00000001.parquet", cut, "readings/00000001.parquet cannot be read", "storage"),
    ("clock/00000001.parquet", changed("utc_offset", 0, "-04:00"), "clock/00000001.parquet", "not"),
    ("clock/00000002.parquet", dropped(3), "derived clock/00000002.parquet 2025-02-", "not the"),
    ("clock/00000002.parquet", twice, "derived clock/00000002.parquet 2025-02-", "not the"),
    ("clock/00000003.parquet", swapped("clock/00000002.parquet"), "clock/00000002", "not the"),
    ("clock/00000002.parquet", Path.unlink, "clock/00000002.parquet cannot be read", "storage"),
    ("files/00000002.parquet", changed("name", 0, "x.csv"), "file x.csv (batch 2): its record", ""),
    ("files/00000002.parquet", changed("bytes", 1, 5), f"{FILE}: its record is not as", ""),
    (
        "files/00000002.parquet",
        digest("sha256"),
        "file delta/agents_delta_202502.csv (batch 2)",
        "",
    ),
    (
        "files/00000002.parquet",
        digest("digest"),
        "file delta/agents_delta_202502.csv (batch 2)",
        "",
    ),
    ("files/00000002.parquet", changed("rows", 1, 2), f"{FILE}: its record is not as", ""),
    ("files/00000002.parquet", changed("last_event", 1, 202502000000003), "has no such event", ""),
    ("files/00000002.parquet", changed("first_event", 1, None), "its record is not as it was", ""),
    ("files/00000002.parquet", changed("table_name", 1, "agents"), FILE, "cannot be read"),
    ("files/00000002.parquet", changed("table_name", 1, "x"), FILE, "its record is not as"),
    ("files/00000002.parquet", changed("month", 1, 202503), FILE, "cannot be read"),
    ("files/00000002.parquet", dropped(1), "batch 2: ", ""),
    ("files/00000002.parquet", twice, "batch 2: its record, files or events", "batch 2"),
    ("files/00000002.parquet", reversed_rows, "batch 2: ", ""),
    ("files/00000002.parquet", swapped("files/00000003.parquet"), "", ""),
    ("files/00000002.parquet", Path.unlink, "files/00000002.parquet cannot be read", "storage"),
    ("files/00000002.parquet", changed("kind", 0, "x"), "its record is not as", "delta/agents"),
    ("batches/00000004.parquet", changed("reason", 0, "x"), "batch 4: its record, its head", ""),
    ("batches/00000004.parquet", changed("correction", 0, 0), "batch 4: its record, its head", ""),
    ("batches/00000004.parquet", changed("correction", 0, 7), "correction", "storage"),
    ("batches/00000004.parquet", changed("events", 0, 9), "batch 4: its record, its head", ""),
    ("batches/00000004.parquet", digest("root"), "batch 4: its root is not that of its events", ""),
    ("batches/00000004.parquet", digest("head"), "batch 4: ", "batch 4: it has another head"),
    ("batches/00000004.parquet", digest("seal"), "batch 4: its time", "it has another seal"),
    ("batches/00000004.parquet", changed("recorded_at", 0, "2025-01-01"), "batch 4: its time", ""),
    ("batches/00000004.parquet", swapped("batches/00000003.parquet"), "of its number", "storage"),
    ("batches/00000004.parquet", Path.unlink, "batches/00000004.parquet: it is missing", "storage"),
    ("batches/00000006.parquet", emptied, "the record of its number in each file", "storage"),
    ("batches/00000002.parquet", twice, "the record of its number in each file", "storage"),
    ("tags/00000001.parquet", changed("as_of", 0, 202502), "tag first: it is not as it was", ""),
    ("tags/00000002.parquet", changed("name", 0, "x"), "tag x: it is not as it was given", ""),
    ("tags/00000001.parquet", Path.unlink, "tags/00000001.parquet: it is missing", "storage"),
    (
        "tags/00000002.parquet",
        swapped("tags/00000001.parquet"),
        "tags does not have the record",
        "storage",
    ),
]


def test_a_lake_that_is_well(scene: Scene, lake: Path) -> None:
    before = tree(lake)
    result = verify(lake)
    assert (result.root, result.layout, result.batches) == (lake, "parquet", 6)
    assert result.head == Ledger(scene.ledger).receipt().head
    assert result.events == Ledger(scene.ledger).receipt().events
    assert (result.faults, result.anchored, result.held_to) == ((), 0, None)
    assert result.verdict == "internally consistent; not checked against any ledger"
    held = verify(lake, scene.ledger, [receipt_at(scene.receipt)])
    assert (held.anchored, held.held_to, held.recorded) == (6, scene.ledger, 6)
    assert held.verdict == (
        "internally consistent; anchored by a receipt up to batch 6; "
        f"checked against the ledger {scene.ledger} up to batch 6 of 6"
    )
    assert tree(lake) == before


def identified(damage: object) -> str | None:
    return damage if isinstance(damage, str) and damage.endswith(".parquet") else None


@pytest.mark.parametrize(("name", "harm", "alone", "held"), DAMAGE, ids=identified)
def test_whatever_is_changed_is_found(
    name: str, harm: Callable[[Path], None], alone: str, held: str, scene: Scene, lake: Path
) -> None:
    harm(lake / name)
    for ledger, expected in ((None, alone), (scene.ledger, held)):
        result = verify(lake, ledger)
        faults = [str(fault) for fault in result.faults]
        assert faults, "nothing was found"
        assert any(expected in fault for fault in faults), faults
        assert result.verdict == f"the lake is not as it was published: {faults[0]}"


@given(plans(), st.data())
@settings(few_examples, max_examples=5)
def test_another_value_in_any_cell_is_found(plan: Plan, data: st.DataObject) -> None:
    with chronicle_of(plan) as chronicle:
        root = chronicle.folder / "lake"
        publish(chronicle.ledger, root)
        assert verify(root).faults == ()
        files = [path for path in sorted(root.rglob("*.parquet")) if len(read(path))]
        for path in data.draw(st.lists(st.sampled_from(files), max_size=6, min_size=1)):
            table, content = read(path), path.read_bytes()
            column = data.draw(st.sampled_from(table.column_names), label="column")
            row = data.draw(st.integers(0, len(table) - 1), label="row")
            put(path, with_value(table, column, row, other(table, column, row)))
            for ledger in (None, chronicle.ledger.path):
                assert verify(root, ledger).faults, (path, column, row)
            path.write_bytes(content)


def other(table: pa.Table, column: str, row: int) -> Any:
    """Another value than that of a cell; of a digest, another digest."""
    value = table.column(column)[row].as_py()
    if table.field(column).type != pa.string():
        return 1 if value is None else value + 1
    if value is None:
        return "x"
    return value[:-1] + ("1" if value[-1] == "0" else "0") if len(value) == 64 else f"{value}~"


def test_a_number_written_otherwise_is_another_reading(tmp_path: Path) -> None:
    row = ["I1", *[""] * 8, "1e1", ""]
    files = write_data_folder(tmp_path, [small_file("interactions", None, row)])
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(files=files, initial_month="202501")
    publish(ledger, tmp_path / "lake")
    path = tmp_path / "lake/readings/00000001.parquet"
    assert read(path).to_pylist()[0]["value"] == "10.0"
    changed("value", 0, "10")(path)
    assert (
        "event 202501000000001 of initial/interactions.csv: not the typed values"
        in verify(tmp_path / "lake").verdict
    )


def test_a_lake_that_is_behind_is_well_and_one_that_goes_on_is_not(
    scene: Scene, lake: Path
) -> None:
    old = scene.folder / "old.db"
    result = verify(lake, old)
    assert [str(fault) for fault in result.faults] == [
        f"batch 4: the ledger {old} ends with batch 3",
        *(f"tag {name}: the ledger {old} has 1 tags, and not this one" for name in ("signed",)),
    ]
    behind = scene.folder / "behind"
    publish(Ledger(old), behind)
    ends = f"checked against the ledger {scene.ledger} up to batch 3 of 6"
    assert verify(behind, scene.ledger).verdict == f"internally consistent; {ends}"


def checks_that_find(root: Path, ledger: Path, without: str = "") -> set[str]:
    """The names of the checks that find a fault of a lake, of all or without one of them."""
    with Store.for_reading(ledger) as store, store.snapshot():
        checks = lake_checks(store).without(without)
        return {
            check for check, _ in find_faults(LakeTarget(lake_of(root), SUPPORT, store), checks)
        }


def test_the_checks_that_a_ledger_has_not_are_not_idle(scene: Scene, lake: Path) -> None:
    elsewhere = scene.folder / "elsewhere-lake"
    publish(Ledger(scene.folder / "other.db"), elsewhere)
    (lake / "batches" / "00000004.parquet").unlink()
    for root, check in ((lake, "placement"), (elsewhere, "published-ledger")):
        assert checks_that_find(root, scene.ledger) == {check}
        assert checks_that_find(root, scene.ledger, without=check) == set()


def test_what_is_computed_from_events_that_were_changed_is_not_checked(
    scene: Scene, lake: Path
) -> None:
    changed("code", 0, "x")(lake / "readings" / "00000001.parquet")
    assert checks_that_find(lake, scene.ledger) == {"typed-values"}
    changed("channel", 0, "email")(lake / FEBRUARY)
    assert checks_that_find(lake, scene.ledger) == {"events"}


def test_the_lake_of_another_ledger_is_told_by_its_head(scene: Scene, lake: Path) -> None:
    other_ledger = scene.folder / "other.db"
    elsewhere = scene.folder / "elsewhere-lake"
    publish(Ledger(other_ledger), elsewhere)
    assert verify(elsewhere).faults == ()
    (fault,) = verify(elsewhere, scene.ledger).faults
    assert str(fault) == f"batch 1: it has another head in the ledger {scene.ledger}"


def test_another_tag_than_that_of_the_ledger_is_a_fault(scene: Scene, lake: Path) -> None:
    again = scene.folder / "again.db"
    shutil.copy(scene.folder / "old.db", again)
    Ledger(again).tag("mine")
    Ledger(scene.folder / "old.db").tag("theirs")
    root = scene.folder / "tagged"
    publish(Ledger(again), root)
    faults = [str(fault) for fault in verify(root, scene.folder / "old.db").faults]
    assert len(faults) == 1
    assert re.fullmatch(r"tag mine: the ledger .* has theirs in its place, .*", faults[0])


def test_receipts_anchor_a_lake(scene: Scene, lake: Path) -> None:
    result = verify(lake, None, [receipt_at(scene.folder / "old-receipt.json")])
    assert result.verdict == (
        "internally consistent; anchored by a receipt up to batch 3 of 6; "
        "not checked against any ledger"
    )
    other_receipt = scene.folder / "other-receipt.json"
    result = verify(lake, None, [receipt_at(other_receipt)])
    assert (result.anchored, "another head" in result.verdict) == (0, True)
    behind = scene.folder / "behind"
    publish(Ledger(scene.folder / "old.db"), behind)
    result = verify(behind, scene.ledger, [receipt_at(scene.receipt)])
    assert "it is of batch 6, and the lake ends with 3" in result.verdict


def test_where_the_marks_of_the_ledger_were_changed_a_sound_lake_is_well(
    scene: Scene, lake: Path
) -> None:
    edit(scene.ledger, "UPDATE event_marks SET marks = zeroblob(length(marks))")
    assert verify(lake, scene.ledger).faults == ()


def test_without_batches_there_is_nothing_to_find(scene: Scene, tmp_path: Path) -> None:
    make_lake(tmp_path / "empty", SUPPORT)
    result = verify(tmp_path / "empty", scene.ledger)
    assert (result.batches, result.events, result.head, result.faults) == (0, 0, None, ())


def test_it_is_told_how_many_events_are_done(scene: Scene, lake: Path) -> None:
    told: list[tuple[int, int]] = []
    result = verify_lake(lake_of(lake), SUPPORT, progress=lambda *done: told.append(done))
    assert told[-1] == (result.events, result.events)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_of_many_faults_the_first_are_kept(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "FAULTS_KEPT", 3)
    for path in (lake / "interactions_events").rglob("*.parquet"):
        path.unlink()
    for path in (lake / "agents_events").rglob("*.parquet"):
        path.unlink()
    assert len(verify(lake).faults) == 3


def test_an_event_of_a_late_stretch_is_named(tmp_path: Path) -> None:
    rows = [[f"C{number}", "Boston", "MA"] for number in range(70_000)]
    files = write_data_folder(tmp_path, [small_file("contact_centers", None, *rows)])
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(files=files, initial_month="202501")
    publish(ledger, tmp_path / "lake")
    path = tmp_path / "lake/contact_centers_events/month=202501/00000001.parquet"
    table = with_value(read(path), "location", 66_666, "elsewhere")
    # In row groups that do not end where marks do.
    pq.write_table(table, path, row_group_size=5000)
    (fault,) = verify(tmp_path / "lake", ledger.path).faults
    assert str(fault).startswith(
        "event initial/contact_centers.csv:66668 (event 202501000066667, batch 1) in "
    )
    pq.write_table(with_value(table, "location", 66_666, "MA"), path, row_group_size=5000)
    assert verify(tmp_path / "lake", ledger.path).faults == ()


# Of a lake of Delta.


@pytest.fixture
def delta(scene: Scene) -> Path:
    pytest.importorskip("deltalake", reason="pip install 'month-ledger[lake]'")
    root = scene.folder / "delta" / "lake"
    publish(Ledger(scene.ledger), root, "delta")
    return root


DELTA_DAMAGE = [
    *(damage for damage in DAMAGE if damage[0] == FEBRUARY and damage[1] is not Path.unlink),
    (FEBRUARY, Path.unlink, FILE, FILE),
]


@pytest.mark.parametrize(("name", "harm", "alone", "held"), DELTA_DAMAGE)
def test_events_of_a_lake_of_delta(
    name: str, harm: Callable[[Path], None], alone: str, held: str, scene: Scene, delta: Path
) -> None:
    harm(delta / name)
    for ledger, expected in ((None, alone), (scene.ledger, held)):
        faults = [str(fault) for fault in verify(delta, ledger).faults]
        assert any(expected in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("relation", "column"),
    [
        *(("readings", column) for column in ("event_id", "column_name", "value", "code")),
        *(("clock", column) for column in ("utc_hour", "local_hour", "minute_shift")),
        *(("files", column) for column in ("name", "sha256", "rows", "supersedes", "file")),
        *(("batches", column) for column in ("batch", "events", "root", "head", "seal")),
        *(("tags", column) for column in ("name", "tag", "seal", "batch")),
    ],
)
def test_a_value_in_any_table_of_delta(relation: str, column: str, delta: Path) -> None:
    paths = [path for path in sorted((delta / relation).glob("*.parquet")) if len(read(path))]
    table = read(paths[0])
    put(paths[0], with_value(table, column, 0, other(table, column, 0)))
    assert verify(delta).faults


def last_commit(delta: Path, relation: str) -> Path:
    return max((delta / relation / "_delta_log").glob("*.json"))


def test_what_a_table_of_delta_says_of_its_files_is_held_to_their_records(
    scene: Scene, delta: Path
) -> None:
    path = last_commit(delta, "agents_events")
    before = path.read_text()

    def said(change: Callable[[dict[str, Any]], object]) -> list[str]:
        lines = [json.loads(line) for line in before.splitlines()]
        for line in lines:
            if "add" in line:
                stats = json.loads(line["add"]["stats"])
                line["add"]["stats"] = stats
                change(line["add"])
                line["add"]["stats"] = json.dumps(stats)
        path.write_text("\n".join(map(json.dumps, lines)) + "\n")
        return [str(fault) for fault in verify(delta, scene.ledger).faults]

    says = "its entry in the table differs from its record"
    assert said(lambda add: None) == []
    for change in (
        lambda add: add["stats"].update(numRecords=7),
        lambda add: add["stats"]["minValues"].update(event_id=1),
        lambda add: add["stats"]["maxValues"].update(event_id=1),
        lambda add: add["stats"]["minValues"].update(file=1),
        lambda add: add["partitionValues"].update(month="202501"),
    ):
        (fault,) = said(change)
        assert says in fault
        assert "storage agents_events/month=202503/" in fault


def test_a_file_that_the_table_lost_or_got_is_told(scene: Scene, delta: Path) -> None:
    table = "agents_events"
    commit = last_commit(delta, table)
    content = commit.read_text()
    commit.unlink()
    faults = [str(fault) for fault in verify(delta, scene.ledger).faults]
    assert any("its table does not have it" in fault for fault in faults), faults
    commit.write_text(content)
    stray = commit.with_name(f"{int(commit.stem) + 1:020}.json")
    lines = [json.loads(line) for line in content.splitlines()]
    (add,) = [line for line in lines if "add" in line]
    shutil.copy(delta / table / add["add"]["path"], delta / table / "stray.parquet")
    add["add"]["path"] = "stray.parquet"
    stray.write_text(json.dumps(add) + "\n")
    (fault,) = verify(delta, scene.ledger).faults
    assert str(fault).startswith("storage agents_events/stray.parquet: its table has it, but no ")


@pytest.mark.parametrize("relation", ["agents_events", "batches", "files", "readings", "tags"])
def test_a_log_of_delta_that_cannot_be_read_is_a_fault(
    relation: str, scene: Scene, delta: Path
) -> None:
    last_commit(delta, relation).write_text("{")
    (fault, *_) = verify(delta, scene.ledger).faults
    assert fault.kind == "storage"
    assert relation in str(fault)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_reading_of_no_event_is_a_fault_unless_a_batch_is_begun(
    layout: str, scene: Scene
) -> None:
    root = scene.folder / f"of-{layout}"
    publish(Ledger(scene.ledger), root, layout)
    paths = [path for path in sorted((root / "readings").glob("*.parquet")) if len(read(path))]
    table = read(paths[0])
    row = with_value(table.slice(0, 1), "event_id", 0, 202512000000001)
    put(paths[0], pa.concat_tables([table, row.cast(table.schema)]))
    (fault,) = verify(root, scene.ledger).faults
    assert (fault.kind, "of event 202512000000001" in fault.where) == ("derived", True)


# Of a chain that was written anew as a whole, so that every digest agrees.


def rewrite_last_batch(root: Path, of_batch: dict[str, Any], of_file: dict[str, Any]) -> None:
    """Change the records of the last batch, which has a file, and all digests after that."""
    known = records_of(root)
    before, last = known.batches[-2:]
    batch, file = replace(last, **of_batch), replace(known.files[-1], **of_file)
    digest = batch_digest(batch.contents, [file.contents], batch.events, batch.root)
    head = next_head(before.head, digest)
    seal = next_seal(before.seal, head, batch.recorded_at, [file.name])
    rows = {
        "files": record_row(replace(file, digest=file_digest(file.contents, file.name))),
        "batches": record_row(replace(batch, head=head, seal=seal)),
    }
    for relation, row in rows.items():
        path = root / relation / f"{batch.batch:08}.parquet"
        table = read(path)
        put(
            path,
            pa.Table.from_pylist([dict(zip(table.column_names, row, strict=True))], table.schema),
        )


@pytest.mark.parametrize(
    ("of_batch", "of_file", "message"),
    [
        ({"events": 5}, {}, "batch 5: its record has 5 events, and it has 1"),
        ({"recorded_at": "2000-01-01T00:00:00.000000Z"}, {}, "batch 5: it is not of a later time"),
        ({}, {"supersedes": 1}, "it supersedes another file than the last one of its table"),
        ({}, {"kind": "x"}, "another head in the ledger"),
    ],
)
def test_a_chain_that_was_written_anew_is_held_to_how_records_follow(
    of_batch: dict[str, Any], of_file: dict[str, Any], message: str, scene: Scene
) -> None:
    ledger, root = scene.folder / "five.db", scene.folder / "five"
    shutil.copy(scene.folder / "old.db", ledger)
    for month, file in ((202504, APRIL), (202505, replace(LATE, month=202505))):
        Ledger(ledger).ingest(files=write_data_folder(scene.folder / str(month), [file]))
    publish(Ledger(ledger), root)
    rewrite_last_batch(root, {}, {})
    assert verify(root, ledger).faults == ()
    rewrite_last_batch(root, of_batch, of_file)
    faults = [str(fault) for fault in verify(root, ledger).faults]
    assert any(message in fault for fault in faults), faults
    if of_file != {"kind": "x"}:
        assert any(message in str(fault) for fault in verify(root).faults)
