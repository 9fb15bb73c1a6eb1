"""The business questions of customer support, answered from a projection with their evidence.

1. How many interactions did each contact centre have in the quarter?
2. Which month had the highest volume?
3. Which contact centre has the longest average call?  (a) Why?  (b) Which measure to use instead?

Every sentence is computed: with other data it says something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction

from ledger.datasets.support.description import CONTACT_CENTERS
from ledger.datasets.support.measures import CENTER_LABEL, UNKNOWN
from ledger.datasets.support.missing_names import unknown_notes
from ledger.datasets.support.ranking import best_of, tied
from ledger.datasets.support.sensitivity import Sensitivity, read_sensitivity
from ledger.errors import WrongUsage
from ledger.model.dataset import Column
from ledger.model.editions import Edition
from ledger.model.periods import Month, Quarter
from ledger.model.presentation import Grid, Heading, JsonObject, Part, Remark
from ledger.model.tabular import Tabular
from ledger.replay.labels import Names
from ledger.replay.replay import Replay
from ledger.text import counted, listed, visible

_TOTALS = f"""
SELECT totals.month, {CENTER_LABEL} AS center_name, {{sums}}
FROM support_totals AS totals
{{join}}
WHERE totals.month BETWEEN ? AND ? OR totals.month = 'Unknown'
GROUP BY totals.month, {CENTER_LABEL}
ORDER BY totals.month, center_name
"""


@dataclass(frozen=True, slots=True)
class Answer(JsonObject):
    """One question, answered.

    Attributes:
        number: `1`, `2`, `3`, `3a`, `3b`.
        question: in words, with its period.
        answer: in words.
        columns: the names of the columns of the evidence.
        evidence: the figures that the answer rests on; numbers to two decimals, None for none.
        notes: what limits the answer; last, what it would be under another reading of the data.
    """

    number: str
    question: str
    answer: str
    columns: tuple[str, ...]
    evidence: tuple[tuple[str | int | float | None, ...], ...]
    notes: tuple[str, ...] = ()

    def parts(self) -> Iterator[Part]:
        """The question, the answer, its evidence and what limits it."""
        yield Heading(self.number, self.question)
        yield self.answer
        yield Grid(self.columns, self.evidence, 2)
        yield from map(Remark, self.notes)


@dataclass(frozen=True, slots=True)
class Answers(JsonObject):
    """The answers of an edition.

    Attributes:
        edition: of what they speak.
        names: whether centres are named as in the edition or as in each interaction's month.
        period: the quarter that they keep to, `2025Q1`.
        complete: whether the as-of month reaches its end, and no month of it is missing.
        answers: in order.
        sensitivity: the questions under each reading of the data, where that was asked for.
    """

    edition: Edition
    names: Names
    period: str
    complete: bool
    answers: tuple[Answer, ...]
    sensitivity: tuple[Sensitivity, ...] = ()

    def tabular(self) -> Tabular:
        """The questions with their answers."""
        rows = [(one.number, one.question, one.answer) for one in self.answers]
        return Tabular("answers", _COLUMNS, rows, "number")

    def parts(self, *, full: bool = False) -> Iterator[Part]:
        """Each answer, and what comes out under other readings; `full` with all outcomes."""
        readings = {found.number: found for found in self.sensitivity}
        for answer in self.answers:
            found = readings.get(answer.number)
            others = found.parts(full=full) if found else ()
            for part in (*answer.parts(), *others):
                yield visible(part) if isinstance(part, str) else part
                yield ""


_COLUMNS = (
    Column("number", "The number of the question."),
    Column("question", "The question, with its period."),
    Column("answer", "The answer, in words."),
)


@dataclass(frozen=True, slots=True)
class _Figures:
    """Counts, and sums in millionths, over some interactions: the columns of `totals.sql`."""

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
        sums = {f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        return _Figures(**sums)

    @property
    def minutes(self) -> Fraction:
        """Minutes of the calls that have a duration."""
        return Fraction(int(self.micro_minutes), 10**6)

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
    missing: tuple[Month, ...]

    @property
    def words(self) -> str:
        return f"Q{self.quarter.number} {self.quarter.year}{self.so_far}"

    @property
    def centers(self) -> dict[str, _Figures]:
        """The centres that have a name."""
        return {name: f for name, f in self.by_center.items() if name != UNKNOWN}


def asked_quarter(period: Quarter | str | None, edition: Edition) -> Quarter:
    """The quarter that is asked for; by default that of the as-of month.

    Raises:
        WrongUsage: it begins after the as-of month.
    """
    latest = edition.as_of.quarter
    quarter = Quarter.parse(period) if isinstance(period, str) else period or latest
    if quarter > latest:
        raise WrongUsage(
            f"{quarter} begins after the as-of month {edition.as_of}; "
            "choose an earlier quarter or a later month"
        )
    return quarter


def answer_questions(
    replay: Replay,
    period: Quarter,
    names: Names = Names.AS_IS,
    *,
    sensitivity: bool = False,
) -> Answers:
    """Answer the questions for a quarter, from the summaries of an edition.

    Args:
        replay: of the edition, in a store that has its summaries.
        period: the quarter.
        names: of this edition, or of each month.
        sensitivity: give the outcomes under all readings; that an answer flips is always noted.
    """
    edition = replay.edition
    readings = read_sensitivity(replay, period, names)
    quarter = _read(replay, period, names)
    asked = (_volume, _highest_month, _longest_call, _why, _instead)
    answers = [ask(quarter) for ask in asked]
    notes: dict[str, list[str]] = {answer.number: [*answer.notes] for answer in answers}
    months = [month.label for month in period.months]
    notes["1"] += [f"{text}." for text in unknown_notes(replay, names, months)]
    for found in readings:
        notes[found.number] += [found.note] if found.note else []
    return Answers(
        edition=edition,
        names=names,
        period=str(period),
        complete=edition.as_of >= period.months[-1] and not quarter.missing,
        answers=tuple(replace(found, notes=tuple(notes[found.number])) for found in answers),
        sensitivity=readings if sensitivity else (),
    )


def _read(replay: Replay, period: Quarter, names: Names) -> _Quarter:
    months, edition = period.months, replay.edition
    so_far = "" if edition.as_of >= months[-1] else f", so far (as of {edition.as_of.label})"
    by_center: dict[str, _Figures] = {}
    by_month = {m.label: _Figures() for m in months if m <= edition.as_of}
    without_month = 0
    columns = [field.name for field in fields(_Figures)]
    center_id, labels = "totals.contact_center_id", replay.labels([CONTACT_CENTERS], names)
    sql = _TOTALS.format(
        sums=", ".join(f"sum(totals.{name}) AS {name}" for name in columns),
        join=labels.join(CONTACT_CENTERS, "center", center_id, "totals.month"),
    )
    for month, center, *sums in replay.rows(sql, (months[0].label, months[-1].label)):
        figures = _Figures(**dict(zip(columns, sums, strict=True)))
        if month == UNKNOWN:
            without_month += figures.interactions
            continue
        by_center[center] = by_center.get(center, _Figures()) + figures
        by_month[month] = by_month.get(month, _Figures()) + figures
    return _Quarter(
        quarter=period,
        so_far=so_far,
        by_center=dict(sorted(by_center.items())),
        by_month=dict(sorted(by_month.items())),
        without_month=without_month,
        missing=tuple(month for month in months if month in edition.missing),
    )


def _volume(quarter: _Quarter) -> Answer:
    counts = [(name, f.interactions) for name, f in quarter.by_center.items()]
    answer = "; ".join(f"{name}: {count}" for name, count in counts) or "None."
    return Answer(
        "1",
        f"How many interactions did each contact centre have in {quarter.words}?",
        answer,
        ("contact centre", "interactions"),
        (*counts, ("total", sum(count for _, count in counts))),
        _not_counted(quarter),
    )


def _highest_month(quarter: _Quarter) -> Answer:
    counts = [(month, f.interactions) for month, f in quarter.by_month.items()]
    best = _best(quarter.by_month, lambda f: Fraction(f.interactions) or None)
    answer = "No month has interactions."
    if best:
        most = counted(quarter.by_month[best[0]].interactions, "interaction")
        answer = f"{tied(best)}, with {most}{' each' if len(best) > 1 else ''}."
    return Answer(
        "2",
        f"Which month of {quarter.words} had the highest volume of interactions?",
        answer,
        ("month", "interactions"),
        tuple(counts),
        _not_counted(quarter),
    )


def _longest_call(quarter: _Quarter) -> Answer:
    best = _best(quarter.centers, _call)
    answer = "No contact centre with a name has a call with a duration."
    if best:
        parts = [
            f"{_minutes(quarter.centers[name].minutes)} over "
            f"{counted(quarter.centers[name].timed_calls, 'call')}"
            for name in best
        ]
        average = quarter.centers[best[0]].average_call
        answer = f"{tied(best)}: {', '.join(parts)}, {_minutes(average)} on average."
    untimed = sum(f.calls - f.timed_calls for f in quarter.by_center.values())
    notes = [f"{counted(untimed, 'call')} without a duration left out."] if untimed else []
    unknown = quarter.by_center.get(UNKNOWN, _Figures()).calls
    if unknown:
        notes.append(f"{counted(unknown, 'call')} of no known contact centre: shown, not ranked.")
    return Answer(
        "3",
        f"Which contact centre had the longest average call in {quarter.words}?",
        answer,
        ("contact centre", "calls", "with a duration", "minutes", "average"),
        tuple(
            (name, f.calls, f.timed_calls, _two(f.minutes), _two(f.average_call))
            for name, f in _ranked(quarter.by_center, _call)
        ),
        tuple(notes),
    )


def _why(quarter: _Quarter) -> Answer:
    best = _best(quarter.centers, _call)
    question = f"Why does {best[0]} have the longest?" if best else "Why?"
    if len(best) > 1:
        question = f"Why do {tied(best)} have the longest?"
    incomplete = sum(f.calls - f.split_calls for f in quarter.by_center.values())
    lacking = f"{counted(incomplete, 'call')} without a start, resolution or end left out."
    return Answer(
        "3a",
        question,
        _explanation(quarter, best) if best else "There is nothing to explain.",
        (
            "contact centre", "calls", "to resolution", "after it", "with a tail",
            "average tail", "tail and rating", "rating alone",
        ),
        tuple(
            (
                name, f.split_calls, _two(f.average_before), _two(f.average_after), f.tail_calls,
                _two(f.average_tail), f.rated_tail_calls, f.rated_split_calls - f.rated_tail_calls,
            )
            for name, f in _ranked(quarter.by_center, _call)
        ),
        (lacking,) if incomplete else (),
    )  # fmt: skip


def _explanation(quarter: _Quarter, best: Sequence[str]) -> str:
    """How the longest average splits at the agent's resolution, here and elsewhere."""
    ours = _sum(quarter.by_center[name] for name in best)
    others = _sum(f for name, f in quarter.by_center.items() if name not in best)
    before, after = ours.average_before, ours.average_after
    if before is None or after is None:
        return "It cannot be told: none of its calls has a start, a resolution and an end."
    subject, average = "Of its average call", ""
    if ours.split_calls != ours.timed_calls or before + after != ours.average_call:
        # Then the parts are not those of the average that is to be explained.
        calls = counted(ours.split_calls, "call")
        subject, average = f"Of its {calls} with a start, a resolution and an end", " on average"
    split = (
        f"{subject}, {_minutes(before)}{average} lie before the agent's resolution "
        f"and {_number(after)} after it"
    )
    if others.average_before is None or others.average_after is None:
        return f"{split}. No other contact centre has such calls to compare. {_tails(ours, others)}"
    elsewhere = f"elsewhere {_number(others.average_before)} and {_number(others.average_after)}"
    longer_before, longer_after = before > others.average_before, after > others.average_after
    conclusion = {
        (True, True): "Both the resolving and what follows it take longer than elsewhere.",
        (True, False): "So it is the resolving that takes longer, not what follows it.",
        (False, True): "So it is what follows the resolution that takes longer, not the resolving.",
        (False, False): "So on these calls neither takes longer than elsewhere.",
    }[longer_before, longer_after]
    return f"{split}; {elsewhere}. {conclusion} {_tails(ours, others)}".rstrip()


