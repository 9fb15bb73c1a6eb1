-- What a bridge between two editions stands on, where their projections lie side by side: the tables
-- of the one with `before_` in their names, those of the other without.

-- part: side
-- The interactions of one edition: each with its row of the report, the keys that led to it, and
-- what it adds, counted as in totals.sql.
SELECT interactions.interaction_id,
       coalesce(interactions.month, '$unknown') AS month,
       interactions.contact_center_id,
       interactions.category_id,
       $center_label AS contact_center_name,
       $department_label AS department,
       CASE WHEN interactions.channel = 'phone' THEN 1 ELSE 0 END AS calls,
       CASE WHEN interactions.channel = 'phone'
            THEN coalesce(round(interactions.call_duration_minutes * 1000000.0), 0.0)
            ELSE 0.0 END AS micro_minutes
FROM ${side}interactions AS interactions
LEFT JOIN ${side}contact_centers AS center
       ON center.contact_center_id = interactions.contact_center_id
LEFT JOIN ${side}service_categories AS category
       ON category.category_id = interactions.category_id

-- part: pairs
-- The interactions that are not alike in both editions, from one row of the report to the other.
-- `calls` and `micro_minutes` are those of the edition before; of what that has not, of the other.
SELECT before.interaction_id,
       before.contact_center_id,
       before.category_id,
       before.month AS before_month,
       before.contact_center_name AS before_center,
       before.department AS before_department,
       after.month AS after_month,
       after.contact_center_name AS after_center,
       after.department AS after_department,
       before.contact_center_id IS after.contact_center_id AS same_center,
       before.category_id IS after.category_id AS same_category,
       1 AS interactions,
       before.calls,
       before.micro_minutes,
       before.calls <> after.calls AS channel_changes,
       after.calls - before.calls AS channel_calls,
       CASE WHEN before.calls <> after.calls
            THEN after.micro_minutes - before.micro_minutes ELSE 0.0 END AS channel_micro_minutes,
       before.calls = after.calls AND before.micro_minutes <> after.micro_minutes
           AS duration_changes,
       CASE WHEN before.calls = after.calls
            THEN after.micro_minutes - before.micro_minutes ELSE 0.0 END AS duration_micro_minutes
FROM bridge_before AS before
JOIN bridge_after AS after ON after.interaction_id = before.interaction_id
WHERE before.month <> after.month
   OR before.contact_center_name <> after.contact_center_name
   OR before.department <> after.department
   OR before.calls <> after.calls
   OR before.micro_minutes <> after.micro_minutes
UNION ALL
SELECT before.interaction_id, before.contact_center_id, before.category_id,
       before.month, before.contact_center_name, before.department, NULL, NULL, NULL,
       0, 0, 1, before.calls, before.micro_minutes, 0, 0, 0.0, 0, 0.0
FROM bridge_before AS before
WHERE NOT EXISTS (SELECT 1 FROM interactions
                  WHERE interactions.interaction_id = before.interaction_id)
UNION ALL
SELECT after.interaction_id, after.contact_center_id, after.category_id,
       NULL, NULL, NULL, after.month, after.contact_center_name, after.department,
       0, 0, 1, after.calls, after.micro_minutes, 0, 0, 0.0, 0, 0.0
FROM bridge_after AS after
WHERE NOT EXISTS (SELECT 1 FROM before_interactions
                  WHERE before_interactions.interaction_id = after.interaction_id)

-- part: groups
-- The same, added up for each path from row to row.
SELECT $path, $sums
FROM bridge_pairs
GROUP BY $path

-- part: changes
-- What changed, by the key of a table: interactions, or the rows that give them their names.
INSERT INTO bridge_$table (key, $columns)
SELECT $key, $values
FROM bridge_pairs
WHERE $condition
$grouping

-- part: last event
-- The last event of each key that counts in an edition: a delete too.
UPDATE bridge_$table SET $column = (
    $last_event
)

-- part: causes
SELECT changes.key, $columns,
       before.event_id, before.file, before.line, before.action,
       after.event_id, after.file, after.line, after.action
FROM bridge_$table AS changes
LEFT JOIN $events AS before ON before.event_id = changes.before_event
LEFT JOIN $events AS after ON after.event_id = changes.after_event
WHERE ($condition) AND (? IS NULL OR ? IN ($months))
ORDER BY changes.key, $columns
LIMIT ?
