"""Odd values: what is delivered, what is projected, and what is told of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from ledger import Ledger
from tests.corpus.sound import MONTH
from tests.strategies import COLUMNS, small_file, write_data_folder

CODES = {"bad-date", "bad-timestamp", "no-offset", "bad-number", "out-of-range"}
START, MINUTES, DAY = "interaction_start", "call_duration_minutes", "hire_date"
TABLES = {START: "interactions", MINUTES: "interactions", DAY: "agents"}


class OddValue(NamedTuple):
    """A cell, the value that it must be projected as, and the code that is told of it, if any."""

    column: str
    cell: str
    value: str | float | None
    code: str | None = None


MOMENTS = (
    # The clock goes forward at 2025-03-09T07:00:00Z: both sides, as three senders write them.
    OddValue(START, "2025-03-09T06:59:59Z", "2025-03-09T01:59:59-05:00"),
    OddValue(START, "2025-03-09T07:00:00Z", "2025-03-09T03:00:00-04:00"),
    OddValue(START, "2025-03-09T01:59:59-05:00", "2025-03-09T01:59:59-05:00"),
    OddValue(START, "2025-03-09T03:00:00-04:00", "2025-03-09T03:00:00-04:00"),
    OddValue(START, "2025-03-09T12:29:59+05:30", "2025-03-09T01:59:59-05:00"),
    OddValue(START, "2025-03-09T12:30:00+05:30", "2025-03-09T03:00:00-04:00"),
    # An hour that no clock there shows; its offset says which moment is meant.
    OddValue(START, "2025-03-09T02:30:00-05:00", "2025-03-09T03:30:00-04:00"),
    OddValue(START, "2025-03-09T02:30:00-04:00", "2025-03-09T01:30:00-05:00"),
    # It goes back at 2025-11-02T06:00:00Z: an hour occurs twice.
    OddValue(START, "2025-11-02T05:59:59Z", "2025-11-02T01:59:59-04:00"),
    OddValue(START, "2025-11-02T06:00:00Z", "2025-11-02T01:00:00-05:00"),
    OddValue(START, "2025-11-02T01:30:00-04:00", "2025-11-02T01:30:00-04:00"),
    OddValue(START, "2025-11-02T01:30:00-05:00", "2025-11-02T01:30:00-05:00"),
    OddValue(START, "2025-11-02T07:30:00+02:00", "2025-11-02T01:30:00-04:00"),
    OddValue(START, "2025-11-02T06:59:59.999999Z", "2025-11-02T01:59:59.999999-05:00"),
    OddValue(START, "2025-11-02T07:00:00Z", "2025-11-02T02:00:00-05:00"),
    # Other years, other rules: in 1974 summer began in January, and ended on 27 October.
    OddValue(START, "1974-01-06T06:59:59Z", "1974-01-06T01:59:59-05:00"),
    OddValue(START, "1974-01-06T07:00:00Z", "1974-01-06T03:00:00-04:00"),
    OddValue(START, "2006-04-02T07:00:00Z", "2006-04-02T03:00:00-04:00"),
    OddValue(START, "2007-03-11T06:59:59Z", "2007-03-11T01:59:59-05:00"),
    OddValue(START, "2007-03-11T07:00:00Z", "2007-03-11T03:00:00-04:00"),
    OddValue(START, "2050-07-01T00:00:00Z", "2050-06-30T20:00:00-04:00"),
    # The edges of a year, a leap day and of all time.
    OddValue(START, "2025-01-01T04:59:59Z", "2024-12-31T23:59:59-05:00"),
    OddValue(START, "2024-02-29T12:00:00Z", "2024-02-29T07:00:00-05:00"),
    OddValue(START, "2025-02-05T13:00:00.5Z", "2025-02-05T08:00:00.5-05:00"),
    OddValue(START, "2025-02-05T13:00:00.000Z", "2025-02-05T08:00:00-05:00"),
    OddValue(START, "1970-01-01T00:00:00Z", "1969-12-31T19:00:00-05:00"),
    OddValue(START, "9999-12-31T23:59:59Z", "9999-12-31T18:59:59-05:00"),
    OddValue(START, "1969-12-31T23:59:59Z", None, "out-of-range"),
    OddValue(START, "2025-02-05T10:00:00", None, "no-offset"),
    *(
        OddValue(START, cell, None, "bad-timestamp")
        for cell in (
            *("2025-02-30T10:00:00Z", "2025-02-29T10:00:00Z", "2025-04-31T10:00:00Z"),
            *("2025-02-05T24:00:00Z", "2025-02-05T23:59:60Z", "2016-12-31T23:59:60Z"),
            *("2025-W06-3T10:00:00Z", "2025-036T10:00:00Z", "2025-02-05 10:00:00Z", "2025-02-05"),
            *("2025-02-05T10:00:00z", "2025-02-05T10:00:00 +01:00", "2025-02-05T10:00:00+0100"),
            *("2025-02-05T10:00:00+24:00", "2025-02-05T10:00:00−05:00", "٢٠٢٥-02-05T10:00:00Z"),
            *("2025-02-05T10:00:00,5Z", "20250205T100000Z", "1738749600", "NA", "0", "now", "-"),
            *("2025-02-05T10:00:00Z[UTC]", "2025-02-05T10:00:00 EST", "\u00a02025-02-05T10:00:00Z"),
            "Wed, 05 Feb 2025 10:00:00 GMT",
        )
    ),
)
NUMBERS = (
    OddValue(MINUTES, "14", 14.0),
    OddValue(MINUTES, "14.0", 14.0),
    OddValue(MINUTES, "007", 7.0),
    OddValue(MINUTES, "+7", 7.0),
    OddValue(MINUTES, ".5", 0.5),
    OddValue(MINUTES, "5.", 5.0),
    OddValue(MINUTES, "1e3", 1000.0),
    OddValue(MINUTES, "1.5E-3", 0.0015),
    OddValue(MINUTES, "-3", -3.0),
    OddValue(MINUTES, "0.1", 0.1),
    OddValue(MINUTES, "936.500788", 936.500788),
    OddValue(MINUTES, "9007199254740993", 9007199254740992.0),
    OddValue(MINUTES, "9223372036854774784", 9223372036854774784.0),
    OddValue(MINUTES, "1e-400", 0.0),
    *(OddValue(MINUTES, cell, None, "out-of-range")
      for cell in ("9223372036854775808", "-9223372036854775808", "18446744073709551616", "1e19",
                   "1e309", "-1e309", "1" * 400)),
    *(OddValue(MINUTES, cell, None, "bad-number")
      for cell in ("1,000", "1.000,5", "1 000", "1\u00a0000", "1_000", "NaN", "nan", "inf", "-inf",
                   "Infinity", "NA", "null", "true", "0x10", "1e", "e5", ".", "-", "+", "--1", "1-",
                   "(5)", "$5", "5%", "5 min", "1/2", "½", "²", "١٢٣", "１４", "−3", "1.2.3", "1d",
                   "1f", "1L", "1\n2", "'5")),
)  # fmt: skip
DAYS = (
    OddValue(DAY, "2021-03-15", "2021-03-15"),
    OddValue(DAY, "2024-02-29", "2024-02-29"),
    OddValue(DAY, "0001-01-01", "0001-01-01"),
    OddValue(DAY, "1899-12-31", "1899-12-31"),
    OddValue(DAY, "9999-12-31", "9999-12-31"),
    *(OddValue(DAY, cell, None, "bad-date")
      for cell in ("2025-02-30", "2025-02-29", "1900-02-29", "2025-13-01", "2025-00-01",
                   "2025-01-00", "0000-01-01", "2025-1-1", "20250101", "2025-W01-1", "2025-001",
                   "01/02/2025", "1.2.2025", "2025/01/01", "25-01-01", "2025-01-01T00:00:00Z",
                   "2025-01-01 ", "٢٠٢٥-٠١-٠١", "2025‑01‑01", "45000", "Jan 1, 2025", "NA", "0"))
)  # fmt: skip
# A blank round a cell does not count, so this one is a date.
ODD_VALUES = tuple(
    value._replace(value="2025-01-01", code=None) if value.cell == "2025-01-01 " else value
    for value in (*MOMENTS, *NUMBERS, *DAYS)
)
NEITHER_SIDE = "0001-01-01"


def misread_values(folder: Path) -> Iterator[str]:
    """Record every odd value, one a row, and yield those that are read or told otherwise."""
    keyed = {f"{number:03}": value for number, value in enumerate(ODD_VALUES)}
    files = [
        small_file(table, None, *(_row(table, key, v) for key, v in keyed.items() if _of(v, table)))
        for table in sorted(set(TABLES.values()))
    ]
    write_data_folder(folder / "data", files)
    ledger = Ledger(folder / "ledger.db")
    ledger.ingest(folder / "data", initial_month=str(MONTH))
    findings = {
        finding.key: finding.code
        for finding in ledger.at().check().findings
        if finding.code in CODES
    }
    ledger.project()
    readers = {"projection": _projected, "json": _in_json, "parquet": _in_parquet}
    for where, read in readers.items():
        found = {column: read(ledger, folder, column) for column in TABLES}
        for key, value in keyed.items():
            if found[value.column][key] != value.value:
                yield f"{where}: {value} is {found[value.column][key]!r}"
    for key, value in keyed.items():
        if findings.get(key) != value.code:
            yield f"{value} is told as {findings.get(key)}"
        if _delivered(ledger, value.column, key) != value.cell.strip(" \t"):
            yield f"{value} is recorded as {_delivered(ledger, value.column, key)!r}"


def _of(value: OddValue, table: str) -> bool:
    return TABLES[value.column] == table


def _row(table: str, key: str, value: OddValue) -> list[str]:
    columns = COLUMNS[table]
    return [key, *(value.cell if name == value.column else "" for name in columns[1:])]


def _projected(ledger: Ledger, _: Path, column: str) -> dict[str, object]:
    table = TABLES[column]
    with closing(sqlite3.connect(ledger.path)) as connection:
        return dict(connection.execute(f"SELECT {COLUMNS[table][0]}, {column} FROM {table}"))


def _delivered(ledger: Ledger, column: str, key: str) -> object:
    table = TABLES[column]
    sql = f"SELECT {column} FROM {table}_events WHERE {COLUMNS[table][0]} = ?"
    with closing(sqlite3.connect(ledger.path)) as connection:
        return connection.execute(sql, (key,)).fetchone()[0]


def _in_json(ledger: Ledger, folder: Path, column: str) -> dict[str, object]:
    table = TABLES[column]
    ledger.at().export(folder / "out", format="json", tables=[table])
    rows = json.loads((folder / "out" / f"{table}_final.json").read_bytes())
    return {row[COLUMNS[table][0]]: row[column] for row in rows}


def _in_parquet(ledger: Ledger, folder: Path, column: str) -> dict[str, object]:
    table = TABLES[column]
    ledger.at().export(folder / "out", format="parquet", tables=[table])
    columns = pq.read_table(folder / "out" / f"{table}_final.parquet").to_pydict()
    values = columns[column]
    return dict(zip(columns[COLUMNS[table][0]], map(_as_text, values), strict=True))


def _as_text(value: object) -> object:
    if not isinstance(value, datetime):
        return value.isoformat() if hasattr(value, "isoformat") else value
    fraction = f".{value.microsecond:06}".rstrip("0").rstrip(".")
    return f"{value:%Y-%m-%dT%H:%M:%S}{fraction}{value.isoformat()[-6:]}"
