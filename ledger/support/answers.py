"""The business questions of customer support, answered from a projection with their evidence.

1. How many interactions did each contact centre have in the quarter?
2. Which month had the highest volume?
3. Which contact centre has the longest average call?  (a) Why?  (b) Which measure to use instead?

Every sentence is computed: with other data it says something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction

from ledger.months import Quarter
from ledger.projection import Edition
from ledger.store import Store
from ledger.support.report import UNKNOWN

_TOTALS = """
SELECT t.month, coalesce(c.contact_center_name, 'Unknown') AS center,
       sum(t.interactions), sum(t.calls), sum(t.timed_calls), sum(t.micro_minutes),
       sum(t.resolved_calls), sum(t.micro_seconds_to_resolution),
       sum(t.split_calls), sum(t.split_micro_seconds_before), sum(t.split_micro_seconds_after),
       sum(t.rated_split_calls), sum(t.tail_calls), sum(t.tail_micro_seconds),
       sum(t.rated_tail_calls)
FROM support_totals AS t
LEFT JOIN contact_centers AS c ON c.contact_center_id = t.contact_center_id
WHERE t.month BETWEEN ? AND ? OR t.month = 'Unknown'
GROUP BY t.month, coalesce(c.contact_center_name, 'Unknown')
ORDER BY t.month, center
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question, answered.

    Attributes:
        number: `1`, `2`, `3`, `3a`, `3b`.
        question: in words, with its period.
        answer: in words.
        columns: the names of the columns of the evidence.
        evidence: the figures that the answer rests on; numbers to two decimals, None for none.
        notes: what limits the answer.
    """

    number: str
    question: str
    answer: str
    columns: tuple[str, ...]
    evidence: tuple[tuple[str | int | float | None, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of an edition.

    Attributes:
        edition: of what they speak.
        period: the quarter that they keep to, `2025Q1`.
        complete: whether the as-of month reaches its end.
        answers: in order.
    """

    edition: Edition
    period: str
    complete: bool
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class _Figures:
    """Counts, and sums in millionths, over some interactions; see `totals.sql`."""

    interactions: int = 0
    calls: int = 0
    timed_calls: int = 0
    micro_minutes: float = 0
    resolved_calls: int = 0
    micro_seconds_to_resolution: float = 0
    split_calls: int = 0
    split_micro_seconds_before: float = 0
    split_micro_seconds_after: float = 0
    rated_split_calls: int = 0
    tail_calls: int = 0
    tail_micro_seconds: float = 0
    rated_tail_calls: int = 0

    def __add__(self, other: _Figures) -> _Figures:
        names = [field.name for field in fields(self)]
        return _Figures(*(getattr(self, name) + getattr(other, name) for name in names))

    @property
    def average_call(self) -> Fraction | None:
        """Minutes of a call, over those that have a duration."""
        return _ratio(self.micro_minutes, self.timed_calls * 10**6)

    @property
    def average_to_resolution(self) -> Fraction | None:
        """Minutes from the start of a call to its resolution, over those that have one."""
        return _ratio(self.micro_seconds_to_resolution, self.resolved_calls * 60 * 10**6)

    @property
    def average_before(self) -> Fraction | None:
        """Minutes to the resolution, over calls that have a start, a resolution and an end."""
        return _ratio(self.split_micro_seconds_before, self.split_calls * 60 * 10**6)

    @property
    def average_after(self) -> Fraction | None:
        """Minutes after the resolution, over the same calls."""
        return _ratio(self.split_micro_seconds_after, self.split_calls * 60 * 10**6)

    @property
    def average_tail(self) -> Fraction | None:
        """Minutes after the resolution, over those of them that have any."""
        return _ratio(self.tail_micro_seconds, self.tail_calls * 60 * 10**6)


@dataclass(frozen=True, slots=True)
class _Quarter:
    """The figures of a quarter."""

    quarter: Quarter
    so_far: str
    by_center: dict[str, _Figures]
    by_month: dict[str, _Figures]
    without_month: int

    @property
    def words(self) -> str:
        return f"Q{self.quarter.number} {self.quarter.year}{self.so_far}"

    @property
    def centers(self) -> dict[str, _Figures]:
        """The centres that have a name."""
        return {name: f for name, f in self.by_center.items() if name != UNKNOWN}


def answer_questions(store: Store, edition: Edition, period: Quarter) -> Answers:
    """Answer the questions for a quarter, from the projection that `store` holds."""
    complete = edition.as_of >= period.months[-1]
    quarter = _read(store, edition, period)
    longest = _longest_call(quarter)
    return Answers(
        edition,
        str(period),
        complete,
        (_volume(quarter), _highest_month(quarter), longest, _why(quarter), _instead(quarter)),
    )


