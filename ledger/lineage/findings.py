"""What is worth telling of recorded events: odd values, actions out of turn, loose references.

A finding refuses nothing by itself: the delivered text is kept and the event is applied in order.
It says where a file is probably not what its sender meant.
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
from ledger.replay.statements import can_be_clockless, typed_sql
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
    """What is odd about the events of an edition.

    Attributes:
        edition: of what it speaks.
        events: how many events count in it.
        counts: how many findings of each code there are.
        findings: table by table, in replay order.
        failed: of the counts, those on which the check was to fail.
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
        """The findings, and how many of each code there are."""
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
    "bad-timestamp": "this is no moment",
    "no-offset": "this moment has no offset, so it is none",
    "bad-number": "this is no number",
    "out-of-range": "this lies outside of what can be held",
    "add-existing": "added, but it is there already",
    "update-missing": "updated, but it is not there",
    "delete-missing": "deleted, but it is not there",
    "duplicate-key": "this key stands in this file before",
    "resurrected": "added again after a delete",
    "no-op": "every cell is as it was",
    "same-bytes": "the same bytes were delivered for another month",
    "reference-never-seen": "refers to a row that is not there",
    "reference-not-there-yet": "refers to a row that is not there",
    "reference-deleted": "refers to a row that is not there",
    CONFUSABLE: "looks like the key of another row",
}


@dataclass(frozen=True, slots=True)
class Finding(JsonObject):
    """One thing worth telling, and where it stands.

    Attributes:
        code: a stable short name, such as `update-missing`.
        message: what is odd, in words.
        file: the file's name, `delta/agents_delta_202502.csv`.
        line: the physical line, or None where the whole file is meant.
        key: the key of the row, or None.
        column: the column, or None where the whole row is meant.
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
        """The same as what is wrong with a file."""
        shown = self.key if self.column is None else self.value
        return Problem(self.file, self.code, self.message, self.line, self.column, shown)


@dataclass(frozen=True, slots=True)
class _Found:
    """A finding on an event, before it is known where that stands."""

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
    """The events that are looked at: a condition on `event`, and what is bound in it."""

    condition: str
    values: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Looked:
    """For which findings one looks besides those that any event can give.

    Attributes:
        actions: actions out of turn.
        confusable: keys that can be confused.
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

# The keys without a row among those that are referred to: these are few, and looked up once each.
_LOOSE_KEYS = """
SELECT key FROM (
    SELECT DISTINCT event.{column} AS key FROM {events} AS event
    WHERE {scope} AND event.{column} IS NOT NULL AND event.action <> 'delete'
) AS keys
WHERE coalesce((
    SELECT referred.action FROM {other_events} AS referred
    WHERE referred.event_id = ({last_referred})), 'delete') = 'delete'
"""

# Of the rows as they stand: those that refer to a key without a row.
_REFERENCES = """
SELECT {event}, event.{column}
FROM {events} AS event
WHERE {scope} AND event.{column} IN (SELECT key FROM {loose})
  AND event.action <> 'delete' AND event.event_id = ({last})
ORDER BY event.event_id
"""

# The keys of the rows as they stand, each with the first event that counts for it.
_KEYS = """
SELECT event.{key}, (
    SELECT min(first.event_id) FROM {events} AS first
    WHERE first.{key} = event.{key} AND {counts_first})
FROM ({last_events}) AS last JOIN {events} AS event ON event.event_id = last.event_id
WHERE event.action <> 'delete'
"""

_CONFUSABLE_KEYS = """
SELECT {event}, first.key
FROM (SELECT look, min(event_id) AS event_id
      FROM {looks} GROUP BY look HAVING count(*) > 1) AS alike
JOIN {looks} AS first ON first.look = alike.look AND first.event_id = alike.event_id
JOIN {looks} AS other ON other.look = alike.look AND other.event_id > alike.event_id
JOIN {events} AS event ON event.event_id = other.event_id
WHERE {scope}
ORDER BY event.event_id
"""


