-- The figure, then the interactions that make it, with the event of each and what gave its names.
WITH explanation AS MATERIALIZED (
    SELECT ledger_explain(:month, :center, :department, :measure, :as_of, :known_at, :skip) AS text
),
unresolved AS (
    SELECT json_extract(one.value, '$.table')  AS table_name,
           json_extract(one.value, '$.key')    AS key,
           json_extract(one.value, '$.reason') AS reason
    FROM explanation, json_each(explanation.text, '$.unresolved') AS one
),
contribution AS (
    SELECT one.key AS place, one.value AS value,
           json_extract(one.value, '$.contact_center_id') AS contact_center_id,
           json_extract(one.value, '$.category_id')       AS category_id
    FROM explanation, json_each(explanation.text, '$.contributions') AS one
)
SELECT 'the figure'                                          AS part,
       NULL                                                  AS interaction_id,
       json_extract(text, '$.figures.total_interactions')    AS total_interactions,
       json_extract(text, '$.figures.total_calls')           AS total_calls,
       json_extract(text, '$.figures.total_call_duration')   AS total_call_duration,
       NULL AS file, NULL AS line, NULL AS batch, NULL AS sha256,
       json_extract(text, '$.contact_center_name')           AS contact_center_name,
       NULL                                                  AS contact_center_named_by,
       json_extract(text, '$.department')                    AS department,
       NULL                                                  AS department_named_by
FROM explanation
WHERE text IS NOT NULL
UNION ALL
SELECT 'interaction',
       json_extract(value, '$.interaction_id'),
       json_extract(value, '$.figures.total_interactions'),
       json_extract(value, '$.figures.total_calls'),
       json_extract(value, '$.figures.total_call_duration'),
       json_extract(value, '$.source.file'),
       json_extract(value, '$.source.line'),
       json_extract(value, '$.source.batch'),
       json_extract(value, '$.source.sha256'),
       json_extract(value, '$.contact_center_name'),
       coalesce(json_extract(value, '$.contact_center_source.file') || ':'
                    || json_extract(value, '$.contact_center_source.line'),
                (SELECT reason FROM unresolved
                 WHERE table_name = 'contact_centers' AND key IS contribution.contact_center_id)),
       json_extract(value, '$.department'),
       coalesce(json_extract(value, '$.department_source.file') || ':'
                    || json_extract(value, '$.department_source.line'),
                (SELECT reason FROM unresolved
                 WHERE table_name = 'service_categories' AND key IS contribution.category_id))
FROM contribution
