"""What the engine does for a result: which index it takes, and how many steps.

Steps are instructions of SQLite's virtual machine, which are the same on every machine, whatever
else it does: so no noise can trip these tests, and no seconds are in them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ledger import Ledger, Month
from ledger.datasets.support.description import INTERACTIONS, SUPPORT
from ledger.datasets.support.report import REPORTED, read_report
from ledger.delivery.discovery import find_deliveries
from ledger.recording.backend import StoreBackend
from ledger.recording.ingest import dated_deliveries, ingest_months
from ledger.recording.ingest_options import IngestOptions
from ledger.replay.editions import last_events
from ledger.replay.incremental import build_temp_summaries, update_projection
from ledger.replay.projection import build_temp_projection, store_projection
from ledger.replay.statements import replay_sql
from ledger.store.event_store import Store
from ledger.store.sql import part
from tests.replays import replay_of
from tests.strategies import small_file, write_data_folder

STEPS_AT_ONCE = 20
NEW_ROWS = 50
EVENTS = "interactions_events"


def interaction(number: int, month: str, action: str = "") -> tuple[str, ...]:
    at = f"{month}-{number % 27 + 1:02}T15:{number % 60:02}:00Z"
    cells = (f"I{number:06}", at, "phone", "CAT1", "A1", "CC1", at, at, at, "0", "")
    return (action, *cells) if action else cells


def ledger_of(folder: Path, history: int) -> Ledger:
    """A ledger of an extract, and of two deltas, of which the second is still to be ingested."""
    half = NEW_ROWS // 2
    old = [interaction(number * (history // half), "2025-01", "update") for number in range(half)]
    new = [interaction(history + number, "2025-02", "add") for number in range(half)]
    later = [interaction(history + half + number, "2025-03", "add") for number in range(half)]
    files = [
        small_file("interactions", None, *(interaction(n, "2025-01") for n in range(history))),
        small_file("interactions", 202502, *old, *new),
        small_file("interactions", 202503, *later, *old),
    ]
    folder.mkdir()
    write_data_folder(folder, files)
    ledger = Ledger(folder / "ledger.db")
    ledger.ingest(folder, months=["202502"])
    ledger.project()
    return ledger


def steps(store: Store, work: Callable[[], object]) -> int:
    """How many instructions SQLite carries out for some work, roughly."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += STEPS_AT_ONCE
        return 0

    store.connection.set_progress_handler(count, STEPS_AT_ONCE)
    work()
    store.connection.set_progress_handler(None, 0)
    return counted


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return ledger_of(tmp_path_factory.mktemp("plans") / "short", 1_000)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    return ledger_of(tmp_path_factory.mktemp("plans") / "long", 8_000)


def steps_of_a_month(ledger: Ledger) -> dict[str, int]:
    """What it takes to ingest the next month, to bring the projection up to date, to report."""
    with Store.for_writing(ledger.path) as store, store.rehearsal():

        def ingest() -> None:
            found = find_deliveries(ledger.path.parent, SUPPORT)
            backend, options = StoreBackend(store, SUPPORT), IngestOptions(months=[Month(202503)])
            dated = dated_deliveries(backend.records(), SUPPORT, found, options)
            assert len(list(ingest_months(backend, SUPPORT, dated, options))) == 1

        def project() -> None:
            update_projection(replay_of(store))

        def report() -> None:
            read_report(replay_of(store))

        return {work.__name__: steps(store, work) for work in (ingest, project, report)}


def test_a_new_month_costs_what_is_new(short: Ledger, long: Ledger) -> None:
    of_short, of_long = steps_of_a_month(short), steps_of_a_month(long)
    for name, count in of_short.items():
        # Eight times the history: no more than what the depth of an index adds.
        assert of_long[name] < count * 1.2, name


def test_to_replay_everything_costs_what_there_is(short: Ledger, long: Ledger) -> None:
    counted = []
    for ledger in (short, long):
        with Store.for_writing(ledger.path) as store, store.rehearsal():
            work = partial(store_projection, replay_of(store))
            counted.append(steps(store, work))
    assert 6 < counted[1] / counted[0] < 8.5


def test_a_month_beside_the_stored_one_costs_what_lies_between(long: Ledger) -> None:
    with Store.for_reading(long.path) as store, store.snapshot():
        replay = replay_of(store, 202501, dataset=REPORTED)
        few = steps(store, lambda: build_temp_summaries(replay))
        every = steps(store, lambda: build_temp_projection(replay))
    assert few * 10 < every


def test_an_early_month_costs_the_events_up_to_it(tmp_path: Path) -> None:
    files = [
        small_file("interactions", None, *(interaction(n, "2025-01") for n in range(100))),
        small_file(
            "interactions", 202502, *(interaction(n, "2025-02", "add") for n in range(100, 6_000))
        ),
    ]
    write_data_folder(tmp_path, files)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.ingest(tmp_path)
    with Store.for_reading(ledger.path) as store, store.snapshot():
        counted = []
        for month in (202501, 202502):
            work = partial(build_temp_summaries, replay_of(store, month, dataset=REPORTED))
            counted.append(steps(store, work))
    assert counted[0] * 30 < counted[1]


def plan(store: Store, sql: str, parameters: tuple[object, ...] = ()) -> list[str]:
    return [row[3] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}", parameters)]


def test_a_replay_walks_along_the_index_of_the_key_and_sorts_nothing(long: Ledger) -> None:
    with Store.for_reading(long.path) as store:
        replay_of(store).bind()
        for regular in (True, False):
            found = plan(store, replay_sql(INTERACTIONS, regular=regular))
            assert f"SCAN event USING COVERING INDEX {EVENTS}_by_key" in found
            assert "SEARCH event USING INTEGER PRIMARY KEY (rowid=?)" in found
            assert not any("TEMP B-TREE" in line for line in found)
            clocks = [line for line in found if "_clock" in line]
            assert len(clocks) == 4
            assert all("USING PRIMARY KEY (utc_hour=? AND from_minute<?)" in c for c in clocks)


def test_an_early_month_is_read_by_the_range_of_its_events(long: Ledger) -> None:
    with Store.for_reading(long.path) as store:
        replay_of(store).bind()
        found = plan(store, last_events(INTERACTIONS, use_range_scan=True))
        assert "SEARCH event USING INTEGER PRIMARY KEY (rowid<?)" in found


def test_keys_that_moved_are_looked_up_one_by_one(long: Ledger) -> None:
    names = {"events": EVENTS, "table": "interactions", "key": "interaction_id"}
    with Store.for_writing(long.path) as store, store.rehearsal():
        replay = replay_of(store)
        replay.bind()
        store.execute("CREATE TEMP TABLE moved_keys (key TEXT PRIMARY KEY) WITHOUT ROWID")
        said = plan(store, part("replay/incremental.sql", "moved keys", **names), (1, 2))
        assert said == ["SEARCH event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]
        among = part("replay/incremental.sql", "among moved", row="event", key="interaction_id")
        replayed = plan(store, replay.replayed(INTERACTIONS, among))
        index = f"SEARCH event USING COVERING INDEX {EVENTS}_by_key (interaction_id=? AND rowid<?)"
        assert index in replayed
        forgotten = plan(store, part("replay/incremental.sql", "forget rows", **names))
        assert "SEARCH interactions USING PRIMARY KEY (interaction_id=?)" in forgotten
        for line in (*replayed, *forgotten):
            assert not line.startswith(("SCAN event", "SCAN interactions"))
            assert "TEMP B-TREE" not in line
