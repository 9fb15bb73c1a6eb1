SELECT month, action, count(*) AS events
FROM events
GROUP BY month, action
ORDER BY month, action