def _tails(ours: _Figures, others: _Figures) -> str:
    """On how many calls a tail stands after the resolution, and how that goes with a rating."""
    every = ours + others
    if not every.tail_calls:
        return "No call goes on after the resolution."
    average = f", {_minutes(ours.average_tail)} on average," if ours.tail_calls else ""
    where = (
        f"A tail after the resolution{average} stands on {ours.tail_calls} of its "
        f"{counted(ours.split_calls, 'call')}, elsewhere on {others.tail_calls} of "
        f"{others.split_calls}."
    )
    plain = every.split_calls - every.tail_calls
    rated_plain = every.rated_split_calls - every.rated_tail_calls
    ratings = (
        f"{every.rated_tail_calls} of {counted(every.tail_calls, 'call')} with a tail carry a "
        f"rating, and {rated_plain} of {plain} without a tail"
    )
    with_tail = Fraction(every.rated_tail_calls, every.tail_calls)
    if with_tail > (Fraction(rated_plain, plain) if plain else 0):
        return f"{where} {ratings}: the tail goes with a rating, as a survey after the call would."
    return f"{where} {ratings}: the tail does not go with a rating."


def _instead(quarter: _Quarter) -> Answer:
    return Answer(
        "3b",
        "Which measure should be used instead?",
        f"Start to resolution: the time until the agent had resolved the call. {_order(quarter)}",
        ("contact centre", "calls with a resolution", "start to resolution", "call"),
        tuple(
            (name, f.resolved_calls, _two(f.average_to_resolution), _two(f.average_call))
            for name, f in _ranked(quarter.by_center, _to_resolution)
        ),
    )


