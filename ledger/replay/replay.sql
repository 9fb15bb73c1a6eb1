-- The replay of one table, as a template: $names come from the description of the data set, and
-- `statements.py` fills them in. The dialect is the SQL that SQLite, DuckDB and Spark have in
-- common, without functions of dates and without parameters. `editions.sql` decides which events are
-- replayed.

-- part: replay
-- Some events, without the deletes: their cells as regular text, then typed. The projection takes
-- the last event of each key.
WITH cells AS (
    SELECT event.event_id AS event_id,
$cells
    FROM (
        $chosen
    ) AS chosen
    JOIN $events AS event ON event.event_id = chosen.event_id
    $readings
    WHERE event.action <> 'delete'
)
SELECT $columns
FROM cells
$clocks

-- part: plain cell
event.$column AS $column

-- part: typed cell
-- The reading of the cell where it is irregular; '' is a reading without a value.
CASE WHEN reading.event_id IS NULL THEN event.$column
     ELSE nullif(coalesce(reading.$column, event.$column), '') END AS $column

-- part: readings
LEFT JOIN (SELECT event_id, $readings FROM readings $among GROUP BY event_id) AS reading
       ON reading.event_id = event.event_id

-- part: reading
max(CASE WHEN column_name = '$column' THEN coalesce(value, '') END) AS $column

-- part: text column
cells.$column AS $column

-- part: date column
cells.$column AS $column

-- part: number column
-- The sum turns -0 into 0, which SQLite stores in any case.
CAST(cells.$column AS DOUBLE) + 0.0 AS $column

-- part: clock
-- The part of a UTC hour in which a timestamp falls: `2025-02-05T13` and its minute.
LEFT JOIN clock AS ${column}_clock
       ON ${column}_clock.utc_hour = substr(cells.$column, 1, 13)
      AND ${column}_clock.from_minute <= substr(cells.$column, 15, 2)
      AND ${column}_clock.until_minute > substr(cells.$column, 15, 2)

-- part: timestamp column
-- The local hour, the unchanged rest, the offset. In a zone of half hours the minute changes too;
-- `100 +` keeps its leading zero.
CASE WHEN ${column}_clock.minute_shift = 0
     THEN ${column}_clock.local_hour
         || replace(substr(cells.$column, 14), 'Z', ${column}_clock.utc_offset)
     ELSE ${column}_clock.local_hour || ':'
         || substr('' || (100 + CAST(substr(cells.$column, 15, 2) AS INTEGER)
                          + ${column}_clock.minute_shift), 2, 2)
         || replace(substr(cells.$column, 17), 'Z', ${column}_clock.utc_offset)
END AS $column

-- part: local month
substr(${timestamp}_clock.local_hour, 1, 7) AS $name

-- part: utc month
CASE WHEN ${timestamp}_clock.local_hour IS NOT NULL
     THEN substr(cells.$timestamp, 1, 7) END AS $name

-- part: seconds between
((${end}_clock.epoch_hour - ${start}_clock.epoch_hour) * 60
    + CAST(substr(cells.$end, 15, 2) AS INTEGER)
    - CAST(substr(cells.$start, 15, 2) AS INTEGER)) * 60.0
    + CAST(replace(substr(cells.$end, 18), 'Z', '') AS DOUBLE)
    - CAST(replace(substr(cells.$start, 18), 'Z', '') AS DOUBLE) AS $name

-- part: seconds between without clock
-- The same number by a function of SQLite, in a quarter of the time: for the checks of new rows. It
-- counts days as doubles, so the result is rounded to the exact number of whole seconds or minutes.
CASE WHEN length(cells.$start) = 20 AND length(cells.$end) = 20
     THEN round((julianday(cells.$end) - julianday(cells.$start)) * 86400.0)
     ELSE round((julianday(substr(cells.$end, 1, 16)) - julianday(substr(cells.$start, 1, 16)))
                * 1440.0) * 60.0
         + CAST(replace(substr(cells.$end, 18), 'Z', '') AS DOUBLE)
         - CAST(replace(substr(cells.$start, 18), 'Z', '') AS DOUBLE)
END AS $name
