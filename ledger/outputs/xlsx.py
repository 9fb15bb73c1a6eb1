"""Writes tables as a workbook for spreadsheets: a sheet each, and one on what they are.

Texts are exact: none becomes a formula, a link or a number. A date is one that a spreadsheet
calculates with, and so is a time: the local one, shown with its offset from UTC. What a cell cannot
hold as that is text, as in CSV, and what it cannot hold at all is refused.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ledger.errors import WrongUsage
from ledger.model.dataset import DataSet, Type
from ledger.model.editions import Edition
from ledger.model.periods import spans
from ledger.outputs.export import (
    WORKBOOK,
    ExportedFile,
    Sheet,
    complete_files,
    resource,
    write_manifest,
)
from ledger.replay.labels import Names
from ledger.replay.paging import Value, Values
from ledger.text import counted

ABOUT = "about"
"""The sheet on what the others are: the last, as programs read the first where none is named."""

MOST_ROWS = 1_048_576
LONGEST_TEXT = 32_767
"""In a cell, in code units of UTF-16."""

FIRST_DAY = date(1900, 3, 1)
"""Spreadsheets do not agree on days before: for some, 1900 was a leap year."""

MADE = datetime(1980, 1, 1)
"""When any workbook was made, for all that it says: the same rows give the same bytes."""

WIDEST = 60
ABOUT_WIDTHS = (30, 100)
LINE = 15
"""The height of a line, in points."""

_OTHERWISE = "write csv or parquet, which have no such limit"

# XlsxWriter would write of these something else: it takes a text in these tags for its own, and
# escapes `_x0041_`, which stands for `A`, wrongly where another escape begins with its last mark.
_INEXACT = re.compile(
    r"\A<r>.*</r>\Z|_x[0-9A-Fa-f]{4}(?:_x[0-9A-Fa-f]{4}_|[\x00-\x08\x0b-\x1f\ufffe\uffff])",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook to be written.

    Attributes:
        name: of the file, without its suffix.
        title: of what it holds.
        footer: printed below each page.
        facts: what is said of it besides, each with its name.
        sheets: in order; their names are those of their tables.
    """

    name: str
    title: str
    footer: str
    facts: Sequence[tuple[str, str]]
    sheets: Sequence[Sheet]


def workbook_of(
    name: str,
    dataset: DataSet,
    edition: Edition,
    sheets: Sequence[Sheet],
    names: Names | None = None,
    notes: Sequence[str] = (),
) -> Workbook:
    """Say of a workbook what it is as of.

    Args:
        name: of the file, without its suffix.
        dataset: of the tables.
        edition: of which they are.
        sheets: the tables.
        names: which names they give; None for none.
        notes: what a reader must know besides, in sentences without their full stops.
    """
    as_of, batch = str(edition.as_of), f"batch {edition.batch}"
    facts = [("data set", dataset.name), ("as of", as_of), ("known at", batch)]
    facts.append(("head", edition.head))
    if edition.missing:
        facts.append(("gap", f"Nothing is recorded for {spans(edition.missing)}."))
    if names:
        facts.append(("names", f"{names}: {_NAMES[names]}"))
    if any(column.type is Type.TIMESTAMP for sheet in sheets for column in sheet.columns):
        facts.append(("times", _TIMES.format(zone=dataset.zone)))
    facts += [("texts", _TEXTS), *(("note", f"{note}.") for note in notes)]
    footer = f"{dataset.name}, as of {as_of}, {batch}, head {edition.head[:12]}"
    return Workbook(name, dataset.title, footer, facts, sheets)


_NAMES = {
    Names.AS_IS: "Names are those of this edition.",
    Names.AS_WAS: "Names are those of the end of each row's own month.",
}
_TIMES = (
    "Local times of {zone}, each shown with its offset from UTC. Formulas count the local time: "
    "the offset stands in the format of the cell, and must be added where it changes in between. "
    "A time with a fraction of a second, or before March 1900, is text."
)
_TEXTS = "As recorded: no text is a formula, a link or a number. A blank cell is a missing value."


