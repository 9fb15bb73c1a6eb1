"""The pictures of the page: what each shows, in a drawing, a sentence and a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ledger.datasets.support.answers import Answer
from ledger.datasets.support.measures import MEASURES, UNKNOWN
from ledger.datasets.support.page.page_data import Calls, Changes, Evidence
from ledger.datasets.support.page.tables import (
    Cell,
    Grid,
    Places,
    average,
    exact,
    number,
    shade,
    short,
    text,
)
from ledger.datasets.support.ranking import best_of, tied
from ledger.model.dataset import Action
from ledger.outputs.charts import SERIES, Drawing, Level, Mark, bars, columns, dots, waterfall
from ledger.text import counted, listed

RATED = {True: "rated", False: "not rated"}
STEP_LINK = "step-{}"
_ACTIONS = {Action.ADD: "added", Action.UPDATE: "updated", Action.DELETE: "deleted"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, for those who see it and for those who do not.

    Attributes:
        name: the part of the page that it is.
        title: what is to be seen in it.
        alternative: what is drawn, and how; None where the table is the picture.
        drawing: the chart; None where there is nothing to be drawn.
        grid: its figures.
    """

    name: str
    title: str
    alternative: str | None
    drawing: Drawing | None
    grid: Grid


def pictures(evidence: Evidence, places: Places, changes: Changes | None) -> Iterator[Picture]:
    """All pictures, in order."""
    yield _volume(evidence, places)
    yield _split(evidence, places)
    yield _calls(evidence, places)
    yield _heat(evidence, places)
    yield _ratings(evidence, places)
    yield _events(evidence)
    if changes:
        yield _changes(changes)


def _volume(evidence: Evidence, places: Places) -> Picture:
    """Interactions by month and centre."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in evidence.report.rows:
        counts[row.month, row.contact_center_name] += row.total_interactions
    by_month = {m: sum(counts[m, c] for c in places.centers) for m in places.months}
    by_center = {c: sum(counts[m, c] for m in places.months) for c in places.centers}
    total = sum(by_month.values())
    title = "There are no interactions"
    if total:
        title = (
            f"The busiest month is {_most(by_month)} of {counted(total, 'interaction')}, "
            f"the busiest contact centre {_most(by_center)}"
        )
    rows = [
        (
            text(month),
            *(number(counts[month, center] or None, places.cell(month, center)
                     if counts[month, center] else None) for center in places.centers),
            number(by_month[month], places.month(month)),
        )
        for month in places.months
    ]  # fmt: skip
    sums = (number(by_center[center], places.center(center)) for center in places.centers)
    rows.append((text("total"), *sums, number(total, "report")))
    drawn = _largest(by_center)
    marks = [
        Mark(month, series, sum(counts[month, center] for center in centers))
        for month in places.months
        for series, centers in drawn.items()
    ]
    return Picture(
        "volume",
        title,
        "A column for each month, as high as its interactions, with a part for each contact "
        f"centre: {_listed(drawn)}. The table below has its figures.",
        columns(marks, "month", "interactions") if marks else None,
        Grid(
            "Interactions by month and contact centre",
            ("month", *places.centers, "total"),
            tuple(rows),
        ),
    )


def _largest(by_center: Mapping[str, int]) -> dict[str, list[str]]:
    """The centres by their series: each its own, the smallest together where there are many."""
    if len(by_center) <= SERIES:
        return {center: [center] for center in by_center}
    largest = sorted(by_center, key=lambda center: -by_center[center])[: SERIES - 1]
    others = [center for center in by_center if center not in largest]
    named = {center: [center] for center in by_center if center in largest}
    return {**named, f"{len(others)} other centres": others}


def _split(evidence: Evidence, places: Places) -> Picture:
    """The average call split at the agent's resolution, and the ranking under both measures."""
    longest, why, instead = (_answer(evidence, number) for number in ("3", "3a", "3b"))
    calls = _by_center(longest, "average")
    resolutions = _by_center(instead, "start to resolution")
    before, after = _by_center(why, "to resolution"), _by_center(why, "after it")
    counts = _by_center(why, "calls")
    centers = [str(row[0]) for row in longest.evidence]
    marks = [
        Mark(center, series, max(part, 0.0))
        for center in centers
        for series, part in (("start to resolution", before[center]), ("after it", after[center]))
        if part is not None
    ]
    rows = [
        (
            text(center),
            number(counts[center], places.center(center)),
            *(average(part[center], places.center(center)) for part in (before, after)),
            average(calls[center], places.center(center)),
            _rank(calls, center),
            average(resolutions[center], places.center(center)),
            _rank(resolutions, center),
        )
        for center in centers
    ]
    return Picture(
        "split",
        _two_rankings(calls, resolutions),
        "A bar for each contact centre, as long as its average call in minutes, split where the "
        "agent had resolved it. The table below has its figures, and the ranks.",
        bars(marks, "minutes") if marks else None,
        Grid(
            f"Minutes of a call on average in {evidence.answers.period}: of those with all three "
            "moments, split; of those with a duration; of those with a resolution",
            ("contact centre", "calls split", "start to resolution", "after it", "average call",
             "rank", "average to resolution", "rank"),
            tuple(rows),
            notes=(
                "Start to resolution is not what contact centres call handle time: that needs the "
                "time on hold and the work after the call, which are not in the data. Neither "
                "occupancy nor resolution at the first contact can be computed from it.",
            ),
        ),
    )  # fmt: skip


