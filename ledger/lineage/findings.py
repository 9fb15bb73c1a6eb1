"""What is worth telling of recorded events: odd values, actions out of turn, loose references.

A finding refuses nothing by itself: the delivered text is kept and the event is applied in order.
It says where a file is probably not what its sender meant. What counts must have been said; see
`editions.say_what_counts`.
"""

from __future__ import annotations

import heapq
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from ledger.delivery.cell_values import CONVERTED
from ledger.errors import Problem, WrongUsage
from ledger.lineage.missing_references import Missing, missing_row
from ledger.lineage.sources import Sources
from ledger.model.dataset import Check, Column, DataSet, Kind, Table
from ledger.model.editions import Edition
from ledger.model.periods import Month
from ledger.model.records import File
from ledger.replay.editions import counts, in_force, known, last_event, last_events
from ledger.replay.projection import can_be_clockless, is_regular, typed_sql
from ledger.store.database import Record
from ledger.store.event_store import Store
from ledger.text import listed

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
class Finding:
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
WHERE {scope} AND event.{column} IN (SELECT key FROM temp.loose_keys WHERE column_name = ?)
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
FROM (SELECT look, min(event_id) AS event_id FROM looks GROUP BY look HAVING count(*) > 1) AS alike
JOIN looks AS first ON first.look = alike.look AND first.event_id = alike.event_id
JOIN looks AS other ON other.look = alike.look AND other.event_id > alike.event_id
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


def file_findings(
    store: Store, dataset: DataSet, file: File, refused: Collection[str] = ()
) -> Iterator[Finding]:
    """Yield the findings of one recorded file, in the order of its lines.

    Keys that can be confused are looked for where they are refused alone: all keys of the table
    are read for it.
    """
    in_force_then = in_force(store.files(), file.batch).values()
    yield from _same_bytes([file], in_force_then)
    if file.first_event is None or file.last_event is None:
        return
    scope = _Scope("event.event_id BETWEEN ? AND ?", (file.first_event, file.last_event))
    table = dataset.table(file.table_name)
    at = (file.month, file.batch)
    # No event that counts stands before those of an extract, and there no key stands twice.
    looked = _Looked(actions=file.kind != Kind.INITIAL, confusable=CONFUSABLE in refused)
    yield from _of_table(store, dataset, table, at, scope, looked)


def edition_findings(store: Store, dataset: DataSet, edition: Edition) -> Iterator[Finding]:
    """Yield the findings of all events that count in an edition, table by table, in replay order.

    References and confusable keys are those of the rows as they stand at its end.
    """
    files = in_force(store.files(), edition.batch).values()
    yield from _same_bytes([file for file in files if file.month <= edition.as_of], files)
    scope = _Scope(counts("event"))
    for table in dataset.tables:
        at = (edition.as_of, edition.batch)
        yield from _of_table(store, dataset, table, at, scope, _Looked())


def verdicts(store: Store, table: Table, key: str) -> dict[int, str]:
    """The findings on the actions of a record's events, by `event_id`; the others are applied."""
    scope = _Scope(f"event.{table.key} = ? AND {counts('event')}", (key,))
    return {found.event_id: found.code for found in _actions(store, table, scope)}


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


def _of_table(
    store: Store,
    dataset: DataSet,
    table: Table,
    at: tuple[Month, int],
    scope: _Scope,
    looked: _Looked,
) -> Iterator[Finding]:
    as_of, batch = at
    sources = Sources(store, batch)
    # Before any query runs: SQLite drops no table then.
    if looked.confusable:
        _say_looks(store, table)
    loose = [c for c in table.references if _say_loose_keys(store, dataset, table, c, scope)]
    found = []
    if looked.actions:
        found.append(_actions(store, table, scope))
    if table.typed_columns:
        found.append(_values(store, table, scope))
    if table.checks:
        found.append(_checks(store, table, scope))
    if looked.confusable:
        found.append(_confusable_keys(store, table, scope))
    for column in loose:
        other = dataset.referenced(table, column.name)
        found.append(_references(store, sources, table, column, other, as_of, scope))
    messages = _MESSAGES | {check.code: check.message for check in table.checks}
    for one in heapq.merge(*found, key=attrgetter("event_id")):
        message = messages[one.code] + one.note
        name = sources.file(one.file).name
        yield Finding(one.code, message, name, one.line, one.key, one.column, one.value)


def _names(table: Table) -> dict[str, str]:
    return {"event": _EVENT.format(key=table.key), "events": table.events, "key": table.key}


def _values(store: Store, table: Table, scope: _Scope) -> Iterator[_Found]:
    cells = " ".join(f"WHEN '{c.name}' THEN event.{c.name}" for c in table.typed_columns)
    sql = _VALUES.format(cells=cells, scope=scope.condition, **_names(table))
    for row in store.rows(sql, (*scope.values, CONVERTED)):
        yield _Found(*row)