def write_workbook(
    folder: Path, workbook: Workbook, manifest: dict[str, Any] | None = None
) -> ExportedFile:
    """Write a workbook into a folder, and replace what was there.

    Args:
        folder: made where there is none.
        workbook: to be written.
        manifest: what `datapackage.json` says besides the file; None writes none.

    Returns:
        the file, with the rows of all its sheets.

    Raises:
        WrongUsage: a table or a text is too long for a workbook; what was there before is whole.
        StorageFailed: the folder cannot be written; likewise.
    """
    with complete_files(folder) as draft:
        path = draft / f"{workbook.name}.{WORKBOOK}"
        counts = _write_file(path, workbook)
        with path.open("r+b") as written:
            digest = hashlib.file_digest(written, "sha256").hexdigest()
            os.fsync(written.fileno())
        size = path.stat().st_size
        file = ExportedFile(folder / path.name, sum(counts), size, digest)
        resources = [
            {
                **resource(sheet, replace(file, rows=rows), WORKBOOK),
                "dialect": {"sheetName": sheet.name},
            }
            for sheet, rows in zip(workbook.sheets, counts, strict=True)
        ]
        write_manifest(draft, manifest, resources)
    return file


def _write_file(path: Path, workbook: Workbook) -> list[int]:
    """Write the file, and give the number of rows of each sheet."""
    # What XlsxWriter keeps on the disk lies beside the file, and goes with it.
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch, _book(path, scratch) as book:
        book.set_properties({"title": workbook.title, "created": MADE})
        styles = _Styles(book)
        counts = []
        for sheet in workbook.sheets:
            page = _page(book, sheet.name, workbook.footer)
            counts.append(_write_sheet(page, sheet, styles))
        _write_about(_page(book, ABOUT, workbook.footer), workbook, counts, styles)
    return counts


