"""Findings on recorded events: anomalous values, unexpected actions, dangling references.

A finding refuses nothing by itself: the delivered text is kept and the event is applied in order.
It names a place where a file is probably not what its sender meant.
"""

from __future__ import annotations

import heapq
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from ledger.delivery.cell_values import CONVERTED
from ledger.errors import Problem, WrongUsage
from ledger.lineage.missing_references import Missing, missing_row
from ledger.lineage.sources import Sources
from ledger.model.dataset import Check, Column, DataSet, Kind, Table, Type
from ledger.model.editions import Edition
from ledger.model.presentation import (
    Grid,
    JsonObject,
    Line,
    Part,
    Styled,
)
from ledger.model.records import File
from ledger.model.tabular import Tabular
from ledger.replay.editions import counts, known, last_event, last_events
from ledger.replay.replay import Replay
from ledger.replay.statements import can_omit_local_time, typed_sql
from ledger.store.database import Record
from ledger.text import counted, listed, visible

_FINDING = (
    Column("code", "A stable short name of what was found."),
    Column("file", "The name of the file."),
    Column("line", "The line in the file; blank if the whole file is meant.", Type.INTEGER),
    Column("key", "The key of the row."),
    Column("column", "The column; blank if the whole row is meant."),
    Column("value", "The text of the cell."),
    Column("message", "What was found, in words."),
)


@dataclass(frozen=True, slots=True)
class Checked(JsonObject):
    """The findings on the events of an edition.

    Attributes:
        edition: the edition that was checked.
        events: the number of events that count in it.
        counts: the number of findings of each code.
        findings: table by table, in replay order.
        failed: the counts of the codes on which the check was to fail.
    """

    edition: Edition
    events: int
    counts: Counter[str]
    findings: tuple[Finding, ...]
    failed: dict[str, int]

    def tabular(self) -> Tabular:
        """The findings."""
        rows = ([getattr(one, column.name) for column in _FINDING] for one in self.findings)
        return Tabular("findings", _FINDING, rows)

    def parts(self) -> Iterator[Part]:
        """The findings, and the number of those of each code."""
        for finding in self.findings:
            place, _, message = visible(str(finding)).partition(f" {finding.code}: ")
            yield Line((f"{place} ", Styled(finding.code, "code"), f": {message}"))
        yield ""
        yield Grid(("code", "findings"), sorted(self.counts.items()))
        yield f"{counted(len(self.findings), 'finding')} in {counted(self.events, 'event')}."


ANY = "any"
CONFUSABLE = "confusable-key"
_MESSAGES = {
    "bad-date": "this is no date",
    "bad-timestamp": "this is no timestamp",
    "no-offset": "this timestamp has no offset from UTC",
    "bad-number": "this is no number",
    "out-of-range": "this is outside of the range of values",
    "add-existing": "added, but it exists already",
    "update-missing": "updated, but it does not exist",
    "delete-missing": "deleted, but it does not exist",
    "duplicate-key": "this key occurs earlier in this file",
    "resurrected": "added again after a delete",
    "no-op": "every cell is as it was",
    "same-bytes": "the same bytes were delivered for another month",
    "reference-never-seen": "refers to a row that does not exist",
    "reference-not-there-yet": "refers to a row that does not exist",
    "reference-deleted": "refers to a row that does not exist",
    CONFUSABLE: "can be confused with the key of another row",
}


@dataclass(frozen=True, slots=True)
class Finding(JsonObject):
    """An anomaly of a file, and its place.

    Attributes:
        code: a stable short name, such as `update-missing`.
        message: what was found, in words.
        file: the file's name, `delta/agents_delta_202502.csv`.
        line: the physical line, or None if the whole file is meant.
        key: the key of the row, or None.
        column: the column, or None if the whole row is meant.
        value: the text of the cell in that column, or None.
    """

    code: str
    message: str
    file: str
    line: int | None = None
    key: str | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        return str(self.problem)

    @property
    def problem(self) -> Problem:
        """The finding as a problem of a file."""
        shown = self.key if self.column is None else self.value
        return Problem(self.file, self.code, self.message, self.line, self.column, shown)


@dataclass(frozen=True, slots=True)
class _Found:
    """A finding on an event, before the name of its file is known."""

    event_id: int
    file: int
    line: int
    key: str
    code: str
    column: str | None = None
    value: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Scope:
    """The events that are checked: a condition on `event`, and the values bound in it."""

    condition: str
    values: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Search:
    """Which of the findings are searched for that not every event can have.

    Attributes:
        actions: whether unexpected actions are.
        confusable: whether keys that can be confused are.
    """

    actions: bool = True
    confusable: bool = True


