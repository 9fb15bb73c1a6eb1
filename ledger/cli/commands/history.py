"""The command `ledger history`: says what happened to a record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli import completion
from ledger.cli.notes import tell_edition
from ledger.cli.options import common, edition_options, formats
from ledger.cli.printing import (
    ROW_FORMATS,
    print_json,
    print_rows,
    to_the_second,
)
from ledger.ledger import Ledger
from ledger.model.editions import EditionName

if TYPE_CHECKING:
    from ledger.lineage.history import History, HistoryEvent


@click.command()
@click.argument("table", shell_complete=completion.tables)
@click.argument("key")
@edition_options
@formats(*ROW_FORMATS)
@common
def history(table: str, key: str, edition: EditionName, format: str, db: Path) -> None:
    """Tell what happened to a record, event by event.

    The record of TABLE with this KEY: every event, and what came of it. Each line is a cell that
    an event changed, as delivered.

    \b
      ledger history interactions INT1003
      ledger history contact_centers CC02 --as-of 202502
    """
    result = Ledger(db).at(edition).history(table, key)
    tell_edition(result.edition)
    if format == "json":
        print_json(result)
    else:
        _print_history(result, format)


def _print_history(result: History, format: str) -> None:
    columns: tuple[str, ...]
    if format == "table":
        columns = ("month", "action", "verdict", "where", "batch", "recorded_at")
        heads = [_event_for_people(event) for event in result.events]
    else:
        columns = ("month", "action", "verdict", "superseded_in", "file", "line", "batch",
                   "recorded_at")  # fmt: skip
        heads = [_event(event) for event in result.events]
    rows: list[tuple[object, ...]] = []
    for event, head in zip(result.events, heads, strict=True):
        changes = [(c.column, c.before, c.after) for c in event.changes]
        if format == "table":
            changes = [(name, before or "NULL", after or "NULL") for name, before, after in changes]
        for number, change in enumerate(changes or [(None, None, None)]):
            repeated = number and format == "table"
            rows.append((*([None] * len(head) if repeated else head), *change))
    print_rows(format, (*columns, "column", "before", "after"), rows)


def _event(event: HistoryEvent) -> tuple[object, ...]:
    source = event.source
    what = (source.month, source.action, event.verdict, source.superseded_in)
    return (*what, source.file, source.line, source.batch, event.recorded_at)


def _event_for_people(event: HistoryEvent) -> tuple[object, ...]:
    month, action, verdict, superseded_in, file, line, batch, _ = _event(event)
    if superseded_in:
        verdict = f"{verdict} in {superseded_in}"
    return (month, action, verdict, f"{file}:{line}", batch, to_the_second(event.recorded_at))
