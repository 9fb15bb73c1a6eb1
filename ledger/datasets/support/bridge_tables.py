"""A bridge and its causes as tables and texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice

from ledger.datasets.support.bridge import Bridge, Cause, Reconciliation, ReportKey
from ledger.datasets.support.measures import MEASURES, StepKind
from ledger.lineage.sources import Source
from ledger.model.dataset import Column, Type
from ledger.model.editions import Edition
from ledger.model.presentation import Grid, Part, plain
from ledger.model.tabular import Tabular, Values
from ledger.text import counted, visible

CAUSES_SHOWN = 20
"""How many causes of a step are drawn."""

_STEPS = {
    StepKind.ADDED: "+ added",
    StepKind.DELETED: "− deleted",
    StepKind.MOVED_MONTH: "± moved to another month",
    StepKind.MOVED_KEYS: "± moved to another centre or department",
    StepKind.RENAMED: "± renamed",
    StepKind.CHANGED_CHANNEL: "± changed channel",
    StepKind.CHANGED_DURATION: "± changed duration",
}


def draw_bridge(bridge: Bridge, measure: str | None) -> Iterator[Part]:
    """Draw the bridge of the total, and that of each row of the report that moved.

    Args:
        bridge: between two editions.
        measure: for the rows of the report; None for the first that moved.
    """
    month = bridge.month or "all months"
    yield f"Report of {month}, from {bridge.before.name} to {bridge.after.name}\n"
    total = bridge.total
    lines = [
        ("opening", total.opening),
        *((_STEPS[step.kind], step.figures) for step in total.steps),
        ("closing", total.closing),
        ("remainder", total.remainder),
    ]
    rows = [(name, *(getattr(figures, m) for m in MEASURES)) for name, figures in lines]
    yield _grid(("", *MEASURES), rows)
    moved = [m for m in MEASURES if any(_moved(bridge.rows, m))]
    if measure or moved:
        yield from _draw_rows(bridge, measure or moved[0])
    else:
        yield "\nNo row of the report moved."


def _draw_rows(bridge: Bridge, measure: str) -> Iterator[Part]:
    moved = list(_moved(bridge.rows, measure))
    yield f"\n{measure}, by rows of the report\n"
    if moved:
        kinds = [
            kind
            for kind in StepKind
            if any(s.kind == kind and getattr(s.figures, measure) for r in moved for s in r.steps)
        ]
        steps = [kind.replace("-", " ") for kind in kinds]
        headings = ["month", "contact_center_name", "department", "opening", *steps, "closing"]
        yield _grid(headings, [_line(row, measure, kinds) for row in moved])
    others = counted(len(bridge.rows) - len(moved), "row")
    yield f"\n{others} did not move." if moved else "No row moved."


def _moved(rows: Iterable[Reconciliation], measure: str) -> Iterator[Reconciliation]:
    return (row for row in rows if any(getattr(step.figures, measure) for step in row.steps))


def _line(row: Reconciliation, measure: str, kinds: Sequence[StepKind]) -> tuple[object, ...]:
    steps = {step.kind: getattr(step.figures, measure) or None for step in row.steps}
    return (
        *(row.month, row.contact_center_name, row.department, getattr(row.opening, measure)),
        *(steps.get(kind) for kind in kinds),
        getattr(row.closing, measure),
    )


def draw_causes(bridge: Bridge, causes: Iterable[Cause]) -> Iterator[Part]:
    """Draw the first causes of each step, with file and line."""
    counts = {step.kind: step.interactions for step in bridge.total.steps}
    for kind, group in groupby(causes, key=lambda cause: cause.step):
        yield f"\n{_STEPS[kind]}: {counted(counts[kind], 'interaction')}"
        if kind is StepKind.RENAMED:
            named = [list(some) for _, some in groupby(group, key=lambda c: (c.table, c.key))]
            shown, more = named[:CAUSES_SHOWN], len(named) - CAUSES_SHOWN
            lines = [(_renamed(some), some[0]) for some in shown]
        else:
            first = list(islice(group, CAUSES_SHOWN))
            more = counts[kind] - len(first)
            lines = [(_moved_interaction(cause), cause) for cause in first]
        for line, cause in lines:
            yield f"  {line}"
            yield f"      {_events(cause, bridge.after)}"
        if more > 0:
            yield f"  … and {more} more (--format csv lists all)"


def _moved_interaction(cause: Cause) -> str:
    """An interaction, the row or rows of the report, and what it adds or moves."""
    rows = " → ".join(" / ".join(_names(row)) for row in (cause.origin, cause.target) if row)
    figures = [getattr(cause.figures, measure) for measure in MEASURES]
    if cause.target is None:
        figures = [-figure for figure in figures]
    plus = "" if cause.origin and cause.target else "+"
    nouns = ("interaction", "call", "minute")
    moved = [
        f"{'-' if figure < 0 else plus}{abs(figure)} {noun}{'' if abs(figure) == 1 else 's'}"
        for figure, noun in zip(plain(figures), nouns, strict=True)
        if figure
    ]
    return f"{visible(cause.key)}  {visible(rows)}  {', '.join(moved)}"


def _renamed(causes: Sequence[Cause]) -> str:
    """A row that gives a name, the old name and the new one, and how many interactions it names."""
    first = causes[0]
    (change,) = {
        (old, new)
        for cause in causes
        for old, new in zip(_names(cause.origin), _names(cause.target), strict=True)
        if old != new
    }
    count = sum(cause.figures.total_interactions for cause in causes)
    text = f"{first.table} {first.key}  {' → '.join(change)}  {counted(count, 'interaction')}"
    return visible(text)


def _names(row: ReportKey | None) -> tuple[str, ...]:
    return (row.month, row.contact_center_name, row.department) if row else ()


def _events(cause: Cause, edition: Edition) -> str:
    """The event before and the event after; where there is none after, why the other is not it."""
    sides = [_place(source) for source in (cause.before, cause.after) if source]
    why, before = "", cause.before
    if before and not cause.after and not before.superseded_in:
        if before.month > edition.as_of:
            why = f": of {before.month}, after {edition.as_of}"
        else:
            why = f": recorded in batch {before.batch}, after batch {edition.batch}"
    return visible(" → ".join(sides) + why)


def _place(source: Source) -> str:
    deleted = " (delete)" if source.action == "delete" else ""
    gone = f", which no longer counts since batch {source.superseded_in}"
    return f"{source}{deleted}{gone if source.superseded_in else ''}"


_SOURCE_COLUMNS = (
    Column("file", "The name of its file."),
    Column("line", "Its line in the file.", Type.INTEGER),
    Column("action", "What it does: add, update or delete."),
    Column("batch", "The batch that recorded it.", Type.INTEGER),
    Column("superseded_in", "The batch from which its file no longer counts.", Type.INTEGER),
)
_SIDES = (
    ("before", "The event in the edition before."),
    ("after", "The event in the edition after."),
)
_CAUSE_COLUMNS = (
    Column("step", "The step of which it is a cause."),
    Column("table", "The table of the row that changed."),
    Column("key", "The key of the row."),
    Column("from_month", "The month of the row of the report that the figures leave."),
    Column("from_contact_center_name", "The contact centre of that row."),
    Column("from_department", "The department of that row."),
    Column("to_month", "The month of the row of the report that the figures come to."),
    Column("to_contact_center_name", "The contact centre of that row."),
    Column("to_department", "The department of that row."),
    *(Column(name, "What is moved of this measure.", Type.NUMBER) for name in MEASURES),
    *(
        Column(f"{side}_{column.name}", f"{event} {column.description}", column.type)
        for side, event in _SIDES
        for column in _SOURCE_COLUMNS
    ),
)


def cause_table(causes: Iterable[Cause]) -> Tabular:
    """Make a table of causes; what a cause has not is blank."""
    return Tabular("causes", _CAUSE_COLUMNS, map(_cause, causes))


def _cause(cause: Cause) -> Values:
    return (
        *(cause.step, cause.table, cause.key),
        *(_names(cause.origin) or [None] * 3),
        *(_names(cause.target) or [None] * 3),
        *(getattr(cause.figures, measure) for measure in MEASURES),
        *(getattr(cause.before, column.name, None) for column in _SOURCE_COLUMNS),
        *(getattr(cause.after, column.name, None) for column in _SOURCE_COLUMNS),
    )


def _grid(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> Grid:
    """A table with as many decimals as show every figure exactly, but two at least."""
    figures = [value for row in rows for value in row if isinstance(value, float)]
    decimals = (n for n in range(2, 6) if all(round(value, n) == value for value in figures))
    return Grid(headings, rows, next(decimals, 6))