_Averages = Mapping[str, float | None]


def _two_rankings(calls: _Averages, resolutions: _Averages) -> str:
    longest, slowest = _best(calls), _best(resolutions)
    if not longest:
        return "No contact centre with a name has a call with a duration"
    top = short(calls[longest[0]] or 0)
    said = f"{tied(longest)} {_has(longest)} the longest average call, {top} minutes"
    if not slowest:
        return said
    if longest == slowest:
        return f"{said}, and the longest time to the resolution too"
    return (
        f"{said}; to the resolution it takes {tied(slowest)} longest, "
        f"{short(resolutions[slowest[0]] or 0)} minutes"
    )


def _rank(values: _Averages, center: str) -> Cell:
    """Its place, the greatest first; those without a name are not ranked."""
    value = values[center]
    if value is None or center == UNKNOWN:
        return text(None)
    higher = [v for name, v in values.items() if v is not None and v > value and name != UNKNOWN]
    return Cell(str(len(higher) + 1), is_number=True)


def _calls(evidence: Evidence, places: Places) -> Picture:
    """Every call by its duration, rated or not."""
    groups = {(group.center, group.is_rated): group for group in evidence.groups}
    drawing, alternative = None, "There is no call with a duration."
    if evidence.calls:
        marks = [Mark(call.center, RATED[call.is_rated], call.minutes) for call in evidence.calls]
        drawing = dots(marks, [*RATED.values()], "minutes")
        alternative = (
            "A dot for each call, on the line of its contact centre, where its duration in minutes "
            "is: a circle or a square, for rated ones and others. The table below sums them up."
        )
    elif evidence.bins:
        drawing = columns(_histogram(evidence), "minutes, from", "calls")
        alternative = (
            "A column for each stretch of minutes, as high as the calls that took so long, rated "
            "ones and others on each other. Those beyond are counted in the first and the last "
            "column. The table below sums them up."
        )
    rows = []
    for center in dict.fromkeys(center for center, _ in groups):
        cells: list[Cell] = []
        for is_rated in (True, False):
            group = groups.get((center, is_rated), Calls(center, is_rated, 0, 0.0))
            mean = group.minutes / group.count if group.count else None
            cells += [
                number(group.count, places.center(center)),
                average(mean, places.center(center)),
            ]
        rows.append((text(center), *cells))
    return Picture(
        "calls",
        _rated_are_longer(evidence.groups),
        alternative,
        drawing,
        Grid(
            "Calls with a duration, rated or not, and their minutes on average",
            ("contact centre", "rated", "average", "not rated", "average"),
            tuple(rows),
        ),
    )


def _histogram(evidence: Evidence) -> list[Mark]:
    """The bins, those without a call among them too."""
    found = {(one.start, one.is_rated): one.count for one in evidence.bins}
    starts = sorted({one.start for one in evidence.bins})
    return [
        Mark(short(start), RATED[is_rated], found.get((start, is_rated), 0))
        for start in starts
        for is_rated in (True, False)
    ]


def _rated_are_longer(groups: Iterable[Calls]) -> str:
    counts, minutes = Counter[bool](), Counter[bool]()
    for group in groups:
        counts[group.is_rated] += group.count
        minutes[group.is_rated] += round(group.minutes * 10**6)
    if not counts.total():
        return "There is no call with a duration"
    if not counts[True] or not counts[False]:
        which = "every one" if counts[True] else "none"
        return f"Of {counted(counts.total(), 'call')} with a duration, {which} is rated"
    rated, others = (Fraction(minutes[kind], counts[kind] * 10**6) for kind in (True, False))
    how = "longer" if rated > others else "shorter" if rated < others else "as long"
    return (
        f"Rated calls are {how} {'as' if how == 'as long' else 'than'} others: "
        f"{short(float(rated))} minutes on average, and {short(float(others))}"
    )


