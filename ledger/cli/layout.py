"""Texts laid out in the width of a terminal: tables, records, facts and bars. Nothing is cut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

import click

from ledger.text import visible

GAP = "  "
"""Between two columns."""

LONGEST_BAR = 40
EIGHTHS = " ▏▎▍▌▋▊▉█"
"""What bars are drawn with, where all of it can be shown."""

# Where a text may be broken besides at blanks: in a path or a name, if it has no room otherwise.
_SEAMS = re.compile(r"(?<=[/_])(?=\w)")

Texts = Sequence[str]


def fitted(
    headings: Texts, rows: Sequence[Texts], numeric: Sequence[bool], room: int | None
) -> str:
    """Lay out a table that is no wider than the terminal, if need be as records.

    Texts are broken at blanks, and only where that is not enough after `/` and `_` too, as the
    headings are. Numbers are never broken.
    """
    cells = list(zip(headings, *rows, strict=True))
    whole = [max(width_of(name) + len(GAP), widest(texts)) for name, *texts in cells]
    if room is None or sum(whole) + len(GAP) * (len(whole) - 1) <= room:
        return _laid_out(headings, rows, numeric, whole)
    free = room - len(GAP) * (len(headings) - 1)
    names = [widest(_SEAMS.split(name)) for name in headings]
    natural = [max(name, widest(texts)) for name, (_, *texts) in zip(names, cells, strict=True)]
    for seams in (False, True):
        least = [
            max(name, *(_longest(text, seams and not is_number) for text in texts))
            for name, is_number, (_, *texts) in zip(names, numeric, cells, strict=True)
        ]
        if sum(least) <= free:
            return _laid_out(headings, rows, numeric, _shared(natural, least, free))
    return records(headings, rows, room)


def _laid_out(
    headings: Texts, rows: Sequence[Texts], numeric: Sequence[bool], widths: Sequence[int]
) -> str:
    head, *body = (
        [wrapped(text, width, seams=True) for text, width in zip(row, widths, strict=True)]
        for row in (headings, *rows)
    )
    most = max(map(len, head))
    head = [[""] * (most - len(lines)) + lines for lines in head]
    rule = [["-" * width] for width in widths]
    return "\n".join(
        GAP.join(aligned(texts, widths, numeric)).rstrip()
        for row in (head, rule, *body)
        for texts in zip_longest(*row, fillvalue="")
    )


def aligned(texts: Iterable[str], widths: Sequence[int], numeric: Sequence[bool]) -> Iterator[str]:
    """Yield texts filled up to their widths: numbers stand to the right."""
    for text, width, is_number in zip(texts, widths, numeric, strict=True):
        blank = " " * (width - width_of(text))
        yield f"{blank}{text}" if is_number else f"{text}{blank}"


def _shared(natural: Sequence[int], least: Sequence[int], free: int) -> list[int]:
    """Narrow the widest columns, step by step, until all have room; none below its least."""
    widths = [max(min(width, free), low) for width, low in zip(natural, least, strict=True)]
    while sum(widths) > free:
        slack = [width if width > low else 0 for width, low in zip(widths, least, strict=True)]
        widths[slack.index(max(slack))] -= 1
    return widths


def records(headings: Texts, rows: Iterable[Texts], room: int | None) -> str:
    """Lay out rows one below the other, each as its names and values, without blank cells."""
    return "\n\n".join(
        facts([(n, text) for n, text in zip(headings, row, strict=True) if text], room)
        for row in rows
    )


def facts(pairs: Sequence[tuple[str, str]], room: int | None) -> str:
    """Lay out names with their values; a value without room beside its name goes below it."""
    indent = widest(name for name, _ in pairs) + len(GAP)
    lines = []
    for name, value in ((name, visible(value)) for name, value in pairs):
        if room is None or _longest(value) <= room - indent:
            first, *others = wrapped(value, None if room is None else room - indent)
            lines.append(f"{name}{' ' * (indent - width_of(name))}{first}".rstrip())
            lines += [f"{' ' * indent}{line}" for line in others]
        else:
            lines += [name, *(f"{GAP}{line}" for line in wrapped(value, room - len(GAP)))]
    return "\n".join(lines)


def wrapped(text: str, width: int | None, *, seams: bool = False) -> list[str]:
    """The lines of a text, broken at blanks, and with `seams` in words that are too long.

    What cannot be broken is a line of its own, however long.
    """
    if width is None or width_of(text) <= width:
        return [text]
    lines: list[str] = []
    for word in re.findall(r"\s*\S+", text):
        whole = not seams or width_of(word.strip()) <= width
        for part in [word] if whole else _SEAMS.split(word):
            if lines and width_of(lines[-1] + part) <= width:
                lines[-1] += part
            else:
                lines.append(part.lstrip())
    return lines or [""]


def paragraph(line: str, width: int) -> str:
    """A line, on as many lines as it takes, all of them indented as it is."""
    plain = click.unstyle(line)
    if len(plain) * 2 <= width:
        return line
    indent = " " * (len(plain) - len(plain.lstrip(" ")))
    return "\n".join(f"{indent}{t}" for t in wrapped(line.strip(" "), width - len(indent)))


def widest(texts: Iterable[str]) -> int:
    """How many columns of a terminal the widest text takes."""
    return max(map(width_of, texts), default=0)


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes; colours take none."""
    # Only what is drawn for people needs it.
    from rich.cells import cell_len

    return cell_len(click.unstyle(text) if "\x1b" in text else text)


def _longest(text: str, seams: bool = False) -> int:
    """The width of the longest part that is not broken."""
    return widest((_SEAMS.sub(" ", text) if seams else text).split())


def bars(figures: Mapping[str, int], width: int, *, blocks: bool) -> Iterator[tuple[str, str]]:
    """Yield for each name the figure, and a bar as long as it is in proportion to the largest.

    Args:
        figures: by name, none below 0.
        width: of the terminal.
        blocks: whether `EIGHTHS` can be shown; else bars are of `#`.
    """
    most = max(figures.values(), default=0) or 1
    names, numbers = max(map(len, figures), default=0), len(f"{most:,}")
    longest = max(1, min(LONGEST_BAR, width - names - numbers - 2 * len(GAP)))
    for name, figure in figures.items():
        yield f"{name:{names}}  {figure:{numbers},}  ", bar(figure / most * longest, blocks)


def bar(length: float, blocks: bool) -> str:
    """A bar, which can be seen whenever it has a length."""
    if not blocks:
        return "#" * (max(1, round(length)) if length else 0)
    whole, part = divmod(max(1, round(length * 8)) if length else 0, 8)
    return EIGHTHS[8] * whole + EIGHTHS[part].strip()