_EVENT = "event.event_id, event.file, event.line, event.{key}"

_VALUES = """
SELECT {event}, reading.code, reading.column_name, CASE reading.column_name {cells} END AS value
FROM {events} AS event JOIN readings AS reading ON reading.event_id = event.event_id
WHERE {scope} AND reading.code <> ?
ORDER BY event.event_id, reading.column_name
"""

# The event before each one of the same key, in replay order, among those that count.
_ACTIONS = """
SELECT {event},
       CASE WHEN before.file = event.file THEN 'duplicate-key'
            WHEN event.action = 'add' AND before.action IN ('add', 'update') THEN 'add-existing'
            WHEN event.action = 'add' AND before.action = 'delete' THEN 'resurrected'
            WHEN event.action = 'update' AND coalesce(before.action, 'delete') = 'delete'
                THEN 'update-missing'
            WHEN event.action = 'delete' AND coalesce(before.action, 'delete') = 'delete'
                THEN 'delete-missing'
            WHEN event.action = 'update' AND {same} THEN 'no-op'
       END AS code
FROM {events} AS event
LEFT JOIN {events} AS before ON before.event_id = (
    SELECT max(earlier.event_id) FROM {events} AS earlier
    WHERE earlier.{key} = event.{key} AND earlier.event_id < event.event_id AND {known})
WHERE {scope} AND code IS NOT NULL
ORDER BY event.event_id
"""

_CHECKS = """
WITH typed AS ({typed}),
met AS (SELECT typed.event_id, {conditions} FROM typed)
SELECT {event}, {results}
FROM met JOIN {events} AS event ON event.event_id = met.event_id
WHERE {any_condition}
ORDER BY event.event_id
"""

# The keys without a row among those that are referred to: these are few, and each is read once.
_DANGLING_KEYS = """
SELECT key FROM (
    SELECT DISTINCT event.{column} AS key FROM {events} AS event
    WHERE {scope} AND event.{column} IS NOT NULL AND event.action <> 'delete'
) AS keys
WHERE coalesce((
    SELECT referred.action FROM {other_events} AS referred
    WHERE referred.event_id = ({last_referred})), 'delete') = 'delete'
"""

# Of the current rows: those that refer to a key without a row.
_REFERENCES = """
SELECT {event}, event.{column}
FROM {events} AS event
WHERE {scope} AND event.{column} IN (SELECT key FROM {dangling})
  AND event.action <> 'delete' AND event.event_id = ({last})
ORDER BY event.event_id
"""

# The keys of the current rows, each with the first event that counts for it.
_KEYS = """
SELECT event.{key}, (
    SELECT min(first.event_id) FROM {events} AS first
    WHERE first.{key} = event.{key} AND {counts_first})
FROM ({last_events}) AS last JOIN {events} AS event ON event.event_id = last.event_id
WHERE event.action <> 'delete'
"""

_CONFUSABLE_KEYS = """
SELECT {event}, first.key
FROM (SELECT skeleton, min(event_id) AS event_id
      FROM {skeletons} GROUP BY skeleton HAVING count(*) > 1) AS alike
JOIN {skeletons} AS first ON first.skeleton = alike.skeleton AND first.event_id = alike.event_id
JOIN {skeletons} AS other ON other.skeleton = alike.skeleton AND other.event_id > alike.event_id
JOIN {events} AS event ON event.event_id = other.event_id
WHERE {scope}
ORDER BY event.event_id
"""


def chosen_codes(dataset: DataSet, names: Collection[str]) -> frozenset[str]:
    """The codes of findings that are named; `any` names all of them.

    Raises:
        WrongUsage: a name is no code of a finding.
    """
    codes = {*_MESSAGES, *(check.code for table in dataset.tables for check in table.checks)}
    unknown = set(names) - codes - {ANY}
    if unknown:
        raise WrongUsage(
            f"there is no finding {listed(sorted(unknown))}; "
            f"there are {', '.join(sorted(codes))}, and {ANY}"
        )
    return frozenset(codes if ANY in names else names)


