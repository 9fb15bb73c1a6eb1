"""How large a lake is beside the ledger and the deliveries: by relation, and by month."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.table import markdown

INTERACTIONS = "interactions_events"
_REST = "all else"


def by_relation(lake: Path, ledger: Path) -> str:
    """A line for each relation: its events, and the bytes for each of them, in three forms."""
    events, delivered = Counter[str](), Counter[str]()
    for table, _, rows, size in _delivered(ledger):
        events[table] += rows
        delivered[table] += size
    stored = _stored(ledger, [*events])
    parquet = Counter[str]()
    for path in _parquet(lake):
        parquet[path.relative_to(lake).parts[0]] += path.stat().st_size
    names = [*sorted(events, key=events.__getitem__, reverse=True),
             *sorted({*parquet, _REST} - {*events})]  # fmt: skip
    lines = [
        _line(name, events[name], parquet[name], stored[name], delivered[name]) for name in names
    ]
    forms = (parquet, stored, delivered)
    lines.append(_line("together", events.total(), *(form.total() for form in forms)))
    titles = ["", "events"]
    titles += [t for name in ("Parquet", "SQLite", "CSV") for t in (f"{name}, bytes", "each")]
    return markdown(titles, lines)


def by_month(lake: Path, ledger: Path) -> str:
    """A line for each month: the interactions' events, and the bytes for each of them."""
    lines = []
    for table, month, rows, size in _delivered(ledger):
        if table == INTERACTIONS:
            folder = lake / table / f"month={month}"
            held = sum(path.stat().st_size for path in _parquet(folder))
            lines.append([str(month), f"{rows:,}", f"{held:,}", f"{held / rows:.1f}",
                          f"{size / rows:.1f}"])  # fmt: skip
    titles = ["month", "events", "Parquet, bytes", "Parquet, each", "CSV, each"]
    return markdown(titles, lines)


def _line(name: str, events: int, *forms: int) -> list[str]:
    cells = [name, f"{events:,}" if events else ""]
    for size in forms:
        each = f"{size / events:.1f}" if events and size else ""
        cells += [f"{size:,}" if size else "", each]
    return cells


def _parquet(folder: Path) -> Iterator[Path]:
    return folder.rglob("*.parquet")


def _delivered(ledger: Path) -> list[tuple[str, int, int, int]]:
    """By relation and month: its events, and the bytes of the files that brought them."""
    with closing(_opened(ledger)) as connection:
        return connection.execute("""
            SELECT table_name || '_events', month, sum(rows), sum(bytes)
            FROM files GROUP BY table_name, month ORDER BY table_name, month
        """).fetchall()


def _stored(ledger: Path, relations: list[str]) -> Counter[str]:
    """The bytes of the ledger's tables with their indexes; of all together where none is told."""
    whole = ledger.stat().st_size
    sizes = Counter[str]()
    with closing(_opened(ledger)) as connection:
        options = {option for (option,) in connection.execute("PRAGMA compile_options")}
        if "ENABLE_DBSTAT_VTAB" in options:
            pages = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")
            for name, size in pages:
                owner = next((one for one in relations if name.startswith(one)), None)
                sizes[owner or (name if name in ("clock", "readings") else _REST)] += size
    sizes[_REST] += whole - sizes.total()
    return sizes


def _opened(ledger: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True)
