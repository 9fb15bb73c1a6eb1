"""From the bytes of a CSV file to rows, or to all that is wrong with it.

The format is RFC 4180 in UTF-8, read by the standard `csv` module in strict mode, with the checks
that it lacks: encoding, NUL, lone carriage returns, stray quotes, ragged rows, blank lines,
headers and field lengths. Nothing is opened here, and nothing kept but one block at a time.

A block is what is read at once. One in which no line must be examined, as it is without quotes
and each of its rows is sound, is taken apart as a whole; any other goes through the `csv` module,
row by row, which gives the same where both can be had.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from ledger.delivery.line_reader import LineReader, UnreadableText
from ledger.errors import Problem, Problems
from ledger.model.dataset import ACTION_COLUMN, Action, Kind, Table

FIELD_LIMIT = 1024 * 1024
"""The longest cell that is read, in characters."""

BLANK = " \t"
"""What does not count round a cell. Not the no-break space and its like: they are text."""

_ACTIONS = frozenset(Action)
_QUOTED = re.compile(r'"(?:[^"]+|"")*+"[ \t]*')
_UNQUOTED = re.compile(r'[^",\n]*')
_DELIMITERS = {";": "a semicolon", "\t": "a tab", "|": "a bar"}


Cells = Sequence[str | None]


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


class Block(NamedTuple):
    """Some rows as delivered, one after the other, column by column.

    Attributes:
        lines: for each row, the physical line on which it starts.
        actions: for each row, its action.
        columns: in the order of the table's description; of each, the cells of all rows.
    """

    lines: Sequence[int]
    actions: Sequence[str]
    columns: Sequence[Cells]


def read_blocks(
    chunks: Iterable[bytes], table: Table, kind: Kind, path: str, problems: Problems
) -> Iterator[Block]:
    """Yield the sound rows of a file, and add what is wrong with the others to `problems`.

    The caller must not record a file with a problem: what is yielded after that only serves to
    find what else is wrong.

    Args:
        chunks: the file's bytes, cut anywhere.
        table: whose columns the header must have, in any order.
        kind: a delta also has an `action` column, an initial extract has none.
        path: how to name the file in problems.
        problems: what is wrong is added here.
    """
    csv.field_size_limit(FIELD_LIMIT)
    reader = _RowReader(chunks, table, kind, path, problems)
    try:
        yield from reader.blocks()
    except UnreadableText as unreadable:
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
        self._places: list[int] = []
        self._blank_line = 0
        # The longest legal line: cells of the longest kind with every character a doubled quote.
        longest = (2 * FIELD_LIMIT + 3) * len(self._names)
        self._lines = LineReader(chunks, path, longest, problems)

    def blocks(self) -> Iterator[Block]:
        """Yield the sound rows."""
        before = self._problems.total
        _, first = next(self._records(), (None, None))
        if self._problems.total > before:
            return  # Its characters are wrong, so that its names mean nothing.
        if first is None:
            self._report(None, "empty-file", "the file is empty: not even a header")
            return
        if self._header_is_refused(first):
            return
        self._lines.record.clear()
        self._places = [self._header.index(name) for name in self._names]
        while rest := self._lines.rest():
            block = self._plain_block(rest)
            if block:
                self._end_blank_lines()
                self._lines.skip_rest(len(block.lines))
                yield block
            else:
                yield from self._checked_blocks()

    def _plain_block(self, text: str) -> Block | None:
        """Take apart whole lines in which nothing is wrong or must be examined, else None."""
        if '"' in text or "\0" in text or len(text) > FIELD_LIMIT:
            return None
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        text = text.removesuffix("\n")
        width, count = len(self._names), text.count("\n") + 1
        # Each line end is put among the cells as one of its own, so that all rows are of the same
        # width if these are where they should be.
        cells: list[str] = text.replace("\n", ",\n,").split(",")
        ends = cells[width :: width + 1]
        if "\r" in text or len(cells) != count * (width + 1) - 1 or ends.count("\n") < count - 1:
            return None
        has_blanks = any(blank in text for blank in BLANK)
        columns = [_trimmed(cells[place :: width + 1], has_blanks) for place in self._places]
        actions = self._plain_actions(columns, count)
        if actions is None or None in columns[0]:
            return None
        first = self._lines.count + 1
        return Block(range(first, first + count), actions, columns)

    def _plain_actions(self, columns: list[Cells], count: int) -> Sequence[str] | None:
        """Take the actions out of a delta's columns; None where one is none."""
        if self._kind is Kind.INITIAL:
            return [Action.ADD.value] * count
        written = columns.pop()
        read = {text: (text or "").lower() for text in set(written)}
        if not _ACTIONS.issuperset(read.values()):
            return None
        return [read[text] for text in written]

    def _checked_blocks(self) -> Iterator[Block]:
        """Read on row by row, to the end of what was read at once and of the row that is there."""
        rows: list[Row] = []
        unreadable = None
        try:
            rows.extend(self._checked_rows())
        except UnreadableText as error:
            # Only after the rows before it.
            unreadable = error
        if rows:
            columns = list(zip(*(row.cells for row in rows), strict=True))
            yield Block([row.line for row in rows], [row.action for row in rows], columns)
        if unreadable:
            raise unreadable

    def _checked_rows(self) -> Iterator[Row]:
        for line, record in self._records():
            if isinstance(record, list) and len(record) <= 1 and not "".join(record).strip(BLANK):
                self._blank_line = self._blank_line or line
                continue
            self._end_blank_lines()
            if isinstance(record, Problem):
                self._problems.add(record)
            elif row := self._row(line, record):
                yield row

    def _end_blank_lines(self) -> None:
        """Report blank lines, if any were read, now that they are not at the end of the file."""
        if self._blank_line:
            self._report(self._blank_line, "blank-line", "a blank line in the middle of the file")
            self._blank_line = 0

    def _records(self) -> Iterator[tuple[int, list[str] | Problem]]:
        """Yield each record with the line on which it starts; its problem where quotes are wrong.

        Where the cells of such a record end is unknown, so nothing else is reported of it.
        """
        lines, source = self._lines, self._stretch()
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

    def _stretch(self) -> Iterator[str]:
        """The lines up to the end of what was read at once, and of the record that is there."""
        for line in self._lines:
            yield line
            if self._lines.is_at_end_of_block and not self._lines.record:
                return

    def _read_again(self, line: int, source: Iterator[str]) -> list[str]:
        """Read a record that the strict reader refuses: sound if only blanks follow a quote.

        The other reader takes anything for a record, so that the file can be read on after it.
        """
        lenient = csv.reader(chain(tuple(self._lines.record), source))
        try:
            return next(lenient)
        except csv.Error as error:
            raise UnreadableText(
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
        """Keep the header; report what is wrong with it: anything but exactly the columns."""
        before = self._problems.total
        written = self._lines.record[0].strip()
        delimiter = next((d for d in _DELIMITERS if d in written and "," not in written), None)
        if delimiter:
            message = f"cells are separated by {_DELIMITERS[delimiter]}; separate them by commas"
            self._report(1, "delimiter", message, value=written)
        elif isinstance(record, Problem):
            self._problems.add(record)
        else:
            self._header = [cell.strip(BLANK) for cell in record]
            if any(self._header):
                self._check_header(self._header)
            else:
                self._report(1, "blank-line", "a blank line where the header should be")
        return self._problems.total > before

    def _check_header(self, header: list[str]) -> None:
        expected = {name.casefold(): name for name in self._names}
        earlier: set[str] = set()
        for number, name in enumerate(header, start=1):
            wanted = expected.get(name.casefold())
            if not name:
                self._report(1, "column-blank", f"column {number} has no name")
            elif name in earlier:
                self._report(1, "column-duplicate", "this column occurs twice", name)
            elif wanted is None:
                message = f"a column that {self._table.name} does not have"
                self._report(1, "column-extra", message, name)
            elif wanted != name:
                self._report(1, "column-case", f"this column must be written {wanted!r}", name)
            earlier.add(name)
        folded = {name.casefold() for name in header}
        for name in self._names:
            if name.casefold() not in folded:
                self._report(1, "column-missing", "this column is missing", name)

    def _row(self, line: int, record: list[str]) -> Row | None:
        """Trim and check one record; None where it is not sound."""
        width = len(self._names)
        if len(record) != width:
            code = "short-row" if len(record) < width else "long-row"
            message = f"{len(record)} cells where the header has {width}"
            if not self._lines.record[-1].endswith("\n") and len(record) < width:
                message += "; the file looks cut in the middle of this row"
            self._report(line, code, message)
            return None
        cells = [record[place].strip(BLANK) or None for place in self._places]
        action = Action.ADD.value if self._kind is Kind.INITIAL else self._action(line, cells)
        if cells[0] is None:
            self._report(line, "empty-key", "the key is blank", self._table.key)
            return None
        return Row(line, action, cells) if action else None

    def _action(self, line: int, cells: list[str | None]) -> str | None:
        """Take the action out of a delta's cells; report it, and give None, where it is none."""
        text = cells.pop()
        action = (text or "").lower()
        if action in _ACTIONS:
            return action
        message = "the action must be add, update or delete"
        self._report(
            line, "unknown-action" if text else "empty-action", message, ACTION_COLUMN, text
        )
        return None

    def _report(
        self,
        line: int | None,
        code: str,
        message: str,
        column: str | None = None,
        value: str | None = None,
    ) -> None:
        self._problems.add(Problem(self._path, code, message, line, column, value))


def _trimmed(cells: list[str], has_blanks: bool) -> Cells:
    """A column without the blanks round its cells; None for a blank one."""
    if has_blanks:
        return [cell.strip(BLANK) or None for cell in cells]
    return [cell or None for cell in cells] if "" in cells else cells


def _content(field: str) -> str:
    """The text of a raw field: without its quotes, doubled ones taken once."""
    return field[1:].removesuffix('"').replace('""', '"') if field.startswith('"') else field