def _actions(store: Store, table: Table, scope: _Scope) -> Iterator[_Found]:
    same = " AND ".join(f"event.{name} IS before.{name}" for name in table.column_names)
    sql = _ACTIONS.format(same=same, known=known("earlier"), scope=scope.condition, **_names(table))
    for row in store.rows(sql, scope.values):
        yield _Found(*row)


def _checks(store: Store, table: Table, scope: _Scope) -> Iterator[_Found]:
    """What the description of the data set finds odd in a row."""
    chosen = f"SELECT event.event_id FROM {table.events} AS event WHERE {scope.condition}"
    # Only what the conditions read: to type a timestamp takes time.
    reads = {name for check in table.checks for name in check.reads}
    narrow = table.narrowed(reads)
    clockless = can_be_clockless(narrow, reads)
    met = [f"{check.condition} AS met_{place}" for place, check in enumerate(table.checks)]
    columns = [f"met.met_{place}, event.{c.column}" for place, c in enumerate(table.checks)]
    sql = _CHECKS.format(
        typed=typed_sql(narrow, chosen, regular=is_regular(store), clockless=clockless),
        conditions=", ".join(met),
        results=", ".join(columns),
        any_condition=" OR ".join(f"met.met_{place}" for place in range(len(met))),
        **_names(table),
    )
    for row in store.rows(sql, scope.values):
        yield from _met(table.checks, row)


def _met(checks: Collection[Check], row: Record) -> Iterator[_Found]:
    event, file, line, key, *results = row
    for check, is_met, value in zip(checks, results[::2], results[1::2], strict=True):
        if is_met:
            yield _Found(event, file, line, key, check.code, check.column, value)


def _say_loose_keys(
    store: Store, dataset: DataSet, table: Table, column: Column, scope: _Scope
) -> bool:
    """Fill the relation `loose_keys` for a column, and say whether there are any."""
    other = dataset.referenced(table, column.name)
    store.execute("CREATE TEMP TABLE IF NOT EXISTS loose_keys (column_name TEXT, key TEXT)")
    store.execute("DELETE FROM temp.loose_keys WHERE column_name = ?", (column.name,))
    keys = _LOOSE_KEYS.format(
        column=column.name,
        scope=scope.condition,
        last_referred=last_event(other, "keys.key", "last"),
        other_events=other.events,
        **_names(table),
    )
    sql = f"INSERT INTO temp.loose_keys (column_name, key) SELECT ?, key FROM ({keys})"
    return store.execute(sql, (column.name, *scope.values)) > 0


def _references(
    store: Store,
    sources: Sources,
    table: Table,
    column: Column,
    other: Table,
    as_of: Month,
    scope: _Scope,
) -> Iterator[_Found]:
    sql = _REFERENCES.format(
        column=column.name,
        scope=scope.condition,
        last=last_event(table, f"event.{table.key}", "later"),
        **_names(table),
    )

    @lru_cache(maxsize=10_000)
    def missing(key: str) -> Missing | None:
        return missing_row(store, sources, other, key, as_of)

    for event, file, line, own_key, key in store.rows(sql, (*scope.values, column.name)):
        row = missing(key)
        if row:
            code, note = f"reference-{row.reason}", f", {row}"
            yield _Found(event, file, line, own_key, code, column.name, key, note)


def _say_looks(store: Store, table: Table) -> None:
    """Fill the relation `looks` with the keys of the rows as they stand."""
    keys = _KEYS.format(
        counts_first=counts("first"), last_events=last_events(table), **_names(table)
    )
    # Looked at here and not in a function of SQLite's, from which no interruption comes through.
    looks = ((key, _look(key), event_id) for key, event_id in store.rows(keys))
    store.execute("DROP TABLE IF EXISTS temp.looks")
    store.execute("CREATE TEMP TABLE looks (key TEXT, look TEXT, event_id INTEGER)")
    store.insert("looks", ("key", "look", "event_id"), looks)
    store.execute("CREATE INDEX temp.looks_by_look ON looks (look, event_id)")


def _confusable_keys(store: Store, table: Table, scope: _Scope) -> Iterator[_Found]:
    sql = _CONFUSABLE_KEYS.format(scope=scope.condition, **_names(table))
    for event, file, line, key, first in store.rows(sql, scope.values):
        yield _Found(event, file, line, key, CONFUSABLE, note=f", {first!r}")


def _look(key: str) -> str:
    """What is left of a key without case, normalisation and characters of no width."""
    if key.isascii():
        return key.casefold()
    visible = "".join(c for c in key if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
