"""The command `ledger explain`: shows what makes a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledger.cli.notes import tell_edition
from ledger.cli.options import common, edition_options, formats, names_option
from ledger.cli.printing import (
    ROW_FORMATS,
    emit,
    note,
    print_document,
    print_rows,
    table,
)
from ledger.datasets.support.description import CONTACT_CENTERS, SERVICE_CATEGORIES
from ledger.datasets.support.measures import MEASURES
from ledger.ledger import Ledger
from ledger.model.editions import EditionName
from ledger.model.plain import plain
from ledger.replay.labels import Names
from ledger.text import visible

if TYPE_CHECKING:
    from ledger.datasets.support.explain import Contribution, Explanation


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
    edition: EditionName,
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
    snapshot = Ledger(db).at(edition)
    result = snapshot.explain(month, center, department, measure=measure, names=names)
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
