"""A projection brought up to date is the one that a replay of everything gives."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import ledger.replay.incremental
from ledger import Ledger, Month
from ledger.datasets.support.description import SUPPORT
from ledger.datasets.support.report import read_rows
from ledger.model.editions import Edition, EditionName
from ledger.replay.incremental import (
    build_temp_summaries,
    derive_temp_projection,
    update_projection,
)
from ledger.replay.labels import Names
from ledger.replay.projection import build_temp_projection, store_projection
from ledger.store.event_store import Store
from tests import oracle
from tests.replays import replay_of
from tests.strategies import Deliveries, deliveries, small_file, write_data_folder
from tests.test_replay import delivered, ingested, some_examples

EVERYTHING = (*oracle.PROJECTED, "projection_of", "projection_rows")


@contextmanager
def always_updated() -> Iterator[None]:
    """Bring projections up to date however much moved."""
    with patch.object(ledger.replay.incremental, "MOST_MOVED", 10.0**9):
        yield


def contents(store: Store) -> str:
    """All that is projected, in the order in which it lies there."""
    return oracle.dump(store.connection, EVERYTHING)


def editions_of(ledger: Ledger) -> list[Edition]:
    """Every edition that there is."""
    with Store.for_reading(ledger.path) as store:
        records = store.records()
        months = {batch.batch: records.months(batch.batch) for batch in records.batches}
        return [
            records.edition(EditionName(month, batch))
            for batch, counting in months.items()
            if counting
            for month in min(counting).until(max(counting))
        ]


@contextmanager
def restated_ledger(
    came: Deliveries, data: st.DataObject
) -> Iterator[tuple[Ledger, st.SearchStrategy[Edition]]]:
    """A ledger some of whose files were taken out of force, and what draws its editions."""
    with delivered(came) as (folder, _):
        ledger = ingested(folder / "ledger.db", folder, came)
        restate(ledger, folder, came, data)
        there = editions_of(ledger)
        assume(there)
        yield ledger, st.sampled_from(there)


def restate(ledger: Ledger, folder: Path, came: Deliveries, data: st.DataObject) -> None:
    """Correct a file and retract another, so that editions differ in what was known."""
    for reason in ("corrected", "retracted"):
        file = data.draw(st.sampled_from(came.files), label=reason)
        month = Month(file.month or came.initial_month)
        with Store.for_reading(ledger.path) as store:
            standing = [f for f in store.files() if (f.table_name, f.month) == (file.table, month)]
        if standing and standing[-1].kind != "retraction":
            ledger.retract(file.table, month, reason)
        if reason == "corrected":
            ledger.ingest(folder, initial_month=str(came.initial_month), allow_gap=True,
                          correct=reason)  # fmt: skip


@given(deliveries(), st.data())
@some_examples
def test_from_any_edition_to_any_other(came: Deliveries, data: st.DataObject) -> None:
    with restated_ledger(came, data) as (ledger, editions):
        path = data.draw(st.lists(editions, min_size=2, max_size=4), label="editions")
        with Store.for_writing(ledger.path) as store, store.rehearsal(), always_updated():
            store_projection(replay_of(store, path[0]))
            for edition in path[1:]:
                counted = update_projection(replay_of(store, edition))
                updated = contents(store)
                assert counted == store_projection(replay_of(store, edition))
                assert updated == contents(store)


@given(deliveries(), st.data())
@some_examples
def test_what_is_built_aside_is_what_a_replay_gives(came: Deliveries, data: st.DataObject) -> None:
    with restated_ledger(came, data) as (ledger, editions):
        if data.draw(st.booleans(), label="stored"):
            with Store.for_writing(ledger.path) as store, store.transaction():
                store_projection(replay_of(store, data.draw(editions, label="before")))
        edition = data.draw(editions, label="after")
        summaries = [summary.name for summary in SUPPORT.summaries]
        with Store.for_reading(ledger.path) as store, store.snapshot(), always_updated():
            replay = replay_of(store, edition)
            derive_temp_projection(replay)
            copied = oracle.dump(store.connection, oracle.PROJECTED)
            build_temp_summaries(replay)
            alone = oracle.dump(store.connection, summaries)
            reports = [read_rows(replay, names) for names in Names]
            build_temp_projection(replay)
            assert copied == oracle.dump(store.connection, oracle.PROJECTED)
            assert alone == oracle.dump(store.connection, summaries)
            assert reports == [read_rows(replay, names) for names in Names]


def call(key: str, minutes: str, action: str = "add") -> tuple[str, ...]:
    start = "2025-01-05T13:00:00Z"
    return (action, key, start, "phone", "CAT1", "A1", "CC1", start, start, start, minutes, "")


@pytest.mark.parametrize("huge", ["9e15", "-4e18"])
def test_sums_that_are_not_exact_are_added_up_anew(tmp_path: Path, huge: str) -> None:
    # Of such numbers the sum depends on the order: what is taken away leaves something else behind.
    rows = [call("I1", "0.1"), call("I2", huge), call("I3", "0.7"), call("I4", huge.strip("-"))]
    files = [
        small_file("interactions", None, *(row[1:] for row in rows)),
        small_file("interactions", 202502, call("I2", "3", "update"), call("I5", "0.3")),
    ]
    write_data_folder(tmp_path, files)
    ledger = ingested(tmp_path / "ledger.db", tmp_path, Deliveries(202501, tuple(files)))
    with Store.for_writing(ledger.path) as store, store.rehearsal(), always_updated():
        store_projection(replay_of(store, 202501))
        update_projection(replay_of(store))
        updated = contents(store)
        store_projection(replay_of(store))
        assert updated == contents(store)


def test_a_new_month_replays_the_keys_that_it_names_alone(tmp_path: Path) -> None:
    centers = [(f"CC{number}", f"Centre {number}") for number in range(40)]
    files = [
        small_file("contact_centers", None, *centers),
        small_file("contact_centers", 202502, ("update", "CC7", "Renamed"), ("delete", "CC8")),
    ]
    write_data_folder(tmp_path, files)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(tmp_path, months=["202501"])
    ledger.project()
    ledger.ingest(tmp_path)
    with closing(sqlite3.connect(ledger.path)) as connection, connection:
        # What was not named is left as it is, whatever it is: so it was not so much as read.
        connection.execute("UPDATE contact_centers SET location = 'here' WHERE true")
    assert ledger.project().rows["contact_centers"] == 39
    with closing(sqlite3.connect(ledger.path)) as connection:
        rows = connection.execute("SELECT * FROM contact_centers ORDER BY 1").fetchall()
    assert ("CC7", "Renamed", None) in rows
    assert ("CC9", "Centre 9", "here") in rows
    assert ledger.verify().faults
    ledger.project(rebuild=True)
    assert not ledger.verify().faults
