"""Run tasks: the ledger and its peers in turn, on the same files, with the same results."""

from __future__ import annotations

import csv
import hashlib
import shlex
import shutil
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from statistics import median

import click

from benchmarks.deliveries import HEADER, key, schedule, write_deliveries
from benchmarks.measure import ROOT, BenchmarkFailed, Sample, run
from benchmarks.tasks import PLAN, Task, Way

NUMBERS = {
    *("call_duration_minutes", "satisfaction_rating"),
    *("total_interactions", "total_calls", "total_call_duration"),
}
MOMENTS = {"timestamp", "interaction_start", "agent_resolution_timestamp", "interaction_end"}


class Inputs(dict[str, str]):
    """What commands name in braces; files are made when they are first named."""

    def __init__(self, events: int, folder: Path, work: Path) -> None:
        data, draft = (folder / f"deliveries-{events}{end}" for end in ("", ".draft"))
        if not data.exists():
            shutil.rmtree(draft, ignore_errors=True)
            write_deliveries(draft, events)
            draft.rename(data)
        months = [str(month.number) for month in schedule(events)[:-1]]
        super().__init__(
            root=str(ROOT),
            data=str(data),
            work=str(work),
            columns=HEADER.replace(",", ", "),
            key=key(events // 4),
            first=months[0],
            middle=months[len(months) // 2],
            before_last=months[-2],
            last=months[-1],
        )

    def __missing__(self, name: str) -> str:
        path, *commands = PLAN.files[name]
        for line in commands:
            run(self.command(line))
        self[name] = f"{self['work']}/{path}"
        return self[name]

    def command(self, line: str) -> list[str]:
        """Return the program and the arguments of a command."""
        program, *arguments = (word.format_map(self) for word in shlex.split(line))
        if program.partition(".")[0] in ("ledger", "benchmarks"):
            return [sys.executable, "-m", program, *arguments]
        return [program, *arguments]


@dataclass(frozen=True)
class Result:
    """What one way to do a task took: for each run the samples of its commands."""

    task: Task
    way: Way
    events: int
    runs: list[list[Sample]]

    @property
    def key(self) -> tuple[str, str]:
        """What is done, and by whom."""
        return self.task.name, self.way.who

    @property
    def is_ours(self) -> bool:
        """Whether it is the ledger's."""
        return self.way is self.task.ways[0]

    def taken(self, command: int | None = None) -> Sample:
        """Return the median times and the peak memory, of one command or of all together."""
        runs = self.runs if command is None else [[run[command]] for run in self.runs]
        return Sample(
            median(sum(sample.seconds for sample in run) for run in runs),
            median(sum(sample.cpu for sample in run) for run in runs),
            max(sample.mib for run in runs for sample in run),
        )


def measure(task: Task, inputs: Inputs, events: int, repeat: int) -> list[Result]:
    """Do a task in all ways in turn, `repeat` times, and compare what they wrote.

    Raises:
        BenchmarkFailed: a command failed, or two ways wrote different things.
    """
    inputs["month"] = inputs[task.months[0]]
    results = [Result(task, way, events, []) for way in task.ways]
    outs = [Path(inputs["work"]) / f"out-{number}" for number in range(len(results))]
    for number in range(repeat):
        for result, out in zip(results, outs, strict=True):
            inputs["out"] = str(out)
            click.echo(f"{events:,} {task.name} {number + 1}/{repeat}: {result.way.who}", err=True)
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            for line in result.way.before:
                run(inputs.command(line))
            clock, lines = result.way.own_clock, result.way.commands
            result.runs.append([run(inputs.command(line), own_clock=clock) for line in lines])
    for result, out in zip(results, outs, strict=True):
        inputs["out"] = str(out)
        for line in result.way.after if len(results) > 1 else ():
            run(inputs.command(line))
        for name in result.way.outputs:
            compare_rows(outs[0] / name, out / name)
        for name in result.way.same_bytes:
            compare_bytes(outs[0] / name, out / name)
    for out in outs:
        shutil.rmtree(out)
    return results


def compare_rows(ours: Path, theirs: Path) -> None:
    """Verify that two files have the same rows: a moment may be local or UTC, a number 14 or 14.0.

    Raises:
        BenchmarkFailed: the rows differ.
    """
    with (
        open(ours, encoding="utf-8", newline="") as our,
        open(theirs, encoding="utf-8", newline="") as their,
    ):
        rows = csv.reader(our), csv.reader(their)
        header = next(rows[0])
        if header != next(rows[1]):
            raise BenchmarkFailed(f"{theirs} has other columns than {ours}")
        for number, (first, other) in enumerate(zip_longest(*rows), start=1):
            if first != other and _values(header, first) != _values(header, other):
                raise BenchmarkFailed(f"{theirs}: row {number} is {other}, in {ours} {first}")


def _values(header: list[str], row: list[str] | None) -> list[str | float | datetime]:
    return [_value(*pair) for pair in zip(header, row or [], strict=False)]


def _value(column: str, cell: str) -> str | float | datetime:
    if cell and column in NUMBERS:
        return float(cell)
    if cell and column in MOMENTS:
        return datetime.fromisoformat(cell).astimezone(UTC)
    return cell


def compare_bytes(ours: Path, theirs: Path) -> None:
    """Verify that two files, or folders of parts, have the same bytes.

    Raises:
        BenchmarkFailed: they differ, or one of them is missing.
    """
    if digest(ours) != digest(theirs):
        raise BenchmarkFailed(f"{theirs} has other bytes than {ours}")


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of the parts in a folder, one after the other.

    Raises:
        BenchmarkFailed: nothing was written.
    """
    parts = sorted(path.glob("part-*")) if path.is_dir() else [path]
    if not parts or not parts[0].exists():
        raise BenchmarkFailed(f"nothing was written to {path}")
    found = hashlib.sha256()
    for part in parts:
        with open(part, "rb") as file:
            while block := file.read(2**20):
                found.update(block)
    return found.hexdigest()


def bytes_per_event(inputs: Inputs, events: int) -> list[str]:
    """Return how many bytes an event of interactions takes: delivered, in the ledger, in the lake.

    That of the ledger includes the index of the keys.
    """
    data, lake = Path(inputs["data"]), Path(inputs["lake"]) / "interactions_events"
    delivered = [data / "initial/interactions.csv", *data.glob("delta/interactions_*.csv")]
    pages = "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'interactions_events%'"
    with closing(sqlite3.connect(inputs["recorded"])) as connection:
        (stored,) = connection.execute(pages).fetchone()
    sizes = [sum(path.stat().st_size for path in files)
             for files in (delivered, lake.rglob("*.parquet"))]  # fmt: skip
    return [f"{size / events:.1f}" for size in (sizes[0], stored, sizes[1])]
