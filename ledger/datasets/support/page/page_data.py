"""What the page shows, read from the projection of an edition and from its events."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ledger.datasets.support.answers import Answers, answer_questions
from ledger.datasets.support.bridge import Bridge, Cause
from ledger.datasets.support.explain import (
    INTERACTION_MONTH,
    Contribution,
    interaction_names,
    read_contributions,
)
from ledger.datasets.support.measures import CENTER_LABEL, DEPARTMENT_LABEL
from ledger.datasets.support.missing_names import Unresolved, unresolved
from ledger.datasets.support.report import Report
from ledger.lineage.findings import Finding, edition_findings
from ledger.lineage.sources import Sources
from ledger.model.dataset import Kind
from ledger.model.records import Batch, File
from ledger.replay.editions import counts
from ledger.replay.replay import Replay

DOTS_SHOWN = 400
BINS = 20
RATINGS_SHOWN = 20
INTERACTIONS_SHOWN = 2000
LEAST_SHOWN = 3
_OUTLYING = 100


@dataclass(frozen=True, slots=True)
class Interaction:
    """An interaction that is part of a row of the report, with what the figures are made of.

    Attributes:
        contribution: what it adds to the report, and where that comes from.
        month: as the report has it, `2025-02` or `Unknown`.
        channel: as delivered.
        start: in local time, ISO 8601; None where it has none.
        minutes: how long the call lasted, or None.
        to_resolution: seconds from its start to its resolution, or None.
        after_resolution: seconds from its resolution to its end, or None.
        rating: the customer's, or None.
    """

    contribution: Contribution
    month: str
    channel: str | None
    start: str | None
    minutes: float | None
    to_resolution: float | None
    after_resolution: float | None
    rating: float | None


@dataclass(frozen=True, slots=True)
class Call:
    """A call that has a duration: of which centre, how many minutes, and whether it is rated."""

    center: str
    minutes: float
    is_rated: bool


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a centre that have a duration, the rated ones or the others.

    Attributes:
        center: its name.
        is_rated: whether it is the rated ones.
        count: how many.
        minutes: of all of them.
    """

    center: str
    is_rated: bool
    count: int
    minutes: float


@dataclass(frozen=True, slots=True)
class Bin:
    """How many calls have a duration of some minutes: from `start` on, to that of the next bin."""

    start: float
    is_rated: bool
    count: int


@dataclass(frozen=True, slots=True)
class Rated:
    """How a centre is rated: its interactions, how many carry a rating, and the sum of these."""

    center: str
    interactions: int
    ratings: int
    total: float


@dataclass(frozen=True, slots=True)
class FileEvents:
    """A file that was known, how many of its events count by action, and what came in its place.

    Attributes:
        file: the file.
        actions: by action, its events that count; none where it was superseded.
        superseded_in: the batch that took it out of force, or None.
    """

    file: File
    actions: dict[str, int]
    superseded_in: int | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the edition before: the bridge, and the first causes of each step."""

    bridge: Bridge
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the page shows of an edition, but what changed since the one before.

    Attributes:
        report: the report.
        answers: to the business questions, under all readings of the data.
        batch: the batch at which the edition is known.
        unresolved: the references that give no name, with their reasons.
        findings: what is odd about the events that count.
        interactions: those of the report, some of each row where there are many.
        calls: every call with a duration, or none where there are too many to be shown.
        bins: the same, counted, where there are too many.
        groups: the same, counted by centre.
        rated: how each centre is rated.
        ratings: how often each rating was given, the commonest of them, by the rating.
        files: those that were known, with their events.
    """

    report: Report
    answers: Answers
    batch: Batch
    unresolved: tuple[Unresolved, ...]
    findings: tuple[Finding, ...]
    interactions: tuple[Interaction, ...]
    calls: tuple[Call, ...]
    bins: tuple[Bin, ...]
    groups: tuple[Calls, ...]
    rated: tuple[Rated, ...]
    ratings: tuple[tuple[float, int], ...]
    files: tuple[FileEvents, ...]


_CALLS_WITH_DURATION = """
FROM interactions
{joins}
WHERE interactions.channel = 'phone' AND interactions.call_duration_minutes IS NOT NULL
"""

_CALLS = f"""
SELECT {CENTER_LABEL}, interactions.call_duration_minutes,
       interactions.satisfaction_rating IS NOT NULL
{_CALLS_WITH_DURATION}
ORDER BY 1, 2, 3, interactions.interaction_id
LIMIT {DOTS_SHOWN + 1}
"""

_GROUPS = f"""
SELECT {CENTER_LABEL}, interactions.satisfaction_rating IS NOT NULL, count(*),
       sum(round(interactions.call_duration_minutes * 1000000.0)) / 1000000.0
{_CALLS_WITH_DURATION}
GROUP BY 1, 2
ORDER BY 1, 2
"""

_NTH_DURATION = """
SELECT call_duration_minutes
FROM interactions
WHERE channel = 'phone' AND call_duration_minutes IS NOT NULL
ORDER BY call_duration_minutes
LIMIT 1 OFFSET ?
"""

# What lies beyond the first and the last bin is counted in them.
_BINS = f"""
SELECT CAST(max(0, min({BINS - 1}, (call_duration_minutes - ?1) / ?2)) AS INTEGER) AS bin,
       satisfaction_rating IS NOT NULL AS is_rated, count(*)
FROM interactions
WHERE channel = 'phone' AND call_duration_minutes IS NOT NULL
GROUP BY bin, is_rated
ORDER BY bin, is_rated
"""

