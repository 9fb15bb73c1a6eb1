-- name: events
CREATE TABLE {table}_events AS
SELECT * FROM read_csv({files}, all_varchar = true, header = true, delim = ',', quote = '"',
                       escape = '"', union_by_name = true);

-- name: final
-- A rowid counts the rows as they were read: by month, then by line.
CREATE VIEW {table} AS
SELECT * EXCLUDE (action) FROM {table}_events
WHERE rowid IN (SELECT max(rowid) FROM {table}_events GROUP BY {key})
  AND action IS DISTINCT FROM 'delete';
COPY (SELECT * FROM {table} ORDER BY {key}) TO '{out}/{table}_final.csv' (HEADER);

-- name: report
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
) TO '{out}/support_report.csv' (HEADER);
