"""What the terminal is and can show: its width, its colours, its marks, and how far a command is.

Whoever reads a pipe or a file gets neither colours nor bars, and lines as long as they are.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from tqdm import tqdm

    from ledger.model.progress import Progress

USUAL_ROOM = 80
DELAY = 0.5
"""Seconds within which nobody wants to be told how far it is."""

INTERVAL = 0.1
"""Seconds after which one is told again."""

RATE = "{desc} {percentage:3.0f}% {bar} {n_fmt} of {total_fmt}, {rate_fmt}, {remaining} left"
COUNT = "{desc} {n_fmt}, {rate_fmt}, {elapsed}"
STEPS = "{desc} {n_fmt} of {total_fmt} steps done, {elapsed}"

STYLES: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "note": {"dim": True},
    "step": {"bold": True},
    "code": {"fg": "yellow"},
    "bar": {"fg": "cyan"},
}
"""By what it is, how a text is set off, in the words of `click.style`."""

_shown: tqdm[Any] | None = None


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


def can_show(marks: str) -> bool:
    """Whether the encoding of standard output has all of some marks."""
    try:
        marks.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return True


def has_colours(stream: TextIO) -> bool:
    """Whether colours are wanted: on a terminal, without NO_COLOR and TERM=dumb."""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return wanted and stream.isatty()


def styled(text: str, style: str, stream: TextIO) -> str:
    """A text in one of `STYLES`, where the stream has colours."""
    return click.style(text, **STYLES[style]) if has_colours(stream) else text


@contextmanager
def progress(label: str, unit: str) -> Iterator[Progress | None]:
    """Show on standard error how far a command is, if that is a terminal; it is erased at the end.

    Args:
        label: what is being done.
        unit: of what: `B` for bytes, `steps` for steps of any length, of which no rate is shown.
    """
    global _shown
    if not sys.stderr.isatty():
        yield None
        return
    # Slow to import, and of no use elsewhere.
    from tqdm import tqdm

    # One thread writes, so neither a watching thread nor a lock between processes is needed.
    tqdm.monitor_interval = 0
    tqdm.set_lock(threading.RLock())
    bar = tqdm(
        desc=label, unit=unit if unit == "B" else f" {unit}", unit_scale=unit != "steps",
        bar_format=STEPS if unit == "steps" else COUNT,
        colour=STYLES["bar"]["fg"] if has_colours(sys.stderr) else None,
        # The rate is that of all the time, so that what is left grows where it stands still.
        smoothing=0, miniters=0, mininterval=INTERVAL, delay=DELAY,
        leave=False, dynamic_ncols=True, file=sys.stderr,
    )  # fmt: skip

    def show(done: int, total: int) -> None:
        if total and unit != "steps":
            bar.bar_format = RATE
        bar.total = total or None
        # A terminal that went away must not change what the command does.
        with suppress(OSError):
            bar.update(done - bar.n)

    _shown, began = bar, time.monotonic()
    try:
        yield show
    finally:
        _shown = None
        if time.monotonic() - began > DELAY:
            # It is erased too where an interruption came while it was first shown.
            bar.delay = 0
        with suppress(OSError):
            bar.close()


def clear_progress() -> None:
    """Make room for something else to be written; how far it is comes again by itself."""
    if _shown:
        _shown.clear()
