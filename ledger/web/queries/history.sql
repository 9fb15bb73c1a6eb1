-- What happened to a record: each line is a cell that an event changed, as delivered.
SELECT json_extract(event.value, '$.source.month')         AS month,
       json_extract(event.value, '$.source.action')        AS action,
       json_extract(event.value, '$.verdict')              AS verdict,
       json_extract(change.value, '$.column')              AS "column",
       json_extract(change.value, '$.before')              AS before,
       json_extract(change.value, '$.after')               AS after,
       json_extract(event.value, '$.source.file')          AS file,
       json_extract(event.value, '$.source.line')          AS line,
       json_extract(event.value, '$.source.batch')         AS batch,
       json_extract(event.value, '$.source.superseded_in') AS superseded_in,
       json_extract(event.value, '$.recorded_at')          AS recorded_at
FROM json_each(ledger_history(:table, :key, :as_of, :known_at), '$.events') AS event
LEFT JOIN json_each(event.value, '$.changes') AS change
ORDER BY event.key, change.key
