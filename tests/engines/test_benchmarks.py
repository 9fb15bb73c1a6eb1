"""The benchmark of the engines: what it takes for the same is the same, what it tells is so."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from benchmarks.deliveries import Deliveries
from benchmarks.engines.__main__ import Findings
from benchmarks.engines.plan import PARTS, Comparison, Plan
from benchmarks.engines.sameness import OutputsDiffer, digest, same_bytes
from benchmarks.engines.table import Figures, crossing, engines_table
from benchmarks.measure import Contender, Measure, Measured, Runner, Sample, Step, environment
from benchmarks.place import Place
from tests.commands import environment as of_a_user
from tests.commands import run
from tests.engines.needs import needs_duckdb, needs_linux

ROOT = Path(__file__).resolve().parents[2]
HOLDING = """
import subprocess, sys, time
held = b"x" * (60 * 2**20)
if sys.argv[1:]:
    subprocess.run([sys.executable, "-c", *sys.argv[1:]], check=True)
else:
    time.sleep(1)
"""

MEASURING = """
import sys
from pathlib import Path
from benchmarks.measure import Runner, Step, environment
folder, holding = Path(sys.argv[1]), sys.argv[2]
one_each = Step("hold", (sys.executable, "-c", holding, holding))
for all_it_starts in (False, True):
    runner = Runner(folder, environment(folder), with_all_it_starts=all_it_starts)
    print(runner.run(one_each).mib)
