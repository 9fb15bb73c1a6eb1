-- The update of a projection from one edition to another, as templates: $names come from the
-- description of the data set, and `incremental.py` fills them in. It reads one small relation:
--
--   moved_keys (key)    the keys with events that count in one of the two editions alone
--
-- A row of any other key is the same in both. These statements are for SQLite; their result must
-- be that of `replay.sql`.

-- part: moved keys
INSERT OR IGNORE INTO temp.moved_keys (key)
SELECT event.$key FROM $events AS event WHERE event.event_id BETWEEN ? AND ?

-- part: among moved
-- Whether the key of a row moved.
$row.$key IN (SELECT key FROM temp.moved_keys)

-- part: forget rows
DELETE FROM $table WHERE $key IN (SELECT key FROM temp.moved_keys)

-- part: some rows
-- The rows of a projected table whose keys moved.
SELECT $columns FROM $table WHERE $key IN (SELECT key FROM temp.moved_keys)

-- part: summary of rows
-- A summary of some rows instead of all; $sums are negative for rows that are subtracted.
WITH $table AS (
    $rows
)
SELECT $groups, $sums
FROM (
    $select
) AS summary

-- part: summary of parts
-- The former summary with all that was added and subtracted; groups without rows are left out.
SELECT $groups, $sums
FROM $parts
GROUP BY $groups
HAVING sum($count) > 0
ORDER BY $groups

-- part: inexact
-- Whether any sum may be inexact, and so depend on the order in which it was added up.
SELECT EXISTS (SELECT 1 FROM $parts WHERE abs($magnitude) >= ?)