_RATED = f"""
SELECT {CENTER_LABEL}, count(*), count(interactions.satisfaction_rating),
       coalesce(sum(round(interactions.satisfaction_rating * 1000000.0)), 0.0) / 1000000.0
FROM interactions
{{joins}}
GROUP BY 1
ORDER BY 1
"""

_RATINGS = f"""
SELECT satisfaction_rating, count(*) AS times
FROM interactions
WHERE satisfaction_rating IS NOT NULL
GROUP BY satisfaction_rating
ORDER BY times DESC, satisfaction_rating
LIMIT {RATINGS_SHOWN}
"""

_FILES = f"""
SELECT event.file, event.action, count(*)
FROM events AS event
WHERE {counts("event")}
GROUP BY event.file, event.action
ORDER BY event.file, event.action
"""

_FIRST_OF_EACH_ROW = f"""
SELECT interaction_id
FROM (
    SELECT interactions.interaction_id,
           row_number() OVER (
               PARTITION BY {INTERACTION_MONTH}, {CENTER_LABEL}, {DEPARTMENT_LABEL}
               ORDER BY interactions.interaction_id
           ) AS place
    FROM interactions
    {{joins}}
) AS placed
WHERE place <= ?
"""

_DETAILS = f"""
SELECT interaction_id, {INTERACTION_MONTH}, channel, interaction_start, call_duration_minutes,
       seconds_to_resolution, seconds_after_resolution, satisfaction_rating
FROM interactions
WHERE interaction_id IN (SELECT interaction_id FROM {{shown}})
ORDER BY interaction_id
"""


def read_evidence(replay: Replay, report: Report) -> Evidence:
    """Read all that the page of a report shows.

    Args:
        replay: of the report's edition, in a store that has its projection.
        report: as it was read of that edition.

    Raises:
        VerificationFailed: the projection does not agree with the events.
    """
    edition, names = report.edition, report.names
    records = replay.records
    answers = answer_questions(replay, edition.as_of.quarter, names, sensitivity=True)
    joins = interaction_names(replay, names)
    groups = [Calls(c, bool(r), n, t) for c, r, n, t in replay.rows(_GROUPS.format(joins=joins))]
    (batch,) = [batch for batch in records.batches if batch.batch == edition.batch]
    found = tuple(_calls(replay, joins))
    return Evidence(
        report=report,
        answers=answers,
        batch=batch,
        unresolved=unresolved(replay, names),
        interactions=tuple(_interactions(replay, report, joins)),
        calls=found if len(found) <= DOTS_SHOWN else (),
        bins=() if len(found) <= DOTS_SHOWN else tuple(_bins(replay, groups)),
        groups=tuple(groups),
        rated=tuple(Rated(*row) for row in replay.rows(_RATED.format(joins=joins))),
        ratings=tuple(sorted((rating, times) for rating, times in replay.rows(_RATINGS))),
        files=tuple(_files(replay)),
        findings=tuple(edition_findings(replay)),
    )


def _calls(replay: Replay, joins: str) -> Iterator[Call]:
    for center, minutes, is_rated in replay.rows(_CALLS.format(joins=joins)):
        yield Call(center, minutes, bool(is_rated))


def _bins(replay: Replay, groups: Sequence[Calls]) -> Iterator[Bin]:
    """Count the calls in bins of a round number of minutes, for all but the most outlying ones."""
    total = sum(group.count for group in groups)
    places = (total // _OUTLYING, total - 1 - total // _OUTLYING)
    low, high = (next(replay.rows(_NTH_DURATION, (place,)))[0] for place in places)
    step = _round_step((high - low) / BINS)
    start = math.floor(low / step) * step
    for place, is_rated, count in replay.rows(_BINS, (start, step)):
        yield Bin(start + place * step, bool(is_rated), count)


def _round_step(least: float) -> float:
    """The least of 1, 2, 5, 10, 20, 50 … that gives no more bins than there may be."""
    power = 10.0 ** math.floor(math.log10(least)) if least > 1 else 1.0
    # One more bin is needed where the first begins before the lowest value.
    return next(power * n for n in (1, 2, 5, 10, 20) if power * n >= least * BINS / (BINS - 1))


def _interactions(replay: Replay, report: Report, joins: str) -> Iterator[Interaction]:
    """The interactions of each row of the report; of each the first ones, where there are many."""
    each = max(LEAST_SHOWN, INTERACTIONS_SHOWN // max(len(report.rows), 1))
    first = replay.rows(_FIRST_OF_EACH_ROW.format(joins=joins), (each,))
    shown = replay.relation("shown", ("interaction_id TEXT PRIMARY KEY",), [*first])
    contributions = read_contributions(replay, report.names, shown)
    details = replay.rows(_DETAILS.format(shown=shown))
    for contribution, (_, month, *cells) in zip(contributions, details, strict=True):
        yield Interaction(contribution, month, *cells)


def _files(replay: Replay) -> Iterator[FileEvents]:
    """The files known in an edition, month by month, with their events."""
    sources, edition = Sources(replay), replay.edition
    actions: dict[int, dict[str, int]] = {}
    for number, action, count in replay.rows(_FILES):
        actions.setdefault(number, {})[action] = count
    for file in sorted(replay.records.files, key=lambda file: (file.month, file.file)):
        known = file.batch <= edition.batch and file.month <= edition.as_of
        if known and file.kind in set(Kind):
            superseded_in = sources.superseded_in(file.file)
            yield FileEvents(file, actions.get(file.file, {}), superseded_in)
