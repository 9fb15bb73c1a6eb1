"""Writes tables as JSON: an array of objects, one a line, with null for None."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from ledger.model.dataset import Column
from ledger.model.tabular import Values, plain_number
from ledger.outputs.page_pipeline import write_rows
from ledger.outputs.row_text import LINE_END, Output, RowText, is_number

OBJECT_END = b",\n"
"""The end of every object but the last."""

_ESCAPED = ["\\", *(chr(code) for code in range(0x20) if chr(code) != LINE_END)]


def write_json(file: Output, columns: Sequence[Column], rows: Iterable[Values]) -> int:
    """Write a table, and return the number of its rows."""
    before = b"[\n"

    def write(content: bytes) -> None:
        nonlocal before
        file.write(before)
        # The end of each object waits until another object follows.
        before = content[-len(OBJECT_END) :]
        file.write(memoryview(content)[: -len(OBJECT_END)])

    count = write_rows(rows, JsonText(columns), write)
    file.write(b"\n]\n" if count else b"[]\n")
    return count


class JsonText(RowText):
    """Rows as objects, with `OBJECT_END` after each of them, the last one included."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Write these columns."""
        self._encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
        marks = ["" if is_number(column) else '"' for column in columns]
        names = [f'"{column.name}": {mark}' for column, mark in zip(columns, marks, strict=True)]
        self._begin, self._end = f"{{{names[0]}", f"{marks[-1]}}}"
        self._between = [
            f"{mark}, {name}" for mark, name in zip(marks[:-1], names[1:], strict=True)
        ]
        format = "%s".join([self._begin, *self._between, self._end])
        self._quotes = format.count('"')
        super().__init__(columns, "null", format + LINE_END)

    def from_values(self, rows: Iterable[Values]) -> bytes:
        """Write rows from their values."""
        names = [column.name for column in self._columns]
        records = (dict(zip(names, map(plain_number, row), strict=True)) for row in rows)
        return "".join(f"{self._encode(record)},\n" for record in records).encode()

    def _regular(self, text: str, count: int) -> bytes | None:
        if text.count('"') != count * self._quotes:
            return None
        for mark in _ESCAPED:  # much faster than any(), for so many marks
            if mark in text:
                return None
        lines = text.replace(LINE_END, ",\n")
        if len(lines) != len(text) + count:
            return None
        # The number of quotes is right, so two in a row are a blank text.
        return lines.replace('""', "null").encode()

    def _cells(self, line: str) -> list[str] | None:
        cells, rest = [], line[len(self._begin) : len(line) - len(self._end)]
        for mark in self._between:
            place = rest.find(mark)
            # Not by counting, which misses a mark that overlaps another.
            if rest.rfind(mark) != place:
                return None
            cells.append(rest[:place])
            rest = rest[place + len(mark) :]
        return [*cells, rest]
