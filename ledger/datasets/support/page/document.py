"""The page itself: what stands where, filled into the template."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ledger.datasets.support.answers import Answer
from ledger.datasets.support.page.figures import pictures
from ledger.datasets.support.page.page_data import Changes, Evidence
from ledger.datasets.support.page.provenance import (
    center_sections,
    files_grids,
    findings_grids,
    month_sections,
    report_grid,
    step_sections,
    unknown_grid,
)
from ledger.datasets.support.page.tables import Cell, Grid, Places, average, number, text
from ledger.datasets.support.sensitivity import READING_COLUMNS, Sensitivity
from ledger.outputs.html import render
from ledger.replay.labels import Names
from ledger.text import counted, visible

_FOLDER = "datasets/support/page"
_NAMES = {
    Names.AS_IS: "as of the as-of month",
    Names.AS_WAS: "as of each row's own month",
}


@dataclass(frozen=True, slots=True)
class _Answered:
    """A question with its answer, the figures that it rests on, and all other readings."""

    answer: Answer
    grid: Grid
    readings: Grid | None


def report_page(evidence: Evidence, changes: Changes | None) -> str:
    """The report as a page of HTML that holds all it needs.

    Args:
        evidence: what it shows.
        changes: since the edition before; None where there is none.

    Returns:
        the same text for the same edition.
    """
    report = evidence.report
    places = Places(report, (one.file.month for one in evidence.files))
    values = {
        "facts": tuple(_facts(evidence)),
        "notes": tuple(_notes(evidence)),
        "pictures": tuple(pictures(evidence, places, changes)),
        "period": evidence.answers.period,
        "answers": tuple(_answers(evidence, places)),
        "report": report_grid(report, places),
        "unknown": unknown_grid(evidence, places),
        "findings": tuple(findings_grids(evidence)),
        "changes": changes,
        "steps": tuple(step_sections(changes, places)) if changes else (),
        "centers": tuple(center_sections(report, places)),
        "months": tuple(month_sections(evidence, places)),
        "files": tuple(files_grids(evidence)),
    }
    return render(_FOLDER, "report.html", "style.css", values)


def _facts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Of what the page speaks, as terms and what they are."""
    edition = evidence.report.edition
    months = sorted({row.month for row in evidence.report.rows})
    yield "Months", f"{months[0]} to {months[-1]}" if months else "none"
    yield "As of", f"the end of {edition.as_of}"
    yield "Known at", f"batch {edition.batch}, recorded {evidence.batch.recorded_at[:19]}Z"
    yield "Names", _NAMES[evidence.report.names]
    if edition.missing:
        yield "Gaps", f"nothing is recorded for {', '.join(map(str, edition.missing))}"
    yield "Head", edition.head


def _notes(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What a reader must know of the figures, and the part of the page that says more."""
    for note in evidence.report.notes:
        yield f"{visible(note)}.", "unknown"
    count = len(evidence.findings)
    told = counted(count, "finding") if count else "No findings"
    yield f"{told} on these deliveries.", "findings"


def _answers(evidence: Evidence, places: Places) -> Iterator[_Answered]:
    readings = {found.number: found for found in evidence.answers.sensitivity}
    for answer in evidence.answers.answers:
        found = readings.get(answer.number)
        rows = tuple(_evidence_row(row, places) for row in answer.evidence)
        grid = Grid(f"Figures for question {answer.number}", answer.columns, rows)
        yield _Answered(answer, grid, _readings(found) if found else None)


def _evidence_row(row: tuple[str | int | float | None, ...], places: Places) -> tuple[Cell, ...]:
    """A line of the evidence: of a centre, a month, or all of them."""
    head, *figures = row
    name = str(head)
    link = places.center(name) or places.month(name) or "report"
    return (
        text(name),
        *(_figure(value, link) for value in figures),
    )


def _figure(value: str | int | float | None, link: str | None = None) -> Cell:
    """A count as it is, an average to two decimals."""
    if isinstance(value, float):
        return average(value, link)
    return number(None if value is None else int(value), link)


def _readings(found: Sensitivity) -> Grid:
    """A question under all readings of the data."""
    default, *others = found.readings
    fields = [name for name in READING_COLUMNS if getattr(default, name) is not None]
    rows = []
    for reading in found.readings:
        chosen = (text(getattr(reading, name)) for name in fields)
        outcome = text(reading.change or reading.outcome)
        figure = [_figure(reading.figure)] if found.figure else []
        rows.append((*chosen, outcome, *figure, text("yes" if reading.flips else "no")))
    return Grid(
        f"Question {found.number} under all readings: {found.flips} of {len(others)} others "
        "give another answer",
        (*(READING_COLUMNS[name] for name in fields), "outcome",
         *([found.figure] if found.figure else []), "another answer"),
        tuple(rows),
    )  # fmt: skip
