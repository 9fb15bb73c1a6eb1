"""Writes tables as a workbook for spreadsheets: a sheet each, and one that describes them.

Texts are exact: none becomes a formula, a link or a number. Dates and times are values that a
spreadsheet calculates with; a time is the local one, shown with its offset from UTC. Values
that a cell cannot store so are text, as in CSV, and those that it cannot store at all are refused.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ledger.errors import WrongUsage
from ledger.model.dataset import Type
from ledger.model.periods import spans
from ledger.model.tabular import Tabular, Value, Values
from ledger.outputs.formats import WORKBOOK
from ledger.outputs.manifest import ExportedFile, Provenance
from ledger.replay.labels import Names
from ledger.text import counted

ABOUT = "about"
"""The sheet that describes the others: the last, as programs read the first by default."""

MOST_ROWS = 1_048_576
LONGEST_TEXT = 32_767
"""In a cell, in code units of UTF-16."""

FIRST_DAY = date(1900, 3, 1)
"""Spreadsheets do not agree on earlier days: for some, 1900 was a leap year."""

MADE = datetime(1980, 1, 1)
"""The date of every workbook: the same rows give the same bytes."""

WIDEST = 60
ABOUT_WIDTHS = (30, 100)
LINE = 15
"""The height of a line, in points."""

_OTHERWISE = "write csv or parquet, which have no such limit"

# XlsxWriter would write these inexactly: it interprets a text in these tags as its own markup, and
# escapes `_x0041_`, which means `A`, wrongly if another escape begins with its last character.
_INEXACT = re.compile(
    r"\A<r>.*</r>\Z|_x[0-9A-Fa-f]{4}(?:_x[0-9A-Fa-f]{4}_|[\x00-\x08\x0b-\x1f\ufffe\uffff])",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook to be written.

    Attributes:
        name: of the file, without its suffix.
        title: of its contents.
        footer: printed below each page.
        facts: what the sheet `about` states about the workbook, each with its name.
        tables: in order; each is a sheet of its name.
    """

    name: str
    title: str
    footer: str
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Tabular]


def workbook_of(tables: Sequence[Tabular], provenance: Provenance) -> Workbook:
    """A workbook of tables, with their provenance."""
    dataset, edition, names = provenance.dataset, provenance.edition, provenance.names
    as_of, batch = str(edition.as_of), f"batch {edition.batch}"
    facts = [("data set", dataset.name), ("as of", as_of), ("known at", batch)]
    facts.append(("head", edition.head))
    if edition.missing:
        facts.append(("gap", f"Nothing is recorded for {spans(edition.missing)}."))
    if names:
        facts.append(("names", f"{names}: {_NAMES[names]}"))
    if any(column.type is Type.TIMESTAMP for table in tables for column in table.columns):
        facts.append(("times", _TIMES.format(zone=dataset.zone)))
    facts += [("texts", _TEXTS), *(("note", f"{note}.") for note in provenance.notes)]
    footer = f"{dataset.name}, as of {as_of}, {batch}, head {edition.head[:12]}"
    return Workbook(provenance.name, dataset.title, footer, facts, tables)


_NAMES = {
    Names.AS_IS: "Names are those of this edition.",
    Names.AS_WAS: "Names are those of the end of each row's own month.",
}
_TIMES = (
    "Local times of {zone}, each shown with its offset from UTC. Formulas count the local time: "
    "the offset is part of the format of the cell, and must be added where it changes in between. "
    "A time with a fraction of a second, or before March 1900, is text."
)
_TEXTS = "As recorded: no text is a formula, a link or a number. A blank cell is a missing value."


def write_workbook(draft: Path, workbook: Workbook) -> tuple[ExportedFile, list[int]]:
    """Write a workbook into a draft folder.

    Returns:
        the file with the number of rows of all its sheets, and the number of rows of each.

    Raises:
        WrongUsage: a table or a text is too long for a workbook.
    """
    path = draft / f"{workbook.name}.{WORKBOOK}"
    counts = _write_file(path, workbook)
    with path.open("r+b") as written:
        digest = hashlib.file_digest(written, "sha256").hexdigest()
        os.fsync(written.fileno())
    return ExportedFile(path, sum(counts), path.stat().st_size, digest), counts


def _write_file(path: Path, workbook: Workbook) -> list[int]:
    """Write the file, and return the number of rows of each sheet."""
    # The temporary files of XlsxWriter are beside the file, and are removed afterwards.
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch, _book(path, scratch) as book:
        book.set_properties({"title": workbook.title, "created": MADE})
        styles = _Styles(book)
        counts = []
        for table in workbook.tables:
            page = _page(book, table.name, workbook.footer)
            counts.append(_write_table(page, table, styles))
        _write_about(_page(book, ABOUT, workbook.footer), workbook, counts, styles)
    return counts


@contextmanager
def _book(path: Path, scratch: str) -> Iterator[Any]:
    """A workbook of XlsxWriter, which keeps no more than a row in memory."""
    # Slow to import, and an extra.
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError, FileSizeError

    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": scratch})
    try:
        yield book
        book.close()
    except FileSizeError:
        raise WrongUsage(
            f"{path.name}: a sheet has more than 4 GiB, too many for a workbook; {_OTHERWISE}"
        ) from None
    except FileCreateError as error:
        raise OSError(*error.args[0].args) from error
    finally:
        for page in book.worksheets():
            page.row_data_fh.close()


