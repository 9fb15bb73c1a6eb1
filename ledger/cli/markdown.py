"""Texts and tables as Markdown."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Any

from ledger.cli import console
from ledger.cli.layout import aligned, widest, width_of
from ledger.model.presentation import Grid, Heading, Part, Remark
from ledger.text import visible


def write_markdown(parts: Iterable[Part]) -> None:
    """Print the parts of a result as a document."""
    for part in parts:
        match part:
            case Heading(number, text):
                _write(f"## {number}. {as_markdown(text)}")
            case Remark(text):
                _write(f"Note: {as_markdown(text)}")
            case Grid(headings, rows, decimals):
                _write(_table(headings, rows, decimals))
            case str() if part:
                _write(as_markdown(part))


def _write(paragraph: str) -> None:
    console.write_data(f"{paragraph}\n\n")


def _table(headings: Sequence[str], rows: Sequence[Sequence[Any]], decimals: int | None) -> str:
    """A table whose columns are aligned in the text too."""
    texts = [
        [as_markdown(v) if isinstance(v, str) else console.cell(v, decimals) for v in row]
        for row in rows
    ]
    numeric = console.are_numeric(headings, rows)
    columns = zip(headings, *texts, strict=True)
    widths = [max(width_of(name) + 2, widest(cells)) for name, *cells in columns]
    rule = [
        f"{'-' * (w + 1)}:" if n else f":{'-' * (w + 1)}"
        for w, n in zip(widths, numeric, strict=True)
    ]
    lines = [" | ".join(aligned(row, widths, numeric)) for row in (headings, *texts)]
    head, *body = [f"| {line} |" for line in lines]
    return "\n".join([head, f"|{'|'.join(rule)}|", *body])


def as_markdown(text: str) -> str:
    """A text as Markdown that shows it as it is, and makes no mark, tag, link, cell or line."""
    escaped = _MARKS.sub(r"\\\g<0>", html.escape(visible(text), quote=False))
    return _BLOCKS.sub(r"\1\\", escaped)


# What marks something wherever it stands; `://` and `www.` make a link of what is none.
_MARKS = re.compile(r"[\\`*_\[\]|~$]|(?<=:)//|(?<=www)\.", re.IGNORECASE)
# What does so at the start of a paragraph.
_BLOCKS = re.compile(r"^(?:(\d+)(?=[.)](?:\s|$))|(?=[#+=-]))")
