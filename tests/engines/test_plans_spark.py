"""What Spark does for a replay: which files it opens, and how often rows go from worker to worker.

A shuffle sends every row to another worker, and is most of what a large replay costs. The numbers:

- *by the key*, 1: of each key the last event is looked for. Of the events it takes the key and the
  number alone, of which each task first keeps the last of each key that it has.
- *by the event*, 2: the events that were chosen get their cells by their number. Where one of the
  two sides is small enough for every worker (10 MB by default), it is broadcast, and there is none:
  so it is with agents, centres and categories.
- the clock and what does not count are broadcast: none.
- readings of irregular cells, 1: those of one event become one row. Where they are too many to be
  broadcast, they are joined by the event, as the cells are, in the shuffle that is there.
- *in the order of the key*, 1: for writing alone. Spark looks at a sample of the keys first.
- totals and other summaries, 1: what each task has added up goes to where its group is.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ledger.datasets.support.description import AGENTS, INTERACTIONS, READINGS, SUPPORT, TOTALS
from ledger.engines.lake_replay import LakeReplay
from ledger.model.dataset import Table
from tests.chronicle import Chronicle, Plan
from tests.engines.editions import LakeOfEditions, interaction, published
from tests.engines.needs import needs_spark
from tests.strategies import DeliveredFile, Deliveries, small_file

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = [needs_spark, pytest.mark.usefixtures("spark")]

BROADCAST = 12_000
"""Bytes that go to every worker: less than the interactions have here, and more than the clock."""

BY_KEY = ["hash interaction_id"]
BY_EVENT = ["hash event_id", "hash event_id"]
IN_ORDER = ["range interaction_id"]
LAST = (202503, 4)


def calls(month: int, count: int, first: int = 0) -> Iterator[tuple[str, ...]]:
    """Interactions of a month, none like another."""
    draw = random.Random(month)
    begin = datetime(month // 100, month % 100, 1)
    for number in range(first, first + count):
        times = [begin + timedelta(seconds=draw.randrange(100_000)) for _ in range(4)]
        start, resolved, end, written = (f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in sorted(times))
        yield interaction(
            f"INT{number:06}",
            interaction_start=start,
            agent_resolution_timestamp=resolved,
            interaction_end=end,
            timestamp=written,
            agent_id=f"A{number % 3}",
            contact_center_id=f"CC{number % 7}",
            call_duration_minutes=f"{draw.randrange(10_000) / 100}",
        )


def large_plan(odd: str = "12.5") -> Plan:
    """Three months of thousands of interactions, the second of which is then corrected."""

    def delta(month: int, count: int) -> DeliveredFile:
        rows = (("update", *row) for row in calls(month, count))
        return small_file("interactions", month, *rows)

    rated = interaction("RATED", satisfaction_rating=odd)
    first = (
        small_file("agents", None, *((f"A{n}", "Ann") for n in range(3))),
        small_file("contact_centers", None, *((f"CC{n}", f"Centre {n}") for n in range(7))),
        small_file("interactions", None, *calls(202501, 6000), rated),
        delta(202502, 2000),
        delta(202503, 2000),
    )
    return Plan(Deliveries(202501, first), (delta(202502, 2100),))


@pytest.fixture(scope="module")
def large() -> Iterator[tuple[Chronicle, Path]]:
    """The lake of thousands of interactions, and its ledger."""
    with published(large_plan()) as made:
        yield made


@pytest.fixture
def session(spark: SparkSession) -> Iterator[SparkSession]:
    """A session for which the interactions are too many to be broadcast."""
    from ledger.engines.spark.session import spark_session

    with spark_session() as session:
        session.conf.set("spark.sql.autoBroadcastJoinThreshold", str(BROADCAST))
        yield session


@pytest.fixture
def replay(large: tuple[Chronicle, Path], session: SparkSession) -> Iterator[LakeReplay]:
    """The replay of the last edition."""
    from ledger.engines.spark.engine import SparkEngine

    with LakeOfEditions(large[1]).replaying(SparkEngine(session), *LAST) as replay:
        yield replay


def nodes(plan: Any) -> Iterator[Any]:
    """The nodes of a plan that was run, down to the files; not of what was kept before."""
    yield plan
    name = plan.nodeName()
    if name == "AdaptiveSparkPlan":
        assert plan.isFinalPlan()
        yield from nodes(plan.executedPlan())
    elif name.endswith("QueryStage"):
        yield from nodes(plan.plan())
    else:
        children = plan.children()
        for place in range(children.size()):
            yield from nodes(children.apply(place))


def run(rows: DataFrame) -> list[Any]:
    """Run a query, and give the nodes of the plan that it was run by in the end."""
    rows.collect()
    return [*nodes(rows._jdf.queryExecution().executedPlan())]


def shuffles(found: list[Any]) -> list[str]:
    """By what rows are sent from worker to worker: `hash interaction_id`."""
    exchanges = [n.outputPartitioning().toString() for n in found if n.nodeName() == "Exchange"]
    return sorted(re.sub(r"^(\w+)partitioning\((\w+)#.*", r"\1 \2", text) for text in exchanges)


def scans(found: list[Any], of: str) -> list[Any]:
    """The nodes that read files which lie below a folder of this name."""
    read = [node for node in found if node.nodeName().startswith("Scan parquet")]
    return [node for node in read if f"/{of}" in node.toString()]


def replayed(session: SparkSession, replay: LakeReplay, table: Table) -> DataFrame:
    return session.sql(replay.replayed(table))


def test_interactions_are_shuffled_by_their_key_and_by_the_event(
    session: SparkSession, replay: LakeReplay
) -> None:
    rows = replayed(session, replay, INTERACTIONS)
    assert shuffles(run(rows)) == sorted(BY_KEY + BY_EVENT)
    in_order = replayed(session, replay, INTERACTIONS).orderBy(INTERACTIONS.key)
    assert shuffles(run(in_order)) == sorted(BY_KEY + BY_EVENT + IN_ORDER)


@pytest.mark.parametrize("table", SUPPORT.tables[:-1], ids=lambda table: table.name)
def test_small_tables_are_shuffled_by_their_key_alone(
    session: SparkSession, replay: LakeReplay, table: Table
) -> None:
    expected = [f"hash {table.key}"] if table.name != "service_categories" else []
    assert shuffles(run(replayed(session, replay, table))) == expected


def test_interactions_that_are_few_are_shuffled_by_their_key_alone(
    session: SparkSession, replay: LakeReplay
) -> None:
    session.conf.set("spark.sql.autoBroadcastJoinThreshold", "10MB")
    assert shuffles(run(replayed(session, replay, INTERACTIONS))) == BY_KEY


@pytest.mark.parametrize("summary", [TOTALS, READINGS], ids=lambda summary: summary.name)
def test_what_is_summed_up_is_shuffled_once_more(
    session: SparkSession, replay: LakeReplay, summary: Any
) -> None:
    table = INTERACTIONS.narrowed(set(summary.reads))
    session.sql(replay.replayed(table)).createOrReplaceTempView(INTERACTIONS.name)
    assert shuffles(run(session.sql(summary.select))) == sorted([*BY_KEY, *BY_EVENT, "hash month"])


def test_readings_of_irregular_cells_are_shuffled_once(session: SparkSession) -> None:
    from ledger.engines.spark.engine import SparkEngine

    engine = SparkEngine(session)
    with (
        published(large_plan(odd="four")) as (_, lake),
        LakeOfEditions(lake).replaying(engine, *LAST) as replay,
    ):
        found = run(replayed(session, replay, INTERACTIONS))
        assert shuffles(found) == sorted([*BY_KEY, *BY_EVENT, "hash event_id"])
        assert scans(found, "readings")


def test_later_months_are_not_opened(large: tuple[Chronicle, Path], session: SparkSession) -> None:
    from ledger.engines.spark.engine import SparkEngine

    for as_of, files in ((202501, 1), (202502, 3), (202503, 4)):
        engine = SparkEngine(session)
        with LakeOfEditions(large[1]).replaying(engine, as_of, LAST[1]) as replay:
            found = scans(run(replayed(session, replay, INTERACTIONS)), INTERACTIONS.events)
        assert len(found) == 2, "the keys, and the cells"
        for scan in found:
            assert scan.metrics().apply("numFiles").value() == files
            filters = re.search(r"PartitionFilters: \[(.*?)\]", scan.toString())
            assert filters
            assert f"<= {as_of})" in filters[1]


def test_only_the_columns_of_the_key_are_read_to_choose_events(
    session: SparkSession, replay: LakeReplay
) -> None:
    found = scans(run(replayed(session, replay, AGENTS)), AGENTS.events)
    read = {
        schema for scan in found for schema in re.findall(r"ReadSchema: (\S+)", scan.toString())
    }
    assert "struct<event_id:bigint,file:bigint,agent_id:string>" in read