def _read(store: Store, edition: Edition, period: Quarter) -> _Quarter:
    months = period.months
    so_far = "" if edition.as_of >= months[-1] else f", so far (as of {edition.as_of.label})"
    by_center: dict[str, _Figures] = {}
    by_month = {m.label: _Figures() for m in months if m <= edition.as_of}
    without_month = 0
    for month, center, *sums in store.rows(_TOTALS, (months[0].label, months[-1].label)):
        figures = _Figures(*sums)
        if month == UNKNOWN:
            without_month += figures.interactions
            continue
        by_center[center] = by_center.get(center, _Figures()) + figures
        by_month[month] = by_month.get(month, _Figures()) + figures
    return _Quarter(
        period, so_far, dict(sorted(by_center.items())), dict(sorted(by_month.items())),
        without_month,
    )  # fmt: skip


def _volume(quarter: _Quarter) -> Answer:
    counts = [(name, f.interactions) for name, f in quarter.by_center.items()]
    answer = "; ".join(f"{name}: {count}" for name, count in counts) or "None."
    return Answer(
        "1",
        f"How many interactions did each contact centre have in {quarter.words}?",
        answer,
        ("contact centre", "interactions"),
        (*counts, ("total", sum(count for _, count in counts))),
        _without_month(quarter),
    )


def _highest_month(quarter: _Quarter) -> Answer:
    counts = [(month, f.interactions) for month, f in quarter.by_month.items()]
    best = _best(quarter.by_month, lambda f: Fraction(f.interactions) or None, max)
    answer = "No month has interactions."
    if best:
        most = _count(quarter.by_month[best[0]].interactions, "interaction")
        answer = f"{_tied(best)}, with {most}{' each' if len(best) > 1 else ''}."
    return Answer(
        "2",
        f"Which month of {quarter.words} had the highest volume of interactions?",
        answer,
        ("month", "interactions"),
        tuple(counts),
        _without_month(quarter),
    )


def _longest_call(quarter: _Quarter) -> Answer:
    best = _best(quarter.centers, lambda f: f.average_call, max)
    answer = "No contact centre has a call with a duration."
    if best:
        parts = [
            f"{_minutes(_ratio(quarter.centers[name].micro_minutes, 10**6))} minutes over "
            f"{_count(quarter.centers[name].timed_calls, 'call')}"
            for name in best
        ]
        average = quarter.centers[best[0]].average_call
        answer = f"{_tied(best)}: {', '.join(parts)}, {_minutes(average)} minutes on average."
    untimed = sum(f.calls - f.timed_calls for f in quarter.by_center.values())
    notes = [f"{_count(untimed, 'call')} without a duration left out."] if untimed else []
    return Answer(
        "3",
        f"Which contact centre had the longest average call in {quarter.words}?",
        answer,
        ("contact centre", "calls", "with a duration", "minutes", "average"),
        tuple(
            (name, f.calls, f.timed_calls, round(f.micro_minutes / 10**6, 2), _two(f.average_call))
            for name, f in _ranked(quarter.by_center, lambda f: f.average_call)
        ),
        (*notes, *_of_unknown(quarter)),
    )


def _why(quarter: _Quarter) -> Answer:
    best = _best(quarter.centers, lambda f: f.average_call, max)
    question = f"Why does {_tied(best)} have the longest?" if best else "Why?"
    answer = "There is nothing to explain." if not best else _explanation(quarter, best)
    incomplete = sum(f.calls - f.split_calls for f in quarter.by_center.values())
    lacking = f"{_count(incomplete, 'call')} without a start, resolution or end left out."
    return Answer(
        "3a",
        question,
        answer,
        (
            "contact centre", "calls", "to resolution", "after it", "with a tail", "its minutes",
            "of these rated", "rated without a tail",
        ),
        tuple(
            (
                name, f.split_calls, _two(f.average_before), _two(f.average_after), f.tail_calls,
                _two(f.average_tail), f.rated_tail_calls, f.rated_split_calls - f.rated_tail_calls,
            )
            for name, f in _ranked(quarter.by_center, lambda f: f.average_call)
        ),
        (lacking,) if incomplete else (),
    )  # fmt: skip


