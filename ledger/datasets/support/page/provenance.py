"""Where the figures of the page come from: their interactions, events and files."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ledger.datasets.support.bridge import Cause, ReportKey, Step
from ledger.datasets.support.measures import MEASURES
from ledger.datasets.support.page.figures import STEP_LINK
from ledger.datasets.support.page.page_data import Changes, Evidence, Interaction
from ledger.datasets.support.page.tables import Cell, Grid, Places, exact, number, text, totals
from ledger.datasets.support.report import Report, ReportRow
from ledger.model.dataset import Action
from ledger.replay.labels import Names
from ledger.text import counted, listed

FINDINGS_SHOWN = 200
CAUSES_SHOWN = 20
_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading.

    Attributes:
        name: by which links lead there.
        title: its heading.
        grids: its tables.
    """

    name: str
    title: str
    grids: tuple[Grid, ...]


def report_grid(report: Report, places: Places) -> Grid:
    """The report, each figure with the interactions that make it."""
    rows = [
        (
            text(row.month), text(row.contact_center_name), text(row.department),
            *(number(getattr(row, measure), places.row(row)) for measure in MEASURES),
        )
        for row in report.rows
    ]  # fmt: skip
    whole = totals(report.rows)
    rows.append((text("total"), text(None), text(None), *(number(figure) for figure in whole)))
    columns = ("month", "contact centre", "department", "interactions", "calls", "minutes of calls")
    return Grid("The report", columns, tuple(rows))


def center_sections(report: Report, places: Places) -> Iterator[Section]:
    """For each contact centre, the rows of the report that make its figures."""
    for center in places.centers:
        rows = [row for row in report.rows if row.contact_center_name == center]
        name = places.center(center) or ""
        grid = _sum_grid(f"What the figures of {center} add up from", rows, places)
        yield Section(name, center, (grid,))


def _sum_grid(caption: str, rows: Sequence[ReportRow], places: Places) -> Grid:
    lines = [
        (
            text(row.month), text(row.department),
            *(number(getattr(row, measure), places.row(row)) for measure in MEASURES),
        )
        for row in rows
    ]  # fmt: skip
    lines.append((text("total"), text(None), *(number(figure) for figure in totals(rows))))
    columns = ("month", "department", "interactions", "calls", "minutes of calls")
    return Grid(caption, columns, tuple(lines))


def month_sections(evidence: Evidence, places: Places) -> Iterator[Section]:
    """For each month and contact centre, the interactions of each row of the report."""
    shown = _by_row(evidence.interactions)
    rows = evidence.report.rows
    for month, of_month in groupby(rows, key=lambda row: row.month):
        yield Section(places.month(month) or "", month, ())
        for center, found in groupby(of_month, key=lambda row: row.contact_center_name):
            grids = tuple(
                _row_grid(evidence.report, row, shown.get(_key(row), []), places) for row in found
            )
            yield Section(places.cell(month, center), f"{month}, {center}", grids)


def _key(row: ReportRow) -> ReportKey:
    return ReportKey(row.month, row.contact_center_name, row.department)


def _by_row(interactions: Iterable[Interaction]) -> dict[ReportKey, list[Interaction]]:
    """The interactions by the row of the report that they are part of."""
    found: dict[ReportKey, list[Interaction]] = {}
    for one in interactions:
        made = one.contribution
        key = ReportKey(one.month, made.contact_center_name, made.department)
        found.setdefault(key, []).append(one)
    return found


def _row_grid(report: Report, row: ReportRow, shown: Sequence[Interaction], places: Places) -> Grid:
    """A row of the report, its interactions, and what gave it its names."""
    figures = (
        counted(row.total_interactions, "interaction"),
        counted(row.total_calls, "call"),
        f"{exact(row.total_call_duration)} minutes of calls",
    )
    columns = ("interaction", "channel", "start", "minutes", "to resolution", "after it", "rating",
               "row")  # fmt: skip
    return Grid(
        f"{row.department}: {', '.join(figures)}",
        columns,
        tuple(_line(one, places) for one in shown),
        name=places.row(row),
        notes=tuple(_row_notes(report, row, shown)),
    )


def _line(one: Interaction, places: Places) -> tuple[Cell, ...]:
    made = one.contribution
    before, after = (
        None if seconds is None else seconds / _SECONDS
        for seconds in (one.to_resolution, one.after_resolution)
    )
    return (
        text(made.interaction_id),
        text(one.channel),
        text(one.start),
        *(number(value) for value in (one.minutes, before, after, one.rating)),
        places.source(made.source),
    )