def file_findings(replay: Replay, file: File, refused: Collection[str] = ()) -> Iterator[Finding]:
    """Yield the findings of one recorded file, in the order of its lines.

    Keys that can be confused are searched for only if they are refused, as all keys of the table
    must be read for this.

    Args:
        replay: as of the month of the file, as known at its batch.
        file: recorded in the store.
        refused: codes of findings that are refused.
    """
    yield from _same_bytes([file], replay.records.effective(file.batch).values())
    if file.first_event is None or file.last_event is None:
        return
    scope = _Scope("event.event_id BETWEEN ? AND ?", (file.first_event, file.last_event))
    table = replay.dataset.table(file.table_name)
    # No event that counts precedes those of an extract, and no key occurs twice in one.
    search = _Search(actions=file.kind != Kind.INITIAL, confusable=CONFUSABLE in refused)
    yield from _of_table(replay, table, scope, search)


def edition_findings(replay: Replay) -> Iterator[Finding]:
    """Yield the findings of all events that count in an edition, table by table, in replay order.

    References and confusable keys are those of the rows at its end.
    """
    records, edition = replay.records, replay.edition
    effective = records.effective(edition.batch).values()
    yield from _same_bytes(records.effective_in(edition), effective)
    scope = _Scope(counts("event"))
    for table in replay.dataset.tables:
        yield from _of_table(replay, table, scope, _Search())


def check_edition(replay: Replay, fail_on: Collection[str] = ()) -> Checked:
    """Inspect all events that count in an edition.

    Args:
        replay: of the edition.
        fail_on: codes of findings on which the check is to fail; `any` for all of them.

    Raises:
        WrongUsage: there is no such code.
    """
    refused = chosen_codes(replay.dataset, fail_on)
    findings = tuple(edition_findings(replay))
    events = sum(file.rows for file in replay.records.effective_in(replay.edition))
    counted = Counter(finding.code for finding in findings)
    failed = {code: count for code, count in sorted(counted.items()) if code in refused}
    return Checked(replay.edition, events, counted, findings, failed)


def verdicts(replay: Replay, table: Table, key: str) -> dict[int, str]:
    """The findings on the actions of a record's events, by `event_id`; the others are applied."""
    scope = _Scope(f"event.{table.key} = ? AND {counts('event')}", (key,))
    return {found.event_id: found.code for found in _actions(replay, table, scope)}


def _same_bytes(files: Collection[File], counting: Collection[File]) -> Iterator[Finding]:
    """Yield files whose bytes were delivered for another month, unless they have no rows."""
    for file in files:
        others = [
            other.month
            for other in counting
            if (other.sha256, other.table_name) == (file.sha256, file.table_name)
            and other.month != file.month
            and other.batch <= file.batch
        ]
        if others and file.rows:
            yield Finding("same-bytes", f"{_MESSAGES['same-bytes']}, {others[0]}", file.name)


def _of_table(replay: Replay, table: Table, scope: _Scope, search: _Search) -> Iterator[Finding]:
    sources = Sources(replay)
    found = []
    # The relations before any query runs: SQLite drops no table then.
    skeletons = _skeletons(replay, table) if search.confusable else None
    dangling = [
        (column, _dangling_keys(replay, table, column, scope)) for column in table.references
    ]
    if search.actions:
        found.append(_actions(replay, table, scope))
    if table.typed_columns:
        found.append(_values(replay, table, scope))
    if table.checks:
        found.append(_checks(replay, table, scope))
    if skeletons:
        found.append(_confusable_keys(replay, table, scope, skeletons))
    for column, keys in dangling:
        if keys:
            found.append(_references(replay, sources, table, column, scope, keys))
    messages = _MESSAGES | {check.code: check.message for check in table.checks}
    for one in heapq.merge(*found, key=attrgetter("event_id")):
        message = messages[one.code] + one.note
        name = sources.file(one.file).name
        yield Finding(one.code, message, name, one.line, one.key, one.column, one.value)


def _names(table: Table) -> dict[str, str]:
    return {"event": _EVENT.format(key=table.key), "events": table.events, "key": table.key}


def _values(replay: Replay, table: Table, scope: _Scope) -> Iterator[_Found]:
    cells = " ".join(f"WHEN '{c.name}' THEN event.{c.name}" for c in table.typed_columns)
    sql = _VALUES.format(cells=cells, scope=scope.condition, **_names(table))
    for row in replay.rows(sql, (*scope.values, CONVERTED)):
        yield _Found(*row)