@contextmanager
def _book(path: Path, scratch: str) -> Iterator[Any]:
    """A workbook of XlsxWriter, of which no more than a row is held at a time."""
    # Slow to import, and not everybody has it.
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
    """How cells look."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._moments: dict[str, Any] = {}
        self.title = book.add_format({"bold": True, "font_size": 14})
        self.header = book.add_format({"bold": True, "bottom": 1})
        # Not right beside the text of the next column.
        right = {"align": "right", "indent": 1}
        self.number = book.add_format(right)
        self.number_header = book.add_format({"bold": True, "bottom": 1, **right})
        self.name = book.add_format({"valign": "top"})
        self.column = book.add_format({"align": "left", "valign": "top", "indent": 1})
        self.sentence = book.add_format({"valign": "top", "text_wrap": True})
        self.day = book.add_format({"num_format": "yyyy-mm-dd", "align": "left"})

    def moment(self, offset: str) -> Any:
        """A time at an offset from UTC, which a cell has no other place for."""
        if offset not in self._moments:
            form = f'yyyy-mm-dd hh:mm:ss" {offset}"'
            self._moments[offset] = self._book.add_format({"num_format": form, "align": "left"})
        return self._moments[offset]


def _page(book: Any, name: str, footer: str) -> Any:
    """A sheet that prints as wide as a page."""
    page = book.add_worksheet(name)
    page.set_landscape()
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.4, right=0.4)
    page.set_footer(f"&L{footer.replace('&', '&&')}&R&A, &P of &N")
    # No mark at a text of digits: it is meant.
    page.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_ROWS}"})
    return page


def _write_sheet(page: Any, sheet: Sheet, styles: _Styles) -> int:
    """Write a table. Gives the number of rows."""
    widths = []
    for place, column in enumerate(sheet.columns):
        is_number = column.type in (Type.NUMBER, Type.INTEGER)
        page.write_string(
            0, place, column.name, styles.number_header if is_number else styles.header
        )
        # The header has a button of the filter beside it.
        widths.append(len(column.name) + 3)
    count = 0
    for count, row in enumerate(sheet.rows, start=1):
        _write_row(page, sheet, count, row, styles, widths)
    for place, width in enumerate(widths):
        page.set_column(place, place, min(width, WIDEST) + 1)
    page.freeze_panes(1, 0)
    page.repeat_rows(0)
    page.autofilter(0, 0, count, len(sheet.columns) - 1)
    return count


def _write_row(
    page: Any, sheet: Sheet, place: int, row: Values, styles: _Styles, widths: list[int]
) -> None:
    """Write a row of a table, below as many as its place says; widen the columns to what it shows.

    Raises:
        WrongUsage: the sheet or a cell cannot hold it.
    """
    if place >= MOST_ROWS:
        raise WrongUsage(
            f"{sheet.name} has more than {MOST_ROWS - 1} rows, too many for a workbook; "
            f"{_OTHERWISE}"
        )
    for number, (column, value) in enumerate(zip(sheet.columns, row, strict=True)):
        if value is None:
            continue
        try:
            shown = _write_cell(page, (place, number), value, column.type, styles)
        except _Unwritable as error:
            where = f"{sheet.name}, row {place} ({row[0]!s:.40}), {column.name}"
            raise WrongUsage(f"{where}: {error}; {_OTHERWISE}") from None
        widths[number] = max(widths[number], shown)


class _Unwritable(Exception):
    """A text that no cell can hold; the message says why."""


def _write_cell(
    page: Any, place: tuple[int, int], value: Value, type: Type, styles: _Styles
) -> int:
    """Write a value. Gives how many characters it shows."""
    if isinstance(value, float | int):
        number = _Number(value)
        if math.isfinite(number) and number == value:
            page.write_number(*place, number, styles.number)
            return len(f"{number}")
    text = str(value)
    if type is Type.DATE and (day := _day(text)):
        page.write_datetime(*place, day, styles.day)
    elif type is Type.TIMESTAMP and (moment := _moment(text)):
        page.write_datetime(*place, moment, styles.moment(text[19:]))
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
    """A day that every spreadsheet shows as this text."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day >= FIRST_DAY and day.isoformat() == text else None


def _moment(text: str) -> datetime | None:
    """The local time of a moment that every spreadsheet shows as this text, but for its offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    is_shown = moment.date() >= FIRST_DAY and moment.tzinfo and not moment.microsecond
    return moment.replace(tzinfo=None) if is_shown and moment.isoformat() == text else None


def _check_text(text: str) -> None:
    # A character beyond the first 65536 counts twice.
    if len(text) > LONGEST_TEXT // 2:
        length = len(text.encode("utf-16-le")) // 2
        if length > LONGEST_TEXT:
            raise _Unwritable(f"{length} characters, and a cell holds {LONGEST_TEXT}")
    if _INEXACT.search(text):
        raise _Unwritable("this text would not be exact in a workbook")


def _write_about(page: Any, workbook: Workbook, counts: Sequence[int], styles: _Styles) -> None:
    """Write what a workbook is: its facts, and what each sheet and column holds."""
    for place, width in enumerate(ABOUT_WIDTHS):
        page.set_column(place, place, width)
    lines = [(name, text, styles.name, styles.sentence) for name, text in workbook.facts]
    for sheet, count in zip(workbook.sheets, counts, strict=True):
        rows = counted(count, "row")
        lines.append(("", "", styles.name, styles.sentence))
        lines.append((sheet.name, rows, styles.header, styles.header))
        lines += [(c.name, c.description, styles.column, styles.sentence) for c in sheet.columns]
    page.write_string(0, 0, workbook.title, styles.title)
    for place, (name, text, *looks) in enumerate(lines, start=2):
        # Spreadsheets do not agree on whether a row grows with its text.
        page.set_row(place, LINE * math.ceil(max(len(text), 1) / (ABOUT_WIDTHS[1] - 10)))
        for number, (cell, look) in enumerate(zip((name, text), looks, strict=True)):
            page.write_string(place, number, cell, look)
