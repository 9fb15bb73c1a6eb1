"""The forms of a row in files of text: what SQLite writes of it, and what only Python does.

SQLite writes a page of rows as one text, and says nothing of quotes. Most pages are right as they
are, which is told at a glance. Where one is not, its odd rows are taken apart and written by the
plain writers here, which say what any row looks like.
"""

from __future__ import annotations

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

from ledger.model.dataset import Column, Type
from ledger.model.tabular import Value, Values
from ledger.replay.paging import Page
from ledger.store.sql import part

_CELL = "\x1f"
_LINE = "\x1e"
_ODD_NUMBER = '"'
"""What a number begins with that SQLite does not write: no text with it is regular in any form."""

LINES_AT_ONCE = 32
"""How many lines are looked at together where a page has odd ones."""

_PARTS = {Type.INTEGER: "integer", Type.NUMBER: "number"}
_UNITS = 2**62


def number(value: Value) -> Value:
    """Write a whole number without a point: 14, not 14.0, in every format of text."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class Form(ABC):
    """How the rows of a table are written.

    Attributes:
        line: the SQL that writes a row.
    """

    def __init__(self, columns: Sequence[Column], blank: str, format: str) -> None:
        """Write these columns.

        Args:
            columns: in order.
            blank: what to write of a number that there is not.
            format: of a line, with `%s` for each cell.
        """
        self._columns = columns
        cells = (
            part(
                "outputs/fast_text.sql",
                _PARTS.get(column.type, "text"),
                column=column.name,
                blank=blank,
            )
            for column in columns
        )
        self.line = f"printf('{format}', {', '.join(cells)})"

    @abstractmethod
    def plain(self, rows: Iterable[Values]) -> bytes:
        """Write rows from their values."""

    @abstractmethod
    def _regular(self, text: str, count: int) -> bytes | None:
        """Write the text of a page of regular rows; None where it is not of so many of them."""

    @abstractmethod
    def _cells(self, line: str) -> list[str] | None:
        """Take a line apart; None where there is more than one way to do that."""

    def written(self, page: Page) -> bytes | None:
        """Write a page from its text; None where only its values tell what to write."""
        if page.text is None:
            return None
        whole = self._regular(page.text, page.count)
        return whole if whole is not None else self._by_lines(page.text, page.count)

    def _by_lines(self, text: str, count: int) -> bytes | None:
        lines = text.split(_LINE)
        lines.pop()
        if len(lines) != count:
            return None
        written = []
        for start in range(0, count, LINES_AT_ONCE):
            content = self._some(lines[start : start + LINES_AT_ONCE])
            if content is None:
                return None
            written.append(content)
        return b"".join(written)

    def _some(self, lines: list[str]) -> bytes | None:
        """Write some lines, halved until the odd ones stand alone."""
        content = self._regular(_LINE.join([*lines, ""]), len(lines))
        if content is not None:
            return content
        if len(lines) == 1:
            values = self._values(lines[0])
            return None if values is None else self.plain([values])
        half = len(lines) // 2
        first, second = self._some(lines[:half]), self._some(lines[half:])
        return None if first is None or second is None else first + second

    def _values(self, line: str) -> Values | None:
        cells = self._cells(line)
        if cells is None:
            return None
        values: list[Value] = []
        for column, cell in zip(self._columns, cells, strict=True):
            if column.type not in _PARTS:
                values.append(cell or None)
            elif cell == _ODD_NUMBER:
                return None
            else:
                values.append(_number(cell))
        return values


def _number(cell: str) -> Value:
    if cell in ("", "null"):
        return None
    if cell.startswith(_ODD_NUMBER):
        whole, rest = cell[1:].split(";")
        return int(whole) + int(rest) / _UNITS
    return float(cell) if "." in cell else int(cell)


class CsvForm(Form):
    """RFC 4180, a blank cell for None; every line with its end."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Write these columns."""
        super().__init__(columns, "", _CELL.join(["%s"] * len(columns)) + _LINE)

    def plain(self, rows: Iterable[Values]) -> bytes:
        """Write rows from their values."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows([number(value) for value in row] for row in rows)
        return text.getvalue().encode()

    def _regular(self, text: str, count: int) -> bytes | None:
        if any(mark in text for mark in ',"\r\n'):
            return None
        if text.count(_CELL) != count * (len(self._columns) - 1):
            return None
        lines = text.replace(_LINE, "\r\n")
        # Each end of a line made it longer by one, and there must be no others.
        return lines.replace(_CELL, ",").encode() if len(lines) == len(text) + count else None

    def _cells(self, line: str) -> list[str] | None:
        cells = line.split(_CELL)
        return cells if len(cells) == len(self._columns) else None


class JsonForm(Form):
    """Objects, null for None; a comma and a new line after each of them, the last too."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Write these columns."""
        self._encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
        marks = ['"' if column.type not in _PARTS else "" for column in columns]
        names = [f'"{column.name}": {mark}' for column, mark in zip(columns, marks, strict=True)]
        self._begin, self._end = f"{{{names[0]}", f"{marks[-1]}}}"
        self._between = [
            f"{mark}, {name}" for mark, name in zip(marks[:-1], names[1:], strict=True)
        ]
        format = "%s".join([self._begin, *self._between, self._end])
        self._quotes = format.count('"')
        super().__init__(columns, "null", format + _LINE)

    def plain(self, rows: Iterable[Values]) -> bytes:
        """Write rows from their values."""
        names = [column.name for column in self._columns]
        records = (dict(zip(names, map(number, row), strict=True)) for row in rows)
        return "".join(f"{self._encode(record)},\n" for record in records).encode()

    def _regular(self, text: str, count: int) -> bytes | None:
        if text.count('"') != count * self._quotes:
            return None
        for mark in _ESCAPED:  # much faster than any(), where there are so many
            if mark in text:
                return None
        lines = text.replace(_LINE, ",\n")
        if len(lines) != len(text) + count:
            return None
        # With so many quotes, two in a row are a blank text.
        return lines.replace('""', "null").encode()

    def _cells(self, line: str) -> list[str] | None:
        cells, rest = [], line[len(self._begin) : len(line) - len(self._end)]
        for mark in self._between:
            place = rest.find(mark)
            # Not by counting: what is counted does not overlap.
            if rest.rfind(mark) != place:
                return None
            cells.append(rest[:place])
            rest = rest[place + len(mark) :]
        return [*cells, rest]


_ESCAPED = ["\\", *(chr(code) for code in range(0x20) if chr(code) != _LINE)]
