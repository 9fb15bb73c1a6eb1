-- The keys that occur twice in an initial extract. The values are the span of its events, twice.

-- part: repeated keys
SELECT again.line, again.$key, first.line
FROM (SELECT $key, min(event_id) AS event_id FROM $events
      WHERE event_id BETWEEN ? AND ? GROUP BY $key HAVING count(*) > 1) AS repeated
JOIN $events AS first ON first.event_id = repeated.event_id
JOIN $events AS again ON again.$key = repeated.$key AND again.event_id > repeated.event_id
WHERE again.event_id BETWEEN ? AND ?
ORDER BY again.event_id
