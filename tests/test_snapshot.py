"""A ledger in one edition: pinned when it is asked for, whatever is recorded meanwhile."""

from __future__ import annotations

import gc
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ledger import EditionName, Ledger, Month, Snapshot, WrongUsage
from ledger.datasets.support.description import CONTACT_CENTERS, SUPPORT
from ledger.datasets.support.measures import NAMED
from ledger.lineage.sources import Sources
from ledger.replay.editions import last_events
from ledger.replay.labels import Names
from ledger.store.event_store import Store
from tests.commands import DATA
from tests.replays import replay_of
from tests.strategies import small_file, write_data_folder

LATER = small_file("contact_centers", 202504, ("update", "CC01", "Elsewhere"))

ASKED: dict[str, Callable[[Snapshot], Any]] = {
    "report": lambda snapshot: snapshot.report(),
    "report as-was": lambda snapshot: snapshot.report(names="as-was"),
    "answers": lambda snapshot: snapshot.answers("2025Q1", sensitivity=True),
    "explain": lambda snapshot: snapshot.explain("2025-02"),
    "history": lambda snapshot: snapshot.history("contact_centers", "CC01"),
    "check": lambda snapshot: snapshot.check(),
    "state": lambda snapshot: snapshot.state("contact_centers", most=100),
    "prove": lambda snapshot: snapshot.prove("contact_centers", "CC01").event,
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sample") / "ledger.db"
    Ledger(path).ingest(DATA)
    return path


@pytest.fixture
def ledger(sample: Path, tmp_path: Path) -> Ledger:
    """The sample data, of which a test may record more."""
    return Ledger(shutil.copy(sample, tmp_path / "ledger.db"))


@pytest.mark.parametrize("is_stored", [True, False])
@pytest.mark.parametrize("asked", ASKED)
def test_a_snapshot_stays_its_edition_whatever_is_recorded_meanwhile(
    ledger: Ledger, tmp_path: Path, asked: str, is_stored: bool
) -> None:
    if is_stored:
        ledger.project()
    snapshot = ledger.at()
    before = [ASKED[asked](snapshot) for _ in range(2)]
    ledger.ingest(files=write_data_folder(tmp_path / "more", [LATER]))
    ledger.retract("agents", "202503", "it was not meant for us")
    ledger.project()
    assert [*before, ASKED[asked](snapshot)] == [before[0]] * 3
    assert snapshot.edition.name == "202503@3"
    assert ledger.at().edition.name == "202504@5"


def test_an_export_of_a_snapshot_stays_its_edition(ledger: Ledger, tmp_path: Path) -> None:
    snapshot = ledger.at()
    snapshot.export(tmp_path / "before", names="as-is")
    ledger.ingest(files=write_data_folder(tmp_path / "more", [LATER]))
    snapshot.export(tmp_path / "after", names="as-is")
    for path in (tmp_path / "before").iterdir():
        assert path.read_bytes() == (tmp_path / "after" / path.name).read_bytes()


@pytest.mark.parametrize(
    "given",
    [
        {"as_of": "202502", "known_at": 3},
        {"as_of": Month(202502), "known_at": "3"},
        {"as_of": "202502@3"},
        {"as_of": EditionName(Month(202502), 3)},
    ],
)
def test_an_edition_can_be_named_in_several_ways(ledger: Ledger, given: dict[str, Any]) -> None:
    assert ledger.at(**given).edition.name == "202502@3"


@pytest.mark.parametrize(
    "given",
    [
        {"as_of": "202504"},
        {"as_of": "unknown"},
        {"as_of": ""},
        {"as_of": "202502@3", "known_at": 3},
        {"as_of": EditionName(), "known_at": 3},
    ],
)
def test_what_names_no_edition_is_refused_before_anything_is_asked(
    ledger: Ledger, given: dict[str, Any]
) -> None:
    with pytest.raises(WrongUsage):
        ledger.at(**given)


def test_a_report_of_another_edition_is_neither_written_nor_proved(
    ledger: Ledger, tmp_path: Path
) -> None:
    report = ledger.at("202502").report()
    for refused in (
        lambda: ledger.at().write_report(report, tmp_path / "report"),
        lambda: ledger.at().prove_report(report),
    ):
        with pytest.raises(WrongUsage, match=r"202502@3, not of 202503@3"):
            refused()
    assert not (tmp_path / "report").exists()


def test_a_snapshot_may_be_asked_in_another_thread(ledger: Ledger) -> None:
    snapshot, found = ledger.at(), []
    thread = threading.Thread(target=lambda: found.append(snapshot.report()))
    thread.start()
    thread.join()
    assert found == [ledger.at().report()]


def test_a_comparison_lets_go_of_the_ledger_when_nothing_is_read_any_more(
    ledger: Ledger, tmp_path: Path
) -> None:
    rows = ledger.compare("202501", "202502").diff_rows()
    next(rows)
    gc.collect()
    assert next(rows)
    del rows
    ledger.ingest(files=write_data_folder(tmp_path / "more", [LATER]))


def test_a_question_to_a_comparison_ends_what_is_still_being_read(ledger: Ledger) -> None:
    with ledger.compare("202501", "202502") as both:
        rows = both.diff_rows()
        next(rows)
        assert both.bridge().total.remainder.total_interactions == 0
        assert list(rows) == []


def test_replays_of_one_store_do_not_mix_their_editions(sample: Path) -> None:
    counting = f"SELECT max(event_id) FROM ({last_events(CONTACT_CENTERS)})"
    with Store.for_reading(sample) as store, store.snapshot():
        earlier, later = replay_of(store, 202501), replay_of(store, 202503)
        alone = [next(replay.rows(counting)) for replay in (earlier, later)]
        assert alone[0] != alone[1]
        for _ in range(2):
            assert [next(replay.rows(counting)) for replay in (earlier, later)] == alone


def test_labels_as_is_and_as_was_are_there_side_by_side(sample: Path) -> None:
    with Store.for_reading(sample) as store, store.snapshot():
        replay, other = replay_of(store, 202503), replay_of(store, 202501)
        found = {}
        for names in Names:
            relation = replay.labels(NAMED, names).relation(CONTACT_CENTERS)
            found[names] = sorted(replay.rows(f"SELECT * FROM {relation}"))
        assert found[Names.AS_IS] != found[Names.AS_WAS]
        other.labels(NAMED, Names.AS_IS)
        for names, rows in found.items():
            relation = replay.labels(NAMED, names).relation(CONTACT_CENTERS)
            assert sorted(replay.rows(f"SELECT * FROM {relation}")) == rows


def test_sources_are_those_known_in_the_edition(sample: Path) -> None:
    with Store.for_reading(sample) as store, store.snapshot():
        sources = Sources(replay_of(store, 202502, 2))
        files = store.files()
        assert sources.file(files[0].file) == files[0]
        with pytest.raises(KeyError):
            sources.file(files[-1].file)


def test_the_state_is_given_row_by_row_in_the_order_of_the_key(ledger: Ledger) -> None:
    rows = ledger.at().state("agents", most=3)
    keys = [row[0] for row in rows]
    assert keys == sorted(keys)
    assert ledger.at().state("agents", after=keys[0], most=2) == rows[1:]
    assert len(rows[0]) == len(SUPPORT.table("agents").columns)
    assert astuple(ledger.at().edition)


def test_a_table_can_be_read_more_than_once_and_is_described(ledger: Ledger) -> None:
    march = ledger.at("202503")
    table = march.table("interactions")
    rows = [*table.rows]
    assert [*table.rows] == rows == march.state("interactions", most=len(rows) + 1)
    assert [column.name for column in table.columns] == list(
        SUPPORT.table("interactions").column_names
    )
    assert (table.name, table.key) == ("interactions", "interaction_id")
    with pytest.raises(WrongUsage):
        march.table("no such table")


def test_a_table_in_arrow_is_that_of_an_export(ledger: Ledger, tmp_path: Path) -> None:
    march = ledger.at("202503")
    march.export(tmp_path, format="parquet")
    for table in SUPPORT.tables:
        exported = pq.read_table(tmp_path / f"{table.name}_final.parquet")
        assert march.table(table.name).to_arrow() == exported.replace_schema_metadata()


def test_a_table_becomes_a_data_frame(ledger: Ledger) -> None:
    pytest.importorskip("pandas")
    table = ledger.at("202503").table("interactions")
    frame = table.to_pandas()
    assert list(frame.columns) == [column.name for column in table.columns]
    assert list(frame["interaction_id"]) == [row[0] for row in table.rows]
    assert str(frame.dtypes["call_duration_minutes"]) == "float64"
    assert str(frame.dtypes["interaction_start"].tz) == SUPPORT.zone


def test_without_pandas_a_data_frame_is_refused(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(WrongUsage, match="pip install pandas"):
        ledger.at().table("agents").to_pandas()
