"""The text of rows: SQLite writes a page of rows as one text, which is completed here.

SQLite joins the cells without regard to quotes and escapes. Most pages need none, which a search
of the whole page for a few characters shows; their separators are replaced, and that is all. In any
other page, the rows that need more are split into their cells and written from these values. Where
a row cannot be split in one way only, the caller reads the values of the page from SQLite.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from io import BytesIO, RawIOBase

from ledger.model.dataset import Column, Type
from ledger.model.tabular import Value, Values
from ledger.replay.paging import Page
from ledger.store.sql import part

Output = RawIOBase | BytesIO
"""A file to write to."""

CELL_END = "\x1f"
LINE_END = "\x1e"
_INEXACT = '"'
"""The prefix of a number that SQLite cannot write as a decimal: no text with it is regular."""

LINES_AT_ONCE = 32
"""The number of lines that are checked together in a page that is not regular."""

_PARTS = {Type.INTEGER: "integer", Type.NUMBER: "number"}
_UNITS = 2**62


def is_number(column: Column) -> bool:
    """Whether the values of a column are numbers: in JSON, these have no quotes."""
    return column.type in _PARTS


class RowText(ABC):
    """Gives the text of the rows of a table, in a format of text.

    Attributes:
        line: the SQL expression of a row; see `ledger.replay.paging.page_sql`.
    """

    def __init__(self, columns: Sequence[Column], blank: str, format: str) -> None:
        """Write these columns.

        Args:
            columns: in order.
            blank: what to write for a number that is missing.
            format: of a line, with `%s` for each cell.
        """
        self._columns = columns
        cells = (
            part(
                "outputs/row_text.sql",
                _PARTS.get(column.type, "text"),
                column=column.name,
                blank=blank,
            )
            for column in columns
        )
        self.line = f"printf('{format}', {', '.join(cells)})"

    @abstractmethod
    def from_values(self, rows: Iterable[Values]) -> bytes:
        """Write rows from their values."""

    def from_page(self, page: Page) -> bytes | None:
        """Write a page from its text; None if its values are needed."""
        if page.text is None:
            return None
        whole = self._regular(page.text, page.count)
        return whole if whole is not None else self._from_lines(page.text, page.count)

    @abstractmethod
    def _regular(self, text: str, count: int) -> bytes | None:
        """Write the text of `count` regular rows; None if some are not regular."""

    @abstractmethod
    def _cells(self, line: str) -> list[str] | None:
        """Split a line into its cells; None if that is possible in more than one way."""

    def _from_lines(self, text: str, count: int) -> bytes | None:
        lines = text.split(LINE_END)
        lines.pop()
        if len(lines) != count:
            return None
        written = []
        for start in range(0, count, LINES_AT_ONCE):
            content = self._from_some(lines[start : start + LINES_AT_ONCE])
            if content is None:
                return None
            written.append(content)
        return b"".join(written)

    def _from_some(self, lines: list[str]) -> bytes | None:
        """Write some lines, halved until a line that is not regular is alone."""
        content = self._regular(LINE_END.join([*lines, ""]), len(lines))
        if content is not None:
            return content
        if len(lines) == 1:
            values = self._values(lines[0])
            return None if values is None else self.from_values([values])
        half = len(lines) // 2
        first, second = self._from_some(lines[:half]), self._from_some(lines[half:])
        return None if first is None or second is None else first + second

    def _values(self, line: str) -> Values | None:
        cells = self._cells(line)
        if cells is None:
            return None
        values: list[Value] = []
        for column, cell in zip(self._columns, cells, strict=True):
            if not is_number(column):
                values.append(cell or None)
            elif cell == _INEXACT:
                return None
            else:
                values.append(_number(cell))
        return values


def _number(cell: str) -> Value:
    if cell in ("", "null"):
        return None
    if cell.startswith(_INEXACT):
        whole, rest = cell[1:].split(";")
        return int(whole) + int(rest) / _UNITS
    return float(cell) if "." in cell else int(cell)