"""


def figures(*seconds: float) -> Figures:
    """What was taken of 1,000 events, of ten times as many and so on."""
    return {1000 * 10**power: Sample(taken, 100) for power, taken in enumerate(seconds)}


@pytest.mark.parametrize(
    ("base", "other", "told"),
    [
        ((1, 10), (3, 4), "from 3,500"),
        ((1, 10, 100), (10, 10.1, 10.2), "from 10,000"),
        ((1, 10, 100), (2, 20, 20), "from 20,000"),
        ((4, 4), (1, 16), "up to 3,200"),
        ((1, 10), (2, 20), "beyond 10,000"),
        ((2, 20), (1, 10), "from below 1,000"),
    ],
)
def test_the_crossing_lies_where_both_take_the_same_time(
    base: tuple[float, ...], other: tuple[float, ...], told: str
) -> None:
    assert crossing(figures(*base), figures(*other)) == told


def test_a_table_has_all_engines_in_a_line_and_their_growth_below() -> None:
    step = Step("do", ("true",))
    measure = Measure("this", Contender("SQLite", (step,)), (Contender("Spark", (step,)),))
    results = [
        Measured(measure, events, {("SQLite", "do"): [Sample(seconds, 50)],
                                   ("Spark", "do"): [Sample(8, mib), Sample(9, 1), Sample(7, 1)]})
        for events, seconds, mib in ((10_000, 40, 8000), (1000, 4, 800))
    ]  # fmt: skip
    assert engines_table(results).splitlines() == [
        "| events | SQLite, s | MiB | Spark, s | MiB |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| 1,000 | 4.00 | 50 | 8.00 | 800 |",
        "| 10,000 | 40.00 | 50 | 8.00 | 8,000 |",
        "| growth, 1,000 to 10,000 | 1.00 | 0.00 | 0.00 | 1.00 |",
        "| faster than SQLite |  |  | from 2,000 |  |",
    ]


def test_a_folder_of_parts_is_the_file_that_they_make_up(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.csv", tmp_path / "parts.csv"
    whole.write_bytes(b"a\n1\n2\n")
    parts.mkdir()
    (parts / "part-00001.csv").write_bytes(b"2\n")
    (parts / "part-00000.csv").write_bytes(b"a\n1\n")
    (parts / "_SUCCESS").write_bytes(b"no part")
    assert digest(parts) == digest(whole) == sha256(b"a\n1\n2\n").hexdigest()
    assert same_bytes({"SQLite": whole, "Spark": parts}) == digest(whole)


def test_engines_that_differ_in_a_byte_or_write_nothing_are_found_out(tmp_path: Path) -> None:
    ours, theirs, empty = (tmp_path / name for name in ("ours", "theirs", "empty"))
    ours.write_bytes(b"1\n")
    theirs.write_bytes(b"2\n")
    empty.mkdir()
    with pytest.raises(OutputsDiffer, match=r"SQLite: \w{64} .*ours\nSpark: \w{64} .*theirs"):
        same_bytes({"SQLite": ours, "Spark": theirs})
    for nothing in (empty, tmp_path / "missing"):
        with pytest.raises(OutputsDiffer, match="nothing was written"):
            same_bytes({"SQLite": ours, "Spark": nothing})


@needs_linux
def test_a_comparison_whose_engines_differ_is_not_told_of(tmp_path: Path) -> None:
    def writing(name: str, text: str) -> Contender:
        return Contender(name, (Step("write", ("sh", "-c", f"echo {text} >{tmp_path / name}")),))

    def comparison(theirs: str) -> Comparison:
        measure = Measure("this", writing("SQLite", "1"), (writing("Spark", theirs),))
        return Comparison(
            measure, {"file": {name: tmp_path / name for name in ("SQLite", "Spark")}}
        )

    findings, runner = Findings(), Runner(tmp_path, environment(tmp_path))
    findings.add(comparison("1"), runner, 10, 1)
    with pytest.raises(OutputsDiffer):
        findings.add(comparison("2"), runner, 100, 1)
    assert [line[:3] for line in findings.digests] == [["10", "this: file", "SQLite, Spark"]]


@needs_linux
def test_the_memory_is_that_of_a_command_with_all_that_it_starts(tmp_path: Path) -> None:
    # In a process of its own: what is started from a large one counts as large as that.
    ran = run(sys.executable, "-c", MEASURING, tmp_path, HOLDING, cwd=ROOT, PYTHONPATH=str(ROOT))
    assert ran.code == 0, ran.err
    largest, together = map(float, ran.out.split())
    assert 60 < largest < 110
    assert 120 < together < 220


def compared(tmp_path: Path, part: str, engines: tuple[str, ...]) -> list[Comparison]:
    place = Place(Deliveries(100, 2), tmp_path, tmp_path, Runner(tmp_path, {}), sys.executable)
    vars(place).update(data=tmp_path, recorded=tmp_path / "recorded.db", lake=tmp_path / "lake")
    return [*PARTS[part](Plan(place, engines))]


@pytest.mark.parametrize("part", ["report", "project", "export"])
def test_all_engines_are_held_to_the_ledger(tmp_path: Path, part: str) -> None:
    for comparison in compared(tmp_path, part, ("duckdb", "spark")):
        assert comparison.outputs
        assert all([*by] == ["SQLite", "DuckDB", "Spark"] for by in comparison.outputs.values())


@needs_duckdb
@needs_linux
def test_the_benchmark_runs_and_prints_what_came_out_alike(tmp_path: Path) -> None:
    command = (
        *(sys.executable, "-m", "benchmarks.engines", "--sizes", "2000", "--repeat", "1"),
        *("--engines", "duckdb", "--only", "report,export,size"),
        *("--data", str(tmp_path / "data"), "--work", str(tmp_path / "work")),
    )
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=of_a_user())
    assert done.returncode == 0, done.stderr
    titles = [line for line in done.stdout.splitlines() if line.startswith("### ")]
    assert titles == [
        "### Report of the last month",
        "### Report of the first month",
        "### Export of CSV",
        "### Size of the lake: 2,000 events of interactions",
        "### What they wrote",
    ]
    assert "| interactions_events | 2,000 |" in done.stdout
    assert done.stdout.count("| SQLite, DuckDB | `") == 2 + 4
    assert not [*(tmp_path / "work").iterdir()]
