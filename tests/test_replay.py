"""What replay projects is the fold over the delivered files, however they came."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import Ledger, Month, WrongUsage
from ledger.datasets.support.description import SUPPORT
from ledger.delivery.discovery import find_deliveries
from ledger.recording.backend import StoreBackend
from ledger.recording.ingest import dated_deliveries, ingest_months
from ledger.recording.ingest_options import IngestOptions
from ledger.replay.projection import build_temp_projection, store_projection
from ledger.store.event_store import Store
from tests import oracle
from tests.replays import replay_of
from tests.strategies import Deliveries, deliveries, small_file, write_data_folder

SAMPLES = Path(__file__).parent.parent / "data"

some_examples = settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@contextmanager
def delivered(came: Deliveries) -> Iterator[tuple[Path, list[Path]]]:
    """A data folder that holds files, and their paths."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "data")
        yield folder, write_data_folder(folder, came.files)


def ingested(path: Path, data: Path, came: Deliveries) -> Ledger:
    """A ledger in which all files of a data folder are recorded at once."""
    ledger = Ledger(path)
    ledger.ingest(data, initial_month=str(came.initial_month), allow_gap=True)
    return ledger


def stored(ledger: Ledger) -> oracle.State:
    """The state that is stored in a ledger."""
    with closing(sqlite3.connect(ledger.path)) as connection:
        return oracle.state_of(connection)


def aside(ledger: Ledger, as_of: int) -> oracle.State:
    """The state as of a month, built beside the ledger."""
    with Store.for_reading(ledger.path) as store, store.snapshot():
        build_temp_projection(replay_of(store, as_of))
        return oracle.state_of(store.connection)


def projected_bytes(ledger: Ledger) -> str:
    """All rows of the projection that is stored in a ledger."""
    with closing(sqlite3.connect(ledger.path)) as connection:
        return oracle.dump(connection, oracle.PROJECTED)


def exported_bytes(ledger: Ledger, as_of: int | None = None) -> dict[str, bytes]:
    """The exported tables, byte for byte."""
    with tempfile.TemporaryDirectory() as folder:
        export = ledger.at(None if as_of is None else str(as_of)).export(folder)
        return {file.path.name: file.path.read_bytes() for file in export.files}


@given(deliveries())
@some_examples
def test_at_every_month_the_projection_is_the_fold_over_the_files(came: Deliveries) -> None:
    with delivered(came) as (data, paths):
        ledger = ingested(data / "ledger.db", data, came)
        for as_of in came.months:
            expected = oracle.fold(paths, came.initial_month, as_of)
            assert aside(ledger, as_of) == expected
            ledger.project(str(as_of))
            assert stored(ledger) == expected
            assert [astuple(row) for row in ledger.at(str(as_of)).report().rows] == expected.report


@pytest.mark.parametrize("as_of", [202501, 202502, 202503])
def test_the_samples_project_to_the_fold_over_them(tmp_path: Path, as_of: int) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(SAMPLES)
    ledger.project(str(as_of))
    expected = oracle.fold(SAMPLES.glob("[id]*/*.csv"), 202501, as_of)
    assert len(expected.tables["interactions"]) >= 10
    assert stored(ledger) == aside(ledger, as_of) == expected


@given(deliveries(), st.data())
@some_examples
def test_any_order_of_arrival_gives_the_same_bytes(came: Deliveries, data: st.DataObject) -> None:
    with delivered(came) as (folder, paths):
        extracts = [path for path in paths if path.parent.name == "initial"]
        first = data.draw(st.sampled_from(extracts), label="first")
        others = st.permutations([path for path in paths if path != first])
        arrivals = [first, *data.draw(others, label="others")]
        one_by_one = Ledger(folder / "one_by_one.db")
        for path in arrivals:
            one_by_one.ingest(
                files=[path], initial_month=str(came.initial_month), late=True, allow_gap=True
            )
        at_once = ingested(folder / "at_once.db", folder, came)
        for as_of in came.months:
            for ledger in (one_by_one, at_once):
                ledger.project(str(as_of))
            assert projected_bytes(one_by_one) == projected_bytes(at_once)
            assert exported_bytes(one_by_one, as_of) == exported_bytes(at_once, as_of)


@given(deliveries(), st.data())
@some_examples
def test_replay_in_steps_equals_replay_at_once(came: Deliveries, data: st.DataObject) -> None:
    steps = data.draw(st.lists(st.sampled_from(came.months), min_size=1, max_size=4), label="steps")
    with delivered(came) as (folder, _):
        at_once = ingested(folder / "at_once.db", folder, came)
        in_steps = Ledger(folder / "in_steps.db")
        shutil.copy(at_once.path, in_steps.path)
        for as_of in steps:
            in_steps.project(str(as_of))
        beside = exported_bytes(at_once, steps[-1])
        at_once.project(str(steps[-1]))
        assert projected_bytes(in_steps) == projected_bytes(at_once)
        assert exported_bytes(in_steps, steps[-1]) == exported_bytes(at_once, steps[-1]) == beside


