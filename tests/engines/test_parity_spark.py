"""Spark gives of a lake what SQLite gives of the ledger: of every edition, value by value."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

from ledger import Ledger, WrongUsage
from ledger.datasets.support.description import INTERACTIONS, SUPPORT
from tests.chronicle import Chronicle, Plan, plans
from tests.engines.editions import (
    ZONES,
    LakeOfEditions,
    assert_exported_alike,
    column_types,
    found_in_ledger,
    huge_plan,
    odd_plan,
    published,
    summed_up,
    united_rows,
    united_sql,
)
from tests.engines.needs import needs_spark

pytestmark = [needs_spark, pytest.mark.usefixtures("spark")]

MANY_PARTS = {
    "spark.sql.adaptive.coalescePartitions.enabled": "false",
    "spark.sql.shuffle.partitions": "3",
}
"""Small tables have several parts, too."""

LAST = (202503, 5)

MOST_EDITIONS = 6
"""Of random deliveries, in a run; each is some jobs of Spark. DuckDB is held to all of them."""

few_examples = settings(
    deadline=None,
    max_examples=1,
    # Each step of shrinking is as many jobs of Spark again.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[*HealthCheck],
)


@pytest.fixture(scope="module")
def odd() -> Iterator[tuple[Chronicle, Path]]:
    """The lake of what is odd, and its ledger."""
    with published(odd_plan()) as made:
        yield made


@pytest.fixture
def many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions that do not put small parts together."""
    from ledger.engines.spark import session

    monkeypatch.setattr(session, "_SETTINGS", {**session._SETTINGS, **MANY_PARTS})


def assert_alike(
    chronicle: Chronicle, lake: Path, as_of: int, batch: int, zone: str = "UTC"
) -> None:
    """Hold an edition of a lake to that of the ledger."""
    from ledger.engines.spark.engine import SparkEngine
    from ledger.engines.spark.session import spark_session

    with spark_session() as session:
        session.conf.set("spark.sql.session.timeZone", zone)
        engine = SparkEngine(session)
        with LakeOfEditions(lake).replaying(engine, as_of, batch) as replay:
            found = united_rows(engine.rows(united_sql(replay)))
            found |= summed_up(replay)
    expected = found_in_ledger(chronicle.ledger, as_of, batch)
    for name, what in expected.items():
        assert found[name] == what, (name, as_of, batch)


@given(plans(most=1))
@few_examples
def test_every_edition_is_that_of_the_ledger(plan: Plan) -> None:
    with published(plan) as (chronicle, lake):
        editions = [*chronicle.editions()]
        # The first example that comes is the simplest there is.
        assume(len(editions) > 3)
        for as_of, batch in editions[:: ceil(len(editions) / MOST_EDITIONS)]:
            assert_alike(chronicle, lake, as_of, batch)


@pytest.mark.parametrize(
    ("edition", "zone"), [*zip([(202501, 1), (202502, 4), LAST], ZONES, strict=True)]
)
def test_what_is_odd_is_alike_in_every_zone(
    odd: tuple[Chronicle, Path], edition: tuple[int, int], zone: str
) -> None:
    assert_alike(*odd, *edition, zone)


@pytest.mark.usefixtures("many_parts")
def test_what_is_odd_is_written_alike(odd: tuple[Chronicle, Path], tmp_path: Path) -> None:
    chronicle, lake = odd
    of: dict[str, Any] = {"as_of": str(LAST[0]), "known_at": LAST[1], "names": "as-was"}
    assert_exported_alike(chronicle.ledger, Ledger.of_lake(lake, "spark"), tmp_path, **of)
    for name in ("interactions_final.csv", "contact_centers_final.csv"):
        assert len([*(tmp_path / "lake-csv" / name).iterdir()]) > 2, "a header and two parts"


def test_the_report_and_the_answers_are_those_of_the_ledger(odd: tuple[Chronicle, Path]) -> None:
    chronicle, lake = odd
    on_spark = Ledger.of_lake(lake, "spark")
    assert repr(on_spark.at().report()) == repr(chronicle.ledger.at().report())
    more: dict[str, Any] = {"period": "2025Q1", "sensitivity": True, "names": "as-was"}
    assert repr(on_spark.at(known_at=5).answers(**more)) == repr(
        chronicle.ledger.at(known_at=5).answers(**more)
    )


def test_sums_that_depend_on_their_order_are_refused() -> None:
    refused = pytest.raises(WrongUsage, match=r"so large that their sums depend on the order")
    with published(huge_plan()) as (_, lake), refused:
        Ledger.of_lake(lake, "spark").at().report()


def test_the_types_are_those_of_the_ledger(odd: tuple[Chronicle, Path]) -> None:
    from ledger.engines.spark.engine import SparkEngine
    from ledger.engines.spark.session import spark_session

    chronicle, lake = odd
    with spark_session() as session:
        engine = SparkEngine(session)
        with LakeOfEditions(lake).replaying(engine, *LAST) as replay:
            for table in SUPPORT.tables:
                found = session.sql(replay.replayed(table)).dtypes
                types = {"string": "TEXT", "double": "REAL"}
                named = [(name, types[type]) for name, type in found]
                assert named == column_types(chronicle.ledger, table)
            name = INTERACTIONS.events
            months = engine.rows(f"SELECT DISTINCT typeof(month), month FROM {name} ORDER BY month")
            assert [*months] == [("string", "202501"), ("string", "202502")]
