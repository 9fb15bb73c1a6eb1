"""The console: results as tables, records and bars for people, as CSV and JSON for programs.

Whatever reads a pipe or a file gets neither colours nor bars, and lines as long as they are; on a
terminal, every line is fitted to its width, and nothing is cut.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TextIO

import click

from ledger.cli.layout import EIGHTHS, bar, bars, facts, fitted, paragraph
from ledger.errors import StorageFailed
from ledger.model.presentation import (
    Bars,
    Facts,
    Grid,
    Heading,
    Line,
    Note,
    Part,
    Remark,
    Result,
    Styled,
    plain,
    records,
)
from ledger.model.tabular import Tabular, plain_number
from ledger.text import visible, visible_lines

if TYPE_CHECKING:
    from rich.live import Live

    from ledger.model.progress import Progress

ROW_FORMATS = ("table", "json", "csv", "ndjson")
ROWS_AT_ONCE = 1000
QUIET = "ledger.quiet"
VERBOSE = "ledger.verbose"
USUAL_ROOM = 80
PROGRESS_BAR = 20
DELAY = 0.5
"""Seconds after which the progress of a command is shown."""

INTERVAL = 0.1
"""Seconds after which it is shown again."""

STYLES: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "note": {"dim": True},
    "step": {"bold": True},
    "code": {"fg": "yellow"},
    "bar": {"fg": "cyan"},
}
"""How a text is set off, by what it is, in the words of `click.style`."""

_live: Live | None = None


# What a stream is and can show.


def room(stream: TextIO) -> int | None:
    """How many columns a line of a stream may have; None where it may be of any length."""
    if not stream.isatty():
        return None
    chosen = os.environ.get("COLUMNS", "")
    if chosen.isdecimal() and int(chosen):
        return int(chosen)
    try:
        # Of the stream itself: standard output may be a pipe where standard error is none.
        return os.get_terminal_size(stream.fileno()).columns or USUAL_ROOM
    except OSError:
        return USUAL_ROOM


def has_colours(stream: TextIO) -> bool:
    """Whether colours are shown: on a terminal, without NO_COLOR and TERM=dumb."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stream.isatty()


# Results and notes.


def show(result: Result | Tabular, format: str) -> None:
    """Print a result in one of `ROW_FORMATS`."""
    if format == "table":
        for part in [result] if isinstance(result, Tabular) else result.parts():
            draw(part)
    elif format != "json":
        _write_rows(result if isinstance(result, Tabular) else result.tabular(), format)
    elif isinstance(result, Tabular):
        write_json(list(records(result)))
    else:
        write_json(result.to_dict())


def draw(part: Part) -> None:
    """Print a part of a result for people; a note goes to standard error."""
    match part:
        case Note(text):
            note(f"Note: {visible(text)}.")
        case Heading(number, text):
            write(f"{number}. {visible(text)}")
        case Remark(text):
            write(f"Note: {visible(text)}")
        case Line(texts):
            write(*texts)
        case Grid(headings, rows, decimals):
            write(grid(headings, rows, decimals))
        case Tabular():
            write(grid([column.name for column in part.columns], list(part.rows)))
        case Facts(pairs):
            write(facts(pairs, room(sys.stdout)))
        case Bars(title, figures):
            _draw_bars(title, figures)
        case str():
            write(part)


def write(*texts: str | Styled) -> None:
    """Print a text for people, in the terminal's encoding.

    Raises:
        StorageFailed: standard output is a file that cannot be written.
        BrokenPipeError: the reader of standard output went away.
    """
    _echo(f"{_joined(texts, sys.stdout)}\n")


