"""From a figure of the support report to the events that make it.

The figure is read off the report. The interactions are found in the projection, the event that
counts for each is looked up in the log, and what these events say is added up again, from their
delivered cells: the sums must be the figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ledger.datasets.support.description import CONTACT_CENTERS, INTERACTIONS, SERVICE_CATEGORIES
from ledger.datasets.support.measures import (
    CENTER_LABEL,
    DEPARTMENT_LABEL,
    MEASURES,
    NAMED,
    UNKNOWN,
    label_joins,
)
from ledger.datasets.support.missing_names import Unresolved, unresolved
from ledger.datasets.support.report import ReportRow, read_rows
from ledger.errors import VerificationFailed, WrongUsage
from ledger.lineage.sources import Source, Sources
from ledger.model.dataset import Column, Type
from ledger.model.editions import Edition
from ledger.model.presentation import Grid, JsonObject, Note, Part, plain
from ledger.model.tabular import Tabular, Value, Values
from ledger.replay.editions import last_event
from ledger.replay.labels import Names
from ledger.replay.replay import Replay
from ledger.replay.statements import typed_sql


@dataclass(frozen=True, slots=True)
class Figures(JsonObject):
    """The figures of a part of the report.

    Attributes:
        total_interactions: of every channel.
        total_calls: by phone.
        total_call_duration: minutes of the calls that have a duration.
    """

    total_interactions: int
    total_calls: int
    total_call_duration: float


@dataclass(frozen=True, slots=True)
class Contribution(JsonObject):
    """An interaction that is part of a figure.

    Attributes:
        interaction_id: its key.
        figures: what it adds.
        source: the event that counts for it.
        contact_center_id: its own key.
        contact_center_name: the label of its contact centre.
        contact_center_source: the event that gave the label; None where it is `Unknown`.
        category_id: its own key.
        department: the label of its department.
        department_source: the event that gave the label; None where it is `Unknown`.
    """

    interaction_id: str
    figures: Figures
    source: Source
    contact_center_id: str | None
    contact_center_name: str
    contact_center_source: Source | None
    category_id: str | None
    department: str
    department_source: Source | None


@dataclass(frozen=True, slots=True)
class Explanation(JsonObject):
    """A figure with all that makes it.

    Attributes:
        edition: of what it speaks.
        names: whether the labels are those of the edition or of the month.
        month: `2025-02` or `Unknown`.
        contact_center_name: the label asked for, or None for all.
        department: the label asked for, or None for all.
        measure: the measure asked for, or None for all three.
        figures: as the report has them; the contributions add up to them.
        contributions: by the key of the interaction.
        unresolved: why labels of these are `Unknown`.
    """

    edition: Edition
    names: Names
    month: str
    contact_center_name: str | None
    department: str | None
    measure: str | None
    figures: Figures
    contributions: tuple[Contribution, ...]
    unresolved: tuple[Unresolved, ...]

    @property
    def sources(self) -> tuple[Source, ...]:
        """All events cited, each once: of interactions, then of names."""
        cited = [c.source for c in self.contributions]
        for contribution in self.contributions:
            cited += filter(
                None, (contribution.contact_center_source, contribution.department_source)
            )
        return tuple(dict.fromkeys(cited))

    @property
    def measures(self) -> tuple[str, ...]:
        """The measure asked for, or all."""
        return MEASURES if self.measure is None else (self.measure,)

    def to_dict(self) -> dict[str, Any]:
        """The attributes, as JSON has them; the contributions are last."""
        head = plain(replace(self, contributions=()))
        del head["contributions"]
        return {**head, "contributions": plain(self.contributions)}

    def tabular(self) -> Tabular:
        """A row for each contribution, with the source of its figures and of its labels."""
        return Tabular(
            "explanation",
            (
                Column("interaction", "The key of the interaction."),
                *(
                    Column(name, "What it adds to this measure.", Type.NUMBER)
                    for name in self.measures
                ),
                *_SOURCE_COLUMNS,
            ),
            [
                (
                    *self._figures(one),
                    source.file,
                    source.line,
                    source.batch,
                    source.sha256,
                    *self._labels(one),
                )
                for one in self.contributions
                for source in [one.source]
            ],
            "interaction",
        )

    def parts(self) -> Iterator[Part]:
        """The contributions with their sum, the files that they come from, and what is unknown."""
        headings = (
            "interaction",
            *self.measures,
            "where",
            "contact_center_name",
            "named_by",
            "department",
            "named_by",
        )
        total = [getattr(self.figures, measure) for measure in self.measures]
        rows = [(*self._figures(c), str(c.source), *self._labels(c)) for c in self.contributions]
        yield Grid(headings, [*rows, ("total", *total, *[None] * 5)])
        files = {(s.file, s.batch): s.sha256 for s in self.sources}
        yield ""
        yield Grid(("file", "batch", "SHA-256"), [(*file, sha) for file, sha in files.items()])
        for one in self.unresolved:
            yield Note(str(one))

    def _figures(self, contribution: Contribution) -> Values:
        figures = (getattr(contribution.figures, measure) for measure in self.measures)
        return contribution.interaction_id, *figures

    def _labels(self, contribution: Contribution) -> Values:
        """Each label with what gave it, or why nothing did."""
        reasons: dict[tuple[str, str | None], Value] = {
            (one.table, one.key): one.reason if one.key is None else f"{one.key}, {one.reason}"
            for one in self.unresolved
        }
        center = (CONTACT_CENTERS.name, contribution.contact_center_id)
        category = (SERVICE_CATEGORIES.name, contribution.category_id)
        return (
            contribution.contact_center_name,
            str(contribution.contact_center_source or reasons.get(center, "")),
            contribution.department,
            str(contribution.department_source or reasons.get(category, "")),
        )


_SOURCE_COLUMNS = (
    Column("file", "The file of the event that counts for the interaction."),
    Column("line", "Its line in the file.", Type.INTEGER),
    Column("batch", "The batch that recorded it.", Type.INTEGER),
    Column("sha256", "The digest of the file."),
    Column("contact_center_name", "The label of the contact centre."),
    Column("contact_center_named_by", "The event that gave it, or why none did."),
    Column("department", "The label of the department."),
    Column("department_named_by", "The event that gave it, or why none did."),
)


INTERACTION_MONTH = f"coalesce(interactions.month, '{UNKNOWN}')"
"""In SQL, the month of an interaction as the report has it."""


def interaction_names(replay: Replay, names: Names) -> str:
    """The SQL that joins what `CENTER_LABEL` and `DEPARTMENT_LABEL` of interactions come from."""
    return label_joins(replay.labels(NAMED, names), "interactions", INTERACTION_MONTH)


_CITED = "cited"
"""The relation of the events that contributions cite."""

_WANTED = f"""
(?1 IS NULL OR {INTERACTION_MONTH} = ?1)
AND (?2 IS NULL OR {CENTER_LABEL} = ?2) AND (?3 IS NULL OR {DEPARTMENT_LABEL} = ?3)
AND CASE ?4 WHEN 'total_calls' THEN interactions.channel = 'phone'
            WHEN 'total_call_duration' THEN interactions.channel = 'phone'
                                            AND interactions.call_duration_minutes IS NOT NULL
            ELSE 1 END
