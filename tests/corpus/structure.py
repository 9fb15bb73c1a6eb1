"""Rules on rows: quotes, ragged rows, blank lines, length, actions and keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.corpus.malformed import Malformed, Told
from tests.corpus.sound import (
    DELTA,
    FIRST,
    INITIAL,
    LAST,
    LINES,
    ROW_PLACES,
    Sound,
    every_sound,
    sound,
)

MEBIBYTE = 1024 * 1024

Cells = list[bytes]
Write = Callable[[Cells], Cells]


@dataclass(frozen=True)
class RowFault:
    """What can be wrong with any row.

    Attributes:
        group: the rules that it belongs to.
        rule: what is wrong.
        code: as it is told.
        write: the cells as they stand in the file.
        column: the number of the cell that is named, if one is; -1 for the last.
    """

    group: str
    rule: str
    code: str
    write: Write
    column: int | None = None


def second(cell: bytes) -> Write:
    """Write a row with another second cell."""
    return lambda cells: [cells[0], cell, *cells[2:]]


def last(cell: bytes) -> Write:
    """Write a row with another last cell."""
    return lambda cells: [*cells[:-1], cell]


def key(cell: bytes) -> Write:
    """Write a row with another key."""
    return lambda cells: [cell, *cells[1:]]


RAGGED = (
    ("a cell is missing", "short-row", lambda cells: [cells[0], *cells[2:]]),
    ("the key is missing", "short-row", lambda cells: cells[1:]),
    ("the last cell is missing", "short-row", lambda cells: cells[:-1]),
    ("the key alone", "short-row", lambda cells: cells[:1]),
    ("a cell too many", "long-row", lambda cells: [cells[0], b"x", *cells[1:]]),
    ("a comma at the end", "long-row", lambda cells: [*cells, b""]),
    ("a comma in a cell without quotes", "long-row", second(b"Boston, MA")),
    ("a decimal comma", "long-row", second(b"9,5")),
    ("two rows on one line", "long-row", lambda cells: cells + cells),
    ("another delimiter", "short-row", lambda cells: [b";".join(cells)]),
    ("nothing but commas and a cell too many", "long-row", lambda cells: [b""] * (len(cells) + 1)),
)  # fmt: skip
QUOTES = (
    ("a quote in the middle of a cell", "stray-quote", second(b'5" pipe')),
    ("a quote at the end of a cell", "stray-quote", second(b'pipe 5"')),
    ("quotes after a blank", "stray-quote", second(b' "Ana"')),
    ("a backslash before a quote", "stray-quote", second(rb"\"Ana\"")),
    ("text after a closing quote", "text-after-quote", second(b'"Ana" Maria')),
    ("a quote in quotes that is not doubled", "text-after-quote", second(b'"Ana "the" one"')),
    ("a backslash in quotes before a quote", "text-after-quote", second(rb'"Ana \"x\" one"')),
    ("two quoted texts", "text-after-quote", second(b'"Ana""x" "y"')),
)
ACTIONS = (
    *("insert", "upsert", "ad", "adds", "add.", "'add'", "1", "add;", "add update", "ad d", "NULL"),
    *("add\u00a0", "\u200badd", "\u0430dd", "\uff41dd", "\ufeffadd", "delete\x0b", "-"),
)


def row_faults(kind: str) -> Iterator[RowFault]:
    """What can be wrong with a row of a kind of delivery."""
    for rule, code, write in RAGGED:
        yield RowFault("ragged rows", rule, code, write)
    for rule, code, write in QUOTES:
        yield RowFault("quotes", rule, code, write, 1)
    for cell in (b"", b" ", b"\t \t", b'""', b'" "'):
        yield RowFault("keys and actions", f"the key is {cell!r}", "empty-key", key(cell), 0)
    if kind == DELTA:
        for action in ACTIONS:
            write = last(action.encode())
            rule = f"the action is {action!r}"
            yield RowFault("keys and actions", rule, "unknown-action", write, -1)
        for cell in (b"", b"  ", b"\t", b'""', b'" "'):
            rule = f"the action is blank, {cell!r}"
            yield RowFault("keys and actions", rule, "empty-action", last(cell), -1)


def deliveries() -> Iterator[Malformed]:
    """Every delivery of these rules."""
    for base in every_sound():
        for place, number in ROW_PLACES.items():
            yield from _faulty_rows(base, place, number)
            yield from _blank_lines(base, place, number)
            yield from _unclosed(base, place, number)
        yield from _cut(base)
        if base.kind == INITIAL:
            yield from _repeated_keys(base)
    for table, kind in (("contact_centers", INITIAL), ("interactions", DELTA)):
        yield from _too_long(sound(table, kind))


def _faulty_rows(base: Sound, place: str, number: int) -> Iterator[Malformed]:
    columns = base.records[0]
    for fault in row_faults(base.kind):
        content = base.instead(number, b",".join(fault.write(base.written(number))))
        column = None if fault.column is None else columns[fault.column]
        told = Told(fault.code, LINES[number], column)
        yield _malformed(fault.group, base, fault.rule, place, content, told)


def _blank_lines(base: Sound, place: str, number: int) -> Iterator[Malformed]:
    for rule, blank in (
        ("an empty line", b""),
        ("a line of blanks", b" \t "),
        ("a line of empty quotes", b'""'),
        ("three empty lines", base.newline * 2),
    ):
        record = blank + base.newline + b",".join(base.written(number))
        content, told = base.instead(number, record), Told("blank-line", LINES[number])
        yield _malformed("blank lines", base, rule, place, content, told)


def _unclosed(base: Sound, place: str, number: int) -> Iterator[Malformed]:
    cells = base.written(number)
    for rule, cell in (("in a cell", b'"Ana'), ("alone", b'"'), ("after a doubled one", b'"Ana""')):
        content = base.instead(number, b",".join(second(cell)(cells)))
        # The quote of the second row closes it, and what stands there comes after it.
        code = "text-after-quote" if number == FIRST else "unbalanced-quote"
        told = (Told(code, LINES[number], base.records[0][1]),)
        variant, files = _variant(base, place), {base.name: content}
        rule = f"a quote never closed, {rule}"
        yield Malformed("quotes", rule, variant, files, told, more=number == FIRST)


def _cut(base: Sound) -> Iterator[Malformed]:
    """Files cut within their last row, after each cell of it, and within an action."""
    cells, before = base.written(LAST), base.content().rsplit(base.written(LAST)[0])[0]
    line, rule = LINES[LAST], "the file is cut in its last row"
    for count in range(1, len(cells)):
        content = before + b",".join(cells[:count])
        told = Told("short-row", line)
        place, says = f"after cell {count}", "the file looks cut"
        yield _malformed("cut files", base, rule, place, content, told, says)
    if base.kind == DELTA:
        for size in range(len(cells[-1])):
            content = before + b",".join([*cells[:-1], cells[-1][:size]])
            code = "unknown-action" if size else "empty-action"
            told = Told(code, line, "action")
            rule = "the file is cut in its last action"
            yield _malformed("cut files", base, rule, f"{size} letters", content, told)
    quoted = [*cells[:1], b'"' + cells[1] + b'"']
    content = before + b",".join(quoted)[:-1]
    told = Told("unbalanced-quote", line, base.records[0][1])
    rule = "the file is cut in a quoted cell"
    yield _malformed("cut files", base, rule, "last row", content, told)
    if base.kind == DELTA:
        header = b",".join(base.written(0))
        told = Told("column-missing", 1, "action")
        cut = header[: -len("action") - 1]
        rule = "the file is cut in its header"
        yield _malformed("cut files", base, rule, "last cell", cut, told)


def _repeated_keys(base: Sound) -> Iterator[Malformed]:
    name, cells = base.records[0][0], base.written(LAST)
    for place, number in (("of the first row", FIRST), ("of the row before", LAST - 1)):
        other = base.written(number)[0]
        for rule, cell in (
            ("the same key twice", other),
            ("the same key twice, one with blanks", b" " + other + b"\t"),
            ("the same key twice, one in quotes", b'"' + other + b'"'),
        ):
            content = base.instead(LAST, b",".join([cell, *cells[1:]]))
            told = Told("duplicate-key", LINES[LAST], name)
            yield _malformed("keys and actions", base, rule, place, content, told)
    content = base.content() + b",".join(cells) + base.newline + b",".join(cells)
    told_twice = (Told("duplicate-key", 8, name), Told("duplicate-key", 9, name))
    variant = _variant(base, "last row")
    rule = "the same key three times"
    yield Malformed("keys and actions", rule, variant, {base.name: content}, told_twice)


def _too_long(base: Sound) -> Iterator[Malformed]:
    for place, number in ROW_PLACES.items():
        for rule, cell in (
            ("without quotes", b"x" * (MEBIBYTE + 1)),
            ("in quotes", b'"' + b"x" * (MEBIBYTE + 1) + b'"'),
            ("of quotes", b'"' + b'""' * (MEBIBYTE + 1) + b'"'),
            ("of many lines", b'"' + b"x\n" * (MEBIBYTE // 2) + b'x"'),
            ("of letters of two bytes", "é".encode() * (MEBIBYTE + 1)),
        ):
            content = base.instead(number, b",".join(second(cell)(base.written(number))))
            told = Told("field-too-long", LINES[number], base.records[0][1])
            rule = f"a cell over 1 MiB {rule}"
            yield _malformed("length", base, rule, place, content, told)


def _malformed(
    group: str, base: Sound, rule: str, place: str, content: bytes, told: Told, says: str = ""
) -> Malformed:
    variant = _variant(base, place)
    return Malformed(group, rule, variant, {base.name: content}, (told,), says=says)


def _variant(base: Sound, place: str) -> str:
    return f"{base.table}, {base.kind}, {base.newline!r}, {place}"
