"""The job with pandas: what a delta names is dropped, and its rows are put below the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.peers import KEYS, LABELS, ZONE, delivered, folders


def main() -> None:
    """Do it."""
    data, out = folders()
    tables = {table: final(data, table) for table in KEYS}
    for table, frame in tables.items():
        frame.to_csv(out / f"{table}_final.csv", index=False)
    report(tables).to_csv(out / "support_report.csv", index=False)


def final(data: Path, table: str) -> Any:
    """The last state of a table."""
    key = KEYS[table]
    extract, *deltas = delivered(data, table)
    frame = pd.read_csv(extract, dtype=str, keep_default_na=False)
    for path in deltas:
        delta = pd.read_csv(path, dtype=str, keep_default_na=False)
        delta = delta.drop_duplicates(key, keep="last")
        kept = frame[~frame[key].isin(delta[key])]
        new = delta[delta["action"] != "delete"].drop(columns="action")
        frame = pd.concat([kept, new], ignore_index=True)
    return frame.sort_values(key)


def report(tables: dict[str, Any]) -> Any:
    """The support report."""
    names = tables["contact_centers"][["contact_center_id", "contact_center_name"]]
    departments = tables["service_categories"][["category_id", "department"]]
    rows = tables["interactions"].merge(names, how="left").merge(departments, how="left")
    start = pd.to_datetime(rows["interaction_start"], utc=True)
    minutes = pd.to_numeric(rows["call_duration_minutes"])
    calls = rows["channel"] == "phone"
    figures = rows.assign(
        month=start.dt.tz_convert(ZONE).dt.strftime("%Y-%m"),
        calls=calls,
        minutes=minutes.where(calls, 0.0).fillna(0.0),
    )
    labels = list(LABELS)
    figures[labels] = figures[labels].fillna("Unknown")
    return (
        figures.groupby(labels)
        .agg(
            total_interactions=("interaction_id", "size"),
            total_calls=("calls", "sum"),
            total_call_duration=("minutes", "sum"),
        )
        .reset_index()
        .sort_values(labels)
    )


if __name__ == "__main__":
    main()
