"""Prints results: tables for people, JSON, NDJSON, CSV and Markdown for programs."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click

from ledger.errors import StorageFailed
from ledger.months import Month
from ledger.words import visible, visible_lines

ROW_FORMATS = ("table", "json", "csv", "ndjson")
ROWS_AT_ONCE = 1000
QUIET = "ledger.quiet"
VERBOSE = "ledger.verbose"


def emit(text: str) -> None:
    """Print a text for people, in the terminal's encoding.

    Raises:
        StorageFailed: standard output is a file that cannot be written.
        BrokenPipeError: whoever read it went away.
    """
    _echo(f"{visible_lines(text)}\n")


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


def note(text: str) -> None:
    """Tell something besides the result, on standard error; `--quiet` silences it."""
    if not click.get_current_context().meta.get(QUIET):
        tell(text)


def tell(text: str) -> None:
    """Tell something on standard error; where that cannot be written, nobody hears it.

    A log on the disk that is full must not change what the command does.
    """
    with suppress(OSError):
        click.echo(visible_lines(text), err=True)


def is_verbose() -> bool:
    """Whether the command was given `--verbose`."""
    return bool(click.get_current_context().meta.get(VERBOSE))


def plain(value: Any) -> Any:
    """Turn a result into what JSON can say: dataclasses to objects, months to `202503`."""
    from ledger.documents import Document
    from ledger.forms import number

    if is_dataclass(value) and not isinstance(value, type | Month):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Document):
        return value.data()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Month | Path) else number(value)


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
    # Only whoever prints a table needs it.
    from tabulate import tabulate

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
    align = ["right" if is_number else "left" for is_number in numeric]
    return tabulate(shown, columns, style, colalign=align or None, disable_numparse=True)


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
