"""Another reader of deliveries: what a file says, or that it must be refused.

It is written from the words of docs/deliveries.md, one character at a time over the whole text,
and shares nothing with the ledger's: no code of it, no `csv` module, no stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

LONGEST_CELL = 1024 * 1024
BLANK = " \t"


class Faulty(Exception):
    """A delivery that must be refused; says why."""


class Row(NamedTuple):
    """A row: the line on which it begins, its action in lower case, its cells by column."""

    line: int
    action: str
    cells: dict[str, str | None]


class _At(Enum):
    """Where in a record the reader stands."""

    START = auto()
    PLAIN = auto()
    QUOTED = auto()
    CLOSED = auto()
    BEHIND = auto()


def read_delivery(content: bytes, columns: tuple[str, ...], *, delta: bool) -> list[Row]:
    """The rows of a delivery.

    Args:
        content: its bytes.
        columns: of the table, the key first.
        delta: whether it has an action.

    Raises:
        Faulty: it must be refused.
    """
    records = list(_without_blank_end(read_records(decoded(content))))
    if not records:
        raise Faulty("no header")
    _, header = records[0]
    expected = [*columns, *(["action"] if delta else [])]
    if sorted(header) != sorted(expected):
        raise Faulty(f"the header is {header}")
    rows: list[Row] = []
    for line, record in records[1:]:
        if len(record) != len(header):
            raise Faulty(f"line {line} has {len(record)} cells, or is blank")
        cells: dict[str, str | None] = {
            name: cell or None for name, cell in zip(header, record, strict=True)
        }
        action = (cells.pop("action") or "").lower() if delta else "add"
        if action not in ("add", "update", "delete"):
            raise Faulty(f"line {line} has the action {action!r}")
        if not cells[columns[0]]:
            raise Faulty(f"line {line} has no key")
        rows.append(Row(line, action, cells))
    keys = {row.cells[columns[0]] for row in rows}
    if not delta and len(keys) < len(rows):
        raise Faulty("a key twice")
    return rows


def decoded(content: bytes) -> str:
    """The text of a file, without its byte order mark."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise Faulty(str(error)) from None
    if "\0" in text:
        raise Faulty("a NUL")
    if re.search(r"\r(?!\n)", text):
        raise Faulty("a lone CR")
    return text.removeprefix("\ufeff")


def read_records(text: str) -> Iterator[tuple[int, list[str]]]:
    """The records of a text, blanks round their cells taken off, each with its line."""
    at, cell, record = _At.START, list[str](), list[str]()
    line = begins = 1
    # One line end more, which closes the last record where the text does not.
    for character in text if text.endswith("\n") else f"{text}\n":
        line += character == "\n"
        if at is _At.QUOTED:
            if character == '"':
                at = _At.CLOSED
            else:
                cell.append(character)
        elif at is _At.CLOSED and character == '"':
            at = _At.QUOTED
            cell.append('"')
        elif character in ",\n":
            if at is _At.PLAIN and character == "\n" and cell[-1] == "\r":
                cell.pop()  # It ends the line, and is no part of the cell.
            if len(cell) > LONGEST_CELL:
                raise Faulty("a cell too long")
            record.append("".join(cell).strip(BLANK))
            at, cell = _At.START, []
            if character == "\n":
                yield begins, record
                record, begins = [], line
        elif at in (_At.CLOSED, _At.BEHIND):
            if character not in f"{BLANK}\r":
                raise Faulty(f"text after a quote, line {line}")
            at = _At.BEHIND
        elif character == '"':
            if at is _At.PLAIN:
                raise Faulty(f"a quote in a cell, line {line}")
            at = _At.QUOTED
        else:
            at = _At.PLAIN
            cell.append(character)
    if at is not _At.START:
        raise Faulty("a quote that is never closed")


def _without_blank_end(records: Iterator[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Leave out the blank lines at the end."""
    kept = list(records)
    while kept and kept[-1][1] == [""]:
        kept.pop()
    return kept
