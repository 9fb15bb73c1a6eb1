"""Exports that go from page to page, while others record and project."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import Ledger
from ledger.datasets.support.description import SUPPORT
from ledger.model.dataset import Table
from ledger.replay import paging as ledger_pages
from ledger.replay.paging import EditionRows
from ledger.store import database as ledger_store
from ledger.store.event_store import Store
from tests.chronicle import Plan, chronicle_of, few_examples, plans
from tests.commands import DATA
from tests.replays import replay_of
from tests.strategies import small_file, write_data_folder
from tests.written_tables import TABLE_FORMATS

NAMES = (None, "as-is", "as-was")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a ledger of all sample data."""
    path = tmp_path_factory.mktemp("recorded") / "ledger.db"
    Ledger(path).ingest(DATA)
    return path


@pytest.fixture
def ledger(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """A copy of it, for which nobody waits."""
    monkeypatch.setitem(ledger_store.CONNECT, "timeout", 0)
    return Ledger(shutil.copy(recorded, tmp_path))


def exported(ledger: Ledger, out: Path, names: str | None, as_of: str = "202503") -> list[bytes]:
    """The bytes of all files of an export, the manifest too."""
    ledger.at(as_of, known_at=3).export(out, names=names)
    return [path.read_bytes() for path in sorted(out.iterdir())]


@contextmanager
def between_pages(patch: pytest.MonkeyPatch, *steps: Callable[[], object]) -> Iterator[None]:
    """Have pages of two rows, and take a step after each snapshot of an export."""
    remaining = iter(steps)

    def step(store: Store) -> Iterator[None]:
        with snapshot(store):
            yield
        taken = next(remaining, None)
        if taken:
            # Its own snapshots are no place for a step.
            with patch.context() as inner:
                inner.setattr(Store, "snapshot", snapshot)
                taken()

    snapshot = Store.snapshot
    with patch.context() as outer:
        outer.setattr(ledger_pages, "ROWS_AT_ONCE", 2)
        outer.setattr(Store, "snapshot", contextmanager(step))
        yield
    assert next(remaining, None) is None, "not all steps were taken"


def corrections(ledger: Ledger, folder: Path) -> list[Callable[[], object]]:
    """Batches that change the months which are exported: all that can come to a ledger."""
    late = small_file(
        "interactions", 202502, *(("add", f"INT1{n}", "2025-02-05T10:00:00Z") for n in range(40))
    )
    gone = small_file("agents", 202503, *(("delete", f"A{n:03}") for n in range(40)))
    next_month = small_file("contact_centers", 202504, ("update", "CC01", "Elsewhere"))
    correct, agents, later = write_data_folder(folder, [late, gone, next_month])
    return [
        lambda: ledger.ingest(files=[later]),
        lambda: ledger.ingest(files=[correct], correct="it was wrong"),
        lambda: ledger.ingest(files=[agents], correct="it was wrong"),
        lambda: ledger.retract("contact_centers", "202503", "not ours"),
    ]


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("is_stored", [True, False])
def test_batches_are_recorded_without_waiting_and_change_nothing_of_an_export(
    ledger: Ledger,
    tmp_path: Path,
    names: str | None,
    is_stored: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if is_stored:
        ledger.project("202503")
    before = exported(ledger, tmp_path / "before", names)
    with between_pages(monkeypatch, *corrections(ledger, tmp_path / "data")):
        assert exported(ledger, tmp_path / "meanwhile", names) == before
    assert ledger.status().batches == 7
    assert exported(ledger, tmp_path / "after", names) == before


@pytest.mark.parametrize("names", NAMES)
def test_a_projection_that_is_replaced_meanwhile_is_left_for_the_log(
    ledger: Ledger, tmp_path: Path, names: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.project("202503")
    before = exported(ledger, tmp_path / "before", names)

    def project(month: str) -> Callable[[], object]:
        return lambda: ledger.project(month)

    months = ["202501", "202502", "202503", "202501"]
    steps = [step for month in months for step in (project(month), lambda: None)]
    with between_pages(monkeypatch, *steps):
        assert exported(ledger, tmp_path / "meanwhile", names) == before


@given(plans(), st.integers(1, 3))
@few_examples
def test_pages_of_any_size_give_what_one_page_gives(plan: Plan, size: int) -> None:
    with chronicle_of(plan) as chronicle, pytest.MonkeyPatch.context() as patch:
        for number, (as_of, batch) in enumerate(chronicle.editions()[-2:]):
            out = chronicle.folder / f"export-{number}"

            def export(as_of: int = as_of, batch: int = batch, out: Path = out) -> list[bytes]:
                chronicle.ledger.at(str(as_of), known_at=batch).export(out, names="as-was")
                return [path.read_bytes() for path in sorted(out.iterdir())]

            whole = export()
            with patch.context() as paged:
                paged.setattr(ledger_pages, "ROWS_AT_ONCE", size)
                assert export() == whole
                chronicle.ledger.project(str(as_of), known_at=batch)
                assert export() == whole


@pytest.mark.parametrize("table", SUPPORT.tables, ids=lambda table: table.name)
def test_a_page_is_found_by_the_index_of_the_key(recorded: Path, table: Table) -> None:
    with Store.for_reading(recorded) as store:
        replay = replay_of(store, 202502, 3)
        key = f"({table.key}>? AND {table.key}<?)"
        for stored, by in (
            (False, f"COVERING INDEX {table.events}_by_key {key}"),
            (True, f"PRIMARY KEY {key}"),
        ):
            sql = replay.keys_between(table, "A", "B", stored=stored)
            plan = [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}")]
            assert any(step.startswith("SEARCH") and step.endswith(by) for step in plan)
            assert not [step for step in plan if step.startswith("SCAN event")]


@pytest.mark.parametrize("is_stored", [True, False])
def test_no_lock_is_held_while_the_rows_of_a_page_are_written(
    ledger: Ledger, tmp_path: Path, is_stored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_stored:
        ledger.project()
    monkeypatch.setattr(ledger_pages, "ROWS_AT_ONCE", 2)
    table = SUPPORT.table("agents")
    with Store.for_reading(ledger.path) as store:
        replay = replay_of(store)
        with closing(iter(EditionRows(replay, table, lambda rows: rows))) as rows:
            first = next(rows)
            for record in corrections(ledger, tmp_path / "data"):
                record()
            found = [first, *rows]
        assert found == [*EditionRows(replay, table, lambda rows: rows)]
        assert len(found) == 8


@pytest.mark.parametrize("format", TABLE_FORMATS)
def test_a_page_of_which_nothing_is_left_is_left_out(
    ledger: Ledger, tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"A{number:03}" for number in range(1, 6)]
    gone = small_file("agents", 202504, *(("delete", key) for key in keys))
    ledger.ingest(files=write_data_folder(tmp_path / "data", [gone]))
    ledger.at().export(tmp_path / "whole", format=format, tables=["agents"])
    monkeypatch.setattr(ledger_pages, "ROWS_AT_ONCE", 2)
    ledger.at().export(tmp_path / "pages", format=format, tables=["agents"])
    whole, pages = (tmp_path / name / f"agents_final.{format}" for name in ("whole", "pages"))
    if format == "parquet":
        assert pq.read_table(whole).equals(pq.read_table(pages))
    else:
        assert whole.read_bytes() == pages.read_bytes()


def test_a_page_has_as_many_rows_as_it_should(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.project()
    monkeypatch.setattr(ledger_pages, "ROWS_AT_ONCE", 3)
    with Store.for_reading(ledger.path) as store:
        rows = EditionRows(replay_of(store), SUPPORT.table("agents"), lambda rows: rows)
        assert [page.count for page in rows.pages("agent_id", lambda: None)] == [3, 3, 2]
