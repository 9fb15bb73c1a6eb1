-- The rows of a table under which others are named, each with the months for which it applies: from
-- `from_month` (2025-02) up to, not including, `until_month`. '' is before and '~' after any month,
-- and after 'Unknown'. The dialect is the SQL that SQLite, DuckDB and Spark have in common.

-- part: as-is
-- The rows at the end of the as-of month, for all months.
SELECT event.event_id, event.$key, $texts, '' AS from_month, '~' AS until_month
FROM (
    $last_events
) AS last
JOIN $events AS event ON event.event_id = last.event_id
WHERE event.action <> 'delete'

-- part: as-was
-- The rows at the end of each month. Those of the extract are taken to have been the same before it,
-- as no earlier state is known.
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
