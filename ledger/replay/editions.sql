-- Which events count, at an as-of month and a known-at batch: this is decided here alone.
-- All that is computed reads two small relations:
--
--   replay_bound (end_event, batch)            the end of the as-of month, and the known-at batch
--   replay_excluded (month_start, first_event, last_event)
--                                              ranges of events that do not count, each of a month
--
-- `month_start` is an event_id without the number in its month. It is computed without a division,
-- which differs between the three engines, and without the column `month`, which no index has.
--
-- The dialect is the SQL that SQLite, DuckDB and Spark have in common.

-- part: excluded
-- Files that were not known by then, and files that another had superseded by then. Neighbours
-- become one range, as no event that counts lies between them: so a month has few ranges, and an
-- event is compared with those of its own month alone.
SELECT month_start, min(first_event) AS first_event, max(last_event) AS last_event
FROM (
    SELECT month_start, first_event, last_event, counts,
           sum(counts) OVER (ORDER BY first_event) AS stretch
    FROM (
        SELECT file.first_event - file.first_event % 1000000000 AS month_start,
               file.first_event, file.last_event,
               CASE WHEN file.batch <= bound.batch AND successor.file IS NULL
                    THEN 1 ELSE 0 END AS counts
        FROM files AS file
        CROSS JOIN replay_bound AS bound
        LEFT JOIN files AS successor
               ON successor.supersedes = file.file AND successor.batch <= bound.batch
        WHERE file.rows > 0
    ) AS known
) AS stretches
WHERE counts = 0
GROUP BY month_start, stretch

-- part: known
-- Whether an event counts at the known-at batch, whatever its month.
NOT EXISTS (SELECT 1 FROM replay_excluded AS excluded
            WHERE excluded.month_start = $event.event_id - $event.event_id % 1000000000
              AND $event.event_id BETWEEN excluded.first_event AND excluded.last_event)

-- part: counts
-- Whether an event counts: known, and before the end of the as-of month.
$event.event_id < (SELECT end_event FROM replay_bound)
      AND $known

-- part: last event
-- The last event of one key that counts, deletes included.
SELECT max($event.event_id) FROM $events AS $event WHERE $event.$key = $value AND $counts

-- part: among keys
-- Whether the key of a row is in a range, for reading a table in pages: `replay_keys (after_key,
-- until_key)` then has the key before the first one of the range, and the last one.
$row.$key > (SELECT after_key FROM replay_keys)
      AND $row.$key <= (SELECT until_key FROM replay_keys)

-- part: last events
-- For each key, the last event that counts, deletes included.
SELECT max(event.event_id) AS event_id
FROM $events AS event
WHERE $counts
GROUP BY event.$key

-- part: last events of few
-- The last event of each key where few events come before the end of the as-of month: grouped by an
-- expression that no index has, so that these few are read by their range, and not all keys.
SELECT max(event.event_id) AS event_id
FROM $events AS event
WHERE $counts
GROUP BY '' || event.$key
