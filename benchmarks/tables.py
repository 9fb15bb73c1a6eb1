"""Print what was measured as Markdown, with the machine and the versions."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from math import exp, log
from pathlib import Path

import psutil
from tabulate import tabulate

from benchmarks.comparison import Result
from benchmarks.measure import Sample

PACKAGES = "month-ledger pandas numpy duckdb polars adbc-driver-sqlite pyarrow pyspark sqlite-utils"
TITLES = (
    *("", "who", "events", "s", "CPU, s", "MiB", "growth", "of MiB"),
    *("ledger's time", "memory", "goals", "faster"),
)


def heading() -> str:
    """Return the machine, the versions and the date, as a list."""
    installed = {one.name: one.version for one in metadata.distributions()}
    versions = [f"{name} {installed[name]}" for name in PACKAGES.split() if name in installed]
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    cores, memory = len(os.sched_getaffinity(0)), psutil.virtual_memory().total / 2**30
    python = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    system = f"{platform.system()} {platform.release()}"
    return (
        f"- {cores} cores ({', '.join({*models})}), {memory:.0f} GiB of memory, {system}\n"
        f"- {', '.join([python, *versions])}\n"
        f"- {datetime.now(UTC):%Y-%m-%d}; load: {os.getloadavg()[0]:.1f}\n"
    )


def markdown(titles: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """Return a table in Markdown: so many columns of text, then figures."""
    align = ["left"] * texts + ["right"] * (len(titles) - texts)
    return tabulate(rows, titles, tablefmt="pipe", disable_numparse=True, colalign=align)


def table(results: Sequence[Result]) -> str:
    """Return a table with a line for each task, way and size, in bold where a goal is missed.

    Growth is the exponent since the next smaller size. Several commands have a line each.
    """
    order = {result.key: number for number, result in reversed([*enumerate(results)])}
    rows = []
    for result in sorted(results, key=lambda result: (order[result.key], result.events)):
        rows.append(_line(result, results))
        for number, command in enumerate(result.way.commands if len(result.runs[0]) > 1 else ()):
            sample, name = result.taken(number), f"— {command.split()[1]}"
            rows.append([name, result.way.who, f"{result.events:,}", *_figures(sample), *[""] * 6])
    return markdown(TITLES, rows, texts=2)


def _line(result: Result, results: Sequence[Result]) -> list[str]:
    task, way, sample = result.task, result.way, result.taken()
    others = {(one.key, one.events): one.taken() for one in results}
    smaller = [events for key, events in others if key == result.key and events < result.events]
    before = max(smaller, default=0)
    cells = [task.name, way.who, f"{result.events:,}", *_figures(sample)]
    goals = {"time": way.time, "memory": way.memory}
    if result.is_ours:
        goals = {"growth": task.growth, "MiB": task.mib}
        cells[5] = _marked(sample.mib, task.mib, ",.0f")
    if before:
        small, times = others[result.key, before], log(result.events / before)
        growth = log(sample.seconds / small.seconds) / times
        cells.append(_marked(growth, task.growth if result.is_ours else None))
        cells.append(f"{log(sample.mib / small.mib) / times:.2f}")
    cells += [""] * (8 - len(cells))
    faster = ""
    if not result.is_ours:
        ours = (task.name, task.ways[0].who)
        mine = others[ours, result.events]
        cells.append(_marked(mine.seconds / sample.seconds, way.time))
        cells.append(_marked(mine.mib / sample.mib, way.memory))
        if before:
            ratios = small.seconds / others[ours, before].seconds, sample.seconds / mine.seconds
            faster = crossing(before, ratios[0], result.events, ratios[1])
    elif task.seconds and result.events == 1_000_000:
        goals["s"] = task.seconds
        cells[3] = _marked(sample.seconds, task.seconds)
    cells += [""] * (10 - len(cells))
    shown = (f"{name} ≤ {goal:g}" for name, goal in goals.items() if goal is not None)
    return [*cells, ", ".join(shown), faster]


def _figures(sample: Sample) -> tuple[str, str, str]:
    return f"{sample.seconds:.2f}", f"{sample.cpu:.2f}", f"{sample.mib:,.0f}"


def _marked(figure: float, goal: float | None, form: str = ".2f") -> str:
    """Return a figure, in bold where it misses its goal."""
    text = f"{figure:{form}}"
    return text if goal is None or figure <= goal else f"**{text}**"


def crossing(small: int, before: float, large: int, after: float) -> str:
    """Return from how many events on a way takes less time than the ledger, where that changes.

    Between two sizes the ratio of the times is taken to grow with a power of the size.
    """
    if (before < 1) is (after < 1):
        return ""
    place = exp(log(small) + log(before) / log(before / after) * log(large / small))
    return f"{'from' if after < 1 else 'up to'} {float(f'{place:.2g}'):,.0f}"
