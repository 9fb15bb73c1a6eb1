"""Tables of the page, and where their figures lead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.datasets.support.report import Report, ReportRow
from ledger.lineage.sources import Source
from ledger.model.periods import Month
from ledger.text import visible

SHADES = 5
"""How many shades a heat table has, from 0 for nothing."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what it shows.
        link: the part of the page that explains it, or None.
        is_number: whether it is a figure, which stands to the right.
        shade: how dark it is, from 0 to `SHADES` - 1; None for a table without shades.
    """

    text: str
    link: str | None = None
    is_number: bool = False
    shade: int | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table.

    Attributes:
        caption: what it is a table of.
        columns: the heads of its columns.
        rows: their cells; the first of each is its head.
        name: the part of the page that it is, or None.
        notes: what is to be said below it.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    name: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_numeric(self) -> tuple[bool, ...]:
        """Of each column, whether figures stand in it."""
        return tuple(
            any(row[place].is_number for row in self.rows) for place in range(len(self.columns))
        )

    @property
    def has_links(self) -> bool:
        """Whether one can get into it with a keyboard."""
        return any(cell.link for row in self.rows for cell in row)


def text(value: object, link: str | None = None) -> Cell:
    """A cell with a text; blank for None."""
    return Cell("" if value is None else visible(str(value)), link)


def number(value: float | None, link: str | None = None, shade: int | None = None) -> Cell:
    """A cell with a figure as it is, a blank one for None."""
    return Cell("" if value is None else exact(value), link, is_number=True, shade=shade)


def average(value: float | None, link: str | None = None) -> Cell:
    """A cell with an average, to two decimals; a blank one for None."""
    return Cell("" if value is None else f"{value:,.2f}", link, is_number=True)


def exact(value: float) -> str:
    """A figure with all its decimals, of which sums of minutes have six at the most."""
    if isinstance(value, int) or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.6f}".rstrip("0")


def short(value: float) -> str:
    """A figure in a sentence, to two decimals at the most."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def shade(value: float, most: float) -> int:
    """How dark a figure is, where the greatest one is the darkest."""
    if value <= 0 or most <= 0:
        return 0
    return min(SHADES - 1, 1 + int((SHADES - 1) * value / most * 0.999))


class Places:
    """The parts of the page that explain the figures, by the labels of the report.

    Labels may hold any character, so that a place is known by their number.
    """

    def __init__(self, report: Report, months: Iterable[Month]) -> None:
        """Number the labels of a report, and say of which months there are files."""
        rows = report.rows
        self._files = set(months)
        self.centers = sorted({row.contact_center_name for row in rows})
        self.departments = sorted({row.department for row in rows})
        self.months = sorted({row.month for row in rows})
        self._centers = {name: place for place, name in enumerate(self.centers, start=1)}
        self._departments = {name: place for place, name in enumerate(self.departments, start=1)}

    def month(self, month: str) -> str | None:
        """The part on a month, or None where the report has no such month."""
        return f"m{month}" if month in self.months else None

    def files(self, month: Month) -> str | None:
        """The part on the files of a month, or None where none was known."""
        return f"f{month}" if month in self._files else None

    def source(self, source: Source) -> Cell:
        """A cell with the file and line of an event, which leads to the record of the file."""
        return text(source, self.files(source.month))

    def center(self, name: str) -> str | None:
        """The part on a contact centre, or None where the report has no such centre."""
        return f"c{self._centers[name]}" if name in self._centers else None

    def cell(self, month: str, center: str) -> str:
        """The part on a centre in a month."""
        return f"m{month}-c{self._centers[center]}"

    def row(self, row: ReportRow) -> str:
        """The part on a row of the report."""
        cell = self.cell(row.month, row.contact_center_name)
        return f"{cell}-d{self._departments[row.department]}"


def totals(rows: Iterable[ReportRow]) -> tuple[int, int, float]:
    """The interactions, calls and minutes of some rows of the report."""
    chosen: Sequence[ReportRow] = tuple(rows)
    return (
        sum(row.total_interactions for row in chosen),
        sum(row.total_calls for row in chosen),
        sum(round(row.total_call_duration * 10**6) for row in chosen) / 10**6,
    )