@given(deliveries())
@some_examples
def test_projecting_after_each_month_equals_projecting_at_the_end(came: Deliveries) -> None:
    with delivered(came) as (folder, _):
        at_once = ingested(folder / "at_once.db", folder, came)
        at_once.project()
        monthly = Ledger(folder / "monthly.db")
        for month in came.months:
            monthly.ingest(
                folder,
                months=[str(month)],
                initial_month=str(came.initial_month),
                allow_gap=True,
            )
            monthly.project()
        assert projected_bytes(monthly) == projected_bytes(at_once)
        assert monthly.log()[-1].batch.head == at_once.log()[-1].batch.head


@given(deliveries())
@some_examples
def test_ingesting_twice_changes_nothing(came: Deliveries) -> None:
    with delivered(came) as (data, _):
        ledger = ingested(data / "ledger.db", data, came)
        ledger.project()
        before = ledger.path.read_bytes()
        again = ledger.ingest(data, initial_month=str(came.initial_month))
        assert ledger.path.read_bytes() == before
        assert {result.recorded for month in again for result in month.files} == {False}


@given(deliveries(), st.data())
@some_examples
def test_superseded_files_do_not_count(came: Deliveries, data: st.DataObject) -> None:
    with delivered(came) as (folder, paths):
        ledger = ingested(folder / "ledger.db", folder, came)
        with Store.for_reading(ledger.path) as store:
            before = store.records().edition()
        path = data.draw(st.sampled_from(paths), label="superseded")
        table = path.stem.partition("_delta_")[0]
        month = came.initial_month if path.parent.name == "initial" else int(path.stem[-6:])
        ledger.retract(table, Month(month), "recorded by mistake")
        remaining = [file for file in came.files if folder / file.name != path]
        months = [file.month or came.initial_month for file in remaining]
        for as_of in came.months:
            if months and min(months) <= as_of <= max(months):
                others = [folder / file.name for file in remaining]
                expected = oracle.fold(others, came.initial_month, as_of)
                ledger.project(str(as_of))
                assert stored(ledger) == aside(ledger, as_of) == expected
            else:
                with pytest.raises(WrongUsage):
                    ledger.project(str(as_of))
        # What was known before the correction can still be computed.
        with Store.for_writing(ledger.path) as store, store.rehearsal():
            store_projection(replay_of(store, before))
            known_then = oracle.state_of(store.connection)
        assert known_then == oracle.fold(paths, came.initial_month, before.as_of.number)


def test_the_rows_of_the_file_in_force_count_in_the_place_of_the_superseded_ones(
    tmp_path: Path,
) -> None:
    files = (
        small_file("contact_centers", None, ("CC1", "Boston"), ("CC2", "Atlanta")),
        small_file("contact_centers", 202502, ("update", "CC1", "wrong"), ("delete", "CC2")),
        small_file("contact_centers", 202503, ("update", "CC3", "Richmond")),
    )
    write_data_folder(tmp_path, files)
    ledger = ingested(tmp_path / "ledger.db", tmp_path, Deliveries(202501, files))
    corrected = small_file(
        "contact_centers",
        202502,
        ("update", "CC1", "right", "Boston, MA"),
        ("add", "CC4", "Denver", "Denver, CO"),
    )
    write_data_folder(tmp_path, [corrected])
    ledger.ingest(tmp_path, correct="the sender was wrong")
    ledger.project()
    names = {
        key: row["contact_center_name"]
        for key, row in stored(ledger).tables["contact_centers"].items()
    }
    assert names == {"CC1": "right", "CC2": "Atlanta", "CC3": "Richmond", "CC4": "Denver"}
    assert stored(ledger) == aside(ledger, 202503)
    assert aside(ledger, 202501).tables["contact_centers"].keys() == {"CC1", "CC2"}
    # Neither do superseded rows count when it is told what a later action finds.
    delta = small_file("contact_centers", 202504, ("add", "CC2"), ("update", "CC4"))
    write_data_folder(tmp_path, [delta])
    (month,) = ledger.ingest(tmp_path, months=["202504"])
    assert [(f.line, f.code) for f in month.first_findings] == [(2, "add-existing")]


@pytest.mark.parametrize("zone", ["Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"])
def test_local_time_is_right_in_zones_of_half_and_quarter_hours(tmp_path: Path, zone: str) -> None:
    # Every five minutes of two days on which the clock of Lord Howe changes, by half an hour.
    first_of_both = (datetime(2025, 4, 5, tzinfo=UTC), datetime(2025, 10, 4, tzinfo=UTC))
    moments = [first + timedelta(minutes=m) for first in first_of_both for m in range(0, 1440, 5)]
    rows = [
        (f"INT{number:04}", f"{moment:%Y-%m-%dT%H:%M:%SZ}") for number, moment in enumerate(moments)
    ]
    write_data_folder(tmp_path, [small_file("interactions", None, *rows)])
    dataset = replace(SUPPORT, zone=zone)
    with Store.for_writing(tmp_path / "ledger.db", create=True) as store:
        found = find_deliveries(tmp_path, dataset)
        backend, options = StoreBackend(store, dataset), IngestOptions(initial_month=Month(202501))
        dated = dated_deliveries(backend.records(), dataset, found, options)
        assert len(list(ingest_months(backend, dataset, dated, options))) == 1
        with store.transaction():
            store_projection(replay_of(store, dataset=dataset))
        local = [text for (text,) in store.rows("SELECT timestamp FROM interactions")]
    assert local == [moment.astimezone(ZoneInfo(zone)).isoformat() for moment in moments]
