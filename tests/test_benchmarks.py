"""The benchmarks: deliveries are deterministic and sound, measurements and comparisons are right.

Most peers are not installed where the tests run; `python -m benchmarks compare` compares what they
write with what the ledger writes.
"""

from __future__ import annotations

import csv
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from hashlib import sha256
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path

import pytest

from benchmarks.comparison import Result, compare_bytes, compare_rows, digest
from benchmarks.deliveries import write_deliveries
from benchmarks.measure import BenchmarkFailed, Sample, run
from benchmarks.tables import crossing, table
from benchmarks.tasks import PLAN, Task, Way, tasks
from ledger import Ledger
from tests.commands import Ran
from tests.commands import run as run_as_user
from tests.oracle import fold, state_of

ROWS, MONTHS, NEXT = 1600, 4, 200
ROOT = Path(__file__).parent.parent
COLUMNS = "a,call_duration_minutes,timestamp\n"
HOLDING = """
import subprocess, sys, time
held = b"x" * (60 * 2**20)
if sys.argv[1:]:
    subprocess.run([sys.executable, "-c", *sys.argv[1:]], check=True)
else:
    time.sleep(1)
print("seconds 7.5")
"""
MEASURING = """
import sys
from benchmarks.measure import run
print(run([sys.executable, "-c", sys.argv[1], sys.argv[1]]))
"""
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")


def made(folder: Path, seed: int = 1, rows: int = ROWS) -> dict[str, bytes]:
    """The files of a data folder, by name."""
    write_deliveries(folder, rows, MONTHS, seed, NEXT)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.csv")
    }


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return [*csv.DictReader(file, strict=True)]


