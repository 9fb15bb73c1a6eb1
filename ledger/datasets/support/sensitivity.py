"""The business questions under each defensible reading of the data, and which answers flip.

A reading says which moment puts an interaction into a month, in which time zone, what the length
of a call is, and as of when contact centres are named. The default reading is that of the report.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from ledger.datasets.support.description import CONTACT_CENTERS, SUPPORT
from ledger.datasets.support.measures import CENTER_LABEL, UNKNOWN
from ledger.datasets.support.ranking import best_of, tied
from ledger.model.periods import Quarter
from ledger.model.presentation import Grid, Part
from ledger.replay.labels import Names
from ledger.replay.replay import Replay

OUTCOMES_TOLD = 3
NOTE_LENGTH = 160
READINGS_TOLD = 3
CHANGES_TOLD = 3


class MonthBy(StrEnum):
    """Which moment puts an interaction into a month."""

    START = "interaction_start"
    TIMESTAMP = "timestamp"


class Zone(StrEnum):
    """In which time that moment has its month. EST is UTC-5 all year."""

    LOCAL = SUPPORT.zone
    UTC = "UTC"
    EST = "EST"


class Length(StrEnum):
    """What the length of a call is; calls without it are left out of an average."""

    DURATION = "duration"
    TO_END = "start to end"
    TO_RESOLUTION = "start to resolution"


LONGEST_OUTCOME = 48
"""Longer ones are named in a table only where they differ."""

READING_COLUMNS = {
    "month_by": "month by",
    "zone": "zone",
    "length": "length of a call",
    "names": "names",
}
"""What makes a reading: fields of `ReadingOutcome`, and what they are called."""


@dataclass(frozen=True, slots=True)
class ReadingOutcome:
    """What comes out under one reading.

    Attributes:
        month_by: which moment puts an interaction into a month.
        zone: in which time.
        length: what the length of a call is; None where the question asks for none.
        names: as of when contact centres are named; None where the question names none.
        outcome: in words: counts, or the best, ties named as ties; `none` where there is none.
        figure: of the best: its interactions, or its minutes on average; None where there is none.
        change: what differs from the default outcome; empty where nothing does.
        flips: whether anything does.
    """

    month_by: MonthBy
    zone: Zone
    length: Length | None
    names: Names | None
    outcome: str
    figure: int | float | None
    change: str
    flips: bool


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """One question under all readings.

    Attributes:
        number: of the question: `1`, `2`, `3`, `3b`.
        figure: what the figures of the outcomes are; None where they have none.
        readings: the default one first.
    """

    number: str
    figure: str | None
    readings: tuple[ReadingOutcome, ...]

    def parts(self, *, full: bool) -> Iterator[Part]:
        """All readings, and how many of them flip the answer.

        Args:
            full: with every outcome, also a long one that is as answered.
        """
        default, *others = self.readings
        names = [name for name in READING_COLUMNS if getattr(default, name) is not None]
        rows = []
        for reading in self.readings:
            outcome = reading.change or reading.outcome
            if len(outcome) > LONGEST_OUTCOME and not full and not reading.flips:
                outcome = "as answered"
            figure = [reading.figure] if self.figure else []
            chosen = [getattr(reading, name) for name in names]
            rows.append([*chosen, outcome, *figure, "yes" if reading.flips else ""])
        headings = [READING_COLUMNS[name] for name in names]
        yield Grid([*headings, "outcome", *filter(None, [self.figure]), "flips"], rows, 2)
        flip = "flips" if self.flips <= 1 else "flip"
        yield f"{self.flips or 'None'} of {len(others)} other readings {flip} this answer."

    @property
    def flips(self) -> int:
        """How many readings give another outcome than the default one."""
        return sum(reading.flips for reading in self.readings)

    @property
    def note(self) -> str | None:
        """What it would be under which reading, in one sentence; None where nothing flips.

        Of each other outcome, the readings that differ from the default one in fewest respects.
        """
        ways: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        changes = {}
        for reading in self.readings:
            if reading.flips:
                ways[reading.outcome].append(_respects(reading, self.readings[0]))
                changes[reading.outcome] = reading.change
        if not ways:
            return None
        nearest = sorted(ways, key=lambda outcome: (min(map(len, ways[outcome])), outcome))
        it = "the longest by it" if self.number == "3b" else "it"
        told = f"Under another reading {it} would be "
        for place, outcome in enumerate(nearest):
            alternative = f"{changes[outcome]}: {_in_words(ways[outcome])}"
            is_full = place == OUTCOMES_TOLD or len(told) + len(alternative) > NOTE_LENGTH
            if place and is_full:
                return f"{told}; and {len(nearest) - place} more: ledger answers --sensitivity."
            told += f"; {alternative}" if place else alternative
        return f"{told}."


# How a reading may differ from the default one, whose names are as-is or as-was.
_RESPECTS = {
    MonthBy.TIMESTAMP: "with months by timestamp",
    Zone.UTC: "in UTC",
    Zone.EST: "in EST all year",
    Length.TO_END: "by start to end",
    Length.TO_RESOLUTION: "by start to resolution",
    Names.AS_IS: "with names as-is",
    Names.AS_WAS: "with names as-was",
}

# The column of `support_readings` that holds the month under a reading.
_MONTH_COLUMNS = {
    (MonthBy.START, Zone.LOCAL): "month",
    (MonthBy.START, Zone.UTC): "utc_month",
    (MonthBy.START, Zone.EST): "est_month",
    (MonthBy.TIMESTAMP, Zone.LOCAL): "timestamp_month",
    (MonthBy.TIMESTAMP, Zone.UTC): "timestamp_utc_month",
    (MonthBy.TIMESTAMP, Zone.EST): "timestamp_est_month",
}

_SUMS = f"""
SELECT readings.{{month}} AS month,
       {CENTER_LABEL} AS center_name,
       sum(readings.interactions) AS interactions,
       sum(readings.timed_calls) AS timed_calls,
       sum(readings.micro_minutes) AS micro_minutes,
       sum(readings.ended_calls) AS ended_calls,
       sum(readings.micro_seconds_to_end) AS micro_seconds_to_end,
       sum(readings.resolved_calls) AS resolved_calls,
       sum(readings.micro_seconds_to_resolution) AS micro_seconds_to_resolution