def chosen_codes(dataset: DataSet, names: Collection[str]) -> frozenset[str]:
    """The codes of findings that are named; `any` names all that there can be.

    Raises:
        WrongUsage: there is no finding of a name.
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

    Keys that can be confused are looked for where they are refused alone: all keys of the table
    are read for it.

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
    # No event that counts stands before those of an extract, and there no key stands twice.
    looked = _Looked(actions=file.kind != Kind.INITIAL, confusable=CONFUSABLE in refused)
    yield from _of_table(replay, table, scope, looked)


def edition_findings(replay: Replay) -> Iterator[Finding]:
    """Yield the findings of all events that count in an edition, table by table, in replay order.

    References and confusable keys are those of the rows as they stand at its end.
    """
    records, edition = replay.records, replay.edition
    effective = records.effective(edition.batch).values()
    yield from _same_bytes(records.effective_in(edition), effective)
    scope = _Scope(counts("event"))
    for table in replay.dataset.tables:
        yield from _of_table(replay, table, scope, _Looked())


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
    """A file that was delivered for another month before, unless it is a header alone."""
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


def _of_table(replay: Replay, table: Table, scope: _Scope, looked: _Looked) -> Iterator[Finding]:
    sources = Sources(replay)
    found = []
    # The relations before any query runs: SQLite drops no table then.
    looks = _looks(replay, table) if looked.confusable else None
    loose = [(column, _loose_keys(replay, table, column, scope)) for column in table.references]
    if looked.actions:
        found.append(_actions(replay, table, scope))
    if table.typed_columns:
        found.append(_values(replay, table, scope))
    if table.checks:
        found.append(_checks(replay, table, scope))
    if looks:
        found.append(_confusable_keys(replay, table, scope, looks))
    for column, keys in loose:
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
    """What the description of the data set finds odd in a row."""
    chosen = f"SELECT event.event_id FROM {table.events} AS event WHERE {scope.condition}"
    # Only what the conditions read: to type a timestamp takes time.
    reads = {name for check in table.checks for name in check.reads}
    narrow = table.narrowed(reads)
    clockless = can_be_clockless(narrow, reads)
    met = [f"{check.condition} AS met_{place}" for place, check in enumerate(table.checks)]
    columns = [f"met.met_{place}, event.{c.column}" for place, c in enumerate(table.checks)]
    sql = _CHECKS.format(
        typed=typed_sql(narrow, chosen, regular=replay.is_regular, clockless=clockless),
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


def _loose_keys(replay: Replay, table: Table, column: Column, scope: _Scope) -> str | None:
    """The relation of the keys without a row to which a column refers; None where none does."""
    other = replay.dataset.referenced(table, column.name)
    keys = _LOOSE_KEYS.format(
        column=column.name,
        scope=scope.condition,
        last_referred=last_event(other, "keys.key", "last"),
        other_events=other.events,
        **_names(table),
    )
    relation = replay.relation(f"loose_{column.name}", ("key TEXT",), ())
    found = replay.execute(f"INSERT INTO {relation} (key) {keys}", scope.values)
    return relation if found else None


def _references(
    replay: Replay, sources: Sources, table: Table, column: Column, scope: _Scope, loose: str
) -> Iterator[_Found]:
    other = replay.dataset.referenced(table, column.name)
    sql = _REFERENCES.format(
        column=column.name,
        scope=scope.condition,
        loose=loose,
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


def _looks(replay: Replay, table: Table) -> str:
    """The relation of the keys of the rows as they stand, with what is left of each."""
    keys = _KEYS.format(
        counts_first=counts("first"), last_events=last_events(table), **_names(table)
    )
    # Looked at here and not in a function of SQLite's, from which no interruption comes through.
    looks = ((key, _look(key), event_id) for key, event_id in replay.rows(keys))
    relation = replay.relation("looks", ("key TEXT", "look TEXT", "event_id INTEGER"), looks)
    replay.execute("CREATE INDEX temp.looks_by_look ON looks (look, event_id)")
    return relation


def _confusable_keys(replay: Replay, table: Table, scope: _Scope, looks: str) -> Iterator[_Found]:
    sql = _CONFUSABLE_KEYS.format(scope=scope.condition, looks=looks, **_names(table))
    for event, file, line, key, first in replay.rows(sql, scope.values):
        yield _Found(event, file, line, key, CONFUSABLE, note=f", {first!r}")


def _look(key: str) -> str:
    """What is left of a key without case, normalisation and characters of no width."""
    if key.isascii():
        return key.casefold()
    visible = "".join(c for c in key if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
