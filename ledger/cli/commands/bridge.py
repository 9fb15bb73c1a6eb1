"""The command `ledger bridge`: says why the report moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli import completion
from ledger.cli.notes import tell_editions
from ledger.cli.options import common, formats
from ledger.cli.printing import ROW_FORMATS, emit, print_document, print_rows, table
from ledger.datasets.support.measures import MEASURES, StepKind
from ledger.ledger import Ledger
from ledger.model.editions import Edition
from ledger.model.plain import plain
from ledger.text import counted, visible

if TYPE_CHECKING:
    from ledger.datasets.support.bridge import Bridge, Cause, Reconciliation, ReportKey
    from ledger.lineage.sources import Source


CAUSES_SHOWN = 20


_STEPS = {
    StepKind.ADDED: "+ added",
    StepKind.DELETED: "− deleted",
    StepKind.MOVED_MONTH: "± moved to another month",
    StepKind.MOVED_KEYS: "± moved to another centre or department",
    StepKind.RENAMED: "± renamed",
    StepKind.CHANGED_CHANNEL: "± changed channel",
    StepKind.CHANGED_DURATION: "± changed duration",
}


@click.command()
@click.option(
    "--from",
    "before",
    envvar="LEDGER_BRIDGE_FROM",
    metavar="A",
    required=True,
    shell_complete=completion.editions,
    help="The edition from which; as for ledger diff.",
)
@click.option(
    "--to",
    "after",
    envvar="LEDGER_BRIDGE_TO",
    metavar="B",
    required=True,
    shell_complete=completion.editions,
    help="The edition to which.",
)
@click.option("--month", help="Of the report: 2025-01, 202501 or Unknown.  [default: all]")
@click.option(
    "--measure",
    type=click.Choice(MEASURES),
    help="For the rows of the report.  [default: the first that moved]",
)
@formats(*ROW_FORMATS, help="How to print the result; csv and ndjson give the causes alone.")
@common
def bridge(
    before: str, after: str, month: str | None, measure: str | None, format: str, db: Path
) -> None:
    """Tell why the report moved from one edition to another.

    As an accountant reconciles: opening + added − deleted ± moved to another month ± moved to
    another centre or department ± renamed ± changed channel ± changed duration = closing, and
    nothing remains. First for the total, then for each row of the report that moved, then the
    interactions and names behind each step, with file and line.

    \b
      ledger bridge --from 202501 --to 202502
      ledger bridge --from 202502@2 --to 202502 --month 2025-01 --measure total_calls
    """
    ledger = Ledger(db)
    with ledger.compare(before, after) as both:
        if format == "table":
            result = both.bridge(month)
            tell_editions(both)
            _print_bridge(result, measure)
            _print_causes(result, both.bridge_causes(month, most=CAUSES_SHOWN))
        elif format == "json":
            result = both.bridge(month)
            tell_editions(both)
            print_document(plain(result), "causes", both.bridge_causes(month))
        else:
            causes = both.bridge_causes(month)
            tell_editions(both)
            print_rows(format, _CAUSE_COLUMNS, map(_cause, causes))


def _print_bridge(result: Bridge, measure: str | None) -> None:
    month = result.month or "all months"
    emit(f"Report of {month}, from {result.before.name} to {result.after.name}\n")
    total = result.total
    lines = [
        ("opening", total.opening),
        *((_STEPS[step.kind], step.figures) for step in total.steps),
        ("closing", total.closing),
        ("remainder", total.remainder),
    ]
    rows = [(name, *(getattr(figures, m) for m in MEASURES)) for name, figures in lines]
    emit(_table(("", *MEASURES), rows))
    moved = [m for m in MEASURES if any(_moved(result.rows, m))]
    if measure or moved:
        _print_rows_that_moved(result, measure or moved[0])
    else:
        emit("\nNo row of the report moved.")


def _print_rows_that_moved(result: Bridge, measure: str) -> None:
    moved = list(_moved(result.rows, measure))
    emit(f"\n{measure}, by rows of the report\n")
    if moved:
        kinds = [
            kind
            for kind in StepKind
            if any(s.kind == kind and getattr(s.figures, measure) for r in moved for s in r.steps)
        ]
        columns = ("month", "contact_center_name", "department", "opening",
                   *(kind.replace("-", " ") for kind in kinds), "closing")  # fmt: skip
        emit(_table(columns, [_line(row, measure, kinds) for row in moved]))
    others = counted(len(result.rows) - len(moved), "row")
    emit(f"\n{others} did not move." if moved else "No row moved.")


def _moved(rows: Iterable[Reconciliation], measure: str) -> Iterator[Reconciliation]:
    return (row for row in rows if any(getattr(step.figures, measure) for step in row.steps))


def _line(row: Reconciliation, measure: str, kinds: Sequence[StepKind]) -> tuple[object, ...]:
    steps = {step.kind: getattr(step.figures, measure) or None for step in row.steps}
    return (
        *(row.month, row.contact_center_name, row.department, getattr(row.opening, measure)),
        *(steps.get(kind) for kind in kinds),
        getattr(row.closing, measure),
    )


def _print_causes(result: Bridge, causes: Iterable[Cause]) -> None:
    counts = {step.kind: step.interactions for step in result.total.steps}
    for kind, group in groupby(causes, key=lambda cause: cause.step):
        emit(f"\n{_STEPS[kind]}: {counted(counts[kind], 'interaction')}")
        if kind is StepKind.RENAMED:
            named = [list(some) for _, some in groupby(group, key=lambda c: (c.table, c.key))]
            shown, more = named[:CAUSES_SHOWN], len(named) - CAUSES_SHOWN
            lines = [_renamed(some) for some in shown]
        else:
            shown_causes = list(islice(group, CAUSES_SHOWN))
            more = counts[kind] - len(shown_causes)
            lines = [_told(cause) for cause in shown_causes]
        for line, cause in lines:
            emit(f"  {line}")
            emit(f"      {_events(cause, result.after)}")
        if more > 0:
            emit(f"  … and {more} more (--format csv lists all)")


def _told(cause: Cause) -> tuple[str, Cause]:
    """An interaction, the row or rows of the report, and what it adds or moves."""
    rows = " → ".join(" / ".join(_names(row)) for row in (cause.origin, cause.target) if row)
    figures = [getattr(cause.figures, measure) for measure in MEASURES]
    if cause.target is None:
        figures = [-figure for figure in figures]
    plus = "" if cause.origin and cause.target else "+"
    nouns = ("interaction", "call", "minute")
    told = [
        f"{'-' if figure < 0 else plus}{abs(figure)} {noun}{'' if abs(figure) == 1 else 's'}"
        for figure, noun in zip(plain(figures), nouns, strict=True)
        if figure
    ]
    return f"{visible(cause.key)}  {visible(rows)}  {', '.join(told)}", cause


def _renamed(causes: Sequence[Cause]) -> tuple[str, Cause]:
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
    return visible(text), first


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


_SOURCE_COLUMNS = ("file", "line", "action", "batch", "superseded_in")


_CAUSE_COLUMNS = (
    *("step", "table", "key"),
    *("from_month", "from_contact_center_name", "from_department"),
    *("to_month", "to_contact_center_name", "to_department"),
    *MEASURES,
    *(f"before_{column}" for column in _SOURCE_COLUMNS),
    *(f"after_{column}" for column in _SOURCE_COLUMNS),
)


def _cause(cause: Cause) -> tuple[object, ...]:
    """A cause on one line; what is not there, blank."""
    return (
        *(cause.step, cause.table, cause.key),
        *(_names(cause.origin) or [None] * 3),
        *(_names(cause.target) or [None] * 3),
        *(getattr(cause.figures, measure) for measure in MEASURES),
        *(getattr(cause.before, column, None) for column in _SOURCE_COLUMNS),
        *(getattr(cause.after, column, None) for column in _SOURCE_COLUMNS),
    )


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table with as many decimals as it takes to show every figure exactly, but two at least."""
    figures = [value for row in rows for value in row if isinstance(value, float)]
    decimals = (n for n in range(2, 6) if all(round(value, n) == value for value in figures))
    return table(columns, rows, decimals=next(decimals, 6))
