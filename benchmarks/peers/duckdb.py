"""The job with DuckDB: one table for each, whose rows lie in the order of months and lines."""

from __future__ import annotations

import duckdb

from benchmarks.peers import KEYS, ZONE, delivered, folders

EVENTS = """
CREATE TABLE {table}_events AS
SELECT * FROM read_csv({files}, all_varchar = true, header = true, delim = ',', quote = '"',
                       escape = '"', union_by_name = true)
"""
# A rowid counts the rows as they were read: by month, then by line.
FINAL = """
CREATE VIEW {table} AS
SELECT * EXCLUDE (action) FROM {table}_events
WHERE rowid IN (SELECT max(rowid) FROM {table}_events GROUP BY {key})
  AND action IS DISTINCT FROM 'delete'
"""
WRITE = "COPY (SELECT * FROM {table} ORDER BY {key}) TO '{file}' (HEADER)"
REPORT = """
COPY (
    WITH rows AS (
        SELECT strftime(timezone('{zone}', CAST(interaction_start AS TIMESTAMPTZ)), '%Y-%m')
                   AS month,
               contact_center_id, category_id, channel = 'phone' AS is_call,
               CAST(call_duration_minutes AS DOUBLE) AS minutes
        FROM interactions
    )
    SELECT coalesce(month, 'Unknown') AS month,
           coalesce(contact_center_name, 'Unknown') AS contact_center_name,
           coalesce(department, 'Unknown') AS department,
           count(*) AS total_interactions,
           count(*) FILTER (is_call) AS total_calls,
           coalesce(sum(minutes) FILTER (is_call), 0) AS total_call_duration
    FROM rows
    LEFT JOIN contact_centers USING (contact_center_id)
    LEFT JOIN service_categories USING (category_id)
    GROUP BY ALL
    ORDER BY ALL
) TO '{file}' (HEADER)
"""


def main() -> None:
    """Do it."""
    data, out = folders()
    with duckdb.connect() as connection:
        for table, key in KEYS.items():
            files = [str(path) for path in delivered(data, table)]
            connection.execute(EVENTS.format(table=table, files=files))
            connection.execute(FINAL.format(table=table, key=key))
            connection.execute(WRITE.format(table=table, key=key, file=out / f"{table}_final.csv"))
        connection.execute(REPORT.format(zone=ZONE, file=out / "support_report.csv"))


if __name__ == "__main__":
    main()
