"""From the bytes of a CSV file to rows, or to all that is wrong with it.

The format is RFC 4180 in UTF-8, read by the standard `csv` module in strict mode, with the checks
that it lacks: encoding, NUL, lone carriage returns, stray quotes, ragged rows, blank lines,
headers and field lengths. Nothing is opened here, and nothing kept but one record at a time.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from ledger.dataset import ACTION_COLUMN, Action, Kind, Table
from ledger.errors import Problem, Problems
from ledger.lines import Lines, Unreadable

FIELD_LIMIT = 1024 * 1024
"""The longest cell that is read, in characters."""

BLANK = " \t"
"""What does not count round a cell. Not the no-break space and its like: they are text."""

_ACTIONS = frozenset(Action)
_QUOTED = re.compile(r'"(?:[^"]+|"")*+"[ \t]*')
_UNQUOTED = re.compile(r'[^",\n]*')
_DELIMITERS = {";": "a semicolon", "\t": "a tab", "|": "a bar"}


class Row(NamedTuple):
    """A row as delivered.

    Attributes:
        line: the physical line on which it starts, counted from 1 (the header's).
        action: `add`, `update` or `delete`; `add` for every row of an initial extract.
        cells: in the order of the table's description; None for a blank cell.
    """

    line: int
    action: str
    cells: list[str | None]


def read_rows(
    chunks: Iterable[bytes], table: Table, kind: Kind, path: str, problems: Problems
) -> Iterator[Row]:
    """Yield the sound rows of a file, and add what is wrong with the others to `problems`.

    A file of which a problem was told must not be recorded: what is yielded after it only serves
    to find what else is wrong.

    Args:
        chunks: the file's bytes, cut anywhere.
        table: whose columns the header must have, in any order.
        kind: a delta has an `action` column besides, an initial extract has none.
        path: how to name the file in problems.
        problems: what is wrong is added here.
    """
    csv.field_size_limit(FIELD_LIMIT)
    reader = _RowReader(chunks, table, kind, path, problems)
    try:
        yield from reader.rows()
    except Unreadable as unreadable:
        problems.add(unreadable.problem)


class _RowReader:
    """Reads one file: the header first, then row by row."""

    def __init__(
        self, chunks: Iterable[bytes], table: Table, kind: Kind, path: str, problems: Problems
    ) -> None:
        self._table = table
        self._kind = kind
        self._path = path
        self._problems = problems
        self._names = [*table.column_names, *([ACTION_COLUMN] if kind is Kind.DELTA else [])]
        self._header: list[str] = []
        # The longest legal line: cells of the longest kind with every character a doubled quote.
        longest = (2 * FIELD_LIMIT + 3) * len(self._names)
        self._lines = Lines(chunks, path, longest, problems)

    def rows(self) -> Iterator[Row]:
        """Yield the sound rows."""
        before = self._problems.total
        records = self._records()
        _, first = next(records, (None, None))
        if self._problems.total > before:
            return  # Its characters are wrong, so that its names mean nothing.
        if first is None:
            self._tell(None, "empty-file", "the file is empty: not even a header")
            return
        if self._header_is_refused(first):
            return
        places = [self._header.index(name) for name in self._names]
        order = None if places == sorted(places) else places
        blank = 0
        for line, record in records:
            if isinstance(record, list) and len(record) <= 1 and not "".join(record).strip(BLANK):
                blank = blank or line
                continue
            if blank:
                self._tell(blank, "blank-line", "a blank line in the middle of the file")
                blank = 0
            if isinstance(record, Problem):
                self._problems.add(record)
            elif row := self._row(line, record, order):
                yield row

    def _records(self) -> Iterator[tuple[int, list[str] | Problem]]:
        """Yield each record with the line on which it starts; its problem where quotes are wrong.

        Where the cells of such a record end is anybody's guess, so nothing else is told of it.
        """
        lines, source = self._lines, iter(self._lines)
        reader = csv.reader(source, strict=True)
        while True:
            line = lines.count + 1
            try:
                for record in reader:
                    suspicious = lines.quoted and any('"' in cell for cell in record)
                    problem = self._misquoted(line) if suspicious else None
                    yield line, problem or record
                    lines.record.clear()
                    line = lines.count + 1
                return
            except csv.Error:
                record = self._read_again(line, source)
            yield line, self._misquoted(line) or record
            lines.record.clear()

    def _read_again(self, line: int, source: Iterator[str]) -> list[str]:
        """Read a record that the strict reader refuses: sound if only blanks follow a quote.

        The other reader takes anything for a record, so that the file can be read on after it.
        """
        lenient = csv.reader(chain(tuple(self._lines.record), source))
        try:
            return next(lenient)
        except csv.Error as error:
            raise Unreadable(
                self._misquoted(line)
                or Problem(self._path, "malformed", f"cannot be read: {error}", line)
            ) from error

    def _misquoted(self, line: int) -> Problem | None:
        """Find where the record that starts on `line` breaks the rules of RFC 4180."""
        text = "".join(self._lines.record)
        position, column = 0, 0
        while True:
            start = position
            quoted = text.startswith('"', position)
            match = (_QUOTED if quoted else _UNQUOTED).match(text, position)
            end = match.end() if match else len(text)
            code = message = None
            if end - start > FIELD_LIMIT and len(_content(text[start:end])) > FIELD_LIMIT:
                code, message = "field-too-long", "a cell of more than 1 MiB"
                if not match:
                    message += ", or the quote that opens here is never closed"
            elif not match:
                code, message = "unbalanced-quote", "the quote that opens here is never closed"
            elif quoted and text[end : end + 1] not in (",", "\n", "\r", ""):
                code, message = "text-after-quote", "text after the closing quote"
            elif text.startswith('"', end):
                code, message = "stray-quote", "a quote within a cell that is not quoted"
            if code and message:
                at = line + text.count("\n", 0, start)
                value = text[start : start + 40].split("\n")[0]
                return Problem(self._path, code, message, at, self._name(column), value)
            if not text.startswith(",", end):
                return None
            position, column = end + 1, column + 1

    def _name(self, column: int) -> str | None:
        return self._header[column] if column < len(self._header) else None

    def _header_is_refused(self, record: list[str] | Problem) -> bool:
        """Keep the header; tell what is wrong with it: anything but exactly the columns."""
        before = self._problems.total
        written = self._lines.record[0].strip()
        delimiter = next((d for d in _DELIMITERS if d in written and "," not in written), None)
        if delimiter:
            message = f"cells are separated by {_DELIMITERS[delimiter]}; separate them by commas"
            self._tell(1, "delimiter", message, value=written)
        elif isinstance(record, Problem):
            self._problems.add(record)
        else:
            self._header = [cell.strip(BLANK) for cell in record]
            if any(self._header):
                self._check_header(self._header)
            else:
                self._tell(1, "blank-line", "a blank line where the header should stand")
        return self._problems.total > before

    def _check_header(self, header: list[str]) -> None:
        expected = {name.casefold(): name for name in self._names}
        seen: set[str] = set()
        for number, name in enumerate(header, start=1):
            wanted = expected.get(name.casefold())
            if not name:
                self._tell(1, "column-blank", f"column {number} has no name")
            elif name in seen:
                self._tell(1, "column-duplicate", "this column stands twice", name)
            elif wanted is None:
                message = f"a column that {self._table.name} does not have"
                self._tell(1, "column-extra", message, name)
            elif wanted != name:
                self._tell(1, "column-case", f"this column must be written {wanted!r}", name)
            seen.add(name)
        folded = {name.casefold() for name in header}
        for name in self._names:
            if name.casefold() not in folded:
                self._tell(1, "column-missing", "this column is missing", name)

    def _row(self, line: int, record: list[str], order: list[int] | None) -> Row | None:
        """Trim and check one record; None where it is not sound."""
        width = len(self._names)
        if len(record) != width:
            code = "short-row" if len(record) < width else "long-row"
            message = f"{len(record)} cells where the header has {width}"
            if not self._lines.record[-1].endswith("\n") and len(record) < width:
                message += "; the file looks cut in the middle of this row"
            self._tell(line, code, message)
            return None
        cells = [cell.strip(BLANK) or None for cell in record]
        if order:
            cells = [cells[place] for place in order]
        action = Action.ADD.value if self._kind is Kind.INITIAL else self._action(line, cells)
        if cells[0] is None:
            self._tell(line, "empty-key", "the key is blank", self._table.key)
            return None
        return Row(line, action, cells) if action else None

    def _action(self, line: int, cells: list[str | None]) -> str | None:
        """Take the action out of a delta's cells; None, and told, where it is none."""
        text = cells.pop()
        action = (text or "").lower()
        if action in _ACTIONS:
            return action
        message = "the action must be add, update or delete"
        self._tell(line, "unknown-action" if text else "empty-action", message, ACTION_COLUMN, text)
        return None

    def _tell(
        self,
        line: int | None,
        code: str,
        message: str,
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        self._problems.add(Problem(self._path, code, message, line, column, value))


def _content(field: str) -> str:
    """What a raw field says: without its quotes, doubled ones taken once."""
    return field[1:].removesuffix('"').replace('""', '"') if field.startswith('"') else field