"""

_CONTRIBUTIONS = f"""
SELECT interactions.interaction_id,
       CASE WHEN interactions.channel = 'phone' THEN 1 ELSE 0 END,
       CASE WHEN interactions.channel = 'phone'
            THEN round(interactions.call_duration_minutes * 1000000.0) END,
       event.event_id, event.file, event.line, event.action,
       interactions.contact_center_id, {CENTER_LABEL},
       CASE WHEN center.contact_center_name IS NOT NULL THEN center.event_id END,
       interactions.category_id, {DEPARTMENT_LABEL},
       CASE WHEN category.department IS NOT NULL THEN category.event_id END
FROM interactions
{{joins}}
LEFT JOIN interactions_events AS event
       ON event.event_id = ({last_event(INTERACTIONS, "interactions.interaction_id", "last")})
WHERE {{wanted}}
ORDER BY interactions.interaction_id
"""

# What the cited events themselves say, whatever the projection has.
_SUMS = f"""
SELECT count(*),
       coalesce(sum(CASE WHEN interactions.channel = 'phone' THEN 1 ELSE 0 END), 0),
       coalesce(sum(CASE WHEN interactions.channel = 'phone'
                         THEN round(interactions.call_duration_minutes * 1000000.0) END), 0)
FROM ({typed_sql(INTERACTIONS, f"SELECT event_id FROM temp.{_CITED}")}) AS interactions
{{joins}}
WHERE {_WANTED}
"""


def explain_figure(
    replay: Replay,
    month: str,
    center: str | None = None,
    department: str | None = None,
    measure: str | None = None,
    names: Names = Names.AS_IS,
) -> Explanation:
    """Explain a figure from the projection of an edition.

    Args:
        replay: of the edition, in a store that has its projection.
        month: as the report has it, `2025-02` or `Unknown`.
        center: the name of a contact centre, as the report has it; None for all of them.
        department: likewise.
        measure: one of `MEASURES`, to have what is part of that alone; None for all interactions.
        names: of the edition or of the month.

    Raises:
        WrongUsage: the report has no such figure.
        VerificationFailed: the events do not add up to the figure.
    """
    if measure not in (None, *MEASURES):
        raise WrongUsage(f"there is no measure {measure!r}; there are {', '.join(MEASURES)}")
    figures = _added(_cells(read_rows(replay, names), month, center, department))
    wanted = (month, center, department, measure)
    contributions = tuple(_contributions(replay, names, _WANTED, wanted))
    _check(replay, names, figures, contributions, wanted)
    return Explanation(
        edition=replay.edition,
        names=names,
        month=month,
        contact_center_name=center,
        department=department,
        measure=measure,
        figures=figures,
        contributions=contributions,
        unresolved=_unresolved(contributions, unresolved(replay, names, month, center, department)),
    )


def _cells(
    rows: Sequence[ReportRow], month: str, center: str | None, department: str | None
) -> list[ReportRow]:
    """The rows of the report that make a figure.

    Raises:
        WrongUsage: there are none; says which labels there are instead.
    """
    cells = list(rows)
    for column, what, label in (
        ("month", "month", month),
        ("contact_center_name", "contact centre", center),
        ("department", "department", department),
    ):
        labels = dict.fromkeys(getattr(row, column) for row in cells)
        if label is not None and label not in labels:
            raise WrongUsage(
                f"the report has no {what} {label!r} there; "
                f"it has {', '.join(map(repr, labels)) or 'none'}"
            )
        cells = [row for row in cells if label is None or getattr(row, column) == label]
    return cells


def _added(parts: Sequence[ReportRow] | Sequence[Figures]) -> Figures:
    return Figures(
        sum(part.total_interactions for part in parts),
        sum(part.total_calls for part in parts),
        sum(_millionths(part.total_call_duration) for part in parts) / 10**6,
    )


def _millionths(minutes: float) -> int:
    return round(minutes * 10**6)


def read_contributions(replay: Replay, names: Names, chosen: str) -> tuple[Contribution, ...]:
    """Read what some interactions add to the report, checked against the events that they cite.

    Args:
        replay: of the edition, in a store that has its projection.
        names: as for the report.
        chosen: a relation with the keys of the interactions, as `interaction_id`.

    Returns:
        by the key of the interaction.

    Raises:
        VerificationFailed: the events do not say what the projection has.
    """
    wanted = f"interactions.interaction_id IN (SELECT interaction_id FROM {chosen})"
    found = tuple(_contributions(replay, names, wanted, ()))
    _check(replay, names, _added([one.figures for one in found]), found, (None, None, None, None))
    return found


def _contributions(
    replay: Replay, names: Names, wanted: str, values: Sequence[str | None]
) -> Iterator[Contribution]:
    sources = Sources(replay)
    named: dict[int, Source] = {}
    sql = _CONTRIBUTIONS.format(joins=interaction_names(replay, names), wanted=wanted)
    for row in replay.rows(sql, values):
        key, calls, micro_minutes, *row_event = row[:7]
        center_key, center, center_event, category_key, department, category_event = row[7:]
        if None in row_event:
            raise _disagreement(f"no event counts for the interaction {key}")
        for table, event_id in (
            (CONTACT_CENTERS, center_event),
            (SERVICE_CATEGORIES, category_event),
        ):
            if event_id is not None and event_id not in named:
                named[event_id] = sources.find(table, event_id)
        yield Contribution(
            interaction_id=key,
            figures=Figures(1, calls, (micro_minutes or 0) / 10**6),
            source=sources.source(*row_event),
            contact_center_id=center_key,
            contact_center_name=center,
            contact_center_source=named.get(center_event),
            category_id=category_key,
            department=department,
            department_source=named.get(category_event),
        )


def _unresolved(
    contributions: Sequence[Contribution], found: Sequence[Unresolved]
) -> tuple[Unresolved, ...]:
    """Of reasons that were found, those that concern these interactions, and how many."""
    keys = Counter(
        key
        for c in contributions
        for key, label in (
            ((CONTACT_CENTERS.name, c.contact_center_id), c.contact_center_name),
            ((SERVICE_CATEGORIES.name, c.category_id), c.department),
        )
        if label == UNKNOWN
    )
    counted = (replace(one, interactions=keys[one.table, one.key]) for one in found)
    return tuple(one for one in counted if one.interactions)


def _check(
    replay: Replay,
    names: Names,
    figures: Figures,
    contributions: Sequence[Contribution],
    wanted: Sequence[str | None],
) -> None:
    """Add up the contributions, and the events that they cite, and hold the sums to the figure.

    Raises:
        VerificationFailed: they differ.
    """
    cited = [(contribution.source.event_id,) for contribution in contributions]
    replay.relation(_CITED, ("event_id INTEGER PRIMARY KEY",), cited)
    sql = _SUMS.format(joins=interaction_names(replay, names))
    ((interactions, calls, micro_minutes),) = replay.rows(sql, wanted)
    by_events = Figures(interactions, calls, micro_minutes / 10**6)
    parts = [contribution.figures for contribution in contributions]
    for name in MEASURES:
        sums = [getattr(of, name) for of in (figures, _added(parts), by_events)]
        # Only what is part of one measure is cited where that is asked for.
        if wanted[3] in (None, name) and max(sums) - min(sums) > _rounding(parts, name):
            in_report, shown, said = sums
            raise _disagreement(
                f"{name} is {in_report} in the report, {shown} by the interactions, "
                f"and {said} by their events"
            )


def _rounding(parts: Sequence[Figures], measure: str) -> float:
    """How far the sums of a measure may lie apart because they were added in another order.

    Not at all, as long as a double holds every whole number of millionths of a minute.
    """
    largest = sum(abs(getattr(part, measure)) for part in parts)
    return 0.0 if largest < 2**53 / 10**6 else largest / 10**9


def _disagreement(what: str) -> VerificationFailed:
    return VerificationFailed(
        f"the projection and the events disagree: {what}. "
        "To compute it anew: ledger project --rebuild"
    )
