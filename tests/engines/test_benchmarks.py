"""The benchmark of the engines runs, and finds out engines that differ."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.comparison import Inputs, measure
from benchmarks.measure import BenchmarkFailed
from benchmarks.tasks import Task, Way, tasks
from tests.commands import ROOT, run
from tests.engines.needs import needs_duckdb, needs_linux

pytestmark = needs_linux


def writing(who: str, text: str, file: str = "f") -> Way:
    return Way(who, [f"""sh -c "echo {text} > '{{out}}/{file}'" """], same_bytes=["f"])


@pytest.mark.parametrize(("text", "file"), [("2", "f"), ("1", "g")])
def test_an_engine_that_writes_other_bytes_or_nothing_ends_the_run(
    tmp_path: Path, text: str, file: str
) -> None:
    inputs = Inputs(100, tmp_path, tmp_path)
    alike = measure(Task("x", "x", [writing("ledger", "1"), writing("y", "1")]), inputs, 100, 2)
    assert [len(result.runs) for result in alike] == [2, 2]
    with pytest.raises(BenchmarkFailed, match="out-1/f"):
        measure(Task("x", "x", [writing("ledger", "1"), writing("y", text, file)]), inputs, 100, 1)


@needs_duckdb
def test_engines_are_compared_on_the_same_events(tmp_path: Path) -> None:
    parts = ("engines-report", "engines-export", "engines-publish")
    command = (sys.executable, "-m", "benchmarks", "compare", *parts, "--size", 2000)
    options = ("--repeat", 1, "--without", "pyspark", "--folder", tmp_path)
    ran = run(*command, *options, cwd=ROOT, PYTHONPATH=str(ROOT))
    assert ran.code == 0, ran.err
    for task in tasks(parts):
        # Nobody else publishes.
        assert ran.out.count(f"| {task.name} ") == (2 if len(task.ways) > 1 else 1)
    assert "SQLite, with the index" in ran.out
    assert [path.name for path in tmp_path.iterdir()] == ["deliveries-2000"]
