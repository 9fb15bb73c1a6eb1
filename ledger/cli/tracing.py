"""The commands that lead from a figure or a record to where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli import completion
from ledger.cli.notes import tell_edition
from ledger.cli.options import common, edition_options, formats, names_option
from ledger.cli.printing import (
    ROW_FORMATS,
    Styled,
    emit,
    note,
    print_document,
    print_json,
    print_rows,
    table,
    to_the_second,
)
from ledger.datasets.support.description import CONTACT_CENTERS, SERVICE_CATEGORIES
from ledger.datasets.support.measures import MEASURES
from ledger.errors import FindingsFound
from ledger.ledger import Ledger
from ledger.replay.labels import Names
from ledger.results import plain
from ledger.text import counted, listed, visible

if TYPE_CHECKING:
    from ledger.datasets.support.explain import Contribution, Explanation
    from ledger.datasets.support.restatements import Restatement
    from ledger.lineage.history import History, HistoryEvent
    from ledger.results import Checked


@click.command()
@click.argument("table", shell_complete=completion.tables)
@click.argument("key")
@edition_options
@formats(*ROW_FORMATS)
@common
def history(
    table: str, key: str, as_of: str | None, known_at: str | None, format: str, db: Path
) -> None:
    """Tell what happened to a record, event by event.

    The record of TABLE with this KEY: every event, and what came of it. Each line is a cell that
    an event changed, as delivered.

    \b
      ledger history interactions INT1003
      ledger history contact_centers CC02 --as-of 202502
    """
    with Ledger.open(db) as ledger:
        result = ledger.history(table, key, as_of=as_of, known_at=known_at)
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


@click.command()
@click.option("--month", required=True, help="Of the report: 2025-02, 202502 or Unknown.")
@click.option("--center", help="The contact centre's name, as in the report.  [default: all]")
@click.option("--department", help="As in the report.  [default: all]")
@click.option(
    "--measure",
    type=click.Choice(MEASURES),
    help="Only what is part of this measure.  [default: every interaction]",
)
@edition_options
@names_option("The names of this edition, or of each month.", Names.AS_IS.value)
@formats(*ROW_FORMATS)
@common
def explain(
    month: str,
    center: str | None,
    department: str | None,
    measure: str | None,
    as_of: str | None,
    known_at: str | None,
    names: str,
    format: str,
    db: Path,
) -> None:
    """Show what makes a figure of the report, with file and line.

    The interactions that are part of it, for each the event that counts, and the events that gave
    its contact centre and department their names. These events add up to the figure.

    \b
      ledger explain --month 2025-02 --center "Boston MA NE"
      ledger explain --month 2025-02 --center "Boston MA NE" --department Billing \\
                     --measure total_call_duration
    """
    with Ledger.open(db) as ledger:
        result = ledger.explain(
            month,
            center,
            department,
            measure=measure,
            as_of=as_of,
            known_at=known_at,
            names=names,
        )
    tell_edition(result.edition)
    if format == "json":
        head = plain(replace(result, contributions=()))
        del head["contributions"]
        print_document(head, "contributions", result.contributions)
    else:
        _print_explanation(result, format)


def _print_explanation(result: Explanation, format: str) -> None:
    measures = MEASURES if result.measure is None else (result.measure,)
    if format == "table":
        _print_explanation_for_people(result, measures)
        return
    reasons = _reasons(result)
    columns = ("interaction", *measures, "file", "line", "batch", "sha256", "contact_center_name",
               "contact_center_named_by", "department", "department_named_by")  # fmt: skip
    rows = [
        (c.interaction_id, *(getattr(c.figures, measure) for measure in measures),
         c.source.file, c.source.line, c.source.batch, c.source.sha256,
         *_labels(c, reasons))
        for c in result.contributions
    ]  # fmt: skip
    print_rows(format, columns, rows)


def _print_explanation_for_people(result: Explanation, measures: Sequence[str]) -> None:
    reasons = _reasons(result)
    columns = ("interaction", *measures, "where", "contact_center_name", "named_by",
               "department", "named_by")  # fmt: skip
    figures = (getattr(result.figures, measure) for measure in measures)
    rows = [
        *(
            (c.interaction_id, *(getattr(c.figures, measure) for measure in measures),
             str(c.source), *_labels(c, reasons))
            for c in result.contributions
        ),
        ("total", *figures, *[None] * 5),
    ]  # fmt: skip
    emit(table(columns, [[plain(value) for value in row] for row in rows]))
    files = {(s.file, s.batch): s.sha256 for s in result.sources}
    emit("")
    emit(table(("file", "batch", "SHA-256"), [(*file, sha) for file, sha in files.items()]))
    for unresolved in result.unresolved:
        note(f"Note: {visible(str(unresolved))}.")


Reasons = dict[tuple[str, str | None], str]


def _reasons(result: Explanation) -> Reasons:
    """By table and key, why there is no name."""
    return {
        (one.table, one.key): one.reason if one.key is None else f"{one.key}, {one.reason}"
        for one in result.unresolved
    }


def _labels(contribution: Contribution, reasons: Reasons) -> tuple[str | None, ...]:
    """The centre's name and what gave it, the department and what gave it, or why there is none."""
    center = (CONTACT_CENTERS.name, contribution.contact_center_id)
    category = (SERVICE_CATEGORIES.name, contribution.category_id)
    return (
        contribution.contact_center_name,
        str(contribution.contact_center_source or reasons.get(center, "")),
        contribution.department,
        str(contribution.department_source or reasons.get(category, "")),
    )


