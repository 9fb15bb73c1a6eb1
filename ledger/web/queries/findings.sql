-- What is odd about the events that count.
SELECT json_extract(value, '$.code')    AS code,
       json_extract(value, '$.file')    AS file,
       json_extract(value, '$.line')    AS line,
       json_extract(value, '$.key')     AS key,
       json_extract(value, '$.column')  AS "column",
       json_extract(value, '$.value')   AS value,
       json_extract(value, '$.message') AS message
FROM json_each(ledger_findings(:code, :as_of, :known_at, :skip)) AS finding
ORDER BY finding.key