def benchmarks(*arguments: object) -> Ran:
    command = (sys.executable, "-m", "benchmarks", *arguments)
    return run_as_user(*command, cwd=ROOT, PYTHONPATH=str(ROOT))


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    first, again, other = (
        made(tmp_path / name, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first == again
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first if "interactions" in name)


def test_deliveries_remain_those_of_the_published_figures(tmp_path: Path) -> None:
    files = made(tmp_path)
    whole = sha256(b"".join(files[name] for name in sorted(files)))
    assert whole.hexdigest() == "f069f32cfb301566d0785d3752a89a60d01851baaf3d06d96f8246d9dcb231a2"


def test_each_delta_adds_updates_and_deletes_what_exists(tmp_path: Path) -> None:
    made(tmp_path)
    extract = rows_of(tmp_path / "initial" / "interactions.csv")
    there = {row["interaction_id"]: row for row in extract}
    assert len(extract) == len(there) == ROWS // 2
    assert all("2022-01-01" <= row["interaction_start"] < "2023" for row in extract)
    completed = 0
    for path in sorted((tmp_path / "delta").glob("interactions_*")):
        delta, month = rows_of(path), f"{path.stem[-6:-2]}-{path.stem[-2:]}"
        actions = Counter(row["action"] for row in delta)
        shares = {"add": 80, "update": 15, "delete": 5}
        assert actions == {action: len(delta) * share // 100 for action, share in shares.items()}
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
            else:
                assert row["interaction_start"] > "2022-12-28"
                assert row["timestamp"][:7] <= month
    assert completed


def test_the_month_after_the_last_has_the_same_shape_after_any_history(tmp_path: Path) -> None:
    name = "next/delta/interactions_delta_202305.csv"
    short, long = (
        made(tmp_path / str(rows), rows=rows)[name].count(b",add\n") for rows in (ROWS, 3 * ROWS)
    )
    assert short == long == NEXT * 80 // 100


def test_the_ledger_records_it_and_replays_it_as_another_way_does(tmp_path: Path) -> None:
    made(tmp_path)
    ledger = Ledger(tmp_path / "ledger.db")
    done = [*ledger.ingest(tmp_path), *ledger.ingest(tmp_path / "next")]
    assert {code for month in done for code in month.findings} <= {"reference-deleted", "no-op"}
    ledger.project("202305")
    paths = [*(tmp_path / "initial").iterdir(), *tmp_path.rglob("*_delta_*.csv")]
    with closing(sqlite3.connect(ledger.path)) as connection:
        assert state_of(connection) == fold(paths, 202212, 202305)


@needs_linux
def test_a_command_is_measured_with_all_that_it_starts() -> None:
    # In a process of its own: what is started from a large one counts as large as that.
    ran = run_as_user(sys.executable, "-c", MEASURING, HOLDING, cwd=ROOT, PYTHONPATH=str(ROOT))
    assert ran.code == 0, ran.err
    sample = eval(ran.out, {"Sample": Sample})
    assert 120 < sample.mib < 220
    assert sample.seconds > 1
    assert 0 < sample.cpu < sample.seconds + 1


@needs_linux
def test_a_command_may_measure_its_own_seconds_and_must_not_fail() -> None:
    command = [sys.executable, "-c", "print('seconds 7.5')"]
    assert run(command, own_clock=True).seconds == 7.5
    assert run(command).seconds < 7.5
    with pytest.raises(BenchmarkFailed, match="no such thing"):
        run([sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_rows_are_the_same_however_times_and_numbers_are_written(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    ours.write_text(f"{COLUMNS}x,14,2025-01-31T20:30:00-05:00\ny,,\n")
    theirs.write_text(f"{COLUMNS}x,14.0,2025-02-01T01:30:00Z\ny,,\n")
    compare_rows(ours, theirs)
    changes = (("14.0", "15"), ("Z", "-01:00"), ("y,,\n", ""), ("y,,", "z,,"), ("a,", "b,"))
    for before, after in changes:
        other = tmp_path / "other.csv"
        other.write_text(theirs.read_text().replace(before, after, 1))
        with pytest.raises(BenchmarkFailed, match=r"other\.csv"):
            compare_rows(ours, other)


def test_bytes_are_the_same_in_a_file_and_in_parts_and_nothing_is_an_error(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole.csv", tmp_path / "parts.csv"
    whole.write_bytes(b"a\n1\n2\n")
    parts.mkdir()
    with pytest.raises(BenchmarkFailed, match="nothing was written"):
        compare_bytes(whole, parts)
    (parts / "part-00001.csv").write_bytes(b"2\n")
    (parts / "part-00000.csv").write_bytes(b"a\n1\n")
    (parts / "_SUCCESS").write_bytes(b"no part")
    compare_bytes(whole, parts)
    assert digest(whole) == sha256(b"a\n1\n2\n").hexdigest()
    whole.write_bytes(b"a\n1\n3\n")
    with pytest.raises(BenchmarkFailed, match="other bytes"):
        compare_bytes(whole, parts)


def results(events: int, ours: list[float], theirs: list[float]) -> list[Result]:
    """A task of two commands, with a peer of whose time the ledger may take twice."""
    ledger, peer = Way("ledger", ["x one", "x two"]), Way("peer", ["x"], time=2, memory=0.25)
    task = Task("this", "this", [ledger, peer], seconds=3)
    steps = [[Sample(s / 4, s, 50), Sample(s * 3 / 4, 0, 50 + s)] for s in ours]
    return [
        Result(task, ledger, events, steps),
        Result(task, peer, events, [[Sample(seconds, 1, 400)] for seconds in theirs]),
    ]


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


def test_a_table_gives_medians_shares_growth_and_where_a_peer_becomes_faster() -> None:
    large = results(1_000_000, [20, 15, 40], [5, 8, 7])
    small = results(100_000, [1, 9, 2], [4, 4, 5])
    assert small[0].taken() == Sample(2, 2, 59)
    goals, peers = "growth ≤ 1.1, MiB ≤ 160", "time ≤ 2, memory ≤ 0.25"
    assert [" | ".join(row) for row in cells(table([*large, *small]))] == [
        f"this | ledger | 100,000 | 2.00 | 2.00 | 59 |  |  |  |  | {goals} | ",
        "— one | ledger | 100,000 | 0.50 | 2.00 | 50 |  |  |  |  |  | ",
        "— two | ledger | 100,000 | 1.50 | 0.00 | 59 |  |  |  |  |  | ",
        f"this | ledger | 1,000,000 | **20.00** | 20.00 | 90 | 1.00 | 0.18 "
        f"|  |  | {goals}, s ≤ 3 | ",
        "— one | ledger | 1,000,000 | 5.00 | 20.00 | 50 |  |  |  |  |  | ",
        "— two | ledger | 1,000,000 | 15.00 | 0.00 | 90 |  |  |  |  |  | ",
        f"this | peer | 100,000 | 4.00 | 1.00 | 400 |  |  | 0.50 | 0.15 | {peers} | ",
        "this | peer | 1,000,000 | 7.00 | 1.00 | 400 | 0.24 | 0.00 | **2.86** | 0.23 "
        f"| {peers} | from 250,000",
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [(3, 0.4, "from 3,500"), (0.25, 4, "up to 3,200"), (2, 1, ""), (0.5, 0.9, "")],
)
def test_the_crossing_is_where_both_take_the_same_time(
    before: float, after: float, expected: str
) -> None:
    assert crossing(1000, before, 10_000, after) == expected


def test_the_ledger_comes_first_in_every_task_and_what_others_write_is_compared() -> None:
    for task in PLAN.tasks:
        assert task.ways[0].who == "ledger"
        for way in task.ways[1:]:
            if task.part in ("cold", "month") or task.part.startswith("engines"):
                assert way.outputs or way.same_bytes
    assert len(tasks(("replay",))) == 6
    assert [*map(attrgetter("months"), tasks(("report",)))] == [("last",), ("middle",), ("first",)]


def test_deliveries_are_generated_by_the_command(tmp_path: Path) -> None:
    options = ("--rows", ROWS, "--months", MONTHS, "--seed", 3)
    assert benchmarks("deliveries", *options, tmp_path / "one").code == 0
    write_deliveries(tmp_path / "other", ROWS, MONTHS, 3)
    for path in (tmp_path / "one").rglob("*.csv"):
        other = tmp_path / "other" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes()


@needs_linux
def test_a_comparison_prints_its_tables_and_leaves_the_deliveries(tmp_path: Path) -> None:
    options = ("--size", 2000, "--repeat", 1, "--folder", tmp_path)
    parts = ("report", "startup")
    ran = benchmarks("compare", *options, *parts)
    assert ran.code == 0, ran.err
    for task in tasks(parts):
        assert f"| {task.name} " in ran.out
    assert [path.name for path in tmp_path.iterdir()] == ["deliveries-2000"]


def test_a_profile_adds_up_statements_and_python(tmp_path: Path) -> None:
    options = ("--data-dir", ROOT / "data", "--db", tmp_path / "ledger.db")
    ran = benchmarks("profile", "ingest", *options)
    assert ran.code == 0, ran.err
    lines = ran.err.splitlines()[-8:]
    assert lines[0].endswith(" s  in all")
    assert lines[-1].endswith("%  Python")
    assert any("  INSERT INTO " in line for line in lines)
    assert sum(float(line.split()[0]) for line in lines[1:]) <= float(lines[0].split()[0]) + 0.05


@pytest.mark.skipif(
    not all(map(find_spec, ("duckdb", "pandas", "polars"))), reason="the readers are not installed"
)
def test_readers_are_compared_on_malformed_and_odd_files(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from benchmarks.cases import all_cases
    from benchmarks.readers import print_tables

    print_tables(True, [*all_cases(1)][::60])
    assert "\nMalformed deliveries: refused / changed / exact\n" in capsys.readouterr().out
