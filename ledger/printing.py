"""Prints results: tables for people, JSON, NDJSON, CSV and Markdown for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

from ledger.months import Month

ROW_FORMATS = ("table", "json", "csv", "ndjson")


def plain(value: Any) -> Any:
    """Turn a result into what JSON can say: dataclasses to objects, months to `202503`."""
    if is_dataclass(value) and not isinstance(value, type | Month):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Month | Path):
        return str(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def print_json(value: Any) -> None:
    """Print one document."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2))


def print_rows(
    format: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], decimals: str = "g"
) -> None:
    """Print rows in one of `ROW_FORMATS`.

    Args:
        format: `table`, `json`, `csv` or `ndjson`.
        columns: their names.
        rows: their values, in the same order; None for blank.
        decimals: how a table shows numbers that are not whole, as a format specification.
    """
    values = [[plain(value) for value in row] for row in rows]
    if format == "table":
        click.echo(table(columns, values, decimals))
    elif format == "csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([columns, *values])
        click.echo(text.getvalue(), nl=False)
    else:
        records = [dict(zip(columns, row, strict=True)) for row in values]
        if format == "json":
            print_json(records)
        for record in records if format == "ndjson" else ():
            click.echo(json.dumps(record, ensure_ascii=False))


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    decimals: str = "g",
    style: str = "simple",
) -> str:
    """Lay out rows for people: numbers to the right, texts exactly as they are.

    Without names of columns it has no header.
    """
    shown = [[_cell(value, decimals) for value in row] for row in rows]
    numeric = [
        any(isinstance(row[place], int | float) for row in rows)
        for place in range(len(rows[0]) if rows else 0)
    ]
    align = ["right" if is_number else "left" for is_number in numeric]
    return tabulate(shown, columns, tablefmt=style, colalign=align if rows else None,
                    disable_numparse=True)  # fmt: skip


def _cell(value: Any, decimals: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else ""
    text = format(value, decimals) if isinstance(value, float) else str(value)
    # A line end or another control character in a text must not break the table.
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def note(text: str) -> None:
    """Tell something besides the result, on standard error; `--quiet` silences it."""
    context = click.get_current_context(silent=True)
    if not (context and context.params.get("quiet")):
        click.echo(text, err=True)
