"""The benchmarks: what is delivered is what is asked for, and the tables say what was measured.

The peers are in no environment of the tests: `benchmarks/peers/check.py` holds them to the ledger.
"""

from __future__ import annotations

import csv
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.deliveries import Deliveries, write_deliveries
from benchmarks.measure import (
    CommandFailed,
    Contender,
    Measure,
    Measured,
    Runner,
    Sample,
    Step,
    environment,
)
from benchmarks.peers.check import difference
from benchmarks.place import Place
from benchmarks.plan import PARTS, Plan
from benchmarks.table import exponent, ledger_table, median_of, peers_table
from ledger import Ledger
from tests.oracle import fold, state_of

ROWS, MONTHS, NEXT = 1600, 4, 200
UNUSED = Runner(Path("nowhere"), {})


def made(folder: Path, keys: str = "seq", seed: int = 1, rows: int = ROWS) -> dict[str, bytes]:
    """The files of a data folder, by name."""
    wanted = Deliveries(rows, MONTHS, seed, keys, NEXT)
    write_deliveries(wanted, folder, with_next=True)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.csv")
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file, strict=True)]


@pytest.mark.parametrize("keys", ["seq", "random"])
def test_the_same_arguments_give_the_same_bytes(tmp_path: Path, keys: str) -> None:
    first, again, other = (
        made(tmp_path / name, keys, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first if "interactions" in name)


@pytest.mark.parametrize("keys", ["seq", "random"])
def test_updates_and_deletes_hit_what_is_there(tmp_path: Path, keys: str) -> None:
    made(tmp_path, keys)
    extract = rows_of(tmp_path / "initial" / "interactions.csv")
    there = {row["interaction_id"]: row for row in extract}
    assert len(there) == len(extract) == ROWS // 2
    assert ([*there] == sorted(there)) is (keys == "seq")
    deltas = sorted((tmp_path / "delta").glob("interactions_*"))
    completed = 0
    for path in [*deltas, *(tmp_path / "next" / "delta").glob("interactions_*")]:
        delta = rows_of(path)
        assert len({row["interaction_id"] for row in delta}) == len(delta)
        actions = Counter(row["action"] for row in delta)
        assert actions == {
            "add": len(delta) * 80 // 100,
            "update": len(delta) * 15 // 100,
            "delete": len(delta) * 5 // 100,
        }
        for row in delta:
            key, action = row["interaction_id"], row.pop("action")
            assert (key in there) is (action != "add")
            before = there.pop(key, None)
            if action == "delete":
                continue
            there[key] = row
            if before:
                assert row["interaction_start"] == before["interaction_start"]
                assert row["interaction_end"]
                assert row != before
                completed += not before["interaction_end"]
            elif row["interaction_start"] < f"{path.stem[-6:-2]}-{path.stem[-2:]}":
                assert row["interaction_start"] > "2022-12-28"
            else:
                assert row["timestamp"][:7] == f"{path.stem[-6:-2]}-{path.stem[-2:]}"
    assert completed
    assert sum(len(rows_of(path)) for path in deltas) == ROWS // 2


def test_the_month_after_the_last_has_the_same_shape_after_any_history(tmp_path: Path) -> None:
    name = "next/delta/interactions_delta_202305.csv"
    short, long = (
        made(tmp_path / str(rows), rows=rows)[name].count(b",add\n") for rows in (ROWS, 3 * ROWS)
    )
    assert short == long == NEXT * 80 // 100


def test_the_ledger_records_it_and_replays_it_as_another_way_does(tmp_path: Path) -> None:
    made(tmp_path, "random")
    ledger = Ledger(tmp_path / "ledger.db")
    done = [*ledger.ingest(tmp_path), *ledger.ingest(tmp_path / "next")]
    codes = {code for month in done for code in month.findings}
    assert codes <= {"reference-deleted", "no-op"}
    ledger.project("202305")
    paths = [*(tmp_path / "initial").iterdir(), *tmp_path.rglob("*_delta_*.csv")]
    with closing(sqlite3.connect(ledger.path)) as connection:
        assert state_of(connection) == fold(paths, 202212, 202305)


def measured(events: int, ours: list[float], theirs: list[float]) -> Measured:
    """Something measured, with a peer that the ledger may take twice the time of."""
    step = Step("do", ("true",))
    peer = Contender("peer", (step,), time_goal=2, memory_goal=0.25)
    samples = {
        ("ledger", "do"): [Sample(seconds, 50 + seconds) for seconds in ours],
        ("peer", "do"): [Sample(seconds, 400) for seconds in theirs],
    }
    return Measured(Measure("this", Contender("ledger", (step,)), (peer,)), events, samples)


def test_tables_give_medians_ratios_and_growth() -> None:
    small = measured(100_000, [1, 9, 2], [1, 1, 5])
    large = measured(1_000_000, [20, 15, 40], [5, 8, 7])
    assert median_of(small.samples["ledger", "do"]) == Sample(2, 59)
    assert peers_table([small, large]).splitlines()[2:] == [
        "| this | 100,000 | 2.00 | 59 | peer | 1.00 | 400 | 2.00 | ≤ 2 | 0.15 | ≤ 0.25 |",
        "| this | 1,000,000 | 20.00 | 90 | peer | 7.00 | 400 | **2.86** | ≤ 2 | 0.23 | ≤ 0.25 |",
    ]
    assert ledger_table([large, small]).splitlines()[2:] == [
        "| this | 2.00 | 20.00 |  | 1.00 | ≤ 1.1 | 59 | 90 | 160 |"
    ]


def test_the_exponent_is_the_power_with_which_a_figure_grows() -> None:
    assert exponent([(10, 3), (100, 300)]) == pytest.approx(2)
    assert exponent([(10, 3), (100, 30), (1000, 300)]) == pytest.approx(1)
    assert exponent([(10, 7), (100, 7)]) == pytest.approx(0)
    assert exponent([(10, 3)]) is None


def test_a_thing_of_several_commands_takes_their_time_and_the_memory_of_the_largest() -> None:
    steps = (Step("one", ("true",)), Step("two", ("true",)))
    contender = Contender("ledger", steps)
    samples = {("ledger", "one"): [Sample(1, 70)], ("ledger", "two"): [Sample(2, 30)]}
    result = Measured(Measure("this", contender), 10, samples)
    assert result.of(contender) == [Sample(3, 70)]
    assert [line.split(" | ")[:2] for line in ledger_table([result]).splitlines()[2:]] == [
        ["| this", "3.00"],
        ["| — one", "1.00"],
        ["| — two", "2.00"],
    ]


def test_a_command_is_measured_from_outside(tmp_path: Path) -> None:
    runner = Runner(tmp_path, environment(tmp_path))
    code = "import time; held = b'x' * 200 * 2**20; time.sleep(0.2); print('seconds 7.5')"
    found = runner.run(Step("hold", (sys.executable, "-c", code)))
    assert found.mib > 200
    assert 0.2 < found.seconds < 7
    assert runner.run(Step("tell", (sys.executable, "-c", code), tells_seconds=True)).seconds == 7.5
    with pytest.raises(CommandFailed, match="no such thing"):
        runner.run(Step("fail", (sys.executable, "-c", "raise SystemExit('no such thing')")))


def test_a_peer_that_gives_something_else_is_found_out(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    ours.write_text("a,call_duration_minutes,timestamp\nx,14,2025-01-31T20:30:00-05:00\ny,,\n")
    theirs.write_text("a,call_duration_minutes,timestamp\nx,14.0,2025-02-01T01:30:00Z\ny,,\n")
    assert difference(ours, theirs) is None
    for before, after in (("14.0", "15"), ("Z", "-01:00"), ("y,,\n", ""), ("y,,", "z,,")):
        other = tmp_path / "other.csv"
        other.write_text(theirs.read_text().replace(before, after))
        assert str(difference(ours, other)).startswith(f"{other}: row ")


def test_every_part_can_be_planned_with_and_without_peers(tmp_path: Path) -> None:
    for peers in (frozenset[str](), frozenset({"duckdb", "pandas", "polars"})):
        for part in ("cold", "replay", "report"):
            place = Place(Deliveries(100, 2), tmp_path, tmp_path, UNUSED, sys.executable)
            vars(place).update(data=tmp_path, recorded=tmp_path / "recorded.db")
            measures = [*PARTS[part](Plan(place, sys.executable, peers))]
            assert measures
            named = {peer.name for measure in measures for peer in measure.peers}
            assert named == (peers if part == "cold" else {"plain scan"})