def _row_notes(report: Report, row: ReportRow, shown: Sequence[Interaction]) -> Iterator[str]:
    """What gave the names, and how to see the other interactions, where there are more."""
    for what, label, sources in (
        ("contact centre", row.contact_center_name,
         [one.contribution.contact_center_source for one in shown]),
        ("department", row.department, [one.contribution.department_source for one in shown]),
    ):  # fmt: skip
        named = list(dict.fromkeys(str(source) for source in sources if source))
        if named:
            yield f"The {what} is called {label} by {listed(named)}."
    if len(shown) < row.total_interactions:
        yield (
            f"These are the first {len(shown)} of {exact(row.total_interactions)}. "
            f"All of them: {explain_command(report, row)}"
        )


def explain_command(report: Report, row: ReportRow) -> str:
    """What to type to see all that makes a row of the report."""
    edition = report.edition
    parts = [
        *("ledger", "explain", "--month", row.month, "--center", row.contact_center_name),
        *("--department", row.department, "--as-of", str(edition.as_of)),
        *("--known-at", str(edition.batch)),
    ]
    return shlex.join([*parts, *(["--names", report.names] if report.names != Names.AS_IS else [])])


def files_grids(evidence: Evidence) -> Iterator[Grid]:
    """By month, the files that were known, with their digests and the events that count."""
    for month, files in groupby(evidence.files, key=lambda one: one.file.month):
        rows = [
            (
                text(one.file.name), Cell(str(one.file.batch), is_number=True),
                *(number(one.actions.get(action, 0)) for action in Action),
                Cell(str(one.superseded_in or ""), is_number=True), text(one.file.sha256),
            )
            for one in files
        ]  # fmt: skip
        yield Grid(
            f"Files of {month}",
            ("file", "batch", *Action, "superseded in", "SHA-256"),
            tuple(rows),
            name=f"f{month}",
        )


def unknown_grid(evidence: Evidence, places: Places) -> Grid:
    """The references that give no name, with their reasons."""
    return Grid(
        "References that give no name",
        ("table", "key", "interactions", "reason"),
        tuple(
            (text(one.table), text(one.key or "(blank)"),
             Cell(exact(one.interactions), is_number=True),
             text(one.reason, places.files(one.source.month) if one.source else None))
            for one in evidence.unresolved
        ),
    )  # fmt: skip


def findings_grids(evidence: Evidence) -> Iterator[Grid]:
    """How many findings of each code there are, and the first of them with their places."""
    findings = evidence.findings
    codes = sorted({finding.code for finding in findings})
    rows = [
        (text(code), Cell(exact(sum(f.code == code for f in findings)), is_number=True))
        for code in codes
    ]
    yield Grid("Findings by their code", ("code", "findings"), tuple(rows))
    shown = findings[:FINDINGS_SHOWN]
    more = f"These are the first {len(shown)} of {exact(len(findings))}. All of them: ledger check"
    yield Grid(
        "Findings with their places",
        ("place", "code", "key", "value", "what is odd"),
        tuple(
            (
                text(":".join(str(p) for p in (f.file, f.line, f.column) if p is not None)),
                *(text(value) for value in (f.code, f.key, f.value, f.message)),
            )
            for f in shown
        ),
        notes=(more,) if len(findings) > len(shown) else (),
    )


def step_sections(changes: Changes, places: Places) -> Iterator[Section]:
    """For each step of the bridge, the interactions and names behind it."""
    causes: dict[str, list[Cause]] = {}
    for cause in changes.causes:
        causes.setdefault(cause.step, []).append(cause)
    for step in changes.bridge.total.steps:
        title = f"{step.kind.replace('-', ' ').capitalize()}: {_concerned(step)}"
        grid = _causes_grid(step, causes.get(step.kind, []), places)
        yield Section(STEP_LINK.format(step.kind), title, (grid,))


def _concerned(step: Step) -> str:
    return counted(step.interactions, "interaction")


def _causes_grid(step: Step, causes: Sequence[Cause], places: Places) -> Grid:
    rows = [
        (
            text(cause.key), text(_place(cause.origin)), text(_place(cause.target)),
            *(Cell(exact(getattr(cause.figures, m)), is_number=True) for m in MEASURES),
            *(places.source(e) if e else text(None) for e in (cause.before, cause.after)),
        )
        for cause in causes[:CAUSES_SHOWN]
    ]  # fmt: skip
    columns = ("key", "from", "to", "interactions", "calls", "minutes", "event before", "event now")
    said = [place for place in range(len(columns)) if any(row[place].text for row in rows)]
    more = f"These are the first {len(rows)}. All of them: ledger bridge --format csv"
    return Grid(
        f"What was {step.kind.replace('-', ' ')}",
        tuple(columns[place] for place in said),
        tuple(tuple(row[place] for place in said) for row in rows),
        notes=(more,) if len(causes) > len(rows) or step.interactions > len(causes) else (),
    )


def _place(row: ReportKey | None) -> str | None:
    return f"{row.month} / {row.contact_center_name} / {row.department}" if row else None
