"""The job with DuckDB: one table for each, whose rows are in the order of months and lines."""

from __future__ import annotations

from pathlib import Path

import duckdb

from benchmarks.peers import KEYS, ZONE, delivered, folders


def main() -> None:
    """Do it."""
    data, out = folders()
    _, events, final, report = Path(__file__).with_suffix(".sql").read_text().split("-- name: ")
    with duckdb.connect() as connection:
        for table, key in KEYS.items():
            names = {"table": table, "key": key, "out": out}
            names["files"] = [str(path) for path in delivered(data, table)]
            for section in (events, final):
                connection.execute(f"-- {section}".format(**names))
        connection.execute(f"-- {report}".format(zone=ZONE, out=out))


if __name__ == "__main__":
    main()