FROM support_readings AS readings
{{join}}
WHERE readings.{{month}} BETWEEN ? AND ?
GROUP BY readings.{{month}}, {CENTER_LABEL}
ORDER BY readings.{{month}}, center_name
"""


class _Row(NamedTuple):
    """What there is of a month and a contact centre, under a reading; the columns of `_SUMS`."""

    month: str
    center: str
    interactions: int
    timed_calls: int
    micro_minutes: float
    ended_calls: int
    micro_seconds_to_end: float
    resolved_calls: int
    micro_seconds_to_resolution: float

    def calls(self, length: Length) -> tuple[int, int]:
        """How many calls have a length, and the sum of it in millionths of a second."""
        if length is Length.DURATION:
            return self.timed_calls, int(self.micro_minutes) * 60
        if length is Length.TO_END:
            return self.ended_calls, int(self.micro_seconds_to_end)
        return self.resolved_calls, int(self.micro_seconds_to_resolution)


class _Outcome(NamedTuple):
    """What comes out: the best, or all with their counts; and the figure of the best."""

    names: Sequence[str]
    counts: Sequence[int] = ()
    figure: int | float | None = None

    @property
    def text(self) -> str:
        if self.counts:
            return "; ".join(f"{name}: {count}" for name, count in self._counted.items())
        return tied(self.names) if self.names else "none"

    def change_from(self, default: _Outcome) -> str:
        """What differs from the default outcome; empty where nothing does."""
        if (self.names, self.counts) == (default.names, default.counts):
            return ""
        if not self.counts and not default.counts:
            return self.text
        ours, theirs = self._counted, default._counted
        changed = [
            f"{ours.get(name, 0)} for {name}"
            for name in sorted({*ours, *theirs})
            if ours.get(name) != theirs.get(name)
        ]
        more = len(changed) - CHANGES_TOLD
        rest = f" and {more} more" if more > 0 else ""
        return f"{', '.join(changed[:CHANGES_TOLD])}{rest}"

    @property
    def _counted(self) -> dict[str, int]:
        return dict(zip(self.names, self.counts, strict=True))


def _volume(rows: Sequence[_Row], _: Length) -> _Outcome:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.center] += row.interactions
    names = sorted(counts)
    return _Outcome(names, [counts[name] for name in names])


def _highest_month(rows: Sequence[_Row], _: Length) -> _Outcome:
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.month] += row.interactions
    months = best_of({month: Fraction(count) for month, count in sorted(counts.items())})
    return _Outcome(months, figure=counts[months[0]] if months else None)


def _longest_call(rows: Sequence[_Row], length: Length) -> _Outcome:
    calls: Counter[str] = Counter()
    micro_seconds: Counter[str] = Counter()
    for row in rows:
        of_row, micro = row.calls(length)
        calls[row.center] += of_row
        micro_seconds[row.center] += micro
    averages = {
        name: Fraction(micro_seconds[name], calls[name] * 60 * 10**6)
        for name in sorted(calls)
        if calls[name] and name != UNKNOWN
    }
    longest = best_of(averages)
    return _Outcome(longest, figure=float(round(averages[longest[0]], 2)) if longest else None)


class _Question(NamedTuple):
    """A question: what comes out, and which readings of what it asks for are defensible."""

    number: str
    ask: Callable[[Sequence[_Row], Length], _Outcome]
    figure: str | None
    lengths: tuple[Length, ...] = (Length.DURATION,)
    by_length: bool = False
    by_names: bool = True


# Start to resolution is what 3b asks for, so that this is no other reading of it.
_QUESTIONS = (
    _Question("1", _volume, None),
    _Question("2", _highest_month, "interactions", by_names=False),
    _Question("3", _longest_call, "average", tuple(Length), by_length=True),
    _Question("3b", _longest_call, "average", (Length.TO_RESOLUTION,)),
)


def read_sensitivity(replay: Replay, period: Quarter, names: Names) -> tuple[Sensitivity, ...]:
    """Answer the questions under all readings, from the summaries of an edition.

    What has no month under a reading is in no outcome of it; contact centres without a name are
    counted as `Unknown`, and not ranked.

    Args:
        replay: of the edition, in a store that has its summaries.
        period: the quarter that the questions keep to.
        names: of the default reading.
    """
    kinds = (names, *(other for other in Names if other is not names))
    rows, months = {}, (period.months[0].label, period.months[-1].label)
    for kind in kinds:
        labels = replay.labels([CONTACT_CENTERS], kind)
        for (month_by, zone), column in _MONTH_COLUMNS.items():
            center_id, month = "readings.contact_center_id", f"readings.{column}"
            join = labels.join(CONTACT_CENTERS, "center", center_id, month)
            found = replay.rows(_SUMS.format(month=column, join=join), months)
            rows[month_by, zone, kind] = [_Row(*row) for row in found]
    return tuple(_sensitivity(question, rows, kinds) for question in _QUESTIONS)


def _sensitivity(
    question: _Question,
    rows: Mapping[tuple[MonthBy, Zone, Names], Sequence[_Row]],
    kinds: tuple[Names, ...],
) -> Sensitivity:
    asked = product(MonthBy, Zone, question.lengths, kinds if question.by_names else kinds[:1])
    outcomes = {
        reading: question.ask(rows[reading[0], reading[1], reading[3]], reading[2])
        for reading in asked
    }
    default = next(iter(outcomes.values()))
    readings = []
    for (month_by, zone, length, names), outcome in outcomes.items():
        change = outcome.change_from(default)
        readings.append(
            ReadingOutcome(
                month_by=month_by,
                zone=zone,
                length=length if question.by_length else None,
                names=names if question.by_names else None,
                outcome=outcome.text,
                figure=outcome.figure,
                change=change,
                flips=bool(change),
            )
        )
    return Sensitivity(question.number, question.figure, tuple(readings))


def _respects(reading: ReadingOutcome, default: ReadingOutcome) -> tuple[str, ...]:
    """In which respects a reading differs from the default one, in words."""
    ours, theirs = (
        (found.month_by, found.zone, found.length, found.names) for found in (reading, default)
    )
    return tuple(
        _RESPECTS[choice]
        for choice, usual in zip(ours, theirs, strict=True)
        if choice is not None and choice is not usual
    )


def _in_words(ways: Sequence[tuple[str, ...]]) -> str:
    """The readings that differ in the fewest respects: `with months by timestamp, or in UTC`."""
    fewest = min(map(len, ways))
    told = [" and ".join(way) for way in ways if len(way) == fewest]
    if len(told) > READINGS_TOLD:
        told[READINGS_TOLD:] = [f"{len(told) - READINGS_TOLD} more"]
    *others, last = told
    return f"{', '.join(others)}, or {last}" if others else last
