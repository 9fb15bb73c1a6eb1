"""The ledger's job by other means: from delivered files to final tables as CSV, and the report.

    python -m benchmarks.peers.duckdb DATA OUT        and so pandas, polars

Each reads every cell as text, keeps the last row of each key by month and line, leaves out what is
deleted, and writes `<table>_final.csv` in the order of the key, with times as delivered (UTC). The
report is by local month (New York), centre and department, as that of `ledger report`. None of them
checks or keeps anything.
"""

from __future__ import annotations

import sys
from pathlib import Path

KEYS = {
    "agents": "agent_id",
    "contact_centers": "contact_center_id",
    "service_categories": "category_id",
    "interactions": "interaction_id",
}
ZONE = "America/New_York"
LABELS = ("month", "contact_center_name", "department")


def folders() -> tuple[Path, Path]:
    """Return what the command line names: what is read, and the folder for what is written."""
    source, out = map(Path, sys.argv[-2:])
    out.mkdir(parents=True, exist_ok=True)
    return source, out


def delivered(data: Path, table: str) -> list[Path]:
    """Return the files of a table in order: the extract, and the deltas by month."""
    deltas = sorted((data / "delta").glob(f"{table}_delta_*.csv"))
    return [data / "initial" / f"{table}.csv", *deltas]
