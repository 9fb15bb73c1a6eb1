"""Writes tables as CSV: RFC 4180 in UTF-8, with a header, and a blank cell for None."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from ledger.model.dataset import Column, Type
from ledger.model.tabular import Tabular, Values, plain_number
from ledger.outputs.page_pipeline import write_rows
from ledger.outputs.row_text import CELL_END, LINE_END, Output, RowText

# Spreadsheets treat the full-width forms, such as U+FF1D, like the ASCII characters.
_FORMULA = re.compile(r"[\t\r\n]|[\s\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]")


def write_csv(
    file: Output, columns: Sequence[Column], rows: Iterable[Values], *, bom: bool = False
) -> int:
    """Write a table, and return the number of its rows.

    Args:
        file: to write to.
        columns: of the rows, in order.
        rows: of the table.
        bom: whether the file begins with a byte order mark, by which Excel recognises UTF-8.
    """
    form = CsvText(columns)
    if bom:
        file.write(codecs.BOM_UTF8)
    file.write(form.from_values([[column.name for column in columns]]))
    return write_rows(rows, form, file.write)


class SafeRows:
    """The rows of a table, with an apostrophe before each text that a spreadsheet would run.

    Such a text begins, after any blanks, with a character that may begin a formula, or with a tab
    or an end of a line. Only columns of texts are changed, no numbers and no dates.

    Attributes:
        apostrophes: the number of those that were added so far.
    """

    def __init__(self, table: Tabular) -> None:
        """Wrap the rows of a table."""
        self.apostrophes = 0
        self._rows = table.rows
        self._texts = [n for n, column in enumerate(table.columns) if column.type is Type.TEXT]

    def __iter__(self) -> Iterator[Values]:
        for row in self._rows:
            cells = list(row)
            for place in self._texts:
                text = cells[place]
                if isinstance(text, str) and _FORMULA.match(text):
                    cells[place] = f"'{text}"
                    self.apostrophes += 1
            yield cells


class CsvText(RowText):
    """Rows as lines of CSV, each with its end."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Write these columns."""
        super().__init__(columns, "", CELL_END.join(["%s"] * len(columns)) + LINE_END)

    def from_values(self, rows: Iterable[Values]) -> bytes:
        """Write rows from their values."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows([plain_number(value) for value in row] for row in rows)
        return text.getvalue().encode()

    def _regular(self, text: str, count: int) -> bytes | None:
        if any(mark in text for mark in ',"\r\n'):
            return None
        if text.count(CELL_END) != count * (len(self._columns) - 1):
            return None
        lines = text.replace(LINE_END, "\r\n")
        # Each end of a line made the text longer by one, and no other end may occur.
        return lines.replace(CELL_END, ",").encode() if len(lines) == len(text) + count else None

    def _cells(self, line: str) -> list[str] | None:
        cells = line.split(CELL_END)
        return cells if len(cells) == len(self._columns) else None