class _Styles:
    """The formats of cells."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._by_offset: dict[str, Any] = {}
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.header = book.add_format({"bold": True, "bottom": 1})
        # With a distance from the text of the next column.
        right = {"align": "right", "indent": 1}
        self.number = book.add_format(right)
        self.number_header = book.add_format({"bold": True, "bottom": 1, **right})
        self.name = book.add_format({"valign": "top"})
        self.column = book.add_format({"align": "left", "valign": "top", "indent": 1})
        self.sentence = book.add_format({"valign": "top", "text_wrap": True})
        self.day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})

    def timestamp(self, offset: str) -> Any:
        """The format of times with an offset from UTC, which only the format can show."""
        if offset not in self._by_offset:
            form = f'yyyy-mm-dd hh:mm:ss" {offset}"'
            self._by_offset[offset] = self._book.add_format({"num_format": form, "align": "left"})
        return self._by_offset[offset]


def _page(book: Any, name: str, footer: str) -> Any:
    """Add a sheet that prints as wide as a page."""
    page = book.add_worksheet(name)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.4, right=0.4)
    page.set_footer(f"&L{footer.replace('&', '&&')}&R&A, &P of &N")
    # No warning at a text of digits, which is intended.
    page.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_ROWS}"})
    return page


def _write_table(page: Any, table: Tabular, styles: _Styles) -> int:
    """Write a table as a sheet, and return the number of its rows."""
    widths = []
    for place, column in enumerate(table.columns):
        is_number = column.type in (Type.NUMBER, Type.INTEGER)
        page.write_string(
            0, place, column.name, styles.number_header if is_number else styles.header
        )
        # The button of the filter is beside the header.
        widths.append(len(column.name) + 3)
    count = 0
    for count, row in enumerate(table.rows, start=1):
        _write_row(page, table, count, row, styles, widths)
    for place, width in enumerate(widths):
        page.set_column(place, place, min(width, WIDEST) + 1)
    page.freeze_panes(1, 0)
    page.repeat_rows(0)
    page.autofilter(0, 0, count, len(table.columns) - 1)
    return count


def _write_row(
    page: Any, table: Tabular, place: int, row: Values, styles: _Styles, widths: list[int]
) -> None:
    """Write a row of a table at its place, and widen the columns to fit it.

    Raises:
        WrongUsage: the sheet or a cell cannot store it.
    """
    if place >= MOST_ROWS:
        raise WrongUsage(
            f"{table.name} has more than {MOST_ROWS - 1} rows, too many for a workbook; "
            f"{_OTHERWISE}"
        )
    for number, (column, value) in enumerate(zip(table.columns, row, strict=True)):
        if value is None:
            continue
        try:
            shown = _write_cell(page, (place, number), value, column.type, styles)
        except _Unwritable as error:
            where = f"{table.name}, row {place} ({row[0]!s:.40}), {column.name}"
            raise WrongUsage(f"{where}: {error}; {_OTHERWISE}") from None
        widths[number] = max(widths[number], shown)


class _Unwritable(Exception):
    """A text that no cell can store; the message gives the reason."""


def _write_cell(
    page: Any, place: tuple[int, int], value: Value, type: Type, styles: _Styles
) -> int:
    """Write a value, and return the number of characters that are shown."""
    if isinstance(value, float | int):
        number = _Number(value)
        if math.isfinite(number) and number == value:
            page.write_number(*place, number, styles.number)
            return len(f"{number}")
    text = str(value)
    if type is Type.DATE and (day := _day(text)):
        page.write_datetime(*place, day, styles.day)
    elif type is Type.TIMESTAMP and (timestamp := _timestamp(text)):
        page.write_datetime(*place, timestamp, styles.timestamp(text[19:]))
        return len(text) + 1
    else:
        _check_text(text)
        page.write_string(*place, text)
    return len(text)


class _Number(float):
    """A number that XlsxWriter writes with all of its digits, and not with sixteen."""

    def __format__(self, _: str) -> str:
        return repr(float(self)).removesuffix(".0")


def _day(text: str) -> date | None:
    """The day, if every spreadsheet shows it as this text."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day >= FIRST_DAY and day.isoformat() == text else None


def _timestamp(text: str) -> datetime | None:
    """The local time, if every spreadsheet shows it as this text, but for the offset."""
    try:
        timestamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    is_shown = timestamp.date() >= FIRST_DAY and timestamp.tzinfo and not timestamp.microsecond
    return timestamp.replace(tzinfo=None) if is_shown and timestamp.isoformat() == text else None


def _check_text(text: str) -> None:
    # A character beyond the first 65536 counts twice.
    if len(text) > LONGEST_TEXT // 2:
        length = len(text.encode("utf-16-le")) // 2
        if length > LONGEST_TEXT:
            raise _Unwritable(f"{length} characters, and a cell stores {LONGEST_TEXT}")
    if _INEXACT.search(text):
        raise _Unwritable("this text would not be exact in a workbook")


def _write_about(page: Any, workbook: Workbook, counts: Sequence[int], styles: _Styles) -> None:
    """Write the sheet `about`: the facts, and what each sheet and column contains."""
    for place, width in enumerate(ABOUT_WIDTHS):
        page.set_column(place, place, width)
    lines = [(name, text, styles.name, styles.sentence) for name, text in workbook.facts]
    for table, count in zip(workbook.tables, counts, strict=True):
        rows = counted(count, "row")
        lines.append(("", "", styles.name, styles.sentence))
        lines.append((table.name, rows, styles.header, styles.header))
        lines += [(c.name, c.description, styles.column, styles.sentence) for c in table.columns]
    page.write_string(0, 0, workbook.title, styles.title)
    for place, (name, text, *formats) in enumerate(lines, start=2):
        # Spreadsheets do not agree on whether a row grows with its text.
        page.set_row(place, LINE * math.ceil(max(len(text), 1) / (ABOUT_WIDTHS[1] - 10)))
        for number, (cell, format) in enumerate(zip((name, text), formats, strict=True)):
            page.write_string(place, number, cell, format)
