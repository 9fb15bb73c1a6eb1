"""Makes Markdown of what was measured: medians, ratios, growth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import log
from statistics import fmean, median

from benchmarks.measure import Measured, Sample


def median_of(samples: Iterable[Sample]) -> Sample:
    """The median of the seconds, and the most memory that any run held."""
    runs = list(samples)
    return Sample(median(run.seconds for run in runs), max(run.mib for run in runs))


def exponent(figures: Sequence[tuple[float, float]]) -> float | None:
    """With which power a figure grows: the slope of the line through (size, figure) in logarithms.

    None where there are not two sizes.
    """
    points = [(log(size), log(figure)) for size, figure in figures]
    if len({x for x, _ in points}) < 2:
        return None
    middle_x, middle_y = (fmean(values) for values in zip(*points, strict=True))
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread


def peers_table(results: Sequence[Measured]) -> str:
    """The ledger beside its peers: a line for each peer and number of events."""
    titles = [
        *("", "events", "ledger, s", "MiB", "beside it", "s", "MiB"),
        *("time", "goal", "memory", "goal"),
    ]
    lines = []
    for result in results:
        ours = median_of(result.of(result.measure.ours))
        for peer in result.measure.peers:
            theirs = median_of(result.of(peer))
            lines.append(
                [
                    *(result.measure.name, f"{result.events:,}"),
                    *_figures(ours),
                    peer.name,
                    *_figures(theirs),
                    *_ratio(ours.seconds / theirs.seconds, peer.time_goal),
                    *_memory(ours, theirs, peer.memory_goal),
                ]
            )
    return markdown(titles, lines)


def ledger_table(results: Sequence[Measured]) -> str:
    """The ledger alone: a line for each thing and step, columns for each number of events."""
    sizes = sorted({result.events for result in results})
    titles = [
        "",
        *(f"{size:,}: s" for size in sizes),
        *("goal at 1,000,000", "growth", "goal"),
        *(f"{size:,}: MiB" for size in sizes),
        "goal",
    ]
    by_name: dict[str, list[Measured]] = {}
    for result in results:
        by_name.setdefault(result.measure.name, []).append(result)
    return markdown(titles, [line for same in by_name.values() for line in _lines(same, sizes)])


def _lines(same: Sequence[Measured], sizes: Sequence[int]) -> Iterator[list[str]]:
    """The lines of one thing: in all, then of each step where there are several."""
    measure = same[0].measure
    whole = {one.events: median_of(one.of(one.measure.ours)) for one in same}
    yield [
        measure.name,
        *(_seconds(whole, size) for size in sizes),
        *_held_to(whole.get(1_000_000), measure.seconds_goal),
        *_grown(whole, measure.growth_goal),
        *(_mib(whole, size, measure.mib_goal) for size in sizes),
        f"{measure.mib_goal:g}",
    ]
    steps = measure.ours.steps if len(measure.ours.steps) > 1 else ()
    for step in steps:
        found = {
            one.events: median_of(one.samples[one.measure.ours.name, step.name]) for one in same
        }
        yield [
            f"— {step.name}",
            *(_seconds(found, size) for size in sizes),
            "",
            *_grown(found, measure.growth_goal),
            *(_mib(found, size, measure.mib_goal) for size in sizes),
            f"{measure.mib_goal:g}",
        ]


def _figures(sample: Sample) -> tuple[str, str]:
    return f"{sample.seconds:.2f}", f"{sample.mib:.0f}"


def _ratio(found: float, goal: float | None) -> tuple[str, str]:
    """A ratio, in bold where it misses its goal."""
    if goal is None:
        return f"{found:.2f}", ""
    return (f"{found:.2f}" if found <= goal else f"**{found:.2f}**"), f"≤ {goal:g}"


def _memory(ours: Sample, theirs: Sample, goal: float | None) -> tuple[str, str]:
    return ("", "") if goal is None else _ratio(ours.mib / theirs.mib, goal)


def _seconds(found: dict[int, Sample], size: int) -> str:
    return f"{found[size].seconds:.2f}" if size in found else ""


def _mib(found: dict[int, Sample], size: int, goal: float) -> str:
    if size not in found:
        return ""
    return f"{found[size].mib:.0f}" if found[size].mib <= goal else f"**{found[size].mib:.0f}**"


def _held_to(found: Sample | None, goal: float | None) -> list[str]:
    if goal is None:
        return [""]
    missed = found is not None and found.seconds > goal
    return [f"**≤ {goal:g} s**" if missed else f"≤ {goal:g} s"]


def _grown(found: dict[int, Sample], goal: float) -> tuple[str, str]:
    growth = exponent([(size, sample.seconds) for size, sample in found.items()])
    return ("", "") if growth is None else _ratio(growth, goal)


def markdown(titles: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown: figures to the right, but for the first column."""
    rule = ["---", *["---:"] * (len(titles) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (titles, rule, *lines))
