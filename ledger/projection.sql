-- The replay of one table, as a template: $names come from the description of the data set, and
-- `projection.py` fills them in. The dialect is what SQLite, DuckDB and Spark read alike, so there
-- is no function of dates here and no parameter. Two small relations say which events count:
--
--   replay_bound (end_event)                   events before this one, the end of the as-of month
--   replay_excluded (first_event, last_event)  ranges that do not count: superseded files
--
-- Each part starts at a line `-- part: NAME`.

-- part: replay
-- The last event of each key, where it is not a delete; its cells as regular text; then typed.
WITH cells AS (
    SELECT $cells
    FROM (
        SELECT max(event_id) AS event_id
        FROM $events
        WHERE event_id < (SELECT end_event FROM replay_bound)
          AND NOT EXISTS (SELECT 1 FROM replay_excluded AS excluded
                          WHERE event_id BETWEEN excluded.first_event AND excluded.last_event)
        GROUP BY $key
    ) AS last_events
    JOIN $events AS event ON event.event_id = last_events.event_id
    $readings
    WHERE event.action <> 'delete'
)
SELECT $columns
FROM cells
$clocks

-- part: plain cell
event.$column AS $column

-- part: typed cell
-- As it was read where it is irregular; '' stands for a reading without a value.
nullif(coalesce(reading.$column, event.$column), '') AS $column

-- part: readings
LEFT JOIN (SELECT event_id, $readings FROM readings GROUP BY event_id) AS reading
       ON reading.event_id = event.event_id

-- part: reading
max(CASE WHEN column_name = '$column' THEN coalesce(value, '') END) AS $column

-- part: text column
cells.$column AS $column

-- part: date column
cells.$column AS $column

-- part: number column
CAST(cells.$column AS DOUBLE) AS $column

-- part: clock
-- The stretch of a UTC hour in which a timestamp falls: `2025-02-05T13` and its minute.
LEFT JOIN clock AS ${column}_clock
       ON ${column}_clock.utc_hour = substr(cells.$column, 1, 13)
      AND ${column}_clock.from_minute <= substr(cells.$column, 15, 2)
      AND ${column}_clock.until_minute > substr(cells.$column, 15, 2)

-- part: timestamp column
-- Local hour, shifted minute, seconds as they are, offset. `100 +` keeps the leading zero.
${column}_clock.local_hour || ':'
    || substr('' || (100 + CAST(substr(cells.$column, 15, 2) AS INTEGER)
                     + ${column}_clock.minute_shift), 2, 2)
    || replace(substr(cells.$column, 17), 'Z', '')
    || ${column}_clock.utc_offset AS $column

-- part: local month
substr(${timestamp}_clock.local_hour, 1, 7) AS $name

-- part: seconds between
((${end}_clock.epoch_hour - ${start}_clock.epoch_hour) * 60
    + CAST(substr(cells.$end, 15, 2) AS INTEGER)
    - CAST(substr(cells.$start, 15, 2) AS INTEGER)) * 60.0
    + CAST(replace(substr(cells.$end, 18), 'Z', '') AS DOUBLE)
    - CAST(replace(substr(cells.$start, 18), 'Z', '') AS DOUBLE) AS $name
