"""Draw what was measured as Markdown: ratios to the peers, growth, goals."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from itertools import pairwise
from math import exp, log
from pathlib import Path

import psutil
from tabulate import tabulate

from benchmarks.comparison import Result
from benchmarks.measure import Sample

PACKAGES = (
    *("month-ledger", "pandas", "numpy", "duckdb", "polars", "adbc-driver-sqlite", "pyarrow"),
    *("pyspark", "sqlite-utils"),
)
GOALS_AT = 1_000_000
BY_SIZE = Mapping[int, Sample]
"""What one way to do a task took, by the number of events."""


def print_all(
    results: Sequence[Result], stored: Sequence[Sequence[str]], floor: float, repeat: int
) -> None:
    """Print what was measured, where and how.

    Args:
        results: of all tasks and ways.
        stored: for each size how many bytes an event takes.
        floor: the memory in MiB that an empty process appears to take.
        repeat: the runs of each command.
    """
    print(heading())
    print(f"- {repeat} runs of each, in turn: median seconds; peak MiB, at least {floor:.0f}")
    print(f"\nBeside the ledger; bold where a goal is missed:\n\n{ratios(results)}")
    print(f"\nEach alone:\n\n{growth(results)}")
    if stored:
        titles = ["events", "bytes of an event: CSV", "SQLite, with the index", "lake"]
        print(f"\n{markdown(titles, stored, texts=0)}")


def heading() -> str:
    """Return the machine, the versions and the date, as a list."""
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    (cpu, *_) = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()) or ["unknown"]
    memory = psutil.virtual_memory().total / 2**30
    return "\n".join(
        [
            f"- {len(os.sched_getaffinity(0))} cores ({cpu}), "
            f"{memory:.0f} GiB of memory, {platform.system()} {platform.release()}",
            f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
            f"{', '.join(versions)}",
            f"- {datetime.now(UTC):%Y-%m-%d}; load before: {os.getloadavg()[0]:.1f}",
        ]
    )


def markdown(titles: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """Return a table in Markdown: so many columns of text, then figures."""
    align = ["left"] * texts + ["right"] * (len(titles) - texts)
    return tabulate(rows, titles, tablefmt="pipe", disable_numparse=True, colalign=align)


def ratios(results: Sequence[Result]) -> str:
    """Return a table of the ledger's share of what each peer takes."""
    titles = ["", "beside the ledger", "events", "ledger, s", "s", "time", "goal", "CPU"]
    titles += ["ledger, MiB", "MiB", "memory", "goal"]
    ours = {(r.task.name, r.events): r.taken() for r in results if r.is_ours}
    rows = []
    for result in results:
        if result.is_ours:
            continue
        way, mine, theirs = result.way, ours[result.task.name, result.events], result.taken()
        rows.append(
            [
                *(result.task.name, way.who, f"{result.events:,}"),
                *(f"{mine.seconds:.2f}", f"{theirs.seconds:.2f}"),
                *_marked(mine.seconds / theirs.seconds, way.time),
                f"{mine.cpu / theirs.cpu:.2f}" if theirs.cpu else "",
                *(f"{mine.mib:,.0f}", f"{theirs.mib:,.0f}"),
                *_marked(mine.mib / theirs.mib, way.memory),
            ]
        )
    return markdown(titles, rows, texts=2)


def growth(results: Sequence[Result]) -> str:
    """Return a table of each way to do a task: what it takes at each size, and how that grows.

    Several commands have a line each. Exponents are those between the two largest sizes.
    """
    sizes = sorted({result.events for result in results})
    titles = ["", "who", *(f"{size:,}: {what}" for size in sizes for what in ("s", "CPU", "MiB"))]
    titles += ["growth", "of memory", "goals", "faster than the ledger"]
    same: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        same.setdefault((result.task.name, result.way.who), []).append(result)
    rows = []
    for (name, who), found in same.items():
        task, way = found[0].task, found[0].way
        whole = {one.events: one.taken() for one in found}
        base = {one.events: one.taken() for one in same[name, task.ways[0].who]}
        crossed = "" if found[0].is_ours else crossing(base, whole)
        rows.append([name, who, *_grown(found[0], whole, sizes), crossed])
        if len(way.commands) > 1:
            for number, command in enumerate(way.commands):
                part = {one.events: one.taken(number) for one in found}
                step = f"— {command.split()[1]}"
                rows.append([step, who, *_grown(found[0], part, sizes, whole=False), ""])
    return markdown(titles, rows, texts=2)


def _grown(result: Result, found: BY_SIZE, sizes: list[int], *, whole: bool = True) -> list[str]:
    """Return the cells of one way, in bold where the ledger misses a goal."""
    task = result.task if result.is_ours else None
    cells = []
    for size in sizes:
        sample = found.get(size)
        if sample is None:
            cells += ["", "", ""]
            continue
        most = task.seconds if task and size == GOALS_AT else None
        cells += [_marked(sample.seconds, most)[0], f"{sample.cpu:.2f}"]
        cells += [_marked(sample.mib, task.mib if task else None, ",.0f")[0]]
    times, memory = (
        exponent({size: getattr(sample, name) for size, sample in found.items()})
        for name in ("seconds", "mib")
    )
    cells += ["" if times is None else _marked(times, task.growth if task else None)[0]]
    cells += ["" if memory is None else f"{memory:.2f}"]
    if not task or not whole:
        return [*cells, ""]
    seconds = f"{task.seconds:g} s, " if task.seconds else ""
    return [*cells, f"≤ {seconds}{task.growth:g}, {task.mib:g} MiB"]


def _marked(found: float, goal: float | None, form: str = ".2f") -> tuple[str, str]:
    """Return a figure, in bold where it misses its goal, and the goal."""
    if goal is None:
        return f"{found:{form}}", ""
    return f"{found:{form}}" if found <= goal else f"**{found:{form}}**", f"≤ {goal:g}"


def exponent(figures: Mapping[int, float]) -> float | None:
    """Return the exponent with which a figure grows between the two largest sizes, if any."""
    if len(figures) < 2:
        return None
    small, large = sorted(figures)[-2:]
    return log(figures[large] / figures[small]) / log(large / small)


def crossing(base: BY_SIZE, other: BY_SIZE) -> str:
    """Return from how many events on another way takes less time.

    Between two sizes the ratio is taken to grow with a power of the size.
    """
    ratio = [(size, log(other[size].seconds / base[size].seconds)) for size in sorted(base)]
    for (small, before), (large, after) in pairwise(ratio):
        if (before < 0) is not (after < 0):
            place = exp(log(small) + before / (before - after) * log(large / small))
            return f"{'from' if after < 0 else 'up to'} {float(f'{place:.2g}'):,.0f}"
    (first, before), (last, _) = ratio[0], ratio[-1]
    return f"from below {first:,}" if before < 0 else f"beyond {last:,}"
