-- From the report of one edition to that of another: the total, then each row that moved, as
-- opening, steps and closing. `interactions` is how many a step concerned.
WITH bridge AS MATERIALIZED (
    SELECT ledger_bridge(:from, :to, :month, :skip) AS text
),
reconciliation AS (
    SELECT -1 AS place, json_extract(text, '$.total') AS value FROM bridge WHERE text IS NOT NULL
    UNION ALL
    SELECT one.key, one.value FROM bridge, json_each(bridge.text, '$.rows') AS one
),
line AS (
    SELECT place, value, -1 AS number, 'opening' AS step,
           json_extract(value, '$.opening') AS figures, NULL AS interactions
    FROM reconciliation
    UNION ALL
    SELECT place, reconciliation.value, step.key, json_extract(step.value, '$.kind'),
           json_extract(step.value, '$.figures'), json_extract(step.value, '$.interactions')
    FROM reconciliation, json_each(reconciliation.value, '$.steps') AS step
    UNION ALL
    SELECT place, value, 99, 'closing', json_extract(value, '$.closing'), NULL
    FROM reconciliation
)
SELECT CASE WHEN place < 0 THEN 'all' ELSE 'row' END AS of,
       json_extract(value, '$.month')                AS month,
       json_extract(value, '$.contact_center_name')  AS contact_center_name,
       json_extract(value, '$.department')           AS department,
       step,
       json_extract(figures, '$.total_interactions')  AS total_interactions,
       json_extract(figures, '$.total_calls')         AS total_calls,
       json_extract(figures, '$.total_call_duration') AS total_call_duration,
       interactions
FROM line
ORDER BY place, number
