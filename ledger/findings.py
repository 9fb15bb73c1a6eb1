"""What is worth telling of events that were recorded: odd values, and actions out of turn.

A finding refuses nothing: the delivered text is kept and the event is applied in order. It says
where a file is probably not what its sender meant.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter

from ledger.dataset import DataSet, Table
from ledger.readings import CONVERTED
from ledger.store import File, Store


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth telling, and where it stands.

    Attributes:
        code: a stable short name, such as `update-missing`.
        file: the file's name, `delta/agents_delta_202502.csv`.
        line: the physical line, or None where the whole file is meant.
        key: the key of the row, or None.
        column: the column, or None where the whole row is meant.
        value: the text of the cell in that column, or None.
    """

    code: str
    file: str
    line: int | None = None
    key: str | None = None
    column: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = ":".join(str(p) for p in (self.file, self.line, self.column) if p is not None)
        shown = self.key if self.column is None else self.value
        return f"{place}: {self.code}" + (f": {shown!r}" if shown is not None else "")


_VALUES = """
SELECT event.line, event.{key}, reading.code, reading.column_name,
       CASE reading.column_name {cells} END AS value
FROM readings AS reading JOIN {events} AS event ON event.event_id = reading.event_id
WHERE reading.event_id BETWEEN ? AND ? AND reading.code <> ?
ORDER BY reading.event_id, reading.column_name
"""

# The event before each one of the same key, in replay order; an event of a superseded file does
# not count.
_ACTIONS = """
SELECT event.line, event.{key},
       CASE WHEN before.file = event.file THEN 'duplicate-key'
            WHEN event.action = 'add' AND before.action IN ('add', 'update') THEN 'add-existing'
            WHEN event.action = 'add' AND before.action = 'delete' THEN 'resurrected'
            WHEN event.action = 'update' AND coalesce(before.action, 'delete') = 'delete'
                THEN 'update-missing'
            WHEN event.action = 'delete' AND coalesce(before.action, 'delete') = 'delete'
                THEN 'delete-missing'
       END AS code, NULL AS column_name, NULL AS value
FROM {events} AS event
LEFT JOIN {events} AS before ON before.event_id = (
    SELECT max(earlier.event_id) FROM {events} AS earlier
    WHERE earlier.{key} = event.{key} AND earlier.event_id < event.event_id
      AND earlier.file NOT IN (SELECT supersedes FROM files WHERE supersedes IS NOT NULL))
WHERE event.event_id BETWEEN ? AND ? AND code IS NOT NULL
ORDER BY event.event_id
"""

_SAME_BYTES = """
SELECT count(*) FROM files WHERE sha256 = ? AND table_name = ? AND month <> ? AND rows > 0
"""


def file_findings(store: Store, dataset: DataSet, file: File) -> Iterator[Finding]:
    """Yield the findings of one recorded file, in the order of its lines.

    Codes: `same-bytes` (the file was delivered for another month too); those of `readings`; and
    `add-existing`, `update-missing`, `delete-missing`, `duplicate-key` (twice in this file),
    `resurrected` (back after a delete).
    """
    same = next(store.rows(_SAME_BYTES, (file.sha256, file.table_name, file.month.number)))[0]
    if same:
        yield Finding("same-bytes", file.name)
    if file.rows:
        yield from _of_rows(store, dataset.table(file.table_name), file)


def _of_rows(store: Store, table: Table, file: File) -> Iterator[Finding]:
    span = (file.first_event, file.last_event)
    names = {"events": table.events, "key": table.key}
    sources = [store.rows(_ACTIONS.format(**names), span)]
    if table.typed_columns:
        cells = " ".join(f"WHEN '{c.name}' THEN event.{c.name}" for c in table.typed_columns)
        values = _VALUES.format(cells=cells, **names)
        sources.insert(0, store.rows(values, (*span, CONVERTED)))
    for line, key, code, column, value in heapq.merge(*sources, key=itemgetter(0)):
        yield Finding(code, file.name, line, key, column, value)