def _actions(replay: Replay, table: Table, scope: _Scope) -> Iterator[_Found]:
    same = " AND ".join(f"event.{name} IS before.{name}" for name in table.column_names)
    sql = _ACTIONS.format(same=same, known=known("earlier"), scope=scope.condition, **_names(table))
    for row in replay.rows(sql, scope.values):
        yield _Found(*row)


def _checks(replay: Replay, table: Table, scope: _Scope) -> Iterator[_Found]:
    """Yield the rows that meet a condition of the description of the data set."""
    chosen = f"SELECT event.event_id FROM {table.events} AS event WHERE {scope.condition}"
    # Only the columns that the conditions read: typing a timestamp takes time.
    reads = {name for check in table.checks for name in check.reads}
    narrow = table.narrowed(reads)
    without_local_time = can_omit_local_time(narrow, reads)
    met = [f"{check.condition} AS met_{place}" for place, check in enumerate(table.checks)]
    columns = [f"met.met_{place}, event.{c.column}" for place, c in enumerate(table.checks)]
    sql = _CHECKS.format(
        typed=typed_sql(
            narrow, chosen, regular=replay.is_regular, without_local_time=without_local_time
        ),
        conditions=", ".join(met),
        results=", ".join(columns),
        any_condition=" OR ".join(f"met.met_{place}" for place in range(len(met))),
        **_names(table),
    )
    for row in replay.rows(sql, scope.values):
        yield from _met(table.checks, row)


def _met(checks: Collection[Check], row: Record) -> Iterator[_Found]:
    event, file, line, key, *results = row
    for check, is_met, value in zip(checks, results[::2], results[1::2], strict=True):
        if is_met:
            yield _Found(event, file, line, key, check.code, check.column, value)


def _dangling_keys(replay: Replay, table: Table, column: Column, scope: _Scope) -> str | None:
    """The relation of the keys without a row to which a column refers; None if all have one."""
    other = replay.dataset.referenced(table, column.name)
    keys = _DANGLING_KEYS.format(
        column=column.name,
        scope=scope.condition,
        last_referred=last_event(other, "keys.key", "last"),
        other_events=other.events,
        **_names(table),
    )
    relation = replay.relation(f"dangling_{column.name}", ("key TEXT",), ())
    found = replay.execute(f"INSERT INTO {relation} (key) {keys}", scope.values)
    return relation if found else None


def _references(
    replay: Replay, sources: Sources, table: Table, column: Column, scope: _Scope, dangling: str
) -> Iterator[_Found]:
    other = replay.dataset.referenced(table, column.name)
    sql = _REFERENCES.format(
        column=column.name,
        scope=scope.condition,
        dangling=dangling,
        last=last_event(table, f"event.{table.key}", "later"),
        **_names(table),
    )

    @lru_cache(maxsize=10_000)
    def missing(key: str) -> Missing | None:
        return missing_row(replay, sources, other, key, replay.edition.as_of)

    for event, file, line, own_key, key in replay.rows(sql, scope.values):
        row = missing(key)
        if row:
            code, note = f"reference-{row.reason}", f", {row}"
            yield _Found(event, file, line, own_key, code, column.name, key, note)


def _skeletons(replay: Replay, table: Table) -> str:
    """The relation of the keys of the current rows, each with its skeleton."""
    keys = _KEYS.format(
        counts_first=counts("first"), last_events=last_events(table), **_names(table)
    )
    # Computed here: an interruption does not get through a function that SQLite calls.
    skeletons = ((key, _skeleton(key), event_id) for key, event_id in replay.rows(keys))
    columns = ("key TEXT", "skeleton TEXT", "event_id INTEGER")
    relation = replay.relation("skeletons", columns, skeletons)
    replay.execute("CREATE INDEX temp.by_skeleton ON skeletons (skeleton, event_id)")
    return relation


def _confusable_keys(
    replay: Replay, table: Table, scope: _Scope, skeletons: str
) -> Iterator[_Found]:
    sql = _CONFUSABLE_KEYS.format(scope=scope.condition, skeletons=skeletons, **_names(table))
    for event, file, line, key, first in replay.rows(sql, scope.values):
        yield _Found(event, file, line, key, CONFUSABLE, note=f", {first!r}")


def _skeleton(key: str) -> str:
    """A key without case, normalisation and characters of no width: alike for confusable keys."""
    if key.isascii():
        return key.casefold()
    shown = "".join(c for c in key if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())