def _heat(evidence: Evidence, places: Places) -> Picture:
    """Interactions by centre and department, as shades."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in evidence.report.rows:
        counts[row.contact_center_name, row.department] += row.total_interactions
    most = max(counts.values(), default=0)
    best = [place for place, count in counts.items() if count == most and count]
    title = "There are no interactions"
    if best:
        named = [f"{center} with {department}" for center, department in best]
        many = " each" if len(named) > 1 else ""
        title = f"{listed(named)} had the most interactions, {exact(most)}{many}"
    rows = [
        (
            text(center),
            *(number(counts[center, department], places.center(center),
                     shade(counts[center, department], most)) for department in places.departments),
            number(sum(counts[center, d] for d in places.departments), places.center(center)),
        )
        for center in places.centers
    ]  # fmt: skip
    grid = Grid(
        "Interactions by contact centre and department",
        ("contact centre", *places.departments, "total"),
        tuple(rows),
    )
    return Picture("heat", title, None, None, grid)


def _ratings(evidence: Evidence, places: Places) -> Picture:
    """How often each rating was given, and how each centre is rated."""
    interactions = sum(one.interactions for one in evidence.rated)
    count = sum(one.ratings for one in evidence.rated)
    title = f"None of {counted(interactions, 'interaction')} carries a rating"
    if count:
        mean = sum(round(one.total * 10**6) for one in evidence.rated) / count / 10**6
        verb = "carries" if count == 1 else "carry"
        title = (
            f"{exact(count)} of {counted(interactions, 'interaction')} {verb} a rating, "
            f"{short(mean)} on average"
        )
    rows = [
        (
            text(one.center),
            number(one.interactions, places.center(one.center)),
            number(one.ratings, places.center(one.center)),
            average(one.total / one.ratings if one.ratings else None, places.center(one.center)),
        )
        for one in evidence.rated
    ]
    marks = [Mark(short(rating), "ratings", count) for rating, count in evidence.ratings]
    times = [f"{short(rating)} {exact(count)} times" for rating, count in evidence.ratings]
    return Picture(
        "ratings",
        title,
        f"A column for each rating, as high as the times that it was given: {_listed(times)}.",
        columns(marks, "rating", "times") if marks else None,
        Grid(
            "Ratings by contact centre",
            ("contact centre", "interactions", "rated", "average rating"),
            tuple(rows),
        ),
    )  # fmt: skip


def _events(evidence: Evidence) -> Picture:
    """The events that count, by the month of their files and by action."""
    counts: Counter[tuple[str, str]] = Counter()
    months = sorted({str(one.file.month) for one in evidence.files})
    for one in evidence.files:
        for action, count in one.actions.items():
            counts[str(one.file.month), action] += count
    sums = {action: sum(counts[month, action] for month in months) for action in Action}
    said = listed(f"{exact(sums[action])} {_ACTIONS[action]}" for action in Action)
    marks = [Mark(month, action, counts[month, action]) for month in months for action in Action]
    rows = [
        (
            text(month),
            *(number(counts[month, action], f"f{month}") for action in Action),
            number(sum(counts[month, action] for action in Action), f"f{month}"),
        )
        for month in months
    ]
    return Picture(
        "events",
        f"{counted(counts.total(), 'event')} make this report: {said}",
        "A column for each month of delivery, as high as its events, with a part for each action: "
        "add, update, delete. The table below has its figures.",
        columns(marks, "month of delivery", "events"),
        Grid("Events that count, by month of delivery", ("month", *Action, "total"), tuple(rows)),
    )


def _changes(changes: Changes) -> Picture:
    """What leads from the edition before to this one."""
    bridge = changes.bridge
    total = bridge.total
    opening, closing = total.opening.total_interactions, total.closing.total_interactions
    levels, level = [Level("before", 0, opening, "in all")], opening
    for step in total.steps:
        moved = step.figures.total_interactions
        if moved:
            name = step.kind.replace("-", " ")
            levels.append(Level(name, level, level + moved, "more" if moved > 0 else "fewer"))
        level += moved
    levels.append(Level("now", 0, closing, "in all"))
    lines = [
        ("before", total.opening, None),
        *((s.kind.replace("-", " "), s.figures, STEP_LINK.format(s.kind)) for s in total.steps),
        ("now", total.closing, "report"),
    ]
    steps = [f"{level.name} {exact(abs(level.end - level.start))}" for level in levels[1:-1]]
    how = f": {listed(steps)}" if steps else ""
    return Picture(
        "changes-picture",
        f"{counted(opening, 'interaction')} in {bridge.before.name} became {exact(closing)}{how}",
        "A bar for the interactions of the edition before, one for each step from there, and one "
        "for those of this edition. The table below has its figures.",
        waterfall(levels, "interactions"),
        Grid(
            f"From edition {bridge.before.name} to {bridge.after.name}",
            ("", "interactions", "calls", "minutes"),
            tuple(
                (text(name), *(number(getattr(figures, m), link) for m in MEASURES))
                for name, figures, link in lines
            ),
        ),
    )


def _answer(evidence: Evidence, number: str) -> Answer:
    (found,) = [answer for answer in evidence.answers.answers if answer.number == number]
    return found


def _by_center(answer: Answer, column: str) -> dict[str, float | None]:
    """A column of the evidence of an answer, by the centre that stands in its first one."""
    place = answer.columns.index(column)
    values: dict[str, float | None] = {}
    for row in answer.evidence:
        value = row[place]
        values[str(row[0])] = None if value is None else float(value)
    return values


def _best(values: _Averages) -> Sequence[str]:
    """The names with the greatest value, but for that of what has no name."""
    named = {
        name: None if value is None else Fraction(value)
        for name, value in values.items()
        if name != UNKNOWN
    }
    return best_of(named)


def _most(counts: Mapping[str, int]) -> str:
    best = best_of({name: Fraction(count) for name, count in counts.items()})
    return f"{tied(best)}, with {exact(counts[best[0]])}"


def _listed(names: Iterable[str]) -> str:
    found = [*names]
    return listed(found) if found else "none"


def _has(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"
