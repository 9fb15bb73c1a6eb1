"""Lays out texts in the width of a terminal: cells, records, bars. Nothing is cut, ever."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from wcwidth import ljust, rjust, wrap
from wcwidth import width as width_of

GAP = 2
"""Between two columns."""

LONGEST_BAR = 40
EIGHTHS = " ▏▎▍▌▋▊▉█"
"""What bars are drawn with, where all of it can be shown."""

# Where a text may be broken besides blanks: in a path or a name, if there is no room otherwise.
_SEAMS = re.compile(r"(?<=[/_])(?=\w)")

Texts = Sequence[str]


def fitted(columns: Texts, rows: Sequence[Texts], numeric: Sequence[bool], room: int) -> str:
    """Lay out a table that is no wider than there is room, if need be as records.

    Texts are broken at blanks, and only where that is not enough after `/` and `_` too; the name
    of a column at both in any case. Numbers are never broken.

    Args:
        columns: their names.
        rows: the texts of the cells.
        numeric: which columns hold numbers.
        room: how many columns of a terminal there are.
    """
    free = room - GAP * (len(columns) - 1)
    # A name takes no room from the cells of another column.
    natural = [
        max(_least(name, at_seams=True), widest(texts))
        for name, *texts in zip(columns, *rows, strict=True)
    ]
    for at_seams in (False, True):
        least = [
            max(
                _least(name, at_seams=True),
                *(_least(text, at_seams=at_seams and not is_number) for text in texts),
            )
            for is_number, name, *texts in zip(numeric, columns, *rows, strict=True)
        ]
        if sum(least) <= free:
            return _grid(columns, rows, numeric, _shared(natural, least, free))
    return records(columns, rows, room)


def _grid(
    columns: Texts, rows: Sequence[Texts], numeric: Sequence[bool], widths: Sequence[int]
) -> str:
    """A table of columns of these widths: numbers to the right, names at the bottom."""
    head, *body = [
        [_broken(text, width) for text, width in zip(row, widths, strict=True)]
        for row in (columns, *rows)
    ]
    most = max(map(len, head))
    head = [[""] * (most - len(lines)) + lines for lines in head]
    rule = [["-" * width] for width in widths]
    align = [rjust if is_number else ljust for is_number in numeric]
    return "\n".join(
        (" " * GAP)
        .join(place(text, width) for place, text, width in zip(align, line, widths, strict=True))
        .rstrip()
        for row in (head, rule, *body)
        for line in zip_longest(*row, fillvalue="")
    )


def records(columns: Texts, rows: Iterable[Texts], room: int) -> str:
    """Lay out rows one below the other, each as its names and values; blank cells are left out."""
    return "\n\n".join(
        facts([(n, text) for n, text in zip(columns, row, strict=True) if text], room)
        for row in rows
    )


def widest(texts: Iterable[str]) -> int:
    """How many columns of a terminal the widest text takes."""
    return max(map(width_of, texts), default=0)


def facts(pairs: Sequence[tuple[str, str]], room: int) -> str:
    """Lay out names with their values; a value for which there is no room goes below its name."""
    indent = widest(name for name, _ in pairs) + GAP
    lines = []
    for name, value in pairs:
        if _least(value, at_seams=False) <= room - indent:
            first, *others = wrapped(value, room - indent) or [""]
            lines.append(f"{name}{' ' * (indent - width_of(name))}{first}".rstrip())
            lines += [f"{' ' * indent}{line}" for line in others]
        else:
            lines += [name, *(f"{' ' * GAP}{line}" for line in wrapped(value, room - GAP))]
    return "\n".join(lines)


def wrapped(text: str, room: int) -> list[str]:
    """The lines of a text, broken at blanks alone: a word that is too long is a line of its own."""
    return wrap(text, room, break_long_words=False, break_on_hyphens=False)


def paragraph(text: str, room: int) -> str:
    """A line of text, on as many lines as it takes, all of them indented as it is."""
    if width_of(text) <= room:
        return text
    indent = " " * (len(text) - len(text.lstrip(" ")))
    lines = wrapped(text.strip(" "), room - len(indent))
    return "\n".join(f"{indent}{line}" for line in lines)


def bars(figures: Mapping[str, int], room: int, *, blocks: bool) -> Iterator[tuple[str, str]]:
    """Yield for each name the figure, and a bar as long as it is in proportion to the largest.

    Args:
        figures: by name, none below 0.
        room: how many columns of a terminal there are.
        blocks: whether `EIGHTHS` can be shown; else bars are of `#`.
    """
    most = max(figures.values(), default=0) or 1
    names, numbers = max(map(len, figures), default=0), len(f"{most:,}")
    longest = max(1, min(LONGEST_BAR, room - names - numbers - 2 * GAP))
    for name, figure in figures.items():
        yield f"{name:{names}}  {figure:{numbers},}  ", _bar(figure / most * longest, blocks)


def _bar(length: float, blocks: bool) -> str:
    if not blocks:
        return "#" * (max(1, round(length)) if length else 0)
    whole, part = divmod(max(1, round(length * 8)) if length else 0, 8)
    return EIGHTHS[8] * whole + EIGHTHS[part].strip()


def _least(text: str, at_seams: bool) -> int:
    """The width of the longest part that is not broken."""
    parts = (_SEAMS.sub(" ", text) if at_seams else text).split()
    return widest(parts)


def _shared(natural: Sequence[int], least: Sequence[int], free: int) -> list[int]:
    """Narrow the widest columns, step by step, until all have room; none below its least."""
    widths = [max(min(width, free), low) for width, low in zip(natural, least, strict=True)]
    while sum(widths) > free:
        slack = [width if width > low else 0 for width, low in zip(widths, least, strict=True)]
        widths[slack.index(max(slack))] -= 1
    return widths


def _broken(text: str, width: int) -> list[str]:
    """The lines of a text: broken at blanks, and a word that is too long at its seams."""
    lines: list[str] = []
    for line in wrapped(text, width):
        rest = ""
        for part in _SEAMS.split(line) if width_of(line) > width else ():
            if rest and width_of(rest + part) > width:
                lines.append(rest)
                rest = ""
            rest += part
        lines.append(rest or line)
    return lines