def _order(quarter: _Quarter) -> str:
    """Which centre takes longest to the resolution, and where the longest calls then stand."""
    measured = {name: f for name, f in quarter.centers.items() if _to_resolution(f) is not None}
    if not measured:
        return "No contact centre with a name has a call with a start and a resolution."
    slowest = _best(measured, _to_resolution)
    fastest = _best(measured, _to_resolution, min)
    longest = [name for name in _best(quarter.centers, _call) if name in measured]
    top = _minutes(measured[slowest[0]].average_to_resolution)
    if len(measured) == 1:
        return f"Only {slowest[0]} has such calls: {top} on average."
    takes = "takes" if len(slowest) == 1 else "take"
    sentence = f"By it {tied(slowest)} {takes} longest, {top} on average"
    for name in longest:
        if name in slowest:
            place = "is the longest under both measures"
        elif name in fastest:
            place = "is the shortest by it" if len(fastest) == 1 else "is one of the shortest by it"
        else:
            place = "is neither the longest nor the shortest by it"
        sentence += f"; {name}, with {_number(measured[name].average_to_resolution)}, {place}"
    return f"{sentence}."


def _not_counted(quarter: _Quarter) -> tuple[str, ...]:
    notes = []
    if quarter.missing:
        months = listed(month.label for month in quarter.missing)
        notes.append(f"Nothing is recorded for {months}: what happened then may be missing.")
    if quarter.without_month:
        count = counted(quarter.without_month, "interaction")
        notes.append(f"{count} without a readable start in no month, so not counted.")
    return tuple(notes)


