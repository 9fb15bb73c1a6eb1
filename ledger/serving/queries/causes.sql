-- The interactions and names behind the steps of a bridge, each with the event before and after.
SELECT json_extract(value, '$.step')                        AS step,
       json_extract(value, '$.table')                       AS table_name,
       json_extract(value, '$.key')                         AS key,
       json_extract(value, '$.origin.month')                AS from_month,
       json_extract(value, '$.origin.contact_center_name')  AS from_contact_center_name,
       json_extract(value, '$.origin.department')           AS from_department,
       json_extract(value, '$.target.month')                AS to_month,
       json_extract(value, '$.target.contact_center_name')  AS to_contact_center_name,
       json_extract(value, '$.target.department')           AS to_department,
       json_extract(value, '$.figures.total_interactions')  AS total_interactions,
       json_extract(value, '$.figures.total_calls')         AS total_calls,
       json_extract(value, '$.figures.total_call_duration') AS total_call_duration,
       json_extract(value, '$.before.file')                 AS before_file,
       json_extract(value, '$.before.line')                 AS before_line,
       json_extract(value, '$.before.action')               AS before_action,
       json_extract(value, '$.before.batch')                AS before_batch,
       json_extract(value, '$.before.superseded_in')        AS before_superseded_in,
       json_extract(value, '$.after.file')                  AS after_file,
       json_extract(value, '$.after.line')                  AS after_line,
       json_extract(value, '$.after.action')                AS after_action,
       json_extract(value, '$.after.batch')                 AS after_batch
FROM json_each(ledger_causes(:from, :to, :month, :skip))
ORDER BY json_each.key
