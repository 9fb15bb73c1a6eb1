"""Why labels are `Unknown`: the references of interactions that give no name, each with its reason.

A reference gives none where it is blank, where the row that it names was never seen, is not there
yet or is deleted, or where that row has no name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from ledger.datasets.support.description import CONTACT_CENTERS, SERVICE_CATEGORIES
from ledger.datasets.support.measures import (
    CENTER_LABEL,
    DEPARTMENT_LABEL,
    NAMED,
    UNKNOWN,
    label_joins,
)
from ledger.lineage.missing_references import missing_row
from ledger.lineage.sources import Source, Sources
from ledger.model.dataset import Table
from ledger.model.periods import Month
from ledger.replay.labels import Names
from ledger.replay.replay import Replay
from ledger.text import counted

BLANK = "blank"
NO_NAME = "no-name"
KEYS_IN_NOTES = 5


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A reference that gives no name.

    Attributes:
        table: to which it refers.
        key: that it names; None where it is blank.
        cause: `blank`, `no-name`, or a `Reason`: `never-seen`, `not-there-yet`, `deleted`.
        reason: the same in words, with the file and line of the source.
        source: the event that deleted the row, that brought it later, or that gave it no name.
        interactions: how many refer to it and are `Unknown` for this reason.
    """

    table: str
    key: str | None
    cause: str
    reason: str
    source: Source | None
    interactions: int

    def __str__(self) -> str:
        """As a sentence, without its full stop."""
        words = _WORDS[self.table]
        names, their = ("names", "its") if self.interactions == 1 else ("name", "their")
        named = f"{words.row} {self.key}, {self.reason}" if self.key else f"no {words.row}"
        count = counted(self.interactions, "interaction")
        return f"{count} {names} {named}: {their} {words.label} is {UNKNOWN}"


class _Words(NamedTuple):
    """Of a table: what its rows are, the column that gives the label, that and the label."""

    row: str
    column: str
    column_in_words: str
    label: str


_WORDS = {
    CONTACT_CENTERS.name: _Words("contact centre", "contact_center_name", "name", "contact centre"),
    SERVICE_CATEGORIES.name: _Words("category", "department", "department", "department"),
}

_ALIASES = ((CONTACT_CENTERS, "center"), (SERVICE_CATEGORIES, "category"))

_UNNAMED = f"""
SELECT totals.{{key}}, {{alias}}.event_id, totals.month, sum(totals.interactions) AS interactions
FROM support_totals AS totals
{{joins}}
WHERE {{alias}}.{{column}} IS NULL
  AND ({{months}})
  AND (? IS NULL OR {CENTER_LABEL} = ?)
  AND (? IS NULL OR {DEPARTMENT_LABEL} = ?)
GROUP BY totals.{{key}}, {{alias}}.event_id, totals.month
"""


def unresolved(
    replay: Replay,
    names: Names,
    month: str | None = None,
    center: str | None = None,
    department: str | None = None,
) -> tuple[Unresolved, ...]:
    """The references of a part of the report that give no name.

    Args:
        replay: of the edition, in a store that has its summaries.
        names: as the report gives them; the reasons are those at the end of the as-of month, or of
            each interaction's own.
        month: as the report has it, `2025-02` or `Unknown`; None for all.
        center: the label of a contact centre; None for all.
        department: likewise.

    Returns:
        by table, then the key with most interactions first.
    """
    months = None if month is None else [month]
    keys = list(_unnamed(replay, names, months, center, department))
    reasons = _Reasons(replay, names)
    return tuple(found for key in keys for found in reasons.of(key))


def unknown_notes(
    replay: Replay, names: Names, months: Collection[str] | None = None
) -> tuple[str, ...]:
    """Say of the keys with most interactions why they give no name, and how many more there are.

    Args:
        replay: as for `unresolved`.
        names: likewise.
        months: as the report has them; None for all.

    Returns:
        sentences without their full stops.
    """
    keys = sorted(_unnamed(replay, names, months), key=lambda key: -key.interactions)
    told, more = keys[:KEYS_IN_NOTES], len(keys[KEYS_IN_NOTES:])
    reasons = _Reasons(replay, names)
    notes = [str(found) for key in told for found in reasons.of(key)]
    if more:
        notes.append(f"{counted(more, 'more key')} without a name: ledger explain")
    return tuple(notes)


@dataclass(frozen=True, slots=True)
class _Key:
    """A key that gives no name: interactions by the event of its row, if any, and by month."""

    table: Table
    key: str | None
    counts: tuple[tuple[int | None, str, int], ...]

    @property
    def interactions(self) -> int:
        return sum(count for _, _, count in self.counts)


def _unnamed(
    replay: Replay,
    names: Names,
    months: Collection[str] | None,
    center: str | None = None,
    department: str | None = None,
) -> Iterator[_Key]:
    chosen = "1 = 1" if months is None else f"totals.month IN ({', '.join('?' * len(months))})"
    values = [*(months or ()), center, center, department, department]
    joins = label_joins(replay.labels(NAMED, names), "totals", "totals.month")
    for table, alias in _ALIASES:
        column = _WORDS[table.name].column
        sql = _UNNAMED.format(key=table.key, alias=alias, column=column, months=chosen, joins=joins)
        counts = defaultdict(list)
        for key, event_id, month, count in replay.rows(sql, values):
            counts[key].append((event_id, month, count))
        keys = [_Key(table, key, tuple(found)) for key, found in counts.items()]
        yield from sorted(keys, key=lambda key: (-key.interactions, key.key or ""))


class _Reasons:
    """Finds out why keys give no name, in an edition."""

    def __init__(self, replay: Replay, names: Names) -> None:
        self._replay = replay
        self._names = names
        self._sources = Sources(replay)

    def of(self, key: _Key) -> list[Unresolved]:
        """Its reasons, which differ by month where names are as they were; commonest first."""
        reasons: dict[tuple[str, str, Source | None], Unresolved] = {}
        for event_id, month, count in key.counts:
            found = self._reason(key, event_id, month, count)
            same = (found.cause, found.reason, found.source)
            before = reasons[same].interactions if same in reasons else 0
            reasons[same] = replace(found, interactions=before + count)
        return sorted(reasons.values(), key=lambda found: -found.interactions)

    def _reason(self, key: _Key, event_id: int | None, month: str, count: int) -> Unresolved:
        table, name = key.table, key.key
        if name is None:
            return Unresolved(table.name, None, BLANK, BLANK, None, count)
        if event_id is not None:
            source = self._sources.find(table, event_id)
            reason = f"which has no {_WORDS[table.name].column_in_words} ({source})"
            return Unresolved(table.name, name, NO_NAME, reason, source, count)
        missing = missing_row(self._replay, self._sources, table, name, self._month(month))
        if missing is None:
            raise ValueError(
                f"{table.name} has a row {name} in {month}, and no name is taken of it"
            )
        return Unresolved(
            table.name, name, missing.reason.value, str(missing), missing.source, count
        )

    def _month(self, label: str) -> Month:
        """The month at whose end a row was looked for, for interactions of a month."""
        last = self._replay.edition.as_of
        if self._names is Names.AS_IS or label == UNKNOWN:
            return last
        return min(Month.parse(label), last)
