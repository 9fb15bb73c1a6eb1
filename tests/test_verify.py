"""What verification finds of a ledger drawn at random, and what it leaves as it is."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import Ledger, WrongUsage, verify_proof, verify_report
from tests.attacks.scene import Scene, prepare
from tests.attacks.shell import edit, unguarded
from tests.chronicle import Plan, chronicle_of, few_examples, plans

RECORDED = (
    *("batches", "files", "tags", "event_marks", "readings", "clock"),
    *("agents_events", "contact_centers_events", "service_categories_events"),
    "interactions_events",
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return prepare(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def scene(prepared: Scene, tmp_path: Path) -> Scene:
    return prepared.copy(tmp_path / "copy")


def cells(path: Path) -> list[tuple[str, str, int]]:
    """Every cell of every recorded row: table, column, and the place of the row."""
    found = []
    with closing(sqlite3.connect(path)) as connection:
        for table in RECORDED:
            (rows,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info ({table})")]
            found += [(table, column, row) for row in range(rows) for column in columns]
    return found


def other(value: Any) -> Any:
    """Another value of the same type; of a digest, another digest."""
    if isinstance(value, str):
        return value[:-1] + ("1" if value[-1] == "0" else "0") if len(value) == 64 else f"{value}~"
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    return "x" if value is None else value + 1


def change(path: Path, table: str, column: str, place: int) -> None:
    """Put another value into one cell."""
    with unguarded(path) as connection:
        info = connection.execute(f"PRAGMA table_info ({table})").fetchall()
        columns = [name for _, name, *_ in info]
        query = f"SELECT {', '.join(columns)} FROM {table} ORDER BY {columns[0]} LIMIT 1 OFFSET ?"
        row = connection.execute(query, (place,)).fetchone()
        value = row[columns.index(column)]
        if value is None and info[columns.index(column)][2] == "INTEGER":
            value = 0
        where = " AND ".join(f"{name} IS ?" for name in columns)
        update = f"UPDATE OR IGNORE {table} SET {column} = ? WHERE {where}"
        if connection.execute(update, (other(value), *row)).rowcount == 0:
            # Another row has that key already.
            new = -7 if isinstance(value, int) else f"{value}~~"
            assert connection.execute(update, (new, *row)).rowcount == 1


@given(plans(), st.data())
@settings(few_examples, max_examples=12)
def test_another_value_in_any_recorded_cell_is_found(plan: Plan, data: st.DataObject) -> None:
    with chronicle_of(plan) as chronicle:
        ledger = chronicle.ledger
        if any(batch == chronicle.batches for _, batch in chronicle.editions()):
            ledger.tag("one")
            ledger.project()
        assert ledger.verify(sources=chronicle.folder).faults == ()
        content = ledger.path.read_bytes()
        every = cells(ledger.path)
        # The tables have very different numbers of rows.
        table = data.draw(st.sampled_from(sorted({table for table, *_ in every})))
        chosen = st.sampled_from([cell for cell in every if cell[0] == table])
        for cell in data.draw(st.lists(chosen, min_size=1, max_size=8, unique=True)):
            ledger.path.write_bytes(content)
            change(ledger.path, *cell)
            assert ledger.verify().faults, cell


@given(plans())
@settings(few_examples, max_examples=12)
def test_what_was_delivered_is_what_is_recorded(plan: Plan) -> None:
    with chronicle_of(plan) as chronicle:
        result = chronicle.ledger.verify(sources=chronicle.folder)
        assert result.verdict.startswith("internally consistent; compared with the ")
        assert result.batches == chronicle.batches
        files = [arrival for arrival in chronicle.arrivals if arrival.file]
        assert result.compared == len(files)


def state(folder: Path) -> dict[str, str]:
    """Every file below a folder, by name with its digest."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_whoever_verifies_leaves_everything_as_it_is(scene: Scene) -> None:
    before = state(scene.folder)
    ledger = Ledger(scene.ledger)
    ledger.verify(receipts=[scene.receipt], sources=scene.sources)
    ledger.verify(quick=True)
    ledger.receipt()
    ledger.at().prove("interactions", "I1")
    (latest := ledger.at()).prove_report(latest.report())
    verify_proof(scene.proof, scene.receipt)
    verify_report(scene.report(), scene.report_proof, sources=scene.sources)
    assert state(scene.folder) == before


def test_the_old_receipt_and_the_new_one_agree(scene: Scene) -> None:
    result = Ledger(scene.ledger).verify(
        receipts=[scene.receipt, scene.folder / "old-receipt.json"]
    )
    assert result.verdict == "internally consistent; anchored by a receipt up to batch 6"
    result = Ledger(scene.ledger).verify(receipts=[scene.folder / "old-receipt.json"])
    assert result.verdict == "internally consistent; anchored by a receipt up to batch 3 of 6"


def test_every_fault_is_told_the_first_one_first(scene: Scene) -> None:
    edit(scene.ledger, "UPDATE batches SET reason = 'x'; DELETE FROM agents_events")
    faults = [str(fault) for fault in Ledger(scene.ledger).verify().faults]
    assert faults[0].startswith("event initial/agents.csv (event 202501000000001, batch 1)")
    assert any(fault.startswith("batch 6: its record") for fault in faults)


def test_faults_are_in_the_order_of_the_batches(scene: Scene) -> None:
    edit(
        scene.ledger,
        "UPDATE batches SET reason = 'x' WHERE batch = 2;"
        "UPDATE interactions_events SET channel = 'email' WHERE event_id = 202503000000003;"
        "UPDATE batches SET seal = printf('%064d', 0) WHERE batch = 4",
    )
    faults = Ledger(scene.ledger).verify().faults
    assert [fault.kind for fault in faults[:3]] == ["batch", "event", "batch"]
    assert (faults[0].where, "batch 3)" in faults[1].where, faults[2].where) == ("2", True, "4")


def test_what_is_computed_from_events_that_were_changed_is_not_checked(scene: Scene) -> None:
    edit(scene.ledger, "UPDATE readings SET code = 'x'; UPDATE agents SET full_name = 'x'")
    assert {fault.kind for fault in Ledger(scene.ledger).verify().faults} == {"derived"}
    edit(scene.ledger, "UPDATE interactions_events SET channel = 'x' WHERE line = 2")
    assert {fault.kind for fault in Ledger(scene.ledger).verify().faults} == {"event"}


def test_missing_sources_are_told(scene: Scene) -> None:
    with pytest.raises(WrongUsage, match=r"there is no folder .*nowhere"):
        Ledger(scene.ledger).verify(sources=scene.folder / "nowhere")


def test_a_file_out_of_force_need_not_be_among_the_sources(scene: Scene) -> None:
    (earlier,) = (scene.sources / "earlier").rglob("*.csv")
    earlier.unlink()
    result = Ledger(scene.ledger).verify(sources=scene.sources)
    assert result.faults == ()
    assert [file.batch for file in result.absent] == [2]


def test_progress_reaches_the_end(scene: Scene) -> None:
    told: list[tuple[int, int]] = []
    Ledger(scene.ledger).verify(progress=lambda done, total: told.append((done, total)))
    assert told
    assert all(done <= total for done, total in told)