def _explanation(quarter: _Quarter, best: Sequence[str]) -> str:
    """How the longest average splits at the agent's resolution, and what goes with the rest."""
    ours = _sum(quarter.by_center[name] for name in best)
    others = _sum(f for name, f in quarter.by_center.items() if name not in best)
    if not ours.split_calls:
        return "It cannot be told: none of its calls has a start, a resolution and an end."
    split = (
        f"Of its average call, {_minutes(ours.average_before)} minutes lie before the agent's "
        f"resolution and {_minutes(ours.average_after)} after it"
    )
    if not ours.tail_calls:
        return f"{split}: its calls end with the resolution, so the resolving is what takes long."
    tails = (
        f"a tail of {_minutes(ours.average_tail)} minutes on average stands on "
        f"{ours.tail_calls} of its {_count(ours.split_calls, 'call')}, "
        f"elsewhere on {others.tail_calls} of {others.split_calls}."
    )
    return f"{split}: {tails} {_rating(ours + others)}"


def _rating(all_calls: _Figures) -> str:
    """How a tail goes with a rating."""
    tails, plain = all_calls.tail_calls, all_calls.split_calls - all_calls.tail_calls
    rated_plain = all_calls.rated_split_calls - all_calls.rated_tail_calls
    counts = (
        f"{all_calls.rated_tail_calls} of the {_count(tails, 'call')} with a tail carry a rating, "
        f"and {rated_plain} of the {plain} without"
    )
    with_tail = Fraction(all_calls.rated_tail_calls, tails)
    without = Fraction(rated_plain, plain) if plain else Fraction(0)
    if with_tail > without:
        return f"{counts}: the tail goes with a rating, as a survey after the call would."
    return f"{counts}: the tail does not go with a rating."


def _instead(quarter: _Quarter) -> Answer:
    ranking = _ranked(quarter.by_center, lambda f: f.average_to_resolution)
    longest = _best(quarter.centers, lambda f: f.average_call, max)
    best = _best(quarter.centers, lambda f: f.average_to_resolution, max)
    shortest = _best(quarter.centers, lambda f: f.average_to_resolution, min)
    answer = "No call has a start and a resolution."
    if best:
        top = _minutes(quarter.centers[best[0]].average_to_resolution)
        answer = (
            "Start to resolution: the time until the agent had resolved the call. By it "
            f"{_tied(best)} takes longest, {top} minutes"
        )
        place = "the longest under both measures"
        if set(longest) <= set(shortest):
            place = "the shortest by it"
        elif not set(longest) <= set(best):
            place = "not the longest by it"
        average = quarter.centers[longest[0]].average_to_resolution if longest else None
        if average is not None and set(best) != set(quarter.centers):
            answer += f"; {_tied(longest)}, with {_minutes(average)}, is {place}"
        answer += "."
    return Answer(
        "3b",
        "Which measure should be used instead?",
        answer,
        ("contact centre", "calls with a resolution", "start to resolution", "call"),
        tuple(
            (name, f.resolved_calls, _two(f.average_to_resolution), _two(f.average_call))
            for name, f in ranking
        ),
    )


def _without_month(quarter: _Quarter) -> tuple[str, ...]:
    count = quarter.without_month
    text = f"{_count(count, 'interaction')} without a readable start in no month, so not counted."
    return (text,) if count else ()


def _of_unknown(quarter: _Quarter) -> tuple[str, ...]:
    calls = quarter.by_center.get(UNKNOWN, _Figures()).calls
    text = f"{_count(calls, 'call')} of no contact centre that is there: shown, not ranked."
    return (text,) if calls else ()


_Measure = Callable[[_Figures], Fraction | None]


def _best(
    figures: dict[str, _Figures], measure: _Measure, choose: Callable[[list[Fraction]], Fraction]
) -> list[str]:
    """The names with the greatest or the least measure: several where they tie."""
    values = {name: value for name, f in figures.items() if (value := measure(f)) is not None}
    if not values:
        return []
    best = choose(list(values.values()))
    return [name for name, value in values.items() if value == best]


def _ranked(figures: dict[str, _Figures], measure: _Measure) -> list[tuple[str, _Figures]]:
    """By the measure, the greatest first, those without one last; ties by name."""
    return sorted(figures.items(), key=lambda item: (-(measure(item[1]) or -1), item[0]))


def _sum(figures: Iterable[_Figures]) -> _Figures:
    return sum(figures, _Figures())


def _ratio(sum_: float, count: int) -> Fraction | None:
    return Fraction(int(sum_), count) if count else None


def _two(value: Fraction | None) -> float | None:
    return None if value is None else float(round(value, 2))


def _minutes(value: Fraction | None) -> str:
    """A number in a sentence: two decimals at most."""
    return f"{_two(value):.2f}".rstrip("0").rstrip(".")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _tied(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} (tied)"
