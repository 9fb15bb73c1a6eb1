-- The rows of a table under which others are named, each with the months for which it holds: from
-- `from_month` (2025-02) up to, not including, `until_month`. '' is before and '~' after any month,
-- and after 'Unknown'. The dialect is what SQLite, DuckDB and Spark read alike.

-- part: as-is
-- As they stand at the end of the as-of month, for all months.
SELECT event.event_id, event.$key, $texts, '' AS from_month, '~' AS until_month
FROM (
    $last_events
) AS last
JOIN $events AS event ON event.event_id = last.event_id
WHERE event.action <> 'delete'

-- part: as-was
-- As they stood at the end of each month. What the extract gave stood before it too, as far as one
-- knows.
SELECT event_id, $key, $texts, from_month, until_month
FROM (
    SELECT event.event_id, event.action, event.$key, $texts,
           CASE WHEN file.kind = 'initial' THEN ''
                ELSE substr('' || event.month, 1, 4) || '-' || substr('' || event.month, 5, 2)
           END AS from_month,
           coalesce(lead(substr('' || event.month, 1, 4) || '-' || substr('' || event.month, 5, 2))
                        OVER (PARTITION BY event.$key ORDER BY event.event_id), '~') AS until_month
    FROM (
        SELECT max(event.event_id) AS event_id
        FROM $events AS event
        WHERE $counts
        GROUP BY event.$key, event.month
    ) AS last
    JOIN $events AS event ON event.event_id = last.event_id
    JOIN files AS file ON file.file = event.file
) AS stood
WHERE action <> 'delete'
