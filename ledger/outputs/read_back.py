"""Reads published tables back, to compare them with the expected ones."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from ledger.errors import VerificationFailed, WrongUsage
from ledger.model.dataset import Column, Type
from ledger.model.documents import parse_json
from ledger.model.tabular import Values


def read_table(path: Path, columns: Sequence[Column]) -> list[Values]:
    """Read the rows of a file that was written from a table; the cells of CSV stay texts.

    Args:
        path: of the file, whose suffix is its format.
        columns: those that it must have, in order.

    Raises:
        WrongUsage: the file does not exist, or has another format.
        VerificationFailed: it cannot be read in its format, or has other columns.
    """
    readers = {".csv": _read_csv, ".json": _read_json, ".parquet": _read_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise WrongUsage(
            f"{path} has none of the suffixes {', '.join(readers)}; only files in these formats "
            "can be read back"
        )
    try:
        header, rows = reader(path)
    except OSError as error:
        raise WrongUsage(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, csv.Error) as error:
        raise VerificationFailed(f"{path} cannot be read as what it is called: {error}") from error
    names = [column.name for column in columns]
    if header != names and (rows or header):
        raise VerificationFailed(
            f"{path} has the columns {', '.join(header)}, not {', '.join(names)}"
        )
    for place, row in enumerate(rows, start=1):
        if len(row) != len(names):
            raise VerificationFailed(
                f"row {place} of {path} has {len(row)} cells, not {len(names)}"
            )
        if reader is not _read_csv:
            _check_types(row, columns, f"row {place} of {path}")
    return rows


def _read_csv(path: Path) -> tuple[list[str], list[Values]]:
    # With or without a byte order mark.
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = [*csv.reader(file, strict=True)]
    if not rows:
        raise ValueError("it is empty")
    return rows[0], [*rows[1:]]


def _read_json(path: Path) -> tuple[list[str], list[Values]]:
    records = parse_json(path.read_bytes())
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise ValueError("it is no array of objects")
    header = [*records[0]] if records else []
    if any([*record] != header for record in records):
        raise ValueError("its objects have different names")
    return header, [tuple(record.values()) for record in records]


def _check_types(row: Values, columns: Sequence[Column], place: str) -> None:
    """Refuse a number that was written as a text, and a text that was not."""
    kinds: dict[Type, tuple[type, ...]] = {Type.INTEGER: (int,), Type.NUMBER: (int, float)}
    for column, value in zip(columns, row, strict=True):
        if type(value) not in kinds.get(column.type, (str,)):
            raise VerificationFailed(f"{place}, {column.name}: {value!r} is no {column.type}")


def _read_parquet(path: Path) -> tuple[list[str], list[Values]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = path.read_bytes()
    try:
        table = pq.read_table(BytesIO(content))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(str(error)) from error
    return table.column_names, [tuple(record.values()) for record in table.to_pylist()]
