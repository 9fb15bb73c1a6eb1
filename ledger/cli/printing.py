"""Prints results: tables for people, JSON, NDJSON, CSV and Markdown for programs."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Any, NamedTuple, TextIO

import click

from ledger.cli import terminal
from ledger.errors import StorageFailed
from ledger.model.plain import plain
from ledger.text import visible, visible_lines

ROW_FORMATS = ("table", "json", "csv", "ndjson")
ROWS_AT_ONCE = 1000
WIDEST = 2
"""Columns of a terminal that a character takes at the most."""
QUIET = "ledger.quiet"
VERBOSE = "ledger.verbose"


class Styled(NamedTuple):
    """A part of a text that is set off, where there are colours.

    Attributes:
        text: as it is.
        style: one of `terminal.STYLES`.
    """

    text: str
    style: str


def emit(*parts: str | Styled) -> None:
    """Print the parts of a text for people, in the terminal's encoding.

    Raises:
        StorageFailed: standard output is a file that cannot be written.
        BrokenPipeError: whoever read it went away.
    """
    _echo(f"{_joined(parts, sys.stdout)}\n")


def _joined(parts: Iterable[str | Styled], stream: TextIO) -> str:
    """The parts of a text as a stream shows them: what they hold themselves commands nothing."""
    text = "".join(
        terminal.styled(visible_lines(part.text), part.style, stream)
        if isinstance(part, Styled)
        else visible_lines(part)
        for part in parts
    )
    room = terminal.room(stream)
    if room is None or all(len(line) * WIDEST <= room for line in text.split("\n")):
        return text
    from ledger.cli.fitting import paragraph

    return "\n".join(paragraph(line, room) for line in text.split("\n"))


def emit_data(text: str) -> None:
    r"""Print a text for programs: UTF-8, byte for byte, whatever the terminal.

    A byte of a path that is no UTF-8 is written as `\udcff`, which in JSON stands for it.

    Raises:
        StorageFailed: standard output is a file that cannot be written.
        BrokenPipeError: whoever read it went away.
    """
    _echo(text.encode(errors="backslashreplace"))


def _echo(message: str | bytes) -> None:
    try:
        click.echo(message, nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StorageFailed(f"standard output cannot be written: {error.strerror}") from error


def note(text: str, style: str = "note") -> None:
    """Tell something besides the result, on standard error; `--quiet` silences it."""
    if not click.get_current_context().meta.get(QUIET):
        tell(Styled(text, style))


def tell(*parts: str | Styled) -> None:
    """Tell something on standard error; where that cannot be written, nobody hears it.

    A log on the disk that is full must not change what the command does.
    """
    with suppress(OSError):
        terminal.clear_progress()
        click.echo(_joined(parts, sys.stderr), err=True)


def is_verbose() -> bool:
    """Whether the command was given `--verbose`."""
    return bool(click.get_current_context().meta.get(VERBOSE))


def to_the_second(moment: str) -> str:
    """A recorded moment for people: `2025-04-01T09:30:00Z`."""
    return f"{moment[:19]}Z"


def print_json(value: Any) -> None:
    """Print one document."""
    emit_data(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")


def print_document(head: Mapping[str, Any], name: str, items: Iterable[Any]) -> None:
    """Print one document that ends with a list, of which no more than an item is held at a time.

    Args:
        head: what comes before the list.
        name: of the list.
        items: of the list.
    """
    text = json.dumps(plain(head), ensure_ascii=False, indent=2).removesuffix("\n}")
    emit_data(f'{text},\n  "{name}": [')
    end = "]\n}\n"
    comma = ""
    for item in items:
        text = "\n" + json.dumps(plain(item), ensure_ascii=False, indent=2)
        emit_data(comma + text.replace("\n", "\n    "))
        comma, end = ",", "\n  ]\n}\n"
    emit_data(end)


def print_rows(format: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows in one of `ROW_FORMATS`; values in the order of the columns, None for blank."""
    values = ([plain(value) for value in row] for row in rows)
    if format == "table":
        emit(table(columns, list(values)))
    elif format == "csv":
        lines = chain([columns], values)
        while some := list(islice(lines, ROWS_AT_ONCE)):
            text = io.StringIO(newline="")
            csv.writer(text).writerows(some)
            emit_data(text.getvalue())
    else:
        records = (dict(zip(columns, row, strict=True)) for row in values)
        if format == "json":
            print_json(list(records))
        for record in records if format == "ndjson" else ():
            emit_data(json.dumps(record, ensure_ascii=False) + "\n")


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    decimals: int | None = None,
    markdown: bool = False,
) -> str:
    """Lay out rows for people: numbers to the right, texts as they are on one line.

    Args:
        columns: their names; without any, the table has no header.
        rows: their values.
        decimals: of numbers that are not counts; all that there are by default.
        markdown: for a document, not a terminal.
    """
    shown = [
        [
            as_markdown(value) if markdown and isinstance(value, str) else _cell(value, decimals)
            for value in row
        ]
        for row in rows
    ]
    width = len(rows[0]) if rows else 0
    numeric = [any(isinstance(row[place], int | float) for row in rows) for place in range(width)]
    style = "pipe" if markdown else "simple" if columns else "plain"
    text = _tabulated(columns, shown, style, numeric)
    room = None if markdown else terminal.room(sys.stdout)
    return text if room is None else _fitted(text, columns, shown, numeric, room)


def _tabulated(
    columns: Sequence[str], rows: Sequence[Sequence[str]], style: str, numeric: Sequence[bool]
) -> str:
    # Only whoever prints a table needs it.
    from tabulate import tabulate

    align = ["right" if is_number else "left" for is_number in numeric]
    return tabulate(rows, columns, style, colalign=align or None, disable_numparse=True)


def _fitted(
    text: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    room: int,
) -> str:
    """A table as it is, if the terminal has room for it; else laid out anew, so that it has."""
    from ledger.cli.fitting import facts, fitted, widest

    if not rows or widest(text.splitlines()) <= room:
        return text
    if not columns:
        return facts([(name, value) for name, value in rows], room)
    return fitted(columns, rows, numeric, room)


def as_markdown(text: str) -> str:
    """A text as Markdown that shows it as it is, and makes no mark, tag, link, cell or line."""
    escaped = _MARKS.sub(r"\\\g<0>", html.escape(visible(text), quote=False))
    return _BLOCKS.sub(r"\1\\", escaped)


# What marks something wherever it stands; `://` and `www.` make a link of what is none.
_MARKS = re.compile(r"[\\`*_\[\]|~$]|(?<=:)//|(?<=www)\.", re.IGNORECASE)
# What does so at the start of a paragraph.
_BLOCKS = re.compile(r"^(?:(\d+)(?=[.)](?:\s|$))|(?=[#+=-]))")


def _cell(value: Any, decimals: int | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and decimals is not None:
        return f"{value:.{decimals}f}"
    return visible(str(value))
