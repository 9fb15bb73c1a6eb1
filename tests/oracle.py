"""The state of the tables by another way: a fold over the delivered files in plain Python.

It shares no code with the ledger: files are read by the `csv` module, moments by `datetime` and
`zoneinfo`, numbers as fractions. What the ledger projects is held to it.
"""

from __future__ import annotations

import csv
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

Value = str | float | None
Cells = dict[str, str | None]
Rows = dict[str, dict[str, Value]]
ReportRow = tuple[str, str, str, int, int, float]

KEYS = {
    "agents": "agent_id",
    "contact_centers": "contact_center_id",
    "service_categories": "category_id",
    "interactions": "interaction_id",
}
DAYS = {"hire_date"}
MOMENTS = {"timestamp", "interaction_start", "agent_resolution_timestamp", "interaction_end"}
NUMBERS = {"call_duration_minutes", "satisfaction_rating"}

PROJECTED = (*KEYS, "support_totals", "support_readings", "support_report")
RECORDED = ("batches", "files", "tags", *(f"{table}_events" for table in KEYS), "readings", "clock")

_ZONE = ZoneInfo("America/New_York")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII
)


@dataclass(frozen=True)
class State:
    """The tables as of a month.

    Attributes:
        tables: by name, key and column; times local with their offset, numbers as floats.
        report: the support report, in order.
    """

    tables: dict[str, Rows]
    report: list[ReportRow]


def fold(paths: Iterable[Path], initial_month: int, as_of: int) -> State:
    """The state as of a month, from the files of a data folder."""
    delivered = sorted((_month(path, initial_month), path) for path in paths)
    cells: dict[str, dict[str, Cells]] = {table: {} for table in KEYS}
    for month, path in delivered:
        if month <= as_of:
            table = path.stem.partition("_delta_")[0]
            _apply(path, KEYS[table], cells[table])
    tables = {
        table: {key: typed(row) for key, row in rows.items()} for table, rows in cells.items()
    }
    return State(tables, _report(tables))


def state_of(connection: sqlite3.Connection) -> State:
    """The state that a ledger projected, as any client of SQLite reads it."""
    tables = {}
    for table, key in KEYS.items():
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [name for name, *_ in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
        tables[table] = {row[key]: row for row in rows}
        assert len(tables[table]) == len(rows)
    return State(tables, connection.execute("SELECT * FROM support_report").fetchall())


def dump(connection: sqlite3.Connection, tables: Iterable[str]) -> str:
    """All rows of some tables, in the order in which they lie there, with their types."""
    return "\n".join(
        f"{table}: {row!r}"
        for table in tables
        for row in connection.execute(f"SELECT * FROM {table}")
    )


def _month(path: Path, initial_month: int) -> int:
    return initial_month if path.parent.name == "initial" else int(path.stem[-6:])


def _apply(path: Path, key: str, rows: dict[str, Cells]) -> None:
    with open(path, encoding="utf-8-sig", newline="") as file:
        for record in csv.DictReader(file, strict=True):
            row: Cells = {name: cell.strip(" \t") or None for name, cell in record.items()}
            action = (row.pop("action", None) or "add").lower()
            identity = row[key] or ""
            if action == "delete":
                rows.pop(identity, None)
            else:
                rows[identity] = row


def typed(row: Cells) -> dict[str, Value]:
    """The values of a delivered row, and what is worked out of them."""
    typed: dict[str, Value] = {}
    moments: dict[str, datetime | None] = {}
    for name, text in row.items():
        if name in MOMENTS:
            moments[name] = _moment(text)
            typed[name] = _local(moments[name])
        elif name in NUMBERS:
            typed[name] = None if (number := _number(text)) is None else float(number)
        else:
            typed[name] = _day(text) if name in DAYS else text
    if moments:
        start, solved, end = (
            moments[name]
            for name in ("interaction_start", "agent_resolution_timestamp", "interaction_end")
        )
        local_start = typed["interaction_start"]
        typed["month"] = local_start[:7] if isinstance(local_start, str) else None
        typed["utc_month"] = f"{start:%Y-%m}" if start else None
        written = moments["timestamp"]
        typed["timestamp_utc_month"] = f"{written:%Y-%m}" if written else None
        typed["seconds_to_resolution"] = _seconds(start, solved)
        typed["seconds_after_resolution"] = _seconds(solved, end)
        typed["seconds_to_end"] = _seconds(start, end)
    return typed


def _number(text: str | None) -> Fraction | None:
    if not text or not _NUMBER.fullmatch(text):
        return None
    number = Fraction(text)
    return number if abs(number) < 2**63 else None


def _day(text: str | None) -> str | None:
    if not text or not _DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _moment(text: str | None) -> datetime | None:
    if not text or not _MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment >= _EPOCH else None


def _local(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    local = moment.astimezone(_ZONE)
    fraction = f".{local.microsecond:06}".rstrip("0").rstrip(".")
    offset = local.isoformat()[-6:]
    return f"{local:%Y-%m-%dT%H:%M:%S}{fraction}{offset}"


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() if start and end else None


def _report(tables: dict[str, Rows]) -> list[ReportRow]:
    groups: dict[tuple[str, str, str], list[dict[str, Value]]] = defaultdict(list)
    for row in tables["interactions"].values():
        center = tables["contact_centers"].get(str(row["contact_center_id"]), {})
        category = tables["service_categories"].get(str(row["category_id"]), {})
        names = row["month"], center.get("contact_center_name"), category.get("department")
        month, center_name, department = (str(name or "Unknown") for name in names)
        groups[month, center_name, department].append(row)
    report = []
    for group, rows in sorted(groups.items()):
        calls = [row for row in rows if row["channel"] == "phone"]
        minutes = sum(_millionths(row["call_duration_minutes"]) for row in calls)
        report.append((*group, len(rows), len(calls), float(Fraction(minutes, 10**6))))
    return report


def _millionths(minutes: Value) -> int:
    """Whole millionths of a minute: what the report counts in."""
    scaled = Decimal(float(minutes or 0) * 1e6)
    return int(scaled.to_integral_value(ROUND_HALF_UP))