_Measure = Callable[[_Figures], Fraction | None]


def _call(figures: _Figures) -> Fraction | None:
    return figures.average_call


def _to_resolution(figures: _Figures) -> Fraction | None:
    return figures.average_to_resolution


def _best(
    figures: dict[str, _Figures],
    measure: _Measure,
    choose: Callable[[list[Fraction]], Fraction] = max,
) -> list[str]:
    return best_of({name: measure(f) for name, f in figures.items()}, choose)


def _ranked(figures: dict[str, _Figures], measure: _Measure) -> list[tuple[str, _Figures]]:
    """By the measure, the greatest first, those without one last; ties by name."""

    def place(item: tuple[str, _Figures]) -> tuple[bool, Fraction, str]:
        value = measure(item[1])
        return value is None, -(value or Fraction(0)), item[0]

    return sorted(figures.items(), key=place)


def _sum(figures: Iterable[_Figures]) -> _Figures:
    return sum(figures, _Figures())


def _ratio(sum_: float, count: int) -> Fraction | None:
    return Fraction(int(sum_), count) if count else None


def _two(value: Fraction | None) -> float | None:
    return None if value is None else float(round(value, 2))


def _minutes(value: Fraction | None) -> str:
    """Minutes in a sentence, two decimals at most: `5 minutes`, `12.73 minutes`."""
    text = _number(value)
    return f"{text} minute{'' if text == '1' else 's'}"


def _number(value: Fraction | None) -> str:
    return f"{_two(value):.2f}".rstrip("0").rstrip(".")
