"""The job with polars: all files below one another, of each key the last row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.peers import KEYS, LABELS, ZONE, delivered, folders


def main() -> None:
    """Do it."""
    data, out = folders()
    tables = {table: final(data, table) for table in KEYS}
    for table, frame in tables.items():
        frame.write_csv(out / f"{table}_final.csv")
    report(tables).write_csv(out / "support_report.csv")


def final(data: Path, table: str) -> Any:
    """The last state of a table."""
    key = KEYS[table]
    files = [pl.scan_csv(path, infer_schema=False) for path in delivered(data, table)]
    return (
        pl.concat(files, how="diagonal")
        .unique(subset=key, keep="last", maintain_order=True)
        .filter(pl.col("action").is_null() | (pl.col("action") != "delete"))
        .drop("action")
        .sort(key)
        .collect()
    )


def report(tables: dict[str, Any]) -> Any:
    """The support report."""
    start = pl.col("interaction_start").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC")
    is_call = pl.col("channel") == "phone"
    minutes = pl.col("call_duration_minutes").cast(pl.Float64)
    names = tables["contact_centers"].select("contact_center_id", "contact_center_name")
    departments = tables["service_categories"].select("category_id", "department")
    return (
        tables["interactions"]
        .lazy()
        .with_columns(month=start.dt.convert_time_zone(ZONE).dt.strftime("%Y-%m"))
        .join(names.lazy(), on="contact_center_id", how="left")
        .join(departments.lazy(), on="category_id", how="left")
        .with_columns(pl.col(*LABELS).fill_null("Unknown"))
        .group_by(*LABELS)
        .agg(
            total_interactions=pl.len(),
            total_calls=is_call.sum(),
            total_call_duration=minutes.filter(is_call).sum(),
        )
        .sort(*LABELS)
        .collect()
    )


if __name__ == "__main__":
    main()
