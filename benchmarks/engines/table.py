"""Makes Markdown of what the engines took: seconds, memory, growth, and where they cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import exp, log

from benchmarks.measure import Measured, Sample
from benchmarks.table import markdown, median_of

Figures = Mapping[int, Sample]
"""What somebody took, by the number of events."""


def engines_table(results: Sequence[Measured]) -> str:
    """One thing on all engines: a line for each number of events, then growth and crossing.

    Args:
        results: of the same measure.
    """
    measure = results[0].measure
    contenders = (measure.ours, *measure.peers)
    figures: dict[str, Figures] = {
        one.name: {
            result.events: median_of(result.of(one))
            for result in sorted(results, key=lambda result: result.events)
        }
        for one in contenders
    }
    titles = ["events", *(title for name in figures for title in (f"{name}, s", "MiB"))]
    sizes = sorted({result.events for result in results})
    lines = [[f"{size:,}", *(cell for one in figures.values() for cell in _cells(one[size]))]
             for size in sizes]  # fmt: skip
    for pair in pairwise(sizes):
        grown = (cell for one in figures.values() for cell in _growth(one, pair))
        lines.append([f"growth, {pair[0]:,} to {pair[1]:,}", *grown])
    base, *others = figures.values()
    if others and len(sizes) > 1:
        crossings = (cell for one in others for cell in (crossing(base, one), ""))
        lines.append(["faster than SQLite", "", "", *crossings])
    return markdown(titles, lines)


def crossing(base: Figures, other: Figures) -> str:
    """From how many events on another one takes less time.

    Between two numbers of events that were measured, the ratio of both is taken to grow with a
    power of the number; beyond them nothing is said.
    """
    ratios = [(size, log(other[size].seconds / base[size].seconds)) for size in sorted(base)]
    for (small, before), (large, after) in pairwise(ratios):
        if (before < 0) is not (after < 0):
            share = before / (before - after)
            place = exp(log(small) + share * (log(large) - log(small)))
            return f"{'from' if after < 0 else 'up to'} {float(f'{place:.2g}'):,.0f}"
    first, last = ratios[0][0], ratios[-1][0]
    return f"from below {first:,}" if ratios[0][1] < 0 else f"beyond {last:,}"


def _cells(sample: Sample) -> tuple[str, str]:
    return f"{sample.seconds:.2f}", f"{sample.mib:,.0f}"


def _growth(figures: Figures, sizes: tuple[int, int]) -> tuple[str, str]:
    """The powers with which seconds and memory grow between two numbers of events."""
    small, large = (figures[size] for size in sizes)
    times = log(sizes[1] / sizes[0])
    powers = (log(large.seconds / small.seconds) / times, log(large.mib / small.mib) / times)
    return f"{powers[0]:.2f}", f"{powers[1]:.2f}"