def write_data(text: str) -> None:
    r"""Print a text for programs: UTF-8, byte for byte, whatever the terminal.

    A byte of a path that is no UTF-8 is written as `\udcff`, which in JSON stands for it.

    Raises:
        StorageFailed: standard output is a file that cannot be written.
        BrokenPipeError: the reader of standard output went away.
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
    """Print a sentence beside the result, on standard error; `--quiet` silences it."""
    if not click.get_current_context().meta.get(QUIET):
        write_error(Styled(text, style))


def write_error(*texts: str | Styled) -> None:
    """Print a text on standard error, above the progress that is shown there.

    Where standard error cannot be written, a full disk say, the command goes on.
    """
    message = _joined(texts, sys.stderr)
    with suppress(OSError):
        if _live:
            _live.console.out(message, highlight=False)
        else:
            click.echo(message, err=True)


def is_verbose() -> bool:
    """Whether the command was given `--verbose`."""
    return bool(click.get_current_context().meta.get(VERBOSE))


def _joined(texts: Iterable[str | Styled], stream: TextIO) -> str:
    """A text as a stream shows it, without the commands to a terminal that it may contain."""
    colours = has_colours(stream)
    text = "".join(
        click.style(visible_lines(one.text), **STYLES[one.style])
        if isinstance(one, Styled) and colours
        else visible_lines(one.text if isinstance(one, Styled) else one)
        for one in texts
    )
    width = room(stream)
    return text if width is None else "\n".join(paragraph(t, width) for t in text.split("\n"))


# Progress.


@contextmanager
def progress(label: str, unit: str) -> Iterator[Progress | None]:
    """Show on standard error how far a command is, with its rate and the time that is left.

    It is shown on a terminal alone, erased at the end, and silenced by `--quiet`.

    Args:
        label: what is being done.
        unit: of what: `B` for bytes, `steps` for steps of any length, which have no rate.
    """
    global _live
    if click.get_current_context().meta.get(QUIET) or not sys.stderr.isatty():
        yield None
        return
    # Of no use elsewhere.
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=sys.stderr, no_color=not has_colours(sys.stderr))
    if console.is_dumb_terminal:
        # Nothing could be erased.
        yield None
        return
    # It is drawn when it is reported, by no other thread.
    live = Live(
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    began = shown = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - began < DELAY or now - shown < INTERVAL:
            return
        shown = now
        text = _progress_text(label, unit, done, total, now - began)
        # A terminal that went away must not change what the command does.
        with suppress(OSError):
            live.start()
            live.update(Text(text, no_wrap=True, overflow="crop"), refresh=True)

    _live = live
    try:
        yield report
    finally:
        _live = None
        with suppress(OSError):
            live.stop()


def _progress_text(label: str, unit: str, done: int, total: int, seconds: float) -> str:
    from rich.filesize import decimal

    def size(count: float) -> str:
        return decimal(int(count)) if unit == "B" else f"{count:,.0f} {unit}"

    if unit == "steps":
        return f"{label} {done} of {total} steps done, {_clock(seconds)}"
    # The rate is that of all the time, so that what is left grows where it stands still.
    rate = f"{size(done / seconds)}/s"
    if not total:
        return f"{label} {size(done)}, {rate}, {_clock(seconds)}"
    part = min(1.0, done / total)
    drawn = bar(part * PROGRESS_BAR, _has_blocks(sys.stderr)).ljust(PROGRESS_BAR)
    left = _clock(seconds / part - seconds) if part else "?"
    return f"{label} {part:4.0%} {drawn} {size(done)} of {size(total)}, {rate}, {left} left"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


# Formats for programs.


def write_json(value: Any) -> None:
    """Print one document; the list or iterator that ends an object is written item by item."""
    *_, name = value if isinstance(value, Mapping) and value else [None]
    if name is None or not isinstance(value[name], list | Iterator):
        write_data(_json(value) + "\n")
        return
    write_data(_json({**value, name: []}).removesuffix("]\n}"))
    comma, end = "", "]\n}\n"
    for item in value[name]:
        text = f"\n{_json(item)}".replace("\n", "\n    ")
        write_data(f"{comma}{text}")
        comma, end = ",", "\n  ]\n}\n"
    write_data(end)


def _json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, indent=2)


def _write_rows(table: Tabular, format: str) -> None:
    """Print the rows of a table as CSV, or as a line of JSON each."""
    if format == "ndjson":
        for record in records(table):
            write_data(json.dumps(record, ensure_ascii=False) + "\n")
        return
    lines = chain([[c.name for c in table.columns]], (map(_word, row) for row in table.rows))
    while some := list(islice(lines, ROWS_AT_ONCE)):
        text = io.StringIO(newline="")
        csv.writer(text).writerows(some)
        write_data(text.getvalue())


def _word(value: Any) -> Any:
    """A value as CSV has it; a list of names is one text."""
    value = plain(value)
    return " ".join(value) if isinstance(value, list) else value


# Drawings.


def _draw_bars(title: str, figures: Mapping[str, int]) -> None:
    """Print a bar for each name, on a terminal alone: a picture for people, and no result."""
    width = room(sys.stdout)
    if width and any(figures.values()):
        write(f"\n{title}")
        for text, drawn in bars(figures, width, blocks=_has_blocks(sys.stdout)):
            write(text, Styled(drawn, "bar"))


def grid(
    headings: Sequence[str], rows: Sequence[Sequence[Any]], decimals: int | None = None
) -> str:
    """Lay out a table: numbers to the right, texts without line breaks, headings at the bottom."""
    texts = [[cell(value, decimals) for value in row] for row in rows]
    return fitted(
        list(map(visible, headings)), texts, are_numeric(headings, rows), room(sys.stdout)
    )


def are_numeric(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[bool]:
    """Whether each column has numbers."""
    return [any(isinstance(row[n], int | float) for row in rows) for n in range(len(headings))]


def cell(value: Any, decimals: int | None) -> str:
    """The text of a cell for people."""
    if value is None:
        return ""
    if isinstance(value, float) and decimals is not None:
        return f"{value:.{decimals}f}"
    return visible(str(plain_number(value)))


def _has_blocks(stream: TextIO) -> bool:
    """Whether the encoding of a stream has all of `EIGHTHS`."""
    try:
        EIGHTHS.encode(stream.encoding)
    except UnicodeEncodeError:
        return False
    return True
