"""The history of one record: every event of its key, its verdict, and the cells it changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from ledger.errors import WrongUsage
from ledger.lineage.findings import verdicts
from ledger.lineage.sources import Source, Sources
from ledger.model.dataset import Action, Column, Table, Type
from ledger.model.editions import Edition
from ledger.model.presentation import Grid, JsonObject, Part
from ledger.model.records import RETRACTION
from ledger.model.tabular import Tabular, Values
from ledger.replay.replay import Replay
from ledger.store.database import Record
from ledger.text import to_the_second

APPLIED = "applied"
SUPERSEDED = "superseded"
RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class CellChange(JsonObject):
    """A cell before and after an event, as delivered; None for NULL and for a missing row."""

    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class HistoryEvent(JsonObject):
    """An event of a record.

    Attributes:
        source: the event, and where it comes from.
        recorded_at: when it was recorded, in UTC.
        verdict: `applied`, the finding on its action, or `superseded` or `retracted` if its file
            no longer counts.
        changes: the cells that it changed, or for a file that no longer counts would have changed.
    """

    source: Source
    recorded_at: str
    verdict: str
    changes: tuple[CellChange, ...]

    def rows(self) -> Iterator[Values]:
        """A row for each cell that changed; one without a cell if none did."""
        source = self.source
        event = (str(source.month), source.action, self.verdict, source.superseded_in)
        place = (source.file, source.line, source.batch, self.recorded_at)
        for change in self.changes:
            yield *event, *place, change.column, change.before, change.after
        if not self.changes:
            yield *event, *place, None, None, None

    def lines(self) -> Iterator[Values]:
        """The rows for people: only the first one describes the event."""
        source, verdict = self.source, self.verdict
        if source.superseded_in:
            verdict = f"{verdict} in {source.superseded_in}"
        place = f"{source.file}:{source.line}"
        recorded_at = to_the_second(self.recorded_at)
        event: Values = (
            str(source.month),
            source.action,
            verdict,
            place,
            source.batch,
            recorded_at,
        )
        for change in self.changes:
            yield *event, change.column, change.before or "NULL", change.after or "NULL"
            event = [None] * len(event)
        if not self.changes:
            yield *event, None, None, None


@dataclass(frozen=True, slots=True)
class History(JsonObject):
    """All events of a record.

    Attributes:
        edition: up to which the events are listed.
        table: of the record.
        key: of the record.
        events: in replay order. The last one that counts is what a projection shows.
    """

    edition: Edition
    table: str
    key: str
    events: tuple[HistoryEvent, ...]

    def tabular(self) -> Tabular:
        """A row for each cell that an event changed."""
        return Tabular("history", _COLUMNS, [row for event in self.events for row in event.rows()])

    def parts(self) -> Iterator[Part]:
        """The events, one below the other, with the cells that they changed."""
        yield Grid(_HEADINGS, [row for event in self.events for row in event.lines()])


_COLUMNS = (
    Column("month", "The month of the event's file."),
    Column("action", "What the event does: add, update or delete."),
    Column("verdict", "Whether the event was applied; if not, the reason."),
    Column("superseded_in", "The batch from which its file no longer counts.", Type.INTEGER),
    Column("file", "The name of its file."),
    Column("line", "Its line in the file.", Type.INTEGER),
    Column("batch", "The batch that recorded it.", Type.INTEGER),
    Column("recorded_at", "When that was, in UTC.", Type.TIMESTAMP),
    Column("column", "A column whose cell it changed."),
    Column("before", "The cell before the event, as delivered."),
    Column("after", "The cell after the event, as delivered."),
)
_HEADINGS = (
    *("month", "action", "verdict", "where", "batch", "recorded_at"),
    *("column", "before", "after"),
)

_EVENTS = """
SELECT event.event_id, event.file, event.line, event.action, {cells}
FROM {events} AS event
JOIN files AS file ON file.file = event.file
CROSS JOIN replay_bound AS bound
WHERE event.{key} = ? AND event.event_id < bound.end_event AND file.batch <= bound.batch
ORDER BY event.event_id
"""


def read_history(replay: Replay, table: Table, key: str, edition: Edition) -> History:
    """Read what happened to a record up to an edition.

    Args:
        replay: of the edition, or of a later month at its batch, for events beyond it.
        table: of the record.
        key: of the record.
        edition: the one whose history is read.

    Raises:
        WrongUsage: no event of the table has the key.
    """
    columns = ", ".join(f"event.{name}" for name in table.column_names)
    sql = _EVENTS.format(cells=columns, events=table.events, key=table.key)
    rows = list(replay.rows(sql, (key,)))
    if not rows:
        raise WrongUsage(
            f"no event of {table.name} up to {edition.name} has the key {key!r}; keys are as "
            f"delivered, to the letter. To list them: ledger export --table {table.name}"
        )
    sources = Sources(replay)
    findings = verdicts(replay, table, key)
    recorded_at = {batch.batch: batch.recorded_at for batch in replay.records.batches}
    events: list[HistoryEvent] = []
    current: Record | None = None
    # What the files that no longer count would have made of the row, event after event.
    without_effect: dict[int, Record | None] = {}
    for event_id, number, line, action, *cells in rows:
        source = sources.source(event_id, number, line, action)
        after = None if action == Action.DELETE else tuple(cells)
        verdict = findings.get(event_id, APPLIED)
        before = current
        successor = sources.successor(number)
        if successor:
            verdict = RETRACTED if successor.kind == RETRACTION else SUPERSEDED
            before = without_effect.get(number, current)
            without_effect[number] = after
        else:
            current = after
        changes = _changes(table, before, after)
        events.append(HistoryEvent(source, recorded_at[source.batch], verdict, changes))
    return History(edition, table.name, key, tuple(events))


def _changes(table: Table, before: Record | None, after: Record | None) -> tuple[CellChange, ...]:
    cells = zip_longest(table.column_names, before or (), after or ())
    return tuple(
        CellChange(column, old, new)
        for column, old, new in cells
        if old != new and column != table.key
    )
