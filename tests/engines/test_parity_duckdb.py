"""DuckDB gives of a lake what SQLite gives of the ledger: of every edition, value by value."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from ledger import Ledger, WrongUsage
from ledger.datasets.support.description import INTERACTIONS, SUPPORT
from ledger.replay.labels import Names
from tests.chronicle import Chronicle, Plan, plans
from tests.engines.editions import (
    ZONES,
    LakeOfEditions,
    assert_exported_alike,
    column_types,
    found_in_ledger,
    found_in_replay,
    huge_plan,
    nothing_plan,
    odd_plan,
    published,
)
from tests.engines.needs import needs_delta, needs_duckdb
from tests.strategies import small_file

pytestmark = needs_duckdb

some_examples = settings(
    deadline=None,
    max_examples=5,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def odd() -> Iterator[tuple[Chronicle, Path]]:
    """The lake of what is odd, and its ledger."""
    with published(odd_plan()) as made:
        yield made


def assert_alike(chronicle: Chronicle, lake: Path) -> None:
    """Hold every edition of a lake to that of the ledger."""
    from ledger.engines.duckdb import duck_engine

    looked_at = LakeOfEditions(lake)
    with duck_engine() as engine:
        for as_of, batch in chronicle.editions():
            with looked_at.replaying(engine, as_of, batch) as replay:
                found = found_in_replay(replay)
            expected = found_in_ledger(chronicle.ledger, as_of, batch)
            for name, what in expected.items():
                assert found[name] == what, (name, as_of, batch)


@given(plans())
@some_examples
def test_every_edition_is_that_of_the_ledger(plan: Plan) -> None:
    with published(plan) as (chronicle, lake):
        assert_alike(chronicle, lake)
        editions = chronicle.editions()
        as_of, batch = editions[len(editions) // 2]
        of: dict[str, Any] = {"as_of": str(as_of), "known_at": batch, "names": "as-was"}
        with tempfile.TemporaryDirectory() as folder:
            assert_exported_alike(chronicle.ledger, Ledger.of_lake(lake), Path(folder), **of)


@pytest.mark.parametrize("plan", [odd_plan(), nothing_plan()], ids=["odd", "nothing"])
def test_what_is_odd_is_read_and_summed_up_alike(plan: Plan) -> None:
    with published(plan) as (chronicle, lake):
        assert_alike(chronicle, lake)


@pytest.mark.parametrize("names", [None, *Names])
@pytest.mark.parametrize("edition", [(202501, 1), (202502, 4), (202503, 5)])
def test_what_is_odd_is_written_alike(
    odd: tuple[Chronicle, Path], tmp_path: Path, edition: tuple[int, int], names: str | None
) -> None:
    chronicle, lake = odd
    of: dict[str, Any] = {"as_of": str(edition[0]), "known_at": edition[1], "names": names}
    assert_exported_alike(chronicle.ledger, Ledger.of_lake(lake), tmp_path, **of)


@pytest.mark.parametrize("names", Names)
def test_the_report_and_the_answers_are_those_of_the_ledger(
    odd: tuple[Chronicle, Path], names: Names
) -> None:
    chronicle, lake = odd
    for known_at in range(1, chronicle.batches + 1):
        ledgers = (Ledger.of_lake(lake), chronicle.ledger)
        of_lake, of_file = (ledger.at(known_at=known_at) for ledger in ledgers)
        assert repr(of_lake.report(names=names)) == repr(of_file.report(names=names))
        more: dict[str, Any] = {"period": "2025Q1", "names": names, "sensitivity": True}
        assert repr(of_lake.answers(**more)) == repr(of_file.answers(**more))


def test_sums_that_depend_on_their_order_are_refused() -> None:
    with published(huge_plan()) as (chronicle, lake):
        assert chronicle.ledger.at().report().rows, "SQLite keeps an order"
        on_lake = Ledger.of_lake(lake)
        for ask in (on_lake.at().report, on_lake.at().answers):
            with pytest.raises(WrongUsage, match=r"so large that their sums depend on the order"):
                ask()
        with pytest.raises(WrongUsage, match="depend on the order"):
            on_lake.project(out_dir=chronicle.folder / "out")
        assert not [*(chronicle.folder / "out").iterdir()]
        of: dict[str, Any] = {"known_at": 1}
        assert on_lake.at(**of).report().rows == chronicle.ledger.at(**of).report().rows


def test_a_table_and_a_page_of_rows_are_those_of_the_ledger(odd: tuple[Chronicle, Path]) -> None:
    chronicle, lake = odd
    of_lake, of_file = (ledger.at() for ledger in (Ledger.of_lake(lake), chronicle.ledger))
    for table in SUPPORT.tables:
        rows = [*of_file.table(table.name).rows]
        assert [*map(tuple, of_lake.table(table.name).rows)] == rows
    interactions = [*of_file.table("interactions").rows]
    middle = str(interactions[len(interactions) // 2][0])
    page = of_lake.state("interactions", after=middle, most=2)
    assert page == of_file.state("interactions", after=middle, most=2) != []


def test_what_only_a_file_gives_is_refused(odd: tuple[Chronicle, Path], tmp_path: Path) -> None:
    ledger = Ledger.of_lake(odd[1])
    latest = ledger.at()
    asked: list[Callable[[], object]] = [
        lambda: latest.explain("2025-02"),
        lambda: latest.history("agents", "A1"),
        latest.check,
        lambda: latest.prove("agents", "A1"),
        lambda: latest.write_report(latest.report(), tmp_path / "out", format="html"),
        lambda: latest.export(tmp_path / "out", dry_run=True),
        lambda: ledger.project(out_dir=tmp_path / "out", rebuild=True),
        lambda: ledger.verify(quick=True),
        lambda: ledger.compare("202501", "202502"),
        lambda: ledger.retract("agents", "202501", "no"),
        lambda: ledger.tag("signed"),
        ledger.log,
        ledger.status,
        ledger.editions,
    ]
    for ask in asked:
        with pytest.raises(WrongUsage, match="is of a ledger, and not of a lake"):
            ask()
    assert not (tmp_path / "out").exists()


@needs_delta
@pytest.mark.parametrize("layout", ["parquet", "delta"])
def test_what_is_added_after_one_has_looked_is_left_out(layout: str) -> None:
    from deltalake import DeltaTable

    from ledger.engines.duckdb import duck_engine

    with published(odd_plan()) as (chronicle, _):
        lake = chronicle.folder / layout
        chronicle.ledger.publish(lake, layout=layout)
        looked_at = LakeOfEditions(lake)
        expected = found_in_ledger(chronicle.ledger, 202503, 6)
        chronicle.deliver(small_file("interactions", 202503, ("add", "NEW")))
        chronicle.deliver(small_file("interactions", 202502, ("add", "NEWER")))
        chronicle.ledger.publish(lake)
        if layout == "delta":
            # What came before and what came after then lie in one file.
            DeltaTable(lake / INTERACTIONS.events).optimize.compact()
        with duck_engine() as engine, looked_at.replaying(engine, 202503, 6) as replay:
            assert found_in_replay(replay) == expected


@pytest.mark.parametrize("zone", ZONES)
def test_the_zone_of_the_machine_does_not_matter(
    odd: tuple[Chronicle, Path], monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    from ledger.engines.duckdb import duck_engine

    chronicle, lake = odd
    try:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            with (
                duck_engine() as engine,
                LakeOfEditions(lake).replaying(engine, 202503, 5) as replay,
            ):
                found = found_in_replay(replay)
    finally:
        time.tzset()
    assert found == found_in_ledger(chronicle.ledger, 202503, 5)


def test_the_types_are_those_of_the_ledger(odd: tuple[Chronicle, Path]) -> None:
    from ledger.engines.duckdb import duck_engine

    chronicle, lake = odd
    with duck_engine() as engine, LakeOfEditions(lake).replaying(engine, 202503, 5) as replay:
        for table in SUPPORT.tables:
            described = engine.rows(f"DESCRIBE {replay.replayed(table)}")
            found = [
                (name, {"VARCHAR": "TEXT", "DOUBLE": "REAL"}[type]) for name, type, *_ in described
            ]
            assert found == column_types(chronicle.ledger, table)
        name = INTERACTIONS.events
        months = engine.rows(f"SELECT DISTINCT typeof(month), month FROM {name} ORDER BY month")
        assert [*months] == [("VARCHAR", "202501"), ("VARCHAR", "202502")]