@click.command()
@edition_options
@click.option(
    "--fail-on",
    metavar="CODE",
    shell_complete=completion.codes,
    multiple=True,
    help="Exit with 3 where there is a finding of this code, or any; may be repeated.",
)
@formats(*ROW_FORMATS)
@common
def check(
    as_of: str | None, known_at: str | None, fail_on: tuple[str, ...], format: str, db: Path
) -> None:
    """Tell what is odd about the deliveries, with file and line.

    Odd values, actions out of turn, references that lead nowhere, keys that can be confused: all
    findings on all events that count. The codes are explained in docs/deliveries.md.

    \b
      ledger check
      ledger check --fail-on reference-never-seen --fail-on negative-duration
    """
    with Ledger.open(db) as ledger:
        result = ledger.check(as_of=as_of, known_at=known_at, fail_on=fail_on)
    tell_edition(result.edition)
    _print_check(result, format)
    if result.failed:
        told = listed(f"{count} {code}" for code, count in result.failed.items())
        raise FindingsFound(f"there are findings to fail on: {told}")


def _print_check(result: Checked, format: str) -> None:
    if format == "json":
        print_json(result)
    elif format == "table":
        for finding in result.findings:
            place, _, message = visible(str(finding)).partition(f" {finding.code}: ")
            emit(f"{place} ", Styled(finding.code, "code"), f": {message}")
        emit("")
        print_rows(format, ("code", "findings"), sorted(result.counts.items()))
        emit(f"{counted(len(result.findings), 'finding')} in {counted(result.events, 'event')}.")
    else:
        columns = ("code", "file", "line", "key", "column", "value", "message")
        rows = [[plain(getattr(f, column)) for column in columns] for f in result.findings]
        print_rows(format, columns, rows)


@click.command()
@formats(*ROW_FORMATS)
@common
def editions(format: str, db: Path) -> None:
    """Show which batch restated the report of which month.

    A line for each batch and a column for each month: `first` where the month was first reported,
    `changed` where the batch changed its report, `same` where it did not. In the other formats with
    the SHA-256 of support_report.csv of each edition, and its tags.
    """
    with Ledger.open(db) as ledger:
        result = ledger.editions()
        batches = {entry.batch.batch: entry.batch for entry in ledger.log()}
    if format != "table":
        columns = (
            "as_of",
            "batch",
            "recorded_at",
            "change",
            "rows_changed",
            "gap",
            "sha256",
            "tags",
        )
        rows = [[plain(getattr(e, column)) for column in columns] for e in result]
        if format == "csv":
            rows = [[*row[:-1], " ".join(row[-1])] for row in rows]
        print_rows(format, columns, rows)
        return
    months = sorted({edition.as_of for edition in result})
    found = {(edition.batch, edition.as_of): edition for edition in result}
    lines = [
        (number, to_the_second(batch.recorded_at), batch.month,
         *(_cell(found.get((number, month))) for month in months), batch.reason)
        for number, batch in batches.items()
    ]  # fmt: skip
    emit(table(("batch", "recorded_at", "month", *map(str, months), "reason"), lines))


def _cell(edition: Restatement | None) -> str | None:
    from ledger.datasets.support.restatements import Change

    if edition is None:
        return None
    rows = f" {counted(edition.rows_changed, 'row')}" if edition.change is Change.CHANGED else ""
    gap = " (gap)" if edition.gap else ""
    return " ".join([f"{edition.change}{rows}{gap}", *(f"[{name}]" for name in edition.tags)])
